/** Child processes of the engine: none outlives the operation, or this process. */

import { type ChildProcess, spawn } from "node:child_process";

const alive = new Set<ChildProcess>();
const deadly = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

process.on("exit", killAll);

function killAll(): void {
  for (const child of alive) {
    child.kill("SIGKILL");
  }
}

/** A signal that would end this process ends the children first. */
function onDeadlySignal(signal: NodeJS.Signals): void {
  killAll();
  unwatchSignals();
  if (process.listenerCount(signal) === 0) {
    process.kill(process.pid, signal);
  }
}

function watchSignals(): void {
  for (const signal of deadly) {
    process.on(signal, onDeadlySignal);
  }
}

function unwatchSignals(): void {
  for (const signal of deadly) {
    process.off(signal, onDeadlySignal);
  }
}

/** What a child process prints and how it ends. */
export interface ChildEvents {
  /** A line on stdout or stderr, its line break included. */
  onLine(line: string, stream: "stdout" | "stderr"): void;
}

/** A running node process. */
export interface Child {
  /** The exit code, once the process ended and everything it printed was passed on. */
  readonly exited: Promise<number | null>;
  /** Ends the process and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts node with the given arguments. */
export function startNode(args: string[], cwd: string, env: NodeJS.ProcessEnv, events: ChildEvents): Child {
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  if (alive.size === 0) {
    watchSignals();
  }
  alive.add(child);
  const forget = () => {
    alive.delete(child);
    if (alive.size === 0) {
      unwatchSignals();
    }
  };
  readLines(child.stdout, (line) => events.onLine(line, "stdout"));
  readLines(child.stderr, (line) => events.onLine(line, "stderr"));
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      forget();
      resolve(code);
    });
  });
  exited.catch(forget);
  return {
    exited,
    stop: async () => {
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), 2_000);
      await exited.catch(() => undefined);
      clearTimeout(kill);
    },
  };
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      onLine(`${line}\n`);
    }
  });
  stream.on("end", () => {
    if (rest) {
      onLine(rest);
    }
  });
}
