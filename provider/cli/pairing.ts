/** Finds out which inbound and which outbound trunk belong to one phone system. Pure. */

import type { InboundTrunk, OutboundTrunk } from "../livekit/messages";

/** Why two trunks count as a pair, from the strongest evidence to the weakest. */
export const EVIDENCE = [
  "the same user name, password and numbers",
  "the same user name and password",
  "the same numbers",
  "the same name",
] as const;
export type Evidence = (typeof EVIDENCE)[number];

/** Two trunks that probably belong to one phone system. */
export interface TrunkPair {
  readonly inbound: InboundTrunk;
  readonly outbound: OutboundTrunk;
  readonly evidence: Evidence;
}

/**
 * Pairs trunks by the strongest evidence that is unambiguous: a trunk that has two candidates of the same strength stays single at
 * that strength.
 */
export function pairTrunks(inbound: readonly InboundTrunk[], outbound: readonly OutboundTrunk[]): TrunkPair[] {
  const pairs: TrunkPair[] = [];
  const single = { inbound: new Set(inbound), outbound: new Set(outbound) };
  const take = (pair: TrunkPair) => {
    pairs.push(pair);
    single.inbound.delete(pair.inbound);
    single.outbound.delete(pair.outbound);
  };
  for (const [evidence, keyOf] of KEYS) {
    const byKey = grouped([...single.outbound], keyOf);
    for (const [key, trunks] of grouped([...single.inbound], keyOf)) {
      const [first, ...more] = trunks;
      const [other, ...others] = byKey.get(key) ?? [];
      if (first && other && more.length === 0 && others.length === 0) {
        take({ inbound: first, outbound: other, evidence });
      }
    }
  }
  return pairs;
}

type Trunk = InboundTrunk | OutboundTrunk;

/** What two trunks must have in common, for each kind of evidence. No key: the trunk has nothing of the kind. */
const KEYS: readonly (readonly [Evidence, (trunk: Trunk) => string | undefined])[] = [
  [EVIDENCE[0], (trunk) => joined(credentialKey(trunk), numbersKey(trunk))],
  [EVIDENCE[1], credentialKey],
  [EVIDENCE[2], numbersKey],
  [EVIDENCE[3], ({ name }) => (name === "" ? undefined : JSON.stringify(name.toLowerCase()))],
];

function credentialKey({ authUsername, authPassword }: Trunk): string | undefined {
  return authUsername === "" || authPassword === "" ? undefined : JSON.stringify([authUsername, authPassword]);
}

/** The numbers, however they are written: the last eight digits of a phone number, and anything shorter as it is. */
function numbersKey({ numbers }: Trunk): string | undefined {
  const forms = numbers.map((number) => {
    const digits = number.replace(/[^\d]/g, "");
    return digits.length < SIGNIFICANT_DIGITS ? number : digits.slice(-SIGNIFICANT_DIGITS);
  });
  return forms.length === 0 ? undefined : JSON.stringify([...new Set(forms)].sort());
}

/** The digits by which two ways of writing a phone number are recognised as the same: no country's prefixes reach into them. */
const SIGNIFICANT_DIGITS = 8;

function joined(...keys: readonly (string | undefined)[]): string | undefined {
  return keys.includes(undefined) ? undefined : keys.join(" ");
}

function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => string | undefined): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key !== undefined) {
      groups.set(key, [...(groups.get(key) ?? []), item]);
    }
  }
  return groups;
}
