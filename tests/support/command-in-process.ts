/** Runs a subcommand of `livekit-sip` in this process, which takes much less time than starting one. */

import { CommandError } from "../../provider/cli/command-error";
import { type Console, consoleOf } from "../../provider/cli/console";
import type { CommandResult } from "./command";

/** @param work the subcommand's function, with the console that it gets */
export async function inProcess(work: (console: Console) => number | Promise<number>): Promise<CommandResult> {
  let [output, errors] = ["", ""];
  const stream = (write: (text: string) => void) =>
    Object.assign(Object.create(process.stdout), { isTTY: false, write });
  const console = consoleOf({
    stdout: stream((text) => {
      output += text;
    }),
    stderr: stream((text) => {
      errors += text;
    }),
  });
  try {
    const code = await work(console);
    return { code, output, errors };
  } catch (error) {
    if (error instanceof CommandError) {
      return { code: 1, output, errors: `${errors}livekit-sip: ${error.message}\n` };
    }
    throw error;
  }
}
