/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  globalSetup: "<rootDir>/tests/support/global-setup.ts",
  roots: ["<rootDir>/tests"],
  testMatch: ["**/*.test.ts"],
  transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "tsconfig.json" }] },
  testSequencer: "<rootDir>/tests/support/slowest-first.js",
  testTimeout: 180_000,
  maxWorkers: "100%",
};
