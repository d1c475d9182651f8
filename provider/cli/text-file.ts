/** Reads files that the user names. */

import { readFileSync } from "node:fs";
import { CommandError } from "./command-error";

/**
 * The text of a file.
 *
 * @param option the option that names it, for the error message
 * @throws CommandError if it can't be read
 */
export function readTextFile(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(option, path, error);
  }
}

/** The error about a path that can't be read. */
export function unreadable(option: string, path: string, error: unknown): CommandError {
  return new CommandError(
    `${option}: ${path} can't be read: ${error instanceof Error ? error.message : "unknown error"}.`,
  );
}
