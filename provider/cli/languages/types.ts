/** The types of arguments in the schema, as a language needs them that has a name for each. */

import type { Kind } from "../../lifecycles";
import { packageSchema, type SchemaType } from "../../native/schema";
import { nativeType } from "../../resource-types";

/** The type of an argument or of a part of it. */
export type Type =
  | { readonly is: "string" | "integer" | "number" | "boolean" | "any" }
  | { readonly is: "enum"; readonly name: string; readonly members: ReadonlyMap<unknown, string> }
  | { readonly is: "object"; readonly name: string; readonly properties: ReadonlyMap<string, Type> }
  | { readonly is: "list"; readonly items: Type }
  | { readonly is: "map"; readonly values: Type };

/** The type of a value that can be anything. */
export const ANY: Type = { is: "any" };

/** The type of a resource's argument. */
export function typeOf(kind: Kind, argument: string): Type {
  const declared = packageSchema().resources[nativeType(kind)]?.inputProperties[argument];
  return declared ? typeIn(declared) : ANY;
}

function typeIn({ type, items, additionalProperties, $ref }: SchemaType): Type {
  if ($ref !== undefined) {
    return namedType($ref);
  }
  switch (type) {
    case "string":
    case "integer":
    case "number":
    case "boolean":
      return { is: type };
    case "array":
      return { is: "list", items: items ? typeIn(items) : ANY };
    case "object":
      return { is: "map", values: additionalProperties ? typeIn(additionalProperties) : ANY };
    default:
      return ANY;
  }
}

function namedType(reference: string): Type {
  const token = reference.replace("#/types/", "");
  const named = packageSchema().types[token];
  const name = token.split(":").at(-1) ?? token;
  if (named?.enum) {
    return { is: "enum", name, members: new Map(named.enum.map((member) => [member.value, member.name])) };
  }
  if (named?.properties) {
    const properties = Object.entries(named.properties).map(([key, type]) => [key, typeIn(type)] as const);
    return { is: "object", name, properties: new Map(properties) };
  }
  return ANY;
}
