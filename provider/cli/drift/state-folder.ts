/** States that were exported into a folder: one file for each stack, from `pulumi stack export --file <stack>.json`. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../command-error";
import type { StoredStack } from "./stacks";

/**
 * The stacks of a folder. A stack is called like its file until its state has been read.
 *
 * @throws CommandError if the folder can't be read or holds no state
 */
export function folderStacks(folder: string): StoredStack[] {
  const files = filesIn(folder);
  if (files.length === 0) {
    throw new CommandError(
      `--state: ${folder} has no .json file: write one for each stack with \`pulumi stack export --file ${join(folder, "<stack>.json")}\`.`,
    );
  }
  return files.map((file) => ({
    name: file.slice(0, -".json".length),
    readState: async () => readFileSync(join(folder, file), "utf8"),
  }));
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json") && statSync(join(folder, name)).isFile())
      .sort();
  } catch (error) {
    throw new CommandError(
      `--state: ${folder} can't be read: ${error instanceof Error ? error.message : "unknown error"}.`,
    );
  }
}
