/**
 * Handles the pair of trunks of one SipTrunk: finds them by their markers, keeps the inbound one closed, manages their metadata.
 */

import { matchingForm } from "../phone-number/format";
import { type Account, DELETION_TTL_MS, type Listing } from "./account";
import { type Exposure, exposureOf } from "./addresses";
import { closedCredential, isClosedCredential } from "./closed-credential";
import type { InboundFields, InboundTrunk, OutboundTrunk } from "./messages";
import { canonicalMetadata, composeMetadata, type Marker, type Metadata, parseMetadata } from "./ownership";
import * as sip from "./sip-api";

type Trunk = InboundTrunk | OutboundTrunk;

export const HALVES = ["inbound", "outbound"] as const;

/** One side of a SipTrunk. */
export type Half = (typeof HALVES)[number];

/** The existing trunks of a pair. `spare` are additional trunks with the same marker, left behind by an interrupted create. */
export interface Pair {
  readonly inbound?: InboundTrunk | undefined;
  readonly outbound?: OutboundTrunk | undefined;
  readonly spare: readonly Trunk[];
}

/** Identifies the trunks of a SipTrunk. */
export interface PairKey {
  /** The resource's id, as in the marker. */
  readonly id: string;
  /** The LiveKit ids in the state. They find a trunk whose metadata somebody has overwritten. */
  readonly inboundTrunkId?: unknown;
  readonly outboundTrunkId?: unknown;
}

const parsed = new WeakMap<Trunk, Metadata>();

/** A trunk's parsed metadata, cached. */
export function metadataOf(trunk: Trunk): Metadata {
  let metadata = parsed.get(trunk);
  if (!metadata) {
    metadata = parseMetadata(trunk.metadata);
    parsed.set(trunk, metadata);
  }
  return metadata;
}

/** The id in a trunk's marker, as lookup keys. */
function markerIds(trunk: Trunk): string[] {
  const { marker } = metadataOf(trunk);
  return marker ? [marker.id] : [];
}

/** The owner in a trunk's marker, as lookup keys. */
export function owners(trunk: Trunk): string[] {
  const { marker } = metadataOf(trunk);
  return marker ? [marker.owner] : [];
}

/** The id of the InboundAuth that opened an inbound trunk, as lookup keys. */
function openers(trunk: InboundTrunk): string[] {
  const { openedBy } = metadataOf(trunk).marker ?? {};
  return openedBy ? [openedBy.id] : [];
}

/** The trunks of an existing SipTrunk, from the shared listing. A trunk with another resource's marker is not one of them. */
export async function pairOf(account: Account, key: PairKey): Promise<Pair> {
  const [inbound, outbound] = await Promise.all([
    trunksOf(account.inbound, key.id, key.inboundTrunkId),
    trunksOf(account.outbound, key.id, key.outboundTrunkId),
  ]);
  const [inboundLeft, outboundLeft] = await Promise.all([
    inbound.length > 0 ? [] : halfLeft(account.inbound, key.inboundTrunkId, outbound),
    outbound.length > 0 ? [] : halfLeft(account.outbound, key.outboundTrunkId, inbound),
  ]);
  return pairIn([...inbound, ...inboundLeft], [...outbound, ...outboundLeft], key);
}

/** The trunk in the state that still has an earlier id in its marker, because a takeover was interrupted after the other trunk. */
async function halfLeft<Kind extends Trunk>(
  listing: Listing<Kind>,
  recorded: unknown,
  [other]: readonly Trunk[],
): Promise<Kind[]> {
  const owner = other && metadataOf(other).marker?.owner;
  const trunk = owner === undefined ? undefined : await recordedTrunk(listing, recorded);
  return trunk && metadataOf(trunk).marker?.owner === owner ? [trunk] : [];
}

async function trunksOf<Kind extends Trunk>(listing: Listing<Kind>, id: string, recorded: unknown): Promise<Kind[]> {
  const unmarked = await unmarkedTrunk(listing, recorded);
  return [...(await listing.having(markerIds, id)), ...(unmarked ? [unmarked] : [])];
}

/** The trunk in the state, if somebody has overwritten its metadata. */
async function unmarkedTrunk<Kind extends Trunk>(listing: Listing<Kind>, recorded: unknown): Promise<Kind | undefined> {
  const trunk = await recordedTrunk(listing, recorded);
  return trunk && !metadataOf(trunk).marker ? trunk : undefined;
}

