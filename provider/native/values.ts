/** Property values as they travel between the engine and a native provider (Pulumi's documentation, "Property value protocol"). */

import { OUTPUT, SECRET, SIGNATURE, UNKNOWN } from "../property-protocol";

/** Values as they travel. */
export type Wire = Readonly<Record<string, unknown>>;

/** The value without its envelopes, at every level. */
function opened(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(opened);
  }
  if (!isObject(value)) {
    return value;
  }
  switch (value[SIGNATURE]) {
    case SECRET:
      return opened(value.value);
    case OUTPUT:
      return "value" in value ? opened(value.value) : UNKNOWN;
    default:
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, opened(item)]));
  }
}

/** The properties without their envelopes. */
export function openedProps(props: Wire): Record<string, unknown> {
  return Object.fromEntries(Object.entries(props).map(([key, value]) => [key, opened(value)]));
}

/** A value in the envelope of a secret. What is unknown or absent needs none. */
export function secret(value: unknown): unknown {
  return value === UNKNOWN || value === null || value === undefined ? value : { [SIGNATURE]: SECRET, value };
}

/**
 * Properties as they travel back: secret are those that always are, and those that were when they came in. So a header that a program
 * marks as secret stays one.
 *
 * @param came - the properties as they came in, with their envelopes
 */
export function sealedLike(
  props: Readonly<Record<string, unknown>>,
  came: Wire,
  always: ReadonlySet<string>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(props)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, always.has(key) ? secret(sendable(value)) : like(sendable(value), came[key])]),
  );
}

/** Seals a value where the value that came in was sealed. A list with a secret in it is secret as a whole: its order may change. */
function like(value: unknown, came: unknown): unknown {
  if (isObject(value) && isObject(came) && !isSecret(came)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, like(item, came[key])]));
  }
  return holdsSecret(came) ? secret(value) : value;
}

function holdsSecret(value: unknown): boolean {
  return isSecret(value) || (typeof value === "object" && value !== null && Object.values(value).some(holdsSecret));
}

function isSecret(value: unknown): boolean {
  return isObject(value) && (value[SIGNATURE] === SECRET || (value[SIGNATURE] === OUTPUT && value.secret === true));
}

/** A copy without what is undefined, which the protocol can't express. */
function sendable(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sendable);
  }
  return isObject(value)
    ? Object.fromEntries(
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => [key, sendable(item)]),
      )
    : value;
}

function isObject(value: unknown): value is Wire {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
