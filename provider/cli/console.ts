/** What a command prints: results on standard output, progress on standard error, and there only on a terminal. */

export interface Console {
  /** Prints a text and a line break. */
  say(text: string): void;
  /** Prints a text for the user beside the result, on standard error. */
  note(text: string): void;
  /** The width of standard output in characters. Undefined if it is no terminal. */
  readonly width: number | undefined;
  /** Returns a function that shows how far something is. */
  progress(doing: string): (done: number, total: number) => void;
}

/** The shortest time between two updates of the progress, in milliseconds. */
const PROGRESS_INTERVAL_MS = 100;

export function consoleOf({ stdout, stderr }: Pick<NodeJS.Process, "stdout" | "stderr">): Console {
  return {
    say: (text) => {
      stdout.write(`${text}\n`);
    },
    note: (text) => {
      stderr.write(`${text}\n`);
    },
    width: stdout.columns,
    progress: (doing) => {
      let last = 0;
      return (done, total) => {
        const now = performance.now();
        if (stderr.isTTY && (done === total || now - last > PROGRESS_INTERVAL_MS)) {
          last = now;
          stderr.write(`\r${doing}: ${done} of ${total}${done === total ? "\n" : ""}`);
        }
      };
    },
  };
}