/** The trunk in the state, whatever marker it carries. */
async function recordedTrunk<Kind extends Trunk>(listing: Listing<Kind>, recorded: unknown): Promise<Kind | undefined> {
  return typeof recorded === "string" ? listing.get(recorded) : undefined;
}

/** The current trunks of a SipTrunk: read by the ids in the state, and listed again if that does not find all it should have. */
export async function freshPairOf(account: Account, key: PairKey, isDeclared: (half: Half) => boolean): Promise<Pair> {
  const ids = (id: unknown) => (typeof id === "string" ? [id] : []);
  const [inbound, outbound, known] = await Promise.all([
    sip.inbound.list(account.connection, ids(key.inboundTrunkId)),
    sip.outbound.list(account.connection, ids(key.outboundTrunkId)),
    pairOf(account, key),
  ]);
  const own = {
    inbound: inbound.filter(isOf(key.id, key.inboundTrunkId)),
    outbound: outbound.filter(isOf(key.id, key.outboundTrunkId)),
  };
  if (HALVES.every((half) => own[half].length > 0 || !isDeclared(half))) {
    return { ...known, ...pairIn(own.inbound, own.outbound, key), spare: known.spare };
  }
  await Promise.all([account.inbound.fresh(), account.outbound.fresh()]);
  return pairOf(account, key);
}

/** The trunks of a SipTrunk to delete, from a listing that many deletions share. */
export async function pairToDelete(account: Account, key: PairKey): Promise<Pair> {
  await Promise.all([account.inbound.fresh(DELETION_TTL_MS), account.outbound.fresh(DELETION_TTL_MS)]);
  return pairOf(account, key);
}

/** The trunks whose marker names an owner, whatever its id: what an earlier create left behind. */
export async function pairOwnedBy(account: Account, owner: string): Promise<Pair> {
  const [inbound, outbound] = await Promise.all([
    account.inbound.having(owners, owner),
    account.outbound.having(owners, owner),
  ]);
  return pairIn(inbound, outbound);
}

/** Identifies a trunk by its SipTrunk's name. */
export interface OwnerKey {
  /** The SipTrunk's owner name. If the program renames it, its other names follow. */
  readonly owners: readonly string[];
  /** The ids in the state. They distinguish its trunk from that of another stack of the same name. */
  readonly ids: ReadonlySet<string>;
}

/** Identifies the inbound trunk of an InboundAuth. */
export interface OpenedKey extends OwnerKey {
  /** The InboundAuth's id. It finds the trunk that the InboundAuth opened even if its SipTrunk has been renamed since. */
  readonly openedBy?: string;
  /** The LiveKit id in the state. It finds the trunk even if somebody has overwritten its metadata. */
  readonly recorded?: unknown;
}

/** The inbound trunk that an InboundAuth opened, or else that of the SipTrunk that it names. */
export async function inboundOf(
  { inbound }: Account,
  { openedBy, recorded, ...key }: OpenedKey,
): Promise<InboundTrunk | undefined> {
  const [opened] = openedBy === undefined ? [] : await inbound.having(openers, openedBy);
  const [owned] = opened ? [] : await ownedBy(inbound, key);
  return opened ?? owned ?? unmarkedTrunk(inbound, recorded);
}

/** The outbound trunk of a SipTrunk. */
export async function outboundOf({ outbound }: Account, key: OwnerKey): Promise<OutboundTrunk | undefined> {
  return first(await ownedBy(outbound, key));
}

/** Prefers trunks that match an id, then the name, and last a trunk whose marker somebody has overwritten. */
async function ownedBy<Kind extends Trunk>(
  listing: Listing<Kind>,
  { ids, ...key }: OwnerKey,
): Promise<readonly Kind[]> {
  const named = await Promise.all(key.owners.map((owner) => listing.having(owners, owner)));
  const isOwn = (trunk: Kind) => ids.has(trunk.id) || ids.has(metadataOf(trunk).marker?.id ?? "");
  const own = named.map((group) => group.filter(isOwn));
  const found = [...own, ...named].find((group) => group.length > 0);
  if (found) {
    return found;
  }
  const unmarked = await Promise.all([...ids].map((id) => unmarkedTrunk(listing, id)));
  return unmarked.filter((trunk) => trunk !== undefined);
}

