/** What is on a LiveKit project, and how a command names one of its objects. */

import type { Account } from "../livekit/account";
import type { InboundTrunk, OutboundTrunk, Rule } from "../livekit/messages";

/** Everything on one project. */
export interface Inventory {
  readonly inbound: readonly InboundTrunk[];
  readonly outbound: readonly OutboundTrunk[];
  readonly rules: readonly Rule[];
}

/** Lists everything, with one request for each kind. */
export async function inventoryOf(account: Account): Promise<Inventory> {
  const [inbound, outbound, rules] = await Promise.all([
    account.inbound.all(),
    account.outbound.all(),
    account.rules.all(),
  ]);
  return { inbound, outbound, rules };
}

/** An object that a command reports. */
export interface LiveKitObject {
  readonly id: string;
  readonly kind: "inbound trunk" | "outbound trunk" | "dispatch rule";
  readonly name: string;
}

/** The object in words. Its name can hold anything, so that the line must still be made printable. */
export function labelOf({ id, kind, name }: LiveKitObject): string {
  return `${kind} ${id}${name === "" ? "" : ` (${name})`}`;
}
