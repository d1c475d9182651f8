/** Watches the provider, Pulumi's host of dynamic ones or the native one, from outside: its process, its memory and its clock. Can also kill it. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The hosts started with this environment, whichever engine starts them. */
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

  /** Forgets the hosts so far, which have ended. Other processes may have their ids by now. */
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

  /** The peak memory of any host since {@link forget}, in bytes. */
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

/** Kills a process. Returns whether it existed. */
export function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}