/** {@link inboundOf}, from a listing that many deletions share. */
export async function inboundToClose(account: Account, key: OpenedKey): Promise<InboundTrunk | undefined> {
  await account.inbound.fresh(DELETION_TTL_MS);
  return inboundOf(account, key);
}

/** {@link inboundOf}, with up-to-date data. */
export async function freshInboundOf(account: Account, key: OpenedKey): Promise<InboundTrunk | undefined> {
  const known = await inboundOf(account, key);
  if (known && account.inbound.wasJustWritten(known.id)) {
    return known;
  }
  const [trunk] = known ? await sip.inbound.list(account.connection, [known.id]) : [];
  if (trunk) {
    await account.inbound.put(trunk);
  } else {
    await account.inbound.fresh();
  }
  return inboundOf(account, key);
}

function isOf(id: string, recorded: unknown): (trunk: Trunk) => boolean {
  return (trunk) => {
    const { marker } = metadataOf(trunk);
    return marker ? marker.id === id : trunk.id === recorded;
  };
}

/** Among several, picks the one in the state, or else the lowest id: the choice must be the same in every run. */
function pairIn(inbound: readonly InboundTrunk[], outbound: readonly OutboundTrunk[], key?: PairKey): Pair {
  const chosenInbound = inbound.find(({ id }) => id === key?.inboundTrunkId) ?? first(inbound);
  const chosenOutbound = outbound.find(({ id }) => id === key?.outboundTrunkId) ?? first(outbound);
  return {
    ...(chosenInbound ? { inbound: chosenInbound } : {}),
    ...(chosenOutbound ? { outbound: chosenOutbound } : {}),
    spare: [...inbound, ...outbound].filter((trunk) => trunk !== chosenInbound && trunk !== chosenOutbound),
  };
}

function first<Item extends Trunk>(trunks: readonly Item[]): Item | undefined {
  return trunks.toSorted((a, b) => (a.id < b.id ? -1 : 1))[0];
}

/**
 * The fields that close an inbound trunk, or keep a new one closed: every caller is asked for a password that nobody knows. The
 * allowed callers stay. Without them, LiveKit would refuse to close a trunk whose number another trunk has for other callers.
 */
export function closedFields(): Pick<
  InboundFields,
  "authUsername" | "authPassword" | "authRealm" | "allowedAddresses"
> {
  return { ...closedCredential(), authRealm: "", allowedAddresses: [] };
}

/** Who gets in on an inbound trunk without proving anything. If LiveKit hides its password, it counts as one that asks for it. */
export function exposure(trunk: InboundTrunk): Exposure {
  return hidesPassword(trunk) ? "none" : exposureOf(trunk);
}

/** Whether an inbound trunk lets callers in who prove nothing. */
export function isOpenToAnyone(trunk: InboundTrunk): boolean {
  return exposure(trunk) !== "none";
}

/** Whether an inbound trunk is closed. If LiveKit hides passwords, the username decides. */
export function isClosed(trunk: InboundTrunk): boolean {
  return isClosedCredential(trunk.authUsername, hidesPassword(trunk) ? undefined : trunk.authPassword);
}

/** The part of the marker that a SipTrunk writes to both of its trunks. */
export type OwnMarker = Omit<Marker, "openedBy" | "writtenAt">;

/** Whether a trunk's metadata differs from what is wanted, ignoring white space in JSON and what changes with every write. */
export function metadataDiffers(trunk: Trunk, user: string, own: OwnMarker): boolean {
  return markerDiffers(trunk, own) || userMetadataDiffers(trunk, user);
}

/** Whether the user's own part of a trunk's metadata differs from what is wanted, ignoring white space in JSON. */
export function userMetadataDiffers(trunk: Trunk, user: string): boolean {
  const { user: actual } = metadataOf(trunk);
  return actual !== user && canonicalMetadata(actual) !== canonicalMetadata(user);
}

/** Whether an update must write a trunk's metadata. Like {@link metadataDiffers}, but the user's part is compared byte for byte. */
export function metadataIsToWrite(trunk: Trunk, user: string, own: OwnMarker): boolean {
  const { user: actual } = metadataOf(trunk);
  return markerDiffers(trunk, own) || (actual !== user && (actual !== "" || canonicalMetadata(user) !== ""));
}

