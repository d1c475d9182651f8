/** Deals with what exists before a SipTrunk is created: leftovers that it may take over, and trunks that conflict with it. */

import { aliasOf } from "../lifecycle/alias";
import { credentialFingerprint } from "../lifecycle/fingerprint";
import type { Session } from "../lifecycle/session";
import type { Props } from "../lifecycle/values";
import type { Connection } from "../livekit/connection";
import type { InboundTrunk, OutboundTrunk, Rule } from "../livekit/messages";
import { nameOf, stackOf } from "../livekit/ownership";
import * as trunks from "../livekit/trunks";
import { matchingForm } from "../phone-number/format";
import { type Adoption, NO_ADOPTION } from "./adopt";
import type { SipTrunkInputs } from "./arguments";
import { declares } from "./direction";
import { calledNumbers, type NumberArguments, numberArguments } from "./mapping";

/**
 * A proof that this stack's program created a trunk, and not another stack of the same name. It is derived from values that only
 * this stack's program knows. An interrupted create is in no state, so the trunks themselves must carry the proof.
 */
export function createProof(
  owner: string,
  args: Partial<SipTrunkInputs>,
  { apiSecret }: Connection,
): string | undefined {
  const { username, password, address } = args;
  const numbers = numberArguments(args);
  const place = declares(args, "outbound") ? address : numbers && calledNumbers(numbers).join();
  // A username always comes with a password. If the password is missing here, it is not known yet.
  const known = username === undefined ? place : password;
  return known === undefined ? undefined : credentialFingerprint(apiSecret, `create ${owner}`, known);
}

/** A pair that exists before its SipTrunk is created, and what may be done with it. */
export interface Leftover extends trunks.Pair {
  /** Why it may not be taken over, and how to continue. */
  readonly refusal?: string;
  /** Whether it may stay open, because an InboundAuth of this stack opened it. */
  readonly mayStayOpen: boolean;
  /** Whether it stays open although nobody of this stack has opened it, because `adopt` names it. */
  readonly staysOpen: boolean;
  /** Whether `adopt` names one of the trunks. */
  readonly adopts: boolean;
}

/**
 * Finds a pair that carries the name of a SipTrunk that is to be created. The pair is this stack's own in three cases: the state
 * knows it (a replacement); an interrupted create of the same program made it and nothing uses it yet; or the user says so with
 * `livekit:takeOver`. Otherwise a stack of the same name on another state backend may depend on it.
 */
export async function leftoverOf(
  { account, own }: Session,
  owner: string,
  args: Partial<SipTrunkInputs>,
  adoption: Adoption = NO_ADOPTION,
): Promise<Leftover> {
  const { connection } = account;
  const owners = [owner, own.formerOwner("SipTrunk", owner)].filter((name) => name !== undefined);
  const pairs = await Promise.all(owners.map((name) => trunks.pairOwnedBy(account, name)));
  const left = pairs.find(({ inbound, outbound }) => inbound ?? outbound) ?? { spare: [] };
  const found = [left.inbound, left.outbound, ...left.spare].filter((trunk) => trunk !== undefined);
  const pair = together(adoption, left);
  const proof = createProof(owner, args, connection);
  // A program can only create a rule for the trunk once its state knows the trunk.
  const isUsed =
    left.inbound !== undefined &&
    left.inbound.id !== adoption.inbound?.id &&
    (await account.rules.having(leadingTo, left.inbound.id)).length > 0;
  const isOurs = (trunk: InboundTrunk | OutboundTrunk) => {
    const { marker } = trunks.metadataOf(trunk);
    const { id, openedBy, unconfirmed } = marker ?? {};
    return (
      own.has(id) ||
      own.has(openedBy?.id) ||
      connection.takeOver?.has(id ?? "") ||
      (unconfirmed !== undefined && unconfirmed === (proof ?? unconfirmed) && !openedBy && !isUsed)
    );
  };
  const opener = pair.inbound && trunks.metadataOf(pair.inbound).marker;
  const mayStayOpen = own.has(opener?.id) || own.has(opener?.openedBy?.id);
  const adopts = (adoption.inbound ?? adoption.outbound) !== undefined;
  const staysOpen = adoption.inbound !== undefined && !trunks.isOpenToAnyone(adoption.inbound);
  const taken = { ...pair, mayStayOpen, staysOpen, adopts };
  if (found.every(isOurs)) {
    const second = pair.spare.find((trunk) => adopts && own.has(trunks.metadataOf(trunk).marker?.id));
    return second
      ? { ...taken, refusal: `adopt: this SipTrunk already has ${second.id} on LiveKit: remove adopt.` }
      : taken;
  }
  const ids = [...new Set(found.map((trunk) => trunks.metadataOf(trunk).marker?.id))].join(",");
  return {
    ...taken,
    refusal:
      `${found.map(({ id }) => id).join(" and ")} on LiveKit belong to a SipTrunk of the same name (${owner}) that this stack's state does not know. ` +
      `If another stack of that name uses them, rename this stack or its project. If they are this stack's and its state was lost, run \`pulumi config set livekit:takeOver ${ids}\` and \`pulumi up\`; or delete them.`,
  };
}

