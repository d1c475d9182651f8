/** The direction of a SipTrunk: which of the two LiveKit trunks it declares, and which arguments only one of them needs. */

import { perSession, type Session } from "../lifecycle/session";
import type { Props } from "../lifecycle/values";
import { nameOf } from "../livekit/ownership";
import { HALVES, type Half, type Pair } from "../livekit/trunks";

export const TRUNK_DIRECTIONS = ["both", "inbound", "outbound"] as const;

export type TrunkDirection = (typeof TRUNK_DIRECTIONS)[number];

/** The arguments that only the inbound trunk has a use for. */
export const ONLY_INBOUND = ["ringingTimeout", "maxCallDuration", "krispEnabled"] as const;

/** The arguments that only the outbound trunk has a use for. */
export const ONLY_OUTBOUND = [
  ...(["address", "port", "transport", "fixedIp", "fromHost", "destinationCountry"] as const),
  ...(["voipCheck", "voipCheckTimeout"] as const),
] as const;

/** What a one-way trunk can't do, and the arguments that it therefore has no use for. */
const ONE_WAY = {
  inbound: { lacks: "outbound", cannot: "makes no outgoing calls", useless: ONLY_OUTBOUND },
  outbound: { lacks: "inbound", cannot: "takes no incoming calls", useless: ONLY_INBOUND },
} as const;

type Directed = { readonly direction?: TrunkDirection | undefined };

function oneWay(direction: TrunkDirection | undefined) {
  return direction === "inbound" || direction === "outbound" ? ONE_WAY[direction] : undefined;
}

/** Whether a SipTrunk declares its inbound or outbound trunk. Without a direction, as in states of version 0.1, it declares both. */
export function declares({ direction }: Directed, half: Half): boolean {
  return oneWay(direction)?.lacks !== half;
}

/** Whether a SipTrunk is known to take calls. While its direction is unknown, nobody can say. */
export function takesCalls(args: Directed): boolean {
  return args.direction !== undefined && declares(args, "inbound");
}

/** The pair as it is declared. A trunk that is not declared is to be removed, like a spare one. */
export function declaredPair(pair: Pair, args: Directed): Pair {
  const { lacks } = oneWay(args.direction) ?? {};
  const surplus = lacks && pair[lacks];
  return surplus ? { ...pair, [lacks]: undefined, spare: [...pair.spare, surplus] } : pair;
}

/** What a change of direction creates and deletes, as remarks. */
export function turns(state: Props, args: Directed, live: Pair | undefined): string[] {
  const before = { direction: TRUNK_DIRECTIONS.find((direction) => direction === state.direction) };
  const because = `because direction is "${args.direction}"`;
  return HALVES.filter((half) => args.direction && declares(before, half) !== declares(args, half)).flatMap((half) => {
    const { id } = live?.[half] ?? {};
    if (declares(args, half)) {
      return `creates the ${half} trunk, ${because}.`;
    }
    return id === undefined ? [] : `deletes the ${half} trunk ${id}, ${because}.`;
  });
}

/** The arguments that a one-way trunk has no use for, as a sentence. */
export function problemsOfDirection(args: Directed & Readonly<Record<string, unknown>>): string[] {
  const { cannot, useless = [] } = oneWay(args.direction) ?? {};
  const given = useless.filter((name) => args[name] !== undefined);
  return given.length === 0
    ? []
    : [
        `${given.join(", ")} can't be used with direction: "${args.direction}", which ${cannot}: remove ${given.length > 1 ? "them" : "it"}.`,
      ];
}

/** The direction of each SipTrunk of the program, keyed by owner. Known before the trunk exists. */
const declaredDirections = perSession(() => new Map<string, TrunkDirection>());

/** Records the direction that the program declares, as far as it is known. */
export function declareDirection(session: Session, owner: string, { direction }: Directed): void {
  if (direction !== undefined) {
    declaredDirections(session).set(owner, direction);
  }
}

/** Why another resource can't use a SipTrunk of the program, without the fix. Undefined if it can, or if nobody knows. */
export function cannotUse(session: Session, owner: string, half: Half): string | undefined {
  const direction = declaredDirections(session).get(owner);
  return direction === undefined || declares({ direction }, half)
    ? undefined
    : `SipTrunk "${nameOf(owner)}" ${half === "inbound" ? "takes" : "makes"} no calls (direction: "${direction}")`;
}
