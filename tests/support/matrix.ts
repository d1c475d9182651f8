/**
 * How much a run covers. `npm test` runs every scenario once, on the in-process engine and the emulator, and smoke.test.ts on every other
 * engine and platform that is found. `npm run test:all`, which sets TEST_MATRIX=all, runs every scenario on each engine and
 * platform, and what takes long.
 */

/** Whether this run covers the whole matrix. */
export const isWholeMatrix = process.env.TEST_MATRIX === "all";

/** For what takes long: tests of time and size. */
export const testInWholeMatrix = isWholeMatrix ? test : test.skip;

/** For what runs the provider in Pulumi's processes: these run dist/, which no mutation reaches (stryker.config.json). */
export const testWithProcesses = process.env.STRYKER_MUTATOR_WORKER ? test.skip : test;

/** Of many cases of one kind, all in the whole matrix, or else every sixth. */
export function someOf<Case>(cases: readonly Case[]): readonly Case[] {
  return isWholeMatrix ? cases : cases.filter((_, index) => index % 6 === 0);
}
