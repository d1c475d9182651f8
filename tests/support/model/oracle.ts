/**
 * What the platform must look like after a successful `up`. It is computed from the program alone, without the
 * provider's code.
 */

import type { SIPInboundTrunkInfo, SIPOutboundTrunkInfo } from "@livekit/protocol";
import type { Item } from "./platform";
import { type Declared, type DeclaredRule, type DeclaredTrunk, hasHalf } from "./program";

interface Marker {
  readonly owner: string;
  readonly id: string;
  readonly openedBy?: { readonly owner: string; readonly id: string };
  readonly metadata?: string;
  readonly unconfirmed?: string;
}

/** What this package stores in a trunk's metadata. Undefined if there is nothing. */
export function markerOf(item: Item): Marker | undefined {
  return item.kind === "rule" ? undefined : takenApart(item.message.metadata).marker;
}

/**
 * Trunks that may stay open although nothing declares it: a lost InboundAuth opened them, and the state has known them
 * since before.
 */
export interface LeftOpen {
  /** Lost ids. The InboundAuths' ids among them matter here. */
  readonly lost: ReadonlySet<string>;
  /** Whether the state knew this SipTrunk id before the operation. A SipTrunk that takes a pair over closes it. */
  isOld(id: string): boolean;
}

/**
 * Fails unless the objects are exactly the declared ones.
 *
 * @param items - the objects to check
 * @param all - all of the stack's objects, which rules may refer to
 * @param recordedRules - the rules in the state
 */
export function expectAsDeclared(
  items: readonly Item[],
  all: readonly Item[],
  { trunks, rules }: Declared,
  recordedRules: ReadonlySet<string>,
  { lost, isOld }: LeftOpen,
): void {
  const open = new Set(trunks.flatMap(({ owner, auth }) => (auth ? [owner] : [])));
  const isLeftOpen = (item: Item): item is Item & { kind: "inbound" } => {
    const { openedBy, owner = "", id = "" } = markerOf(item) ?? {};
    return item.kind === "inbound" && lost.has(openedBy?.id ?? "") && !open.has(owner) && isOld(id);
  };
  const actual = items.map((item) => described(isLeftOpen(item) ? closed(item) : item, all)).sort();
  const halves = trunks.flatMap((trunk) => [
    ...(hasHalf(trunk.args, "inbound") ? [inbound(trunk)] : []),
    ...(hasHalf(trunk.args, "outbound") ? [outbound(trunk)] : []),
  ]);
  const wanted = [...halves, ...rules.map(ruleOf)].sort();
  if (JSON.stringify(actual) !== JSON.stringify(wanted)) {
    const only = (some: string[], others: string[]) => some.filter((text) => !others.includes(text)).join("\n  ");
    throw new Error(
      `The platform is not as declared.\nWanted only:\n  ${only(wanted, actual)}\nThere only:\n  ${only(actual, wanted)}\n(${actual.length} objects instead of ${wanted.length})`,
    );
  }
  const unrecorded = items.filter(({ kind, id }) => kind === "rule" && !recordedRules.has(id));
  if (unrecorded.length > 0) {
    throw new Error(`The state does not hold the rule ${unrecorded.map(({ id }) => id).join(", ")}`);
  }
}

/** The trunk as it would look if it were closed. */
function closed({ message, ...item }: Item & { kind: "inbound" }): Item {
  const { openedBy: _, ...marker } = JSON.parse(message.metadata)[MARKER_KEY];
  const metadata = JSON.stringify({ ...JSON.parse(message.metadata), [MARKER_KEY]: marker });
  const copy = message.clone();
  Object.assign(copy, { metadata, authUsername: "closed-000000000000", authPassword: "0".repeat(40) });
  return { ...item, message: copy };
}

const MARKER_KEY = "pulumi-livekit-sip";

const CLOSED = { username: "closed", password: "nobody knows it", addresses: [], callers: [], openedBy: null };

function inbound({ owner, numbers, args, username, password, auth }: DeclaredTrunk): string {
  const callers = auth?.allowedNumbers ?? [];
  const byCredentials = { ...(auth?.credential ?? { username, password }), addresses: [], callers };
  const byAddress = { username: "", password: "", addresses: auth?.allowedAddresses ?? [], callers };
  return JSON.stringify({
    inbound: owner,
    name: args.name,
    numbers,
    headers: args.headers ?? {},
    metadata: args.metadata ?? "",
    krisp: args.krispEnabled ?? false,
    ...(auth ? { ...(auth.args.method === "ip" ? byAddress : byCredentials), openedBy: auth.owner } : CLOSED),
  });
}

function outbound({ owner, numbers, args, username, password }: DeclaredTrunk): string {
  return JSON.stringify({
    outbound: owner,
    name: args.name,
    numbers,
    headers: args.headers ?? {},
    metadata: args.metadata ?? "",
    address: args.address,
    country: args.country,
    username,
    password,
  });
}

function ruleOf({ args, trunks }: DeclaredRule): string {
  return JSON.stringify({ rule: args.name, trunks: trunks?.toSorted() ?? [], room: args.roomName, pin: args.pin });
}

/** The relevant fields of an object as one text that names trunks by their owners. */
export function described(item: Item, items: readonly Item[]): string {
  switch (item.kind) {
    case "inbound":
      return describedInbound(item.message);
    case "outbound":
      return describedOutbound(item.message);
    case "rule": {
      const { name, trunkIds, rule } = item.message;
      const owners = trunkIds.map((id) => {
        const trunk = items.find((other) => other.id === id);
        return (trunk && markerOf(trunk)?.owner) ?? id;
      });
      const direct = rule?.rule.case === "dispatchRuleDirect" ? rule.rule.value : undefined;
      return JSON.stringify({ rule: name, trunks: owners.sort(), room: direct?.roomName, pin: direct?.pin });
    }
  }
}

function describedInbound(trunk: SIPInboundTrunkInfo): string {
  const { user, marker } = takenApart(trunk.metadata);
  // When nobody knows the password, it does not matter who else is allowed to call.
  const isClosed = /^closed-[0-9a-f]{12}$/.test(trunk.authUsername) && trunk.authPassword.length >= 40;
  return JSON.stringify({
    inbound: marker?.owner,
    name: trunk.name,
    numbers: trunk.numbers,
    headers: sorted(trunk.headers),
    metadata: user,
    krisp: trunk.krispEnabled,
    username: isClosed ? CLOSED.username : trunk.authUsername,
    password: isClosed ? CLOSED.password : trunk.authPassword,
    addresses: isClosed ? [] : trunk.allowedAddresses,
    callers: isClosed ? [] : trunk.allowedNumbers,
    openedBy: marker?.openedBy?.owner ?? null,
  });
}

function describedOutbound(trunk: SIPOutboundTrunkInfo): string {
  const { user, marker } = takenApart(trunk.metadata);
  return JSON.stringify({
    outbound: marker?.owner,
    name: trunk.name,
    numbers: trunk.numbers,
    headers: sorted(trunk.headers),
    metadata: user,
    address: trunk.address,
    country: trunk.destinationCountry,
    username: trunk.authUsername,
    password: trunk.authPassword,
  });
}

function takenApart(text: string): { user: string; marker?: Marker } {
  if (!text.includes(MARKER_KEY)) {
    return { user: text };
  }
  const { [MARKER_KEY]: marker, ...rest } = JSON.parse(text);
  const user = Object.keys(rest).length > 0 ? JSON.stringify(rest) : (marker.metadata ?? "");
  return { user, marker };
}

function sorted(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort());
}
