/** The package's schema: schema.json, which scripts/pulumi-schema.mjs makes from the arguments and their doc comments. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kind } from "../lifecycles";
import { nativeType } from "../resource-types";

/** A type in the schema. */
export interface SchemaType {
  readonly type?: string;
  readonly items?: SchemaType;
  readonly additionalProperties?: SchemaType;
  readonly $ref?: string;
}

/** What this package reads of its schema. */
export interface PackageSchema {
  readonly resources: Readonly<
    Record<
      string,
      {
        readonly properties: Readonly<Record<string, unknown>>;
        readonly inputProperties: Readonly<Record<string, SchemaType>>;
      }
    >
  >;
  readonly types: Readonly<
    Record<
      string,
      {
        readonly enum?: readonly { readonly name: string; readonly value: unknown }[];
        readonly properties?: Readonly<Record<string, SchemaType>>;
      }
    >
  >;
}

let text: string | undefined;
let parsed: PackageSchema | undefined;

/** The schema as JSON text. */
export function schemaText(): string {
  text ??= readFileSync(join(__dirname, "..", "..", "schema.json"), "utf8");
  return text;
}

/** The schema. */
export function packageSchema(): PackageSchema {
  parsed ??= JSON.parse(schemaText()) as PackageSchema;
  return parsed;
}

/** The names of a resource's outputs, which include its arguments. */
export function outputNames(kind: Kind): readonly string[] {
  return Object.keys(packageSchema().resources[nativeType(kind)]?.properties ?? {});
}
