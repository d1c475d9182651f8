/** What the argument `adopt` names, and whether the SipTrunk may take it over. */

import { aliasOf } from "../lifecycle/alias";
import { changesThere } from "../lifecycle/remarks";
import type { IsKnown } from "../lifecycle/resource";
import type { Session } from "../lifecycle/session";
import { keysOf } from "../lifecycle/values";
import type { Listing } from "../livekit/account";
import type { Connection } from "../livekit/connection";
import type { InboundTrunk, OutboundTrunk } from "../livekit/messages";
import { MARKER_KEY, nameOf, stackOf } from "../livekit/ownership";
import * as sip from "../livekit/sip-api";
import * as trunks from "../livekit/trunks";
import { type SipTrunkInputs, schema } from "./arguments";
import { closesOnTakeOver, takeOverChanges } from "./comparison";

/** The trunks that a SipTrunk adopts. */
export interface Adoption {
  readonly inbound?: InboundTrunk;
  readonly outbound?: OutboundTrunk;
  /** The ids of `adopt` that LiveKit does not have. */
  readonly missing: readonly string[];
  /** Why it may not adopt them, and how to continue. */
  readonly refusal?: string;
}

export const NO_ADOPTION: Adoption = { missing: [] };

/** Looks for the trunks that `adopt` names. */
export async function adoptionOf(
  session: Session,
  owner: string,
  { inbound: inboundId, outbound: outboundId }: NonNullable<SipTrunkInputs["adopt"]> = {},
): Promise<Adoption> {
  const { inbound: inboundTrunks, outbound: outboundTrunks } = session.account;
  const [inbound, outbound] = await Promise.all([named(inboundTrunks, inboundId), named(outboundTrunks, outboundId)]);
  const refusals = [
    ...(inboundId === undefined
      ? []
      : [await refusalOf(session, owner, "inbound", inboundId, inbound, outboundTrunks)]),
    ...(outboundId === undefined
      ? []
      : [await refusalOf(session, owner, "outbound", outboundId, outbound, inboundTrunks)]),
  ];
  const [refusal] = refusals.filter((it) => it !== undefined);
  return {
    ...(inbound && { inbound }),
    ...(outbound && { outbound }),
    missing: [!inbound && inboundId, !outbound && outboundId].filter((id) => typeof id === "string"),
    ...(refusal !== undefined && { refusal }),
  };
}

/** Reads the trunks that `adopt` names again, right before they are changed. */
export async function readAdopted(
  { account }: Session,
  { inbound, outbound }: SipTrunkInputs["adopt"] = {},
): Promise<void> {
  const again = async <Trunk extends { readonly id: string }>(
    listing: Listing<Trunk>,
    list: (connection: Connection, ids: readonly string[]) => Promise<Trunk[]>,
    id: string | undefined,
  ) => {
    const [trunk] = id === undefined ? [] : await list(account.connection, [id]);
    await (trunk ? listing.put(trunk) : listing.remove(String(id)));
  };
  await Promise.all([
    again(account.inbound, sip.inbound.list, inbound),
    again(account.outbound, sip.outbound.list, outbound),
  ]);
}

async function named<Trunk extends { readonly id: string }>(
  listing: Listing<Trunk>,
  id: string | undefined,
): Promise<Trunk | undefined> {
  return id === undefined ? undefined : listing.get(id);
}

async function refusalOf(
  { own }: Session,
  owner: string,
  half: "inbound" | "outbound",
  id: string,
  trunk: InboundTrunk | OutboundTrunk | undefined,
  others: Listing<InboundTrunk> | Listing<OutboundTrunk>,
): Promise<string | undefined> {
  const other = half === "inbound" ? "outbound" : "inbound";
  if (!trunk) {
    return (await others.get(id)) ? `adopt.${half}: ${id} is an ${other} trunk: give it as adopt.${other}.` : undefined;
  }
  const names = [owner, own.formerOwner("SipTrunk", owner)];
  const { marker } = trunks.metadataOf(trunk);
  const holders = [own.ownerOf("SipTrunk", id), marker && (own.ownerOf("SipTrunk", marker.id) ?? marker.owner)];
  const holder = holders.find((it) => it !== undefined && !names.includes(it));
  if (holder === undefined) {
    return undefined;
  }
  return stackOf(holder) === stackOf(owner)
    ? `adopt.${half}: ${id} belongs to SipTrunk "${nameOf(holder)}" of this stack. If this is the same trunk under a new name, give it the option ${aliasOf(holder, owner)} instead of adopt.`
    : `adopt.${half}: ${id} carries the marker of ${holder}. Move it here with \`pulumi state move\`, or if that stack is gone, remove the key "${MARKER_KEY}" from the trunk's metadata first.`;
}

/** Arguments that are not on LiveKit's trunks. */
const ELSEWHERE: ReadonlySet<string> = new Set(["verifier", "voipCheck", "voipCheckTimeout", "adopt"]);

/** What a preview says of the trunks that a SipTrunk adopts: which ones, what changes on them, and whether callers still get in. */
export function adoptionRemarks(
  { account, own }: Session,
  { missing, ...adoption }: Adoption,
  args: Partial<SipTrunkInputs>,
  isKnown: IsKnown<SipTrunkInputs>,
  /** Whether a half exists anyway, from an earlier create. */
  isThere: (half: "inbound" | "outbound") => boolean,
): string[] {
  const isNews = (trunk: InboundTrunk | OutboundTrunk | undefined) =>
    trunk !== undefined && !own.has(trunk.id) && !own.has(trunks.metadataOf(trunk).marker?.id);
  const inbound = isNews(adoption.inbound) ? adoption.inbound : undefined;
  const outbound = isNews(adoption.outbound) ? adoption.outbound : undefined;
  const ids = [inbound, outbound].filter((trunk) => trunk !== undefined).map(({ id }) => id);
  const created = missing
    .filter((id) => !isThere(id === args.adopt?.inbound ? "inbound" : "outbound"))
    .map((id) => `names ${id} in adopt, but LiveKit has no trunk ${id}: a new one is created.`);
  if (ids.length === 0) {
    return created;
  }
  const changes = takeOverChanges({ inbound, outbound }, args, isKnown, account.connection);
  const unknown = keysOf(schema.shape).filter((field) => !isKnown(field) && !ELSEWHERE.has(field));
  const door = inbound && !trunks.isClosed(inbound) ? `; ${doorOf(inbound, args)}` : "";
  return [`takes over ${ids.join(" and ")} on LiveKit${changesThere(changes, unknown)}${door}.`, ...created];
}

/** What happens to an open inbound trunk. */
function doorOf(inbound: InboundTrunk, args: Partial<SipTrunkInputs>): string {
  if (trunks.isOpenToAnyone(inbound)) {
    return "the inbound trunk is OPEN TO ANYONE and is closed until an InboundAuth opens it";
  }
  return closesOnTakeOver(inbound, args)
    ? "the inbound trunk is closed until an InboundAuth opens it, because LiveKit hides its password"
    : "the inbound trunk stays open as it is: without an InboundAuth, the next `pulumi up` closes it";
}
