// The tests for the mutation tester (stryker.config.json): those that run the provider's code in jest's own process.
// Pulumi's processes run dist/, which mutations don't reach.
process.env.MODEL_RUNS ??= "200";
process.env.MODEL_SEED ??= "1";

const IN_PROCESS = [
  "account",
  "addresses",
  "bounded-fetch",
  "comparison",
  "connection",
  "credential",
  "drift",
  "fields",
  "messages",
  "ownership",
  "phone-number",
  "printable",
  "retry",
  "values",
  "model",
];

/** @type {import("jest").Config} */
module.exports = {
  ...require("./jest.config.js"),
  globalSetup: undefined,
  setupFiles: ["<rootDir>/tests/support/mutation-setup.ts"],
  testMatch: IN_PROCESS.map((suite) => `<rootDir>/tests/${suite}.test.ts`),
};
