/** Property values as the engine passes them: how to recognise unknown ones, and when two are equal. */

import { UNKNOWN } from "../property-protocol";

/** A resource's inputs or outputs. */
export type Props = Readonly<Record<string, unknown>>;

export { UNKNOWN };

/** Marks an output as absent in a plan: Pulumi treats a missing property as an unknown one. */
export const NONE = null;

/** Whether a value is unknown or contains an unknown value. */
export function containsUnknown(value: unknown): boolean {
  if (value === UNKNOWN) {
    return true;
  }
  return typeof value === "object" && value !== null && Object.values(value).some(containsUnknown);
}

/**
 * Deep equality. Key order is ignored, an undefined key counts as absent, and a list of strings is compared as a set: LiveKit
 * matches numbers, addresses and trunk ids in any order.
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

/** The fields in which `actual` differs from `wanted`, in the order of `actual`. Fields missing from `wanted` are not compared. */
export function differences<Fields extends object>(wanted: Partial<Fields>, actual: Fields): (keyof Fields)[] {
  return keysOf(actual).filter((key) => wanted[key] !== undefined && !same(wanted[key], actual[key]));
}

/** An object without its undefined keys, which the host can't serialize. */
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
