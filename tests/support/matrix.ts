/**
 * How much a run covers. `npm test` takes about five minutes: it runs some of the scenarios that start Pulumi's
 * processes, on the in-process engine and the emulator, and smoke.test.ts on every other available engine and platform.
 * `npm run test:all` sets TEST_MATRIX=all and runs every scenario on each engine with the emulator, those in which
 * LiveKit's own answers decide (`test.everywhere`) on the real server too, and the slow tests. That is enough because
 * livekit-conformance.test.ts proves, call by call, that the emulator answers as the real server does.
 * `npm run test:everywhere` sets TEST_MATRIX=everywhere and runs every scenario on each engine and platform.
 */

/** Whether every scenario runs on each platform. */
const isEverywhere = process.env.TEST_MATRIX === "everywhere";

/** Whether this run covers every scenario. */
export const isWholeMatrix = process.env.TEST_MATRIX === "all" || isEverywhere;

/** For slow tests: those about time and size. */
export const testInWholeMatrix = isWholeMatrix ? test : test.skip;

/**
 * For tests that run the provider in Pulumi's processes. Those run dist/, which mutations don't reach
 * (stryker.config.json).
 */
export const testWithProcesses = process.env.STRYKER_MUTATOR_WORKER ? test.skip : test;

/** A short run takes one in this many scenarios of a suite, or cases of one kind, starting with the first. */
const SHORT_RUN_TAKES_ONE_OF = 6;

let scenarios = 0;

/** Whether the scenarios that are being declared are those for the real server. */
let isOnServer = false;

/**
 * Like jest's `describe.each`. For the real server, only the scenarios declared with `test.everywhere` count. Each block
 * needs at least one of them: jest refuses hooks without a test.
 */
export function describeOnPlatforms<On extends { readonly name: string }>(
  title: string,
  cases: readonly On[],
  declare: (on: On) => void,
): void {
  describe.each([...cases])(title, (on) => {
    isOnServer = on.name !== "emulator" && !isEverywhere;
    try {
      declare(on);
    } finally {
      isOnServer = false;
    }
  });
}

/** A test that starts Pulumi's processes. A short run skips most of them. Imported as `test`. */
export const scenario: Scenario = Object.assign(run, {
  each,
  skip: test.skip,
  everywhere: Object.assign(declared, { each: declaredEach }),
});

type Scenario = Pick<jest.It, "each" | "skip"> &
  typeof run & {
    /** A scenario in which LiveKit's own answers decide, so that it runs on the real server too. */
    everywhere: Pick<jest.It, "each"> & typeof declared;
  };

function run(name: string, work: () => Promise<void>, timeoutMs?: number): void {
  if (!isOnServer) {
    declared(name, work, timeoutMs);
  }
}

function declared(name: string, work: () => Promise<void>, timeoutMs?: number): void {
  const isIn = isTaken(scenarios);
  scenarios += 1;
  (isIn ? test : test.skip)(name, work, timeoutMs);
}

function each(cases: readonly unknown[]) {
  return isOnServer ? () => undefined : declaredEach(cases);
}

function declaredEach(cases: readonly unknown[]) {
  return test.each(someOf(cases));
}

/** All of the cases in the whole matrix, otherwise some of them. */
export function someOf<Case>(cases: readonly Case[]): readonly Case[] {
  return cases.filter((_, index) => isTaken(index));
}

function isTaken(index: number): boolean {
  return isWholeMatrix || index % SHORT_RUN_TAKES_ONE_OF === 0;
}
