/** Groups the trunks of a project into units: each is to become one SipTrunk. Pure. */

import type { Halves } from "../inference/guesses";
import { either } from "../inference/trunk";
import type { InboundTrunk, OutboundTrunk } from "../livekit/messages";
import { nameOf } from "../livekit/ownership";
import * as trunks from "../livekit/trunks";
import type { Inventory } from "./inventory";
import { distinctNames, idSuffix, resourceName } from "./names";
import { pairTrunks } from "./pairing";

export type Trunk = InboundTrunk | OutboundTrunk;

/** A pairing that the user has decided on: import.yaml. */
export interface ChosenTrunk {
  readonly name: string;
  readonly inbound?: string | undefined;
  readonly outbound?: string | undefined;
  /** Why, if an earlier run decided it. */
  readonly because?: string | undefined;
  readonly apart?: string | undefined;
}

/** Two trunks that may be one SipTrunk, or one. */
export interface Unit extends Halves {
  readonly because: string;
  /** Why it is not one SipTrunk with another trunk, if an earlier run found that. */
  readonly apart?: string | undefined;
  /** The name that the user has chosen. */
  readonly name?: string;
  /** Whether the user has chosen the pair, so that it must not be taken apart. */
  readonly isChosen: boolean;
}

/** The trunks that are to be grouped. */
type Trunks = Omit<Inventory, "rules">;

/** Pairs that the user has chosen come first, then those that a marker names, then those that the evidence suggests. */
export function unitsOf(all: Trunks, chosen: readonly ChosenTrunk[] = []): Unit[] {
  const byChoice = chosenUnits(all, chosen);
  const unchosen = without(all, byChoice);
  const own = markedUnits(unchosen);
  const unmarked = without(unchosen, own);
  const pairs = pairTrunks(unmarked.inbound, unmarked.outbound).map(({ evidence, ...halves }) => ({
    ...halves,
    because: `they have ${evidence}`,
    isChosen: false,
  }));
  const { inbound, outbound } = without(unmarked, pairs);
  const alone = { because: "", isChosen: false };
  const units = [
    ...byChoice,
    ...own,
    ...pairs,
    ...inbound.map((trunk) => ({ inbound: trunk, ...alone })),
    ...outbound.map((trunk) => ({ outbound: trunk, ...alone })),
  ];
  return units.toSorted((a, b) => (either(a).id < either(b).id ? -1 : 1));
}

function without({ inbound, outbound }: Trunks, units: readonly Halves[]): Trunks {
  const used = new Set(units.flatMap((unit) => [unit.inbound?.id, unit.outbound?.id]));
  return { inbound: inbound.filter(({ id }) => !used.has(id)), outbound: outbound.filter(({ id }) => !used.has(id)) };
}

function chosenUnits({ inbound, outbound }: Trunks, chosen: readonly ChosenTrunk[]): Unit[] {
  const inboundById = new Map(inbound.map((trunk) => [trunk.id, trunk]));
  const outboundById = new Map(outbound.map((trunk) => [trunk.id, trunk]));
  return chosen.flatMap(({ name, because = "chosen in import.yaml", apart, ...ids }): Unit[] => {
    const halves = { inbound: inboundById.get(ids.inbound ?? ""), outbound: outboundById.get(ids.outbound ?? "") };
    return halves.inbound || halves.outbound ? [{ ...halves, name, because, apart, isChosen: true }] : [];
  });
}

/** The pairs that already carry this stack's own marker. */
function markedUnits({ inbound, outbound }: Trunks): Unit[] {
  const byMarker = new Map<string, Halves>();
  const add = (trunk: Trunk, half: Halves) => {
    const { marker } = trunks.metadataOf(trunk);
    if (marker) {
      byMarker.set(marker.id, { ...byMarker.get(marker.id), ...half });
    }
  };
  for (const trunk of inbound) {
    add(trunk, { inbound: trunk });
  }
  for (const trunk of outbound) {
    add(trunk, { outbound: trunk });
  }
  return [...byMarker.values()].map((halves) => {
    const { marker } = trunks.metadataOf(either(halves));
    const name = marker && { name: nameOf(marker.owner) };
    return { ...halves, ...name, because: "this stack manages them already", isChosen: true };
  });
}

/** The names of SipTrunks by the id of a half. Each half has a name of its own, in case a pair must be taken apart. */
export function namesOf(units: readonly Unit[], before: ReadonlyMap<string, string>): Map<string, string> {
  const chosen = units.flatMap((unit) => (unit.name === undefined ? [] : [[either(unit).id, unit.name] as const]));
  const wanted = units.flatMap(({ inbound, outbound }) => {
    const names = [inbound, outbound].map((trunk) => trunk && resourceName(trunk.name, `trunk-${idSuffix(trunk.id)}`));
    const [first, second] = names[0] === names[1] ? [names[0], `${names[1]}-outbound`] : names;
    return [
      ...(inbound && first !== undefined ? [{ id: inbound.id, wants: first }] : []),
      ...(outbound && second !== undefined ? [{ id: outbound.id, wants: second }] : []),
    ];
  });
  return distinctNames(wanted, new Map([...before, ...chosen]));
}
