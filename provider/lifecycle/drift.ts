/**
 * What differs on the platform, as a plan and the state may show it: by value where it can hold no secret, else by name with a
 * digest. Somebody else set these values, and nothing but our own words about them may leave the process in clear.
 */

import { isPrintable, printable } from "../printable";
import { digestOf } from "./fingerprint";
import { same } from "./values";

/** An argument that is not as declared. */
export interface Change {
  readonly argument: string;
  readonly declared: unknown;
  readonly live: unknown;
}

/** What may be shown of changes. */
export interface ShownChanges {
  /** The arguments that can be shown, with what is there. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What has changed, by name: an argument, or the path of a part of one. */
  readonly names: readonly string[];
  /** Stands for all that is not shown by value; undefined when there is no such thing. */
  readonly digest?: string;
}

/** Who may see what, and what digests are made with. */
export interface Showing {
  /** The arguments that can hold a secret: what LiveKit's own messages mark as sensitive (`logger.sensitivity`), and what agents get. */
  readonly sensitive: ReadonlySet<string>;
  readonly apiSecret: string;
  /** Keeps equal secrets of two resources from having equal digests. */
  readonly subject: string;
}

/**
 * Decides what may be shown of each change. What is not shown as a value must not be returned as one in another form either: with
 * `ignoreChanges` Pulumi hands a value back to be written to LiveKit.
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

/** Names of what changed as a part of `platformStatus`. */
export function changedOutside(names: readonly string[], digest?: string): string {
  const more = names.length - MOST_NAMES;
  const listed = more > 0 ? `${names.slice(0, MOST_NAMES).join(", ")} and ${more} more` : names.join(", ");
  return `${listed} changed outside Pulumi${digest === undefined ? "" : ` (digest ${digest})`}`;
}

/** The most names that a status lists. */
const MOST_NAMES = 12;

/** The most characters of a name: others choose the names of headers and attributes. */
const NAME_LIMIT = 80;

/** A part of an argument that is not as declared: its path, and what is there; undefined or empty when it was removed. */
interface Part {
  readonly path: string;
  readonly value?: unknown;
}

/** The smallest parts that differ; the whole where there is no smaller one. */
function changedParts(path: string, declared: unknown, live: unknown): Part[] {
  const parts = isTree(live) ? changedBranches(path, declared, live) : [];
  return parts.length > 0 ? parts : [{ path, value: live }];
}

function changedBranches(path: string, declared: unknown, live: object): Part[] {
  const isList = Array.isArray(live);
  const before = new Map(isTree(declared) && Array.isArray(declared) === isList ? Object.entries(declared) : []);
  const after = new Map(Object.entries(live));
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  // LiveKit lists a map in any order, and a status that changes with it would look like a change.
  return (isList ? keys : keys.sort())
    .filter((key) => !same(before.get(key), after.get(key)))
    .flatMap((key) => {
      const at = isList ? `${path}[${key}]` : `${path}.${key}`;
      // What is new as a whole has one name; the items of a list have more, so that an agent's shows.
      return isList || before.has(key)
        ? changedParts(at, before.get(key), after.get(key))
        : [{ path: at, value: after.get(key) }];
    });
}

/** Whether a value has parts of its own. A list of texts is one value: their order does not count. */
function isTree(value: unknown): value is object {
  const isList = Array.isArray(value) && value.every((item) => typeof item !== "object");
  return typeof value === "object" && value !== null && !isList;
}

/** Numbers, switches and the names of agents say nothing secret, and where recordings go is nobody else's affair. */
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

/** A value in one way of writing, whatever the order in which LiveKit lists keys and texts. */
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
