/**
 * How much a run covers. `npm test` is done in five minutes: of the scenarios that start Pulumi's processes it runs some, on the in-process
 * engine and the emulator, and smoke.test.ts on every other engine and platform that is found. `npm run test:all`, which sets
 * TEST_MATRIX=all, runs every scenario on each engine and platform, and what takes long.
 */

/** Whether this run covers the whole matrix. */
export const isWholeMatrix = process.env.TEST_MATRIX === "all";

/** For what takes long: tests of time and size. */
export const testInWholeMatrix = isWholeMatrix ? test : test.skip;

/** For what runs the provider in Pulumi's processes: these run dist/, which no mutation reaches (stryker.config.json). */
export const testWithProcesses = process.env.STRYKER_MUTATOR_WORKER ? test.skip : test;

/** One of so many scenarios of a suite, or cases of one kind, is in a short run, beginning with the first. */
const SHORT_RUN_TAKES_ONE_OF = 6;

let scenarios = 0;

/** A test that starts Pulumi's processes: a short run skips most of them. Imported as `test`. */
export const scenario: Pick<jest.It, "each" | "skip"> & typeof run = Object.assign(run, { each, skip: test.skip });

function run(name: string, work: () => Promise<void>, timeoutMs?: number): void {
  const isIn = isTaken(scenarios);
  scenarios += 1;
  (isIn ? test : test.skip)(name, work, timeoutMs);
}

function each(cases: readonly unknown[]) {
  return test.each(someOf(cases));
}

/** Of many cases of one kind, all in the whole matrix, or else some. */
export function someOf<Case>(cases: readonly Case[]): readonly Case[] {
  return cases.filter((_, index) => isTaken(index));
}

function isTaken(index: number): boolean {
  return isWholeMatrix || index % SHORT_RUN_TAKES_ONE_OF === 0;
}
