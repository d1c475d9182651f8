/** Property values as the engine sees them: JSON plus secrets, unknown values and references to resources. */

/** A value that must never be shown and is encrypted in the state. */
export class Secret {
  constructor(readonly element: Value) {}
}

/** A value that is only known during an update. */
export class Unknown {}

/** The only instance. */
export const unknown = new Unknown();

/** A reference to another resource of the stack. */
export class Reference {
  constructor(
    readonly urn: string,
    readonly id: Value | undefined,
    readonly packageVersion: string,
  ) {}
}

export type Value = null | boolean | number | string | Secret | Unknown | Reference | Value[] | Properties;

export interface Properties {
  [key: string]: Value;
}

/** Whether a value is a plain object. */
export function isObject(value: Value | undefined): value is Properties {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret) &&
    !(value instanceof Unknown) &&
    !(value instanceof Reference)
  );
}

/** Whether a property is internal to Pulumi. Such properties are neither compared nor shown. */
export function isInternal(key: string): boolean {
  return key.startsWith("__");
}

/** Whether two values are equal. A null property equals a missing one. */
export function equal(a: Value, b: Value): boolean {
  if (a === b) {
    return true;
  }
  if (a instanceof Secret || b instanceof Secret) {
    return a instanceof Secret && b instanceof Secret && equal(a.element, b.element);
  }
  if (a instanceof Reference || b instanceof Reference) {
    return a instanceof Reference && b instanceof Reference && a.urn === b.urn && equal(a.id ?? null, b.id ?? null);
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i] ?? null))
    );
  }
  return isObject(a) && isObject(b) && equalProperties(a, b);
}

export function equalProperties(a: Properties, b: Properties): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => equal(a[key] ?? null, b[key] ?? null));
}

/** Whether `test` holds for the value or anything inside it. */
export function some(value: Value, test: (value: Value) => boolean): boolean {
  if (test(value)) {
    return true;
  }
  if (value instanceof Secret) {
    return some(value.element, test);
  }
  if (Array.isArray(value)) {
    return value.some((item) => some(item, test));
  }
  return isObject(value) && Object.values(value).some((item) => some(item, test));
}

/** Whether a value is a secret or contains one. */
export function containsSecret(value: Value): boolean {
  return some(value, (item) => item instanceof Secret);
}

/** Whether a value is unknown or contains an unknown. */
export function containsUnknown(value: Value): boolean {
  return some(value, (item) => item instanceof Unknown);
}

/** A copy with `leaf` applied to every leaf. A secret counts as one leaf. */
export function map(value: Value, leaf: (value: Value) => Value): Value {
  if (Array.isArray(value)) {
    return value.map((item) => map(item, leaf));
  }
  return isObject(value) ? mapProperties(value, leaf) : leaf(value);
}

/** A copy of the properties with `leaf` applied to every leaf. */
export function mapProperties(properties: Properties, leaf: (value: Value) => Value): Properties {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, map(value, leaf)]));
}

/** The properties with each secret replaced by its value. */
export function openSecrets(properties: Properties): Properties {
  const open = (value: Value): Value => (value instanceof Secret ? map(value.element, open) : value);
  return mapProperties(properties, open);
}

/**
 * Marks outputs as secret if the input of the same name was. A provider that does not support secrets returns them in
 * plain text.
 */
export function annotateSecrets(outputs: Properties, inputs: Properties): void {
  for (const [key, input] of Object.entries(inputs)) {
    const output = outputs[key];
    if (output === undefined) {
      continue;
    }
    if (isObject(output) && isObject(input)) {
      annotateSecrets(output, input);
    } else if (!(output instanceof Secret) && containsSecret(input)) {
      outputs[key] = new Secret(output);
    }
  }
}

/** Every string inside the secrets of a value. */
export function secretStrings(value: Value, inSecret = false): string[] {
  if (value instanceof Secret) {
    return secretStrings(value.element, true);
  }
  if (typeof value === "string") {
    return inSecret ? [value] : [];
  }
  if (Array.isArray(value)) {
    return value.flatMap((item) => secretStrings(item, inSecret));
  }
  return isObject(value) ? Object.values(value).flatMap((item) => secretStrings(item, inSecret)) : [];
}
