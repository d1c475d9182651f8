// The examples of the reference: a folder for each topic, with the same program in every Pulumi language.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const EXAMPLES = join(dirname(fileURLToPath(import.meta.url)), "..", "examples", "languages", "reference");

/** The program that the others are made from. */
export const SOURCE = "program.yaml";

/**
 * The languages: the name, the one in Pulumi's commands and schemas, and the file here. All but YAML are converted; `written` is the file that
 * the CLI writes.
 */
export const LANGUAGES = [
  { name: "TypeScript", code: "typescript", file: "program.ts", written: "index.ts" },
  { name: "Go", code: "go", file: "program.go", written: "main.go" },
  { name: "Python", code: "python", file: "program.py", written: "__main__.py" },
  { name: "C#", code: "csharp", file: "Program.cs", written: "Program.cs" },
  { name: "YAML", code: "yaml", file: SOURCE },
];

/** Whether a topic has a program in a language. In C#, what a reader returns and what a trunk takes are two classes, which the converter mixes up. */
export function isWritten(topic, { code }) {
  return !(topic === "stored-credential" && code === "csharp");
}

export function topics() {
  return readdirSync(EXAMPLES).sort();
}

/** The code of a topic in each language, as fenced blocks. */
export function blocksOf(topic) {
  return LANGUAGES.filter((language) => isWritten(topic, language)).map(({ name, code, file }) => {
    const text = readFileSync(join(EXAMPLES, topic, file), "utf8").trim();
    return { name, block: `\`\`\`${code}\n${text}\n\`\`\`` };
  });
}
