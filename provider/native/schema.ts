/** The package's schema: schema.json, which scripts/pulumi-schema.mjs makes from the arguments and their doc comments. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kind } from "../lifecycles";
import { nativeType } from "../resource-types";

interface PackageSchema {
  readonly resources: Readonly<Record<string, { readonly properties: Readonly<Record<string, unknown>> }>>;
}

let text: string | undefined;
let parsed: PackageSchema | undefined;

/** The schema as JSON text. */
export function schemaText(): string {
  text ??= readFileSync(join(__dirname, "..", "..", "schema.json"), "utf8");
  return text;
}

/** The names of a resource's outputs, which include its arguments. */
export function outputNames(kind: Kind): readonly string[] {
  parsed ??= JSON.parse(schemaText()) as PackageSchema;
  return Object.keys(parsed.resources[nativeType(kind)]?.properties ?? {});
}
