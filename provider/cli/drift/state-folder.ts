/** States that were exported into a folder: one file for each stack, from `pulumi stack export --file <stack>.json`. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../command-error";
import { readTextFile, unreadable } from "../text-file";
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
    readState: async () => readTextFile("--state", join(folder, file)),
  }));
}

function filesIn(folder: string): string[] {
  try {
    // A link is followed only when its state is read: one that leads nowhere is one stack's problem.
    return readdirSync(folder, { withFileTypes: true })
      .filter((it) => it.name.endsWith(".json") && (it.isFile() || it.isSymbolicLink()))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw unreadable("--state", folder, error);
  }
}
