// Suites with many stacks each, which only `npm run test:all` and `npm run test:everywhere` run.
const LEFT_OUT = process.env.TEST_MATRIX ? [] : ["options", "faults", "faults-host", "states", "field-programs"];

/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  globalSetup: "<rootDir>/tests/support/global-setup.ts",
  roots: ["<rootDir>/tests"],
  testMatch: ["**/*.test.ts"],
  transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "tsconfig.json" }] },
  testSequencer: "<rootDir>/tests/support/slowest-first.js",
  testPathIgnorePatterns: ["/node_modules/", ...LEFT_OUT.map((suite) => `/${suite}\\.test\\.ts$`)],
  testTimeout: 180_000,
  maxWorkers: "100%",
};
