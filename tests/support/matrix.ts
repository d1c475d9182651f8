/**
 * How much a run covers. `npm test` takes about five minutes: it runs some of the scenarios that start Pulumi's
 * processes, on the in-process engine and the emulator, and smoke.test.ts on every other available engine and platform.
 * `npm run test:all` sets TEST_MATRIX=all and runs every scenario on each engine and platform, as well as the slow
 * tests.
 */

/** Whether this run covers the whole matrix. */
export const isWholeMatrix = process.env.TEST_MATRIX === "all";

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

/** A test that starts Pulumi's processes. A short run skips most of them. Imported as `test`. */
export const scenario: Pick<jest.It, "each" | "skip"> & typeof run = Object.assign(run, { each, skip: test.skip });

function run(name: string, work: () => Promise<void>, timeoutMs?: number): void {
  const isIn = isTaken(scenarios);
  scenarios += 1;
  (isIn ? test : test.skip)(name, work, timeoutMs);
}

function each(cases: readonly unknown[]) {
  return test.each(someOf(cases));
}

/** All of the cases in the whole matrix, otherwise some of them. */
export function someOf<Case>(cases: readonly Case[]): readonly Case[] {
  return cases.filter((_, index) => isTaken(index));
}

function isTaken(index: number): boolean {
  return isWholeMatrix || index % SHORT_RUN_TAKES_ONE_OF === 0;
}
