/** Programs that run no longer than this process: however this ends, they end too, and what they leave is cleared away. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

export interface TiedProgram {
  command: string;
  args: readonly string[];
  /** Added to this process's environment; unlike `args` it is not shown by `ps`. */
  env?: Readonly<Record<string, string>>;
  /** The file that gets what the program prints, standard error included. */
  output: string;
  /** Shell commands that clear away what the program leaves; they see `env`. */
  cleanUp: string;
}

/**
 * Runs the program in a process group of its own for as long as the shell's input is open, then kills the group and clears
 * away. With nobody left to read, only the subshell that writes a line dies of it.
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

/** Where programs are looked for: also where Debian keeps servers, which is not on a user's own PATH. */
export const PROGRAM_PATH = `${process.env.PATH ?? ""}:/usr/sbin`;

/** A started program. */
export class TiedProcess {
  private constructor(
    private readonly shell: ChildProcessWithoutNullStreams,
    private readonly group: number,
    /** Resolves with its status when the program has ended, by itself or by {@link stop}. */
    readonly exited: Promise<number>,
    private readonly cleared: Promise<void>,
  ) {}

  static async start({ command, args, env = {}, output, cleanUp }: TiedProgram): Promise<TiedProcess> {
    writeFileSync(output, "", { flag: "a" });
    const shell = spawn("sh", ["-c", WHILE_INPUT_IS_OPEN, "sh", command, ...args], {
      detached: true, // So that Ctrl-C ends it by the end of its input, and it still clears away.
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
    gone.catch(() => undefined); // Whoever waits hears of it.
    return new TiedProcess(shell, await Promise.race([pid, gone]), Promise.race([exited, gone]), cleared);
  }

  /** Sends a signal to the program and its children. */
  signal(name: "SIGSTOP" | "SIGCONT"): void {
    process.kill(-this.group, name);
  }

  /** Ends the program, if it has not ended, and clears away. */
  async stop(): Promise<void> {
    this.shell.stdin.end();
    await this.cleared;
  }
}
