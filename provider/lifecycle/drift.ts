/**
 * Decides how drift is shown in the plan and the state: by value if the value can hold no secret, otherwise by name with a
 * digest. Somebody else set these values, so none of them may be shown in clear without this check.
 */

import { isPrintable, printable } from "../printable";
import { digestOf } from "./fingerprint";
import { same } from "./values";

/** An argument whose value on the platform is not the declared one. */
export interface Change {
  readonly argument: string;
  readonly declared: unknown;
  readonly live: unknown;
}

/** What somebody changed outside Pulumi, by name. */
export interface NamedChanges {
  /** The names of what changed: an argument, or the path of a part of one. */
  readonly names: readonly string[];
  /** A digest of everything that is not shown by value; undefined if there is nothing of the kind. */
  readonly digest?: string | undefined;
}

/** A difference between the platform and what was last applied: changed arguments, or anything else in words. */
export type Drift = NamedChanges | string;

/** The part of some changes that may be shown. */
export interface ShownChanges extends NamedChanges {
  /** The arguments that can be shown, with their values on the platform. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** What decides which values are shown, and what goes into the digests. */
export interface Showing {
  /**
   * The arguments that can hold a secret: those that LiveKit marks as sensitive (`logger.sensitivity`), and what agents receive.
   */
  readonly sensitive: ReadonlySet<string>;
  readonly apiSecret: string;
  /** Gives equal secrets of two resources different digests. */
  readonly subject: string;
}

/**
 * Decides what may be shown of each change. A hidden value must not be returned in any other form either: with `ignoreChanges`,
 * Pulumi passes the returned value back to be written to LiveKit.
 */
export function shownChanges(changes: readonly Change[], { sensitive, apiSecret, subject }: Showing): ShownChanges {
  const values: Record<string, unknown> = {};
  const names = new Set<string>();
  const hidden = new Set<string>();
  for (const { argument, declared, live } of changes) {
    const parts = changedParts(argument, declared, live);
    if (isPrintable(live) && (!sensitive.has(argument) || parts.every(isShowable))) {
      values[argument] = live;
      names.add(argument);
      continue;
    }
    for (const part of parts) {
      if (isShowable(part)) {
        names.add(withValue(part));
      } else {
        names.add(printable(part.path, NAME_LIMIT));
        hidden.add(JSON.stringify([part.path, canonical(part.value)]));
      }
    }
  }
  const all = [...hidden].sort();
  return {
    values,
    names: [...names],
    ...(all.length > 0 ? { digest: digestOf(apiSecret, subject, JSON.stringify(all)) } : {}),
  };
}

/** The differences as data, for `platformDrift`: an entry for each changed argument and for each other difference. */
export function entriesOf(drift: readonly Drift[]): string[] {
  return drift.flatMap((it) => (typeof it === "string" ? printable(it) : it.names)).slice(0, MOST_ENTRIES);
}

/** The most entries of `platformDrift`. Other people choose how many attributes and headers there are. */
const MOST_ENTRIES = 100;

/** A difference in words, for `platformStatus`. */
export function inWords(drift: Drift): string {
  if (typeof drift === "string") {
    return drift;
  }
  const { names, digest } = drift;
  const more = names.length - MOST_NAMES;
  const listed = more > 0 ? `${names.slice(0, MOST_NAMES).join(", ")} and ${more} more` : names.join(", ");
  return `${listed} changed outside Pulumi${digest === undefined ? "" : ` (digest ${digest})`}`;
}

/** The most names that a status lists. */
const MOST_NAMES = 12;

/** The most characters of a name. Other people choose the names of headers and attributes. */
const NAME_LIMIT = 80;

/** A part of an argument that differs: its path and its value on the platform, which is undefined or empty if it was removed. */
interface Part {
  readonly path: string;
  readonly value?: unknown;
}

/** The smallest parts that differ, or the whole value if it has no parts. */
function changedParts(path: string, declared: unknown, live: unknown): Part[] {
  const parts = isTree(live) ? changedBranches(path, declared, live) : [];
  return parts.length > 0 ? parts : [{ path, value: live }];
}

function changedBranches(path: string, declared: unknown, live: object): Part[] {
  const isList = Array.isArray(live);
  const before = new Map(isTree(declared) && Array.isArray(declared) === isList ? Object.entries(declared) : []);
  const after = new Map(Object.entries(live));
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  // LiveKit returns a map's keys in any order. Unsorted, they would change the status without a real change.
  return (isList ? keys : keys.sort())
    .filter((key) => !same(before.get(key), after.get(key)))
    .flatMap((key) => {
      const at = isList ? `${path}[${key}]` : `${path}.${key}`;
      // A new key of a map is reported as one part. A new item of a list is split further, so that an agent's name can be shown.
      return isList || before.has(key)
        ? changedParts(at, before.get(key), after.get(key))
        : [{ path: at, value: after.get(key) }];
    });
}

/** Whether a value has parts of its own. A list of strings counts as one value, because its order does not matter. */
function isTree(value: unknown): value is object {
  const isList = Array.isArray(value) && value.every((item) => typeof item !== "object");
  return typeof value === "object" && value !== null && !isList;
}

/** Numbers, booleans and agent names are not secret. Everything about egress is hidden: it says where recordings go. */
function isShowable({ path, value }: Part): boolean {
  if (isEmpty(value)) {
    return true;
  }
  if (path.startsWith("roomConfig.egress")) {
    return false;
  }
  return typeof value === "number" || typeof value === "boolean" || (AGENT_NAME.test(path) && isPrintable(value));
}

const AGENT_NAME = /^agents\[\d+\]\.agentName$/;

function isEmpty(value: unknown): boolean {
  return value === undefined || value === "" || (typeof value === "object" && Object.keys(value ?? {}).length === 0);
}

function withValue({ path, value }: Part): string {
  const name = printable(path, NAME_LIMIT);
  return isEmpty(value) ? name : `${name} (${printable(String(value), NAME_LIMIT)})`;
}

/** A normal form that does not depend on the order in which LiveKit returns keys and strings. */
function canonical(value: unknown): unknown {
  if (!isTree(value)) {
    return Array.isArray(value) ? value.toSorted() : value;
  }
  return Array.isArray(value)
    ? value.map(canonical)
    : Object.entries(value)
        .map(([key, item]) => [key, canonical(item)])
        .sort();
}
