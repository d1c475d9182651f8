// Programs from the field and the table of Pulumi's options: many stacks each, for `npm run test:all`.
const LONG = ["field-programs", "options"].map((suite) => `/${suite}\\.test\\.ts$`);

/** @type {import("jest").Config} */
module.exports = {
  testEnvironment: "node",
  globalSetup: "<rootDir>/tests/support/global-setup.ts",
  roots: ["<rootDir>/tests"],
  testMatch: ["**/*.test.ts"],
  transform: { "^.+\\.ts$": ["ts-jest", { tsconfig: "tsconfig.json" }] },
  testSequencer: "<rootDir>/tests/support/slowest-first.js",
  testPathIgnorePatterns: ["/node_modules/", ...(process.env.TEST_MATRIX === "all" ? [] : LONG)],
  testTimeout: 180_000,
  maxWorkers: "100%",
};
