/** Child processes of the engine. None outlives the operation or this process. */

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

/** Called with what a child process prints. */
export interface ChildEvents {
  /** A line on stdout or stderr, including its line break. */
  onLine(line: string, stream: "stdout" | "stderr"): void;
}

/** A running node process. */
export interface Child {
  /** The exit code, once the process has ended and all its output was passed on. */
  readonly exited: Promise<number | null>;
  /** Kills the process and waits until it has ended. */
  stop(): Promise<void>;
}

/** Starts node with these arguments. */
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
