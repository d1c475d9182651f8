/** The result of an operation on a stack. */

import type { Op } from "./operations";
import {
  isInternal,
  isObject,
  mapProperties,
  type Properties,
  Reference,
  Secret,
  Unknown,
  type Value,
} from "./property";
import { diffProperties } from "./property-diff";

/** How one property changes. Secrets read `[secret]`, unknown values `[unknown]`. */
export interface PropertyChange {
  kind: "add" | "delete" | "update";
  from?: unknown;
  to?: unknown;
}

/** What the operation does, or did, to one resource. */
export interface StepResult {
  op: Op;
  urn: string;
  type: string;
  name: string;
  id?: string;
  /** The top-level properties that change: outputs for a refresh, inputs otherwise. */
  diff: Record<string, PropertyChange>;
}

/** A message from the program, the provider or the engine. */
export interface Diagnostic {
  severity: "info" | "warning" | "error";
  urn?: string;
  message: string;
}

/** The outcome of a preview, an update, a refresh or a destroy. */
export interface OperationResult {
  succeeded: boolean;
  /** As with the CLI: 0 for success, 1 for an error, 7 for changes where none were expected. */
  exitCode: number;
  steps: StepResult[];
  /** How many resources each operation affects. */
  changes: Record<string, number>;
  /** Everything that the CLI would print with `--diff`. */
  text: string;
  diagnostics: Diagnostic[];
}

/** The changes between two sets of properties, as plain values. */
export function propertyChanges(olds: Properties, news: Properties): Record<string, PropertyChange> {
  const diff = diffProperties(olds, news);
  if (!diff) {
    return {};
  }
  const changes: [string, PropertyChange][] = [
    ...[...diff.adds].map(([key, to]): [string, PropertyChange] => [key, { kind: "add", to: plain(to) }]),
    ...[...diff.deletes].map(([key, from]): [string, PropertyChange] => [key, { kind: "delete", from: plain(from) }]),
    ...[...diff.updates].map(([key, update]): [string, PropertyChange] => [
      key,
      { kind: "update", from: plain(update.old), to: plain(update.new) },
    ]),
  ];
  return Object.fromEntries(changes.filter(([key]) => !isInternal(key)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A value as plain JSON, with words in place of secrets and unknowns. */
export function plain(value: Value): unknown {
  if (value instanceof Secret) {
    return "[secret]";
  }
  if (value instanceof Unknown) {
    return "[unknown]";
  }
  if (value instanceof Reference) {
    return value.id === undefined || value.id === null ? value.urn : plain(value.id);
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)])) : value;
}

/** The properties with every secret replaced by the same word, so that it can be neither shown nor compared. */
export function maskSecrets(properties: Properties, conceal: (text: string) => string = (text) => text): Properties {
  return mapProperties(properties, (value) => {
    if (value instanceof Secret) {
      return new Secret("[secret]");
    }
    return typeof value === "string" ? conceal(value) : value;
  });
}
