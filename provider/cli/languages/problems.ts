/** What a language can't express. */

import { printable } from "../../printable";
import { CommandError } from "../command-error";

/** A key that a YAML program would call as a function. It may read files, so it never gets into a program. */
export function functionKey(resource: string, key: string): CommandError {
  return new CommandError(
    `--language yaml: "${resource}" has the key "${printable(key, 100)}" on LiveKit, which a YAML program would call as a function. Leave it out with --match, or choose another language.`,
  );
}
