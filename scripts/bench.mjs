// Measures this package against resources that do nothing and against a straightforward provider, and writes
// bench/results.md.
//   npm run bench -- --quick         100 customers, three runs
//   npm run bench -- --help          lists the options that narrow a run

import { readFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import ts from "typescript";

// The benchmark uses the tests' helpers, which are TypeScript.
const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022, esModuleInterop: true };
Module._extensions[".ts"] = (module, fileName) => {
  const { outputText } = ts.transpileModule(readFileSync(fileName, "utf8"), { fileName, compilerOptions: options });
  module._compile(outputText, fileName);
};

const { main } = createRequire(import.meta.url)("../bench/main.ts");
process.exitCode = await main(process.argv.slice(2));
