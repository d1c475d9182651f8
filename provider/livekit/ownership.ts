/**
 * Marks who owns a trunk, in the trunk's own metadata. A trunk without a marker, or with another's, was not created by this stack
 * and is left alone. Dispatch rules carry no marker, because LiveKit passes their metadata to the callers' participants.
 */

import { compact, membersOf, stringsIn, withMember, withoutMember } from "./json-text";

/** The key under which this package stores its marker in a trunk's metadata. */
export const MARKER_KEY = "pulumi-livekit-sip";

/** The largest metadata accepted, in bytes: LiveKit's default `limit.max_metadata_size`. */
export const METADATA_LIMIT = 512 * 1024;

/** What this package stores in a trunk's metadata. Agents may read `numberFormat` and `country` from it. */
export interface Marker {
  /** The Pulumi resource that owns the trunk, as organization/project/stack/name. */
  readonly owner: string;
  /** The id of that resource. A different id means that the trunk has been taken over since. */
  readonly id: string;
  readonly numberFormat: string;
  readonly country: string;
  /** The InboundAuth that opened this inbound trunk. Absent while it is closed. */
  readonly openedBy?: { readonly owner: string; readonly id: string };
  /**
   * A proof of who created the trunk. It stays until a later operation shows that the stack's state knows the trunk. An
   * interrupted create leaves it behind, and lets the same program take the trunk over.
   */
  readonly unconfirmed?: string;
  /** When this package last changed the trunk (ISO 8601), on platforms that report when a trunk was changed. */
  readonly writtenAt?: string;
}

/** A trunk's metadata, split into the user's part and the marker. */
export interface Metadata {
  /** The user's own metadata, byte for byte. Empty for a JSON object without members. */
  readonly user: string;
  readonly marker?: Marker;
}

/**
 * Adds the marker to the user's metadata. If that is a JSON object, the marker becomes a member of it, so that its readers still
 * find what they expect; otherwise a new object holds both. The user's own bytes stay the same.
 */
export function composeMetadata(user: string, marker: Marker): string {
  const members = membersOf(user);
  return members
    ? withMember(user, members, MARKER_KEY, JSON.stringify(marker))
    : JSON.stringify({ [MARKER_KEY]: user === "" ? marker : { ...marker, metadata: user } });
}

/** Splits metadata. Anything that is not ours is returned whole as the user's. Never throws, whoever wrote the metadata. */
export function parseMetadata(text: string): Metadata {
  // Most trunks of a shared account belong to others, and their metadata need not be parsed.
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

/** The user's metadata without insignificant white space, so that two layouts of the same object are equal. */
export function canonicalMetadata(user: string): string {
  const members = membersOf(user);
  if (!members) {
    return user;
  }
  return members.length === 0 ? "" : compact(user);
}

/** Whether the user's metadata is an object that uses this package's own key. */
export function usesMarkerKey(user: string): boolean {
  return (membersOf(user) ?? []).some(({ key }) => key === MARKER_KEY);
}

/** Every string in metadata, including the whole text. A server may quote any part, so all of them are removed from messages. */
export function textsIn(metadata: string): string[] {
  const { user } = parseMetadata(metadata);
  return [...new Set([metadata, user, ...stringsIn(user)])];
}

/** The stack in an owner's name. */
export function stackOf(owner: string): string {
  return owner.split("/").slice(0, 3).join("/");
}

/** The resource's own name in an owner's name. */
export function nameOf(owner: string): string {
  return owner.split("/").slice(3).join("/").split("$").at(-1) ?? owner;
}

/** Requires every field by name, so that a new one can't be forgotten. */
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