function markerDiffers(trunk: Trunk, own: OwnMarker): boolean {
  const { marker } = metadataOf(trunk);
  return (
    !marker ||
    marker.owner !== own.owner ||
    marker.id !== own.id ||
    marker.numberFormat !== own.numberFormat ||
    marker.country !== own.country
  );
}

/**
 * The metadata to write with a change of a trunk, or undefined to leave it as it is. On platforms that report when a trunk was
 * changed, it includes the time of our own change, so that changes by others can be recognised.
 */
export function metadataFor(
  trunk: Trunk,
  user: string,
  own: OwnMarker,
  openedBy: Marker["openedBy"] = metadataOf(trunk).marker?.openedBy,
): string | undefined {
  const before = metadataOf(trunk).marker?.openedBy;
  if (
    !trunk.updatedAt &&
    before?.id === openedBy?.id &&
    before?.owner === openedBy?.owner &&
    !metadataIsToWrite(trunk, user, own)
  ) {
    return undefined;
  }
  return composeMetadata(user, {
    ...own,
    ...(openedBy ? { openedBy } : {}),
    ...(trunk.updatedAt ? { writtenAt: new Date().toISOString() } : {}),
  });
}

/** The tolerated difference between two clocks, in milliseconds: LiveKit accepts tokens that are off by a minute. */
const CLOCK_TOLERANCE_MS = 70_000;

/** Whether the platform hides a trunk's password: it reports when the trunk was changed, and a username without a password. */
export function hidesPassword(trunk: Trunk): boolean {
  return trunk.updatedAt !== undefined && trunk.authUsername !== "" && trunk.authPassword === "";
}

/** When somebody else last wrote a trunk after this package did, by the platform's clock. Undefined if nobody did. */
export function changedByOthersAt(trunk: Trunk): Date | undefined {
  const { createdAt, updatedAt } = trunk;
  const { writtenAt } = metadataOf(trunk).marker ?? {};
  const written = writtenAt ? Date.parse(writtenAt) : createdAt?.getTime();
  return updatedAt && written !== undefined && updatedAt.getTime() - written > CLOCK_TOLERANCE_MS
    ? updatedAt
    : undefined;
}

/** The evidence, in words, that somebody else wrote a trunk whose password LiveKit hides. */
export function hiddenChange(kind: "inbound" | "outbound", trunk: Trunk): string | undefined {
  const at = hidesPassword(trunk) ? changedByOthersAt(trunk) : undefined;
  return at
    ? `${kind} trunk ${trunk.id} was written outside Pulumi at ${at.toISOString()}; LiveKit hides its password, so it may have changed too`
    : undefined;
}

/** What happens, in words, to the password that LiveKit hides when a trunk without a marker is taken over. */
export function hiddenTakeOver(kind: "inbound" | "outbound", trunk: Trunk): string | undefined {
  return hidesPassword(trunk)
    ? `LiveKit hides the password of ${kind} trunk ${trunk.id}, so the declared one is to be written`
    : undefined;
}

/**
 * The trunks that conflict with an inbound trunk of these numbers, by LiveKit's rule: they share a called number and a caller
 * that both would accept (livekit/protocol, ValidateTrunks).
 */
export async function conflictingTrunks(
  account: Account,
  candidate: { readonly numbers: readonly string[]; readonly allowedNumbers: readonly string[] },
): Promise<InboundTrunk[]> {
  const called = [...callKeys(candidate.numbers)];
  const callers = callKeys(candidate.allowedNumbers);
  const others = await Promise.all(called.map((number) => account.inbound.having(calledKeys, number)));
  return others.flat().filter((other) => overlap(callers, callKeys(other.allowedNumbers)));
}

/** The numbers that an inbound trunk is called by, as lookup keys. */
function calledKeys({ numbers }: InboundTrunk): string[] {
  return [...callKeys(numbers)];
}

/** An empty list accepts every number, and conflicts only with another empty one. */
function callKeys(numbers: readonly string[]): ReadonlySet<string> {
  return new Set(numbers.length === 0 ? [""] : numbers.map(matchingForm));
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return [...a].some((item) => b.has(item));
}