/**
 * Why a pair may not be repaired: another stack of the same name has taken it over, and somebody has overwritten the metadata of the
 * inbound trunk since. Only the outbound one still shows whose they are.
 */
export async function takenOver(
  { account, own }: Session,
  { inbound, outbound }: trunks.Pair,
  { outboundTrunkId }: Props,
): Promise<string | undefined> {
  if (!inbound || outbound || typeof outboundTrunkId !== "string" || trunks.metadataOf(inbound).marker) {
    return undefined;
  }
  const other = await account.outbound.get(outboundTrunkId);
  const marker = other && trunks.metadataOf(other).marker;
  return marker && !own.has(marker.id)
    ? `${inbound.id} and ${outboundTrunkId} on LiveKit belong to a SipTrunk of the same name (${marker.owner}) that this stack's state does not know: rename this stack or its project.`
    : undefined;
}

/** The adopted trunks, and what is left of an earlier create. Of two for the same half, the adopted one counts. */
function together({ inbound, outbound }: Adoption, left: trunks.Pair): trunks.Pair {
  const chosen = { ...left, ...(inbound && { inbound }), ...(outbound && { outbound }) };
  const ids = new Set([chosen.inbound?.id, chosen.outbound?.id]);
  const all = [left.inbound, left.outbound, ...left.spare].filter((trunk) => trunk !== undefined);
  return { ...chosen, spare: all.filter(({ id }) => !ids.has(id)) };
}

/** The trunks that a rule uses, as lookup keys. */
function leadingTo({ trunkIds }: Rule): readonly string[] {
  return trunkIds;
}

/** Who already has a number that the SipTrunk needs, as a sentence with the fix. */
export async function numberTakenBy(
  { account, own }: Session,
  owner: string,
  args: NumberArguments,
  existing?: { readonly id: string; readonly state: Props },
  /** Whether it takes over the trunks that carry its name, as {@link leftoverOf} allowed. */
  takesOver = true,
  adopted?: InboundTrunk,
): Promise<string | undefined> {
  const numbers = calledNumbers(args);
  const live = adopted ?? (await account.inbound.having(trunks.owners, owner))[0];
  const sameNumber = await trunks.conflictingTrunks(account, { numbers, allowedNumbers: live?.allowedNumbers ?? [] });
  const names = [owner, own.formerOwner("SipTrunk", owner)];
  const others = sameNumber.filter((trunk) => {
    const { marker } = trunks.metadataOf(trunk);
    return marker
      ? marker.id !== existing?.id && !(names.includes(marker.owner) && (takesOver || own.has(marker.id)))
      : trunk.id !== existing?.state.inboundTrunkId && trunk.id !== adopted?.id;
  });
  for (const other of others) {
    const { marker } = trunks.metadataOf(other);
    const id = marker?.id ?? other.id;
    const manager = own.ownerOf("SipTrunk", id) ?? marker?.owner;
    const number = numbers.find((it) => other.numbers.some((its) => matchingForm(its) === matchingForm(it)));
    const isTwin = names.includes(manager) && !own.has(id);
    if (!manager || isTwin || !(own.has(id) || stackOf(manager) === stackOf(owner))) {
      const twin = isTwin ? " in another state" : "";
      const remedy =
        manager || existing || adopted
          ? "delete that trunk"
          : `take that trunk over with adopt: { inbound: "${other.id}" }`;
      const whose = manager ? `which ${manager} manages${twin}` : "which this stack does not manage";
      return `${args.type === "did" ? "numbers" : "extension"}: ${number} is taken by the inbound trunk ${other.id} of this LiveKit project, ${whose}: use another number, or ${remedy}.`;
    }
    // A SipTrunk that was declared earlier gives up the number in this same update; otherwise the claims would have refused it.
    if (!own.isDeclared("SipTrunk", manager)) {
      return (
        `SipTrunk "${nameOf(manager)}" of this stack still has the number ${number} (inbound trunk ${other.id}). If this is the same trunk under a new name, ` +
        `give it the option ${aliasOf(manager, owner)}; to move the number, remove it from the other one first, in a separate \`pulumi up\`; if an interrupted \`pulumi up\` left that trunk behind, delete it.`
      );
    }
  }
  return undefined;
}
