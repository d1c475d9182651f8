/** Finds what is on LiveKit and belongs to none of the stacks. Pure. */

import type { InboundTrunk, OutboundTrunk, Rule } from "../../livekit/messages";
import { stackOf } from "../../livekit/ownership";
import { metadataOf } from "../../livekit/trunks";
import { printable } from "../../printable";
import type { Inventory } from "../inventory";
import { NAME_LIMIT } from "./differences";
import type { Unmanaged } from "./report";

/** What is known about the stacks of a project. */
export interface KnownStacks {
  /** The ids on LiveKit that a state has, by the names of the stacks whose state was read. */
  readonly managed: ReadonlyMap<string, readonly string[]>;
  /** Every stack in the backend, whether its state was read or not. */
  readonly all: readonly string[];
}

export function unmanagedIn({ inbound, outbound, rules }: Inventory, { managed, all }: KnownStacks): Unmanaged[] {
  const owned = new Set([...managed.values()].flat());
  const projects = new Set(all.map(projectOf));
  // The stack in an exported state that was not read has an unknown name.
  const areNamed = all.every((stack) => stack.split("/").length === 3);
  const reasonOf = (trunk: InboundTrunk | OutboundTrunk): string | undefined => {
    const { marker } = metadataOf(trunk);
    if (owned.has(trunk.id)) {
      return undefined;
    }
    if (!marker) {
      return "It carries no marker of a stack.";
    }
    const stack = stackOf(marker.owner);
    if (managed.has(stack)) {
      return `Its marker names ${marker.owner}, and the state of that stack does not have it.`;
    }
    // Another project's stacks are not known here, and the state of this one may just not have been read.
    return areNamed && projects.has(projectOf(stack)) && !all.includes(stack)
      ? `Its marker names ${marker.owner}, and there is no such stack.`
      : undefined;
  };
  const known = new Map(inbound.map((trunk) => [trunk.id, trunk]));
  const isComplete = all.every((stack) => managed.has(stack));
  const ruleReason = ({ id, trunkIds }: Rule): string | undefined => {
    if (owned.has(id)) {
      return undefined;
    }
    const taken = trunkIds.find((trunk) => owned.has(trunk));
    if (taken !== undefined) {
      return `It takes the calls of ${taken}, which belongs to a stack, and no state has it.`;
    }
    const isElsewhere = trunkIds.some((trunk) => {
      const live = known.get(trunk);
      return live && metadataOf(live).marker;
    });
    return isComplete && !isElsewhere ? "It is in none of the states." : undefined;
  };
  return [
    ...inbound.flatMap((trunk) => entry(trunk, "inbound trunk", reasonOf(trunk))),
    ...outbound.flatMap((trunk) => entry(trunk, "outbound trunk", reasonOf(trunk))),
    ...rules.flatMap((rule) => entry(rule, "dispatch rule", ruleReason(rule))),
  ];
}

/** organization/project */
function projectOf(stack: string): string {
  return stack.split("/").slice(0, 2).join("/");
}

function entry(
  { id, name }: { readonly id: string; readonly name: string },
  kind: Unmanaged["kind"],
  reason: string | undefined,
): Unmanaged[] {
  return reason === undefined
    ? []
    : [{ id: printable(id, NAME_LIMIT), kind, name: printable(name, NAME_LIMIT), reason: printable(reason) }];
}
