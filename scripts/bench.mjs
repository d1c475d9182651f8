// Measures this package against resources that do nothing and against a straightforward provider.
//   npm run bench -- --quick         a first look, in a few minutes
//   npm run bench -- --help          lists the options

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
try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exit(1); // Ends the platforms too.
}
