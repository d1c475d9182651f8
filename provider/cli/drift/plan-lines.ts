/** The lines that a plan would show for a difference, as text. Values that can hold a secret are left out. */

import { SENSITIVE as OF_RULES } from "../../dispatch-rule/comparison";
import { SENSITIVE as OF_AUTHS } from "../../inbound-auth/comparison";
import type { Kind } from "../../inference/trial";
import { type Props, same } from "../../lifecycle/values";
import { printable } from "../../printable";
import { SENSITIVE as OF_TRUNKS } from "../../sip-trunk/comparison";
import type { PlanLine } from "./report";

const SENSITIVE: Readonly<Record<Kind, ReadonlySet<string>>> = {
  SipTrunk: new Set([...OF_TRUNKS, "password"]),
  InboundAuth: new Set([...OF_AUTHS, "password"]),
  DispatchRule: OF_RULES,
};

/** The most characters of a value. */
const VALUE_LIMIT = 300;

/** @returns a line for each property that differs and may be shown, sorted as in a plan */
export function planLines(kind: Kind, found: Props, declared: Props): PlanLine[] {
  const properties = Object.keys(found).filter(
    (property) =>
      !property.startsWith("__") && !SENSITIVE[kind].has(property) && !same(found[property], declared[property]),
  );
  return properties.sort().map((property) => ({
    property,
    found: textOf(found[property]),
    declared: textOf(declared[property]),
  }));
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? "(none)" : printable(JSON.stringify(value), VALUE_LIMIT);
}
