/** The connection between a host and the platform: what can go wrong on it, including the host's death. */

import type { Fault } from "../../../provider/testing/livekit/fault";
import type { LiveKitEmulator } from "../../../provider/testing/livekit-emulator";
import { quickFetch } from "./quick-fetch";

/** What can go wrong with a call. */
export const MISHAPS = {
  "cut before": { cut: "before" },
  "cut after": { cut: "after" },
  "429": { status: 429 },
  "500": { status: 500 },
  "500 after": { status: 500, committed: true },
  "503": { status: 503 },
  "503 after": { status: 503, committed: true },
  slow: { latencyMs: 3 },
  page: { body: "<html>Bad gateway", committed: true },
  empty: { body: "", committed: true },
  torn: { body: '{"items":[{"sip_trunk_id":"ST_', committed: true },
} satisfies Record<string, Fault>;

/** A failure that begins after `after` more calls and lasts for `times` calls. A killed host makes no more calls. */
export interface Mishap {
  readonly after: number;
  readonly what: keyof typeof MISHAPS | "kill before" | "kill after";
  readonly times: number;
}

function isKill(what: Mishap["what"]): what is "kill before" | "kill after" {
  return what === "kill before" || what === "kill after";
}

/** Injects the mishaps of one operation. */
export class Wire {
  #calls = 0;
  #deathAt = Number.POSITIVE_INFINITY;
  #deathIs: "kill before" | "kill after" = "kill before";
  #dead = false;
  #firstAt = Number.POSITIVE_INFINITY;
  readonly #removals: (() => void)[] = [];

  /** @param onDeath - called when the host dies */
  constructor(
    emulator: LiveKitEmulator,
    mishaps: readonly Mishap[],
    private readonly onDeath: () => void,
  ) {
    let at = 0;
    for (const { after, what, times } of mishaps) {
      at += after;
      this.#firstAt = what === "slow" ? this.#firstAt : Math.min(this.#firstAt, at);
      if (isKill(what)) {
        this.#deathAt = at + 1;
        this.#deathIs = what;
        return;
      }
      if (after > 0) {
        this.#removals.push(emulator.inject({ times: after }));
      }
      this.#removals.push(emulator.inject({ ...MISHAPS[what], times }));
      at += times;
    }
  }

  /** Whether a mishap happened that may make the operation fail. */
  get hasStruck(): boolean {
    return this.#calls > this.#firstAt;
  }

  /** Whether the host was killed. */
  get isDead(): boolean {
    return this.#dead;
  }

  /** The fetch function for the host's calls. */
  readonly fetch: typeof fetch = async (url, init) => {
    this.#calls += 1;
    if (!this.#dead && this.#calls === this.#deathAt && this.#deathIs === "kill after") {
      await quickFetch(url, init).catch(() => undefined);
    }
    if (this.#dead || this.#calls >= this.#deathAt) {
      this.#dead = true;
      this.onDeath();
      throw new TypeError("fetch failed", { cause: new Error("the host is dead") });
    }
    return quickFetch(url, init);
  };

  /** Removes the faults that have not happened yet. */
  mend(): void {
    for (const remove of this.#removals) {
      remove();
    }
  }
}
