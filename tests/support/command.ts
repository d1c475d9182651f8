/** Runs the command `livekit-sip` of the built package, as a user does. */

import { spawn } from "node:child_process";
import { join } from "node:path";

const MAIN = join(__dirname, "..", "..", "dist", "cli", "main.js");

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the command. Undefined removes an environment variable. */
export function livekitSip(args: readonly string[], env: Record<string, string | undefined>): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [output, errors] = ["", ""];
    child.stdout.on("data", (part: Buffer) => {
      output += part;
    });
    child.stderr.on("data", (part: Buffer) => {
      errors += part;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output, errors }));
  });
}
