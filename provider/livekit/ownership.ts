/**
 * Who owns a trunk, written into the trunk's own metadata: what carries no marker, or another's, was not made by this
 * stack and is left alone. Dispatch rules carry none, because LiveKit hands their metadata to the callers' participants.
 */

import { compact, membersOf, stringsIn, withMember, withoutMember } from "./json-text";

/** The key in a trunk's metadata under which this package keeps its own. */
export const MARKER_KEY = "pulumi-livekit-sip";

/** The largest metadata accepted, in bytes: LiveKit's default `limit.max_metadata_size`. */
export const METADATA_LIMIT = 512 * 1024;

/** What this package keeps in a trunk's metadata; agents may read `numberFormat` and `country` from it. */
export interface Marker {
  /** The Pulumi resource that owns the trunk, as organization/project/stack/name. */
  readonly owner: string;
  /** The id of that resource: another one means that the trunk has been taken over since. */
  readonly id: string;
  readonly numberFormat: string;
  readonly country: string;
  /** The InboundAuth that opened this inbound trunk; absent while it is closed. */
  readonly openedBy?: { readonly owner: string; readonly id: string };
  /**
   * A proof of who made the trunk, for as long as no later operation of that stack has shown that its state knows it: an
   * interrupted create leaves it, and the same program may take the trunk over.
   */
  readonly unconfirmed?: string;
  /** When this package last changed the trunk (ISO 8601), on platforms that say when a trunk was changed. */
  readonly writtenAt?: string;
}

/** A trunk's metadata, taken apart. */
export interface Metadata {
  /** The user's own metadata, byte for byte; empty for a JSON object without members. */
  readonly user: string;
  readonly marker?: Marker;
}

/**
 * Puts the marker beside the user's metadata: into their JSON object, so that its readers find what they expect, or around
 * anything that is not an object. The user's own bytes stay as they are.
 */
export function composeMetadata(user: string, marker: Marker): string {
  const members = membersOf(user);
  return members
    ? withMember(user, members, MARKER_KEY, JSON.stringify(marker))
    : JSON.stringify({ [MARKER_KEY]: user === "" ? marker : { ...marker, metadata: user } });
}

/** Takes metadata apart; anything that is not ours is the user's, whole. Never throws, whoever wrote it. */
export function parseMetadata(text: string): Metadata {
  // Most trunks of a shared account are others': their metadata need not be read.
  const members = text.includes(MARKER_KEY) || text.includes("\\u") ? (membersOf(text) ?? []) : [];
  const own = members.findLast(({ key }) => key === MARKER_KEY);
  const kept: unknown = own && JSON.parse(text.slice(own.valueStart, own.end));
  const marker = readMarker(kept);
  if (!own || !marker) {
    return { user: text };
  }
  if (members.length > 1) {
    return { user: withoutMember(text, members, own), marker };
  }
  return { user: isRecord(kept) && typeof kept.metadata === "string" ? kept.metadata : "", marker };
}

/** The user's metadata without insignificant white space, so that two layouts of one object compare equal. */
export function canonicalMetadata(user: string): string {
  const members = membersOf(user);
  if (!members) {
    return user;
  }
  return members.length === 0 ? "" : compact(user);
}

/** Whether the user's metadata is an object that uses the key under which this package keeps its own. */
export function usesMarkerKey(user: string): boolean {
  return (membersOf(user) ?? []).some(({ key }) => key === MARKER_KEY);
}

/** Every text within metadata, itself included: what has to be cut out of a message by a server that quotes a part of it. */
export function textsIn(metadata: string): string[] {
  const { user } = parseMetadata(metadata);
  return [...new Set([metadata, user, ...stringsIn(user)])];
}

/** The stack that a resource belongs to, of an owner's name. */
export function stackOf(owner: string): string {
  return owner.split("/").slice(0, 3).join("/");
}

/** The resource's own name, of an owner's name. */
export function nameOf(owner: string): string {
  return owner.split("/").slice(3).join("/").split("$").at(-1) ?? owner;
}

/** Named field by field, so that a new one can't be forgotten. */
type ReadMarker = Marker & { readonly [Field in keyof Required<Marker>]: Marker[Field] | undefined };

function readMarker(value: unknown): ReadMarker | undefined {
  const name = readName(value);
  if (!isRecord(value) || !name) {
    return undefined;
  }
  const text = (item: unknown) => (typeof item === "string" ? item : undefined);
  return {
    ...name,
    numberFormat: text(value.numberFormat) ?? "",
    country: text(value.country) ?? "",
    openedBy: readName(value.openedBy),
    unconfirmed: text(value.unconfirmed),
    writtenAt: text(value.writtenAt),
  };
}

function readName(value: unknown): { readonly owner: string; readonly id: string } | undefined {
  return isRecord(value) && typeof value.owner === "string" && typeof value.id === "string"
    ? { owner: value.owner, id: value.id }
    : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
