/** Property values as the engine hands them over: what is unknown yet, and when two are the same. */

import { runtime } from "@pulumi/pulumi";

/** A resource's inputs or outputs. */
export type Props = Readonly<Record<string, unknown>>;

/** What stands for a value that the engine does not know yet, in a preview. */
export const UNKNOWN: string = runtime.unknownValue;

/** What tells an absent output in a plan: Pulumi takes a property that is not there for one that is not known yet. */
export const NONE = null;

/** Whether a value is, or holds anywhere, one that is not known yet. */
export function containsUnknown(value: unknown): boolean {
  if (value === UNKNOWN) {
    return true;
  }
  return typeof value === "object" && value !== null && Object.values(value).some(containsUnknown);
}

/**
 * Deep equality. The order of an object's keys does not count, a key that is undefined is absent, and a list of strings is a
 * set: LiveKit matches numbers, addresses and trunk ids in any order.
 */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) {
    return true;
  }
  if (
    typeof a !== "object" ||
    typeof b !== "object" ||
    a === null ||
    b === null ||
    Array.isArray(a) !== Array.isArray(b)
  ) {
    return false;
  }
  const left = entries(asSet(a));
  const right = new Map(entries(asSet(b)));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && same(value, right.get(key)));
}

/** The fields in which `actual` is not what `wanted` says, in its order; what `wanted` does not mention is not compared. */
export function differences<Fields extends object>(wanted: Partial<Fields>, actual: Fields): (keyof Fields)[] {
  return keysOf(actual).filter((key) => wanted[key] !== undefined && !same(wanted[key], actual[key]));
}

/** An object without the keys that are undefined: the host can't pass those on. */
export function defined(props: Props): Record<string, unknown> {
  return Object.fromEntries(entries(props));
}

/** `Object.keys` with the keys' type. */
export function keysOf<Source extends object>(source: Source): (keyof Source)[] {
  return Object.keys(source) as (keyof Source)[];
}

function asSet(value: object): object {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value.toSorted() : value;
}

function entries(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, item]) => item !== undefined);
}
