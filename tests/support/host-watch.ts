/** Pulumi's host of dynamic providers, from outside: which process it is, the memory it took, its clock, and its sudden death. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The hosts that are started with its environment, whichever engine starts them. */
export class HostWatch {
  readonly env: Record<string, string>;
  readonly #folder = mkdtempSync(join(tmpdir(), "pulumi-livekit-sip-hosts-"));

  /** @param clockAheadMs how far the hosts' clock is ahead of the true time, in milliseconds */
  constructor(clockAheadMs = 0) {
    this.env = {
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --require "${join(__dirname, "host-preload.js")}"`,
      HOST_WATCH_FOLDER: this.#folder,
      ...(clockAheadMs !== 0 && { HOST_WATCH_CLOCK_MS: String(clockAheadMs) }),
    };
  }

  /** Forgets the hosts so far, which have ended: their process ids may be others' by now. */
  forget(): void {
    for (const pid of readdirSync(this.#folder)) {
      rmSync(join(this.#folder, pid));
    }
  }

  /** Kills the hosts that were started since {@link forget} and still run, as the kernel does when memory runs out. */
  kill(): void {
    const killed = readdirSync(this.#folder).filter((pid) => isKilled(Number(pid)));
    this.forget();
    if (killed.length === 0) {
      throw new Error("There is no host to kill.");
    }
  }

  /** The most memory that one host has taken since {@link forget}, in bytes. */
  peakMemory(): number {
    const peaks = readdirSync(this.#folder).map((pid) => {
      const kilobytes = readFileSync(join(this.#folder, pid), "utf8").trim().split("\n").map(Number);
      return Math.max(...kilobytes) * 1024;
    });
    return Math.max(0, ...peaks);
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Kills a process; whether there was one. */
export function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
