/** Calls in both directions, one after another, for as long as a test runs: which of them failed, and for how long none got through. */

import { randomUUID } from "node:crypto";
import { placeCall as callOut, deleteRoom } from "../../provider/livekit/calls";
import type { Connection } from "../../provider/livekit/connection";
import { placeCall } from "../../provider/voip/call";

/** One call of the traffic. */
interface Made {
  /** When it was placed, in milliseconds of the performance clock. */
  readonly at: number;
  /** Why it failed. Undefined if it got through. */
  readonly failure: string | undefined;
}

/** The calls of one direction, counted. */
export interface Count {
  readonly calls: number;
  readonly failed: number;
  /** The longest time from the first of several calls that failed to the next one that got through, in milliseconds. */
  readonly longestGapMs: number;
  /** The different reasons of failures. */
  readonly failures: readonly string[];
}

export interface Route {
  /** The phone system, and a phone's credential there. */
  readonly phoneSystem: { readonly host: string; readonly port: number };
  readonly phone: { readonly username: string; readonly password: string };
  readonly livekit: Connection;
  readonly outboundTrunkId: string;
}

/** Calls from a phone through the phone system to 1011 on LiveKit, and calls from LiveKit to 600 on the phone system. */
export class Traffic {
  private readonly inbound: Promise<Made>[] = [];
  private readonly outbound: Promise<Made>[] = [];
  private readonly timer: NodeJS.Timeout;

  /** @param everyMs - the time between two calls of the same direction, in milliseconds */
  constructor(
    private readonly route: Route,
    everyMs: number,
  ) {
    this.timer = setInterval(() => this.place(), everyMs);
    this.place();
  }

  async stop(): Promise<{ inbound: Count; outbound: Count }> {
    clearInterval(this.timer);
    return { inbound: count(await Promise.all(this.inbound)), outbound: count(await Promise.all(this.outbound)) };
  }

  /** Waits until a call in each direction gets through. */
  async untilThrough(deadline = performance.now() + 60_000): Promise<void> {
    const calls = await Promise.all(this.place());
    if (calls.some(({ failure }) => failure !== undefined) && performance.now() < deadline) {
      await this.untilThrough(deadline);
    }
  }

  private place(): Promise<Made>[] {
    const calls = [made(() => this.callIn()), made(() => this.callOut())] as const;
    this.inbound.push(calls[0]);
    this.outbound.push(calls[1]);
    return [...calls];
  }

  private async callIn(): Promise<string | undefined> {
    const { phoneSystem, phone } = this.route;
    const outcome = await placeCall({
      server: { ...phoneSystem, protocol: "udp" },
      ...{ from: phone.username, to: "1011", secureMedia: false, timeoutMs: 15_000, ringingMs: 500 },
      credential: phone,
    });
    return outcome.kind === "accepted" ? undefined : JSON.stringify(outcome);
  }

  private async callOut(): Promise<string | undefined> {
    const { livekit, outboundTrunkId: trunkId } = this.route;
    const room = `traffic-${randomUUID()}`;
    const call = { trunkId, to: "600", room, identity: "traffic", ringingTimeout: 10, maxCallDuration: 20 };
    try {
      await callOut(livekit, call, []);
      return undefined;
    } catch (error) {
      return String(error);
    } finally {
      await deleteRoom(livekit, room).catch(() => undefined);
    }
  }
}

async function made(call: () => Promise<string | undefined>): Promise<Made> {
  const at = performance.now();
  return { at, failure: await call() };
}

function count(calls: readonly Made[]): Count {
  let longestGapMs = 0;
  let since: number | undefined;
  for (const { at, failure } of calls) {
    if (failure !== undefined) {
      since ??= at;
    } else if (since !== undefined) {
      longestGapMs = Math.max(longestGapMs, at - since);
      since = undefined;
    }
  }
  const failures = calls.flatMap(({ failure }) => failure ?? []);
  return { calls: calls.length, failed: failures.length, longestGapMs, failures: [...new Set(failures)] };
}
