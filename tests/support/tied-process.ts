/**
 * Programs that never outlive this process: however it ends, they end too, and what they leave behind is cleaned up.
 */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

export interface TiedProgram {
  command: string;
  args: readonly string[];
  /** Added to this process's environment. Unlike `args`, `ps` does not show it. */
  env?: Readonly<Record<string, string>>;
  /** The file for the program's output, including standard error. */
  output: string;
  /** Shell commands that clean up after the program. They see `env`. */
  cleanUp: string;
}

/**
 * Runs the program in its own process group while the shell's input is open, then kills the group and cleans up.
 * Subshells write the output lines: if nobody reads them any more, only the subshell dies.
 */
const WHILE_INPUT_IS_OPEN = `exec 3<&0 2>/dev/null
  setsid "$@" </dev/null >>"$TIED_OUTPUT" 2>&1 3<&- &
  program=$!
  (echo "$program")
  { cat <&3 >/dev/null; kill -s KILL -- "-$program"; } &
  wait "$program"
  (echo "$?")
  wait
  eval "$TIED_CLEAN_UP" >/dev/null`;

/**
 * Where programs are looked up. Includes the folder where Debian installs servers, which is not on a normal user's
 * PATH.
 */
export const PROGRAM_PATH = `${process.env.PATH ?? ""}:/usr/sbin`;

/** A started program. */
export class TiedProcess {
  private constructor(
    private readonly shell: ChildProcessWithoutNullStreams,
    private readonly group: number,
    /** Resolves with the exit status when the program has ended, by itself or through {@link stop}. */
    readonly exited: Promise<number>,
    private readonly cleared: Promise<void>,
  ) {}

  static async start({ command, args, env = {}, output, cleanUp }: TiedProgram): Promise<TiedProcess> {
    writeFileSync(output, "", { flag: "a" });
    const shell = spawn("sh", ["-c", WHILE_INPUT_IS_OPEN, "sh", command, ...args], {
      detached: true, // Keeps Ctrl-C from killing the shell, so that it can still clean up when its input ends.
      env: { ...process.env, PATH: PROGRAM_PATH, ...env, TIED_OUTPUT: output, TIED_CLEAN_UP: cleanUp },
    });
    shell.stdin.on("error", () => undefined); // It may have ended already.
    const cleared = new Promise<void>((resolve, reject) => {
      shell.once("close", () => resolve());
      shell.once("error", reject);
    });
    const lines = createInterface(shell.stdout);
    const pid = new Promise<number>((resolve) => lines.once("line", (line) => resolve(Number(line))));
    const exited = pid.then(
      () => new Promise<number>((resolve) => lines.once("line", (line) => resolve(Number(line)))),
    );
    const gone = cleared.then(() => -1);
    gone.catch(() => undefined); // Whoever awaits it gets the error.
    return new TiedProcess(shell, await Promise.race([pid, gone]), Promise.race([exited, gone]), cleared);
  }

  /** Sends a signal to the program and its children. */
  signal(name: "SIGSTOP" | "SIGCONT"): void {
    process.kill(-this.group, name);
  }

  /** Ends the program if it still runs, and cleans up. */
  async stop(): Promise<void> {
    this.shell.stdin.end();
    await this.cleared;
  }
}
