/** Property values as they are sent between engine, program and provider. */

import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { OUTPUT, RESOURCE, SECRET, SIGNATURE, UNKNOWN } from "../../property-protocol";
import { isObject, type Properties, Reference, Secret, Unknown, unknown, type Value } from "./property";
import type { PulumiSdk } from "./sdk";

/**
 * What the receiver supports. Otherwise secrets are sent in plain text, unknowns are left out, and references are sent
 * as ids or URNs.
 */
export interface WireOptions {
  secrets: boolean;
  unknowns: boolean;
  references?: boolean;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Properties as a protobuf struct. */
export function toWire(sdk: PulumiSdk, properties: Properties, options: WireOptions): Struct {
  return sdk.struct.Struct.fromJavaScript(encodeProperties(properties, options));
}

/** A protobuf struct as properties. */
export function fromWire(struct: Struct | undefined): Properties {
  const decoded = decode(struct ? (struct.toJavaScript() as unknown) : {});
  return isObject(decoded) ? decoded : {};
}

/** A value as JSON, with secrets, unknowns and references in the SDK's format. */
export function encode(value: Value, options: WireOptions): Json | undefined {
  if (value instanceof Secret) {
    const element = encode(value.element, options);
    return options.secrets && element !== undefined ? { [SIGNATURE]: SECRET, value: element } : element;
  }
  if (value instanceof Unknown) {
    return options.unknowns ? UNKNOWN : undefined;
  }
  if (value instanceof Reference) {
    return encodeReference(value, options);
  }
  if (Array.isArray(value)) {
    return value.map((item) => encode(item, options)).filter((item) => item !== undefined);
  }
  return isObject(value) ? encodeProperties(value, options) : value;
}

function encodeReference(reference: Reference, options: WireOptions): Json | undefined {
  if (!options.references) {
    return reference.id === undefined || reference.id === null ? reference.urn : encode(reference.id, options);
  }
  const id = reference.id === undefined ? undefined : encode(reference.id, options);
  return {
    [SIGNATURE]: RESOURCE,
    urn: reference.urn,
    ...(id !== undefined && { id: id === UNKNOWN ? "" : id }),
    ...(reference.packageVersion && { packageVersion: reference.packageVersion }),
  };
}

function encodeProperties(properties: Properties, options: WireOptions): { [key: string]: Json } {
  const encoded: { [key: string]: Json } = {};
  for (const [key, value] of Object.entries(properties)) {
    const json = encode(value, options);
    if (json !== undefined) {
      encoded[key] = json;
    }
  }
  return encoded;
}

/** A value from its JSON form. */
export function decode(json: unknown): Value {
  if (json === UNKNOWN) {
    return unknown;
  }
  if (Array.isArray(json)) {
    return json.map(decode);
  }
  if (typeof json === "object" && json !== null) {
    return decodeObject(new Map(Object.entries(json)));
  }
  return typeof json === "string" || typeof json === "number" || typeof json === "boolean" ? json : null;
}

function decodeObject(fields: Map<string, unknown>): Value {
  switch (fields.get(SIGNATURE)) {
    case SECRET:
      return new Secret(decode(fields.get("value")));
    case RESOURCE: {
      const id = fields.has("id") ? fields.get("id") : undefined;
      const known = id === "" ? unknown : decode(id);
      return new Reference(
        String(fields.get("urn")),
        id === undefined ? undefined : known,
        String(fields.get("packageVersion") ?? ""),
      );
    }
    case OUTPUT: {
      const element = fields.has("value") ? decode(fields.get("value")) : unknown;
      return fields.get("secret") === true ? new Secret(element) : element;
    }
    default:
      return Object.fromEntries([...fields].map(([key, value]) => [key, decode(value)]));
  }
}
