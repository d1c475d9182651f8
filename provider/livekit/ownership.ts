/**
 * Who owns a trunk, written into the trunk's own metadata: what carries no marker, or another's, was not made by this
 * stack and is left alone. Dispatch rules carry none, because LiveKit hands their metadata to the callers' participants.
 */

import type { JsonObject, JsonValue } from "./messages";

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
  /** The user's own metadata, as they wrote it but for white space in JSON. */
  readonly user: string;
  readonly marker?: Marker;
}

/**
 * Puts the marker beside the user's metadata: into their JSON object, so that its readers find what they expect, or around
 * anything that is not an object.
 */
export function composeMetadata(user: string, marker: Marker): string {
  const object = jsonObject(user);
  return JSON.stringify(
    object
      ? { ...object, [MARKER_KEY]: marker }
      : { [MARKER_KEY]: user === "" ? marker : { ...marker, metadata: user } },
  );
}

/** Takes metadata apart; anything that is not ours is the user's, whole. */
export function parseMetadata(text: string): Metadata {
  const object = jsonObject(text);
  const marker: unknown = object?.[MARKER_KEY];
  if (!object || !isMarker(marker)) {
    return { user: text };
  }
  const { [MARKER_KEY]: _, ...rest } = object;
  const { metadata, ...own } = marker;
  const user = typeof metadata === "string" ? metadata : Object.keys(rest).length > 0 ? JSON.stringify(rest) : "";
  return { user, marker: own };
}

/** The user's metadata without insignificant white space, so that two spellings of one object compare equal. */
export function canonicalMetadata(user: string): string {
  const object = jsonObject(user);
  if (!object) {
    return user;
  }
  return Object.keys(object).length === 0 ? "" : JSON.stringify(object);
}

/** Every text within metadata, itself included: what has to be cut out of a message by a server that quotes a part of it. */
export function textsIn(metadata: string): string[] {
  const texts = (value: JsonValue): string[] =>
    typeof value === "string"
      ? [value]
      : typeof value === "object" && value !== null
        ? Object.values(value).flatMap(texts)
        : [];
  const { user } = parseMetadata(metadata);
  return [metadata, user, ...texts(jsonObject(user) ?? null)];
}

/** The stack that a resource belongs to, of an owner's name. */
export function stackOf(owner: string): string {
  return owner.split("/").slice(0, 3).join("/");
}

/** The resource's own name, of an owner's name. */
export function nameOf(owner: string): string {
  return owner.split("/").slice(3).join("/").split("$").at(-1) ?? owner;
}

function jsonObject(text: string): JsonObject | undefined {
  if (!text.trimStart().startsWith("{")) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isMarker(value: unknown): value is Marker & { readonly metadata?: unknown } {
  return (
    typeof value === "object" &&
    value !== null &&
    "owner" in value &&
    typeof value.owner === "string" &&
    "id" in value &&
    typeof value.id === "string"
  );
}
