/** Declares one or two trunks as one SipTrunk, with the InboundAuth that lets in who gets in today. Changes nothing. */

import { createHash } from "node:crypto";
import * as trunks from "../livekit/trunks";
import { authArguments, type Halves, type Hints, trunkGuesses } from "./guesses";
import { type Accepted, isAccepted, type Refused, type Trial } from "./trial";

/** A SipTrunk that describes what is on LiveKit and, if callers are let in, its InboundAuth. */
export interface DeclaredTrunk extends Halves {
  readonly trunk: Accepted;
  readonly auth?: Accepted;
}

export function isRefused(result: DeclaredTrunk | Refused): result is Refused {
  return "problems" in result;
}

/** One of the halves: the inbound one, if there is one. */
export function either({ inbound, outbound }: Halves): NonNullable<Halves["inbound"] | Halves["outbound"]> {
  const trunk = inbound ?? outbound;
  if (!trunk) {
    throw new Error("a SipTrunk has at least one trunk");
  }
  return trunk;
}

/** @param declared - the owner of the SipTrunk, unless the trunks carry a marker that says otherwise */
export async function declareTrunk(
  trial: Trial,
  declared: string,
  hints: Hints,
  halves: Halves,
): Promise<DeclaredTrunk | Refused> {
  const { inbound, outbound } = halves;
  const auth = inbound && !trunks.isClosed(inbound) ? authArguments(inbound) : undefined;
  if (auth && "problem" in auth) {
    return { problems: [`${capitalised(auth.problem)}.`] };
  }
  const { marker } = trunks.metadataOf(either(halves));
  const owner = marker?.owner ?? declared;
  const openedBy =
    inbound && auth ? (trunks.metadataOf(inbound).marker?.openedBy ?? { owner, id: authId(inbound.id) }) : undefined;
  const adopted = marker ? {} : { adopted: openedBy ? { openedBy } : {} };
  const ids = {
    ...(inbound && { inboundTrunkId: inbound.id }),
    ...(outbound && { outboundTrunkId: outbound.id }),
  };
  const id = marker?.id ?? [inbound?.id, outbound?.id].filter((part) => part !== undefined).join("/");
  let refusal: Refused | undefined;
  for (const guess of trunkGuesses(halves, hints)) {
    const trunk = await trial.accepts({ kind: "SipTrunk", owner, id, args: guess, ids, ...adopted });
    if (!isAccepted(trunk)) {
      refusal = refusal && asReason(refusal).length <= asReason(trunk).length ? refusal : trunk;
      continue;
    }
    if (!inbound || !auth || !openedBy) {
      return { ...halves, trunk };
    }
    const { username, password, country, numberFormat } = trunk.inputs;
    const { method, allowedNumbers } = auth.args;
    const opener = await trial.accepts({
      kind: "InboundAuth",
      owner: openedBy.owner,
      id: openedBy.id,
      ids: { inboundTrunkId: inbound.id },
      ...(marker ? {} : { adopted: {} }),
      args: {
        ...auth.args,
        trunk: trunk.owner,
        ...(method === "credentials" && { username, password }),
        ...(allowedNumbers !== undefined && { country, numberFormat }),
      },
    });
    if (isAccepted(opener)) {
      return { ...halves, trunk, auth: opener };
    }
    trial.withdraw(trunk);
    refusal = opener;
  }
  return refusal ?? { problems: [noGuess(halves)] };
}

function noGuess(halves: Halves): string {
  const { numbers, authUsername } = either(halves);
  if (numbers.length === 0) {
    return "It has no numbers, so it takes calls to every number: give it its numbers.";
  }
  return authUsername === "" && numbers.length === 1
    ? "Its number is no phone number that shows its country: pass --country, or give it a credential if it is an extension."
    : "Its numbers are no phone numbers that show their country: pass --country, for example --country US.";
}

/** The id of the InboundAuth of an imported trunk. The same in every run, because the trunk's SipTrunk records it. */
function authId(trunkId: string): string {
  return `inbound-auth-${createHash("sha256").update(trunkId).digest("hex").slice(0, 12)}`;
}

/** Why a resource was refused. A difference is what its declaration would change. */
export function asReason({ problems }: Refused): string {
  return problems
    .map((problem) =>
      problem.replace(
        /^(.*) changed outside Pulumi.*$/,
        "It can't be declared as it is: a declaration would change its $1.",
      ),
    )
    .map((problem) => (/[.:!?`"]$/.test(problem) ? problem : `${problem}.`))
    .map(capitalised)
    .join(" ");
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
