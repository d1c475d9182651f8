/** What is wrong with the SIP configuration of a LiveKit project. Pure. */

import type { InboundTrunk, OutboundTrunk } from "../livekit/messages";
import { exposure, isClosed, metadataOf } from "../livekit/trunks";
import { matchingForm } from "../phone-number/format";
import type { Inventory, LiveKitObject } from "./inventory";

/** The kinds of finding, the most dangerous first. */
export const CODES = [
  "open-to-anyone",
  "admits-by-from-header",
  "takes-every-call",
  "trunks-gone",
  "no-rule",
  "shares-number",
  "no-stack",
] as const;
export type Code = (typeof CODES)[number];

/** Something that an operator should look at. It contains no secret. */
export interface Finding extends LiveKitObject {
  readonly code: Code;
  /** What is wrong, as a sentence. */
  readonly problem: string;
  /** How to fix it, as a sentence. */
  readonly fix: string;
}

/** What is audited. */
export interface Audited extends Inventory {
  /** The LiveKit ids in the states that were given. Undefined if none was given: then the markers decide. */
  readonly managed?: ReadonlySet<string>;
}

export function findingsIn(inventory: Audited): Finding[] {
  const found = [
    ...inventory.inbound.flatMap(openDoor),
    ...ruleFindings(inventory),
    ...withoutRule(inventory),
    ...sharedNumbers(inventory),
    ...withoutStack(inventory),
  ];
  return found.toSorted((a, b) => CODES.indexOf(a.code) - CODES.indexOf(b.code) || (a.id < b.id ? -1 : 1));
}

const INBOUND = "inbound trunk";
const RULE = "dispatch rule";

function openDoor(trunk: InboundTrunk): Finding[] {
  const on = { id: trunk.id, name: trunk.name, kind: INBOUND } as const;
  switch (exposure(trunk)) {
    case "none":
      return [];
    case "anyone":
      return [
        {
          ...on,
          code: "open-to-anyone",
          problem: "It lets everybody in who calls one of its numbers.",
          fix: "Give it a user name and a password, or allow only the addresses of the phone system.",
        },
      ];
    case "spoofable":
      return [
        {
          ...on,
          code: "admits-by-from-header",
          problem:
            "Its allowed addresses hold a host name or an address without a prefix length, which callers can write into their From header.",
          fix: "Write each one as a range, for example 203.0.113.7/32.",
        },
      ];
  }
}

function ruleFindings({ rules, inbound }: Inventory): Finding[] {
  const known = new Set(inbound.map(({ id }) => id));
  return rules.flatMap(({ id, name, trunkIds }): Finding[] => {
    const on = { id, name, kind: RULE } as const;
    const gone = trunkIds.filter((trunk) => !known.has(trunk));
    if (trunkIds.length === 0) {
      return [
        {
          ...on,
          code: "takes-every-call",
          problem: "It takes every call of the project, also those that no trunk admits.",
          fix: "List the trunks whose calls it is to take.",
        },
      ];
    }
    return gone.length === 0
      ? []
      : [
          {
            ...on,
            code: "trunks-gone",
            problem: `It lists ${gone.join(", ")}, and LiveKit has no such inbound trunk.`,
            fix: gone.length === trunkIds.length ? "Delete it, or give it trunks." : "Remove them from it.",
          },
        ];
  });
}

function withoutRule({ inbound, rules }: Inventory): Finding[] {
  const served = new Set(rules.flatMap(({ trunkIds }) => trunkIds));
  const takesAll = rules.some(({ trunkIds }) => trunkIds.length === 0);
  const silent = takesAll ? [] : inbound.filter((trunk) => !served.has(trunk.id) && !isClosed(trunk));
  return silent.map(({ id, name }) => ({
    id,
    name,
    kind: INBOUND,
    code: "no-rule",
    problem: "No dispatch rule takes its calls, so LiveKit rejects them.",
    fix: "Make a rule for it, or delete it.",
  }));
}

/** Trunks that share a number let in different callers, or LiveKit would have refused them. Which one answers depends on the caller. */
function sharedNumbers({ inbound }: Inventory): Finding[] {
  const byNumber = new Map<string, InboundTrunk[]>();
  for (const trunk of inbound) {
    for (const number of new Set(trunk.numbers.map(matchingForm))) {
      byNumber.set(number, [...(byNumber.get(number) ?? []), trunk]);
    }
  }
  return inbound.flatMap(({ id, name, numbers }): Finding[] => {
    const others = new Set(
      numbers.flatMap((number) => byNumber.get(matchingForm(number)) ?? []).map((trunk) => trunk.id),
    );
    others.delete(id);
    return others.size === 0
      ? []
      : [
          {
            id,
            name,
            kind: INBOUND,
            code: "shares-number",
            problem: `It has a number in common with ${[...others].sort().join(", ")}: the caller's number decides which of them takes a call.`,
            fix: "Give each trunk numbers of its own, unless this is wanted.",
          },
        ];
  });
}

function withoutStack({ inbound, outbound, rules, managed }: Audited): Finding[] {
  const isUnmanaged = (trunk: InboundTrunk | OutboundTrunk) =>
    managed ? !managed.has(trunk.id) : metadataOf(trunk).marker === undefined;
  const finding = (kind: Finding["kind"], { id, name }: { readonly id: string; readonly name: string }): Finding => ({
    id,
    name,
    kind,
    code: "no-stack",
    problem: managed ? "It is in none of the given states." : "It carries no marker of a Pulumi stack.",
    fix: "Bring it into a stack with `livekit-sip import`, or delete it.",
  });
  return [
    ...inbound.filter(isUnmanaged).map((trunk) => finding(INBOUND, trunk)),
    ...outbound.filter(isUnmanaged).map((trunk) => finding("outbound trunk", trunk)),
    // Rules carry no marker: only a state tells whose they are.
    ...(managed ? rules.filter(({ id }) => !managed.has(id)).map((rule) => finding(RULE, rule)) : []),
  ];
}
