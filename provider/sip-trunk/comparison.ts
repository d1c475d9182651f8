/** Compares a SipTrunk's pair with what was applied, in values and words that a plan may show. Pure. */

import { z } from "zod";
import { ADOPTED, adoptedIn, INTERRUPTED, MARKER_TO_WRITE } from "../lifecycle/adopted";
import { type Change, type Drift, shownChanges } from "../lifecycle/drift";
import { credentialFingerprint } from "../lifecycle/fingerprint";
import type { IsKnown, Observation, Wanted } from "../lifecycle/resource";
import { differences, NONE, type Props } from "../lifecycle/values";
import { exposureOf } from "../livekit/addresses";
import type { Connection } from "../livekit/connection";
import { sensitiveArguments } from "../livekit/fields";
import { INBOUND, type InboundFields, type InboundTrunk, OUTBOUND, type OutboundTrunk } from "../livekit/messages";
import * as trunks from "../livekit/trunks";
import type { SipTrunkInputs } from "./arguments";
import { declaredPair, declares } from "./direction";
import { ARGUMENT_OF, inboundFields, liveValue, numberArguments, outboundFields, ownMarker } from "./mapping";
import { isLeftOpen, keepsCredential, openerOf } from "./opener";

/** The arguments whose values no plan or report shows. */
export const SENSITIVE = sensitiveArguments({ ...INBOUND, ...OUTBOUND }, ARGUMENT_OF);

/** The arguments in which one trunk of the pair differs from what was applied. */
function changesIn(
  live: InboundTrunk | OutboundTrunk,
  wanted: Props,
  args: SipTrunkInputs,
  own: trunks.OwnMarker,
  /** Whether the trunk is taken over, so that its marker is expected to be missing. */
  isTakenOver: boolean,
): Change[] {
  const view: Props = { ...live };
  const fields = differences<Props>(wanted, view).filter(
    (field) => field !== "authPassword" || !trunks.hidesPassword(live),
  );
  const changes = fields.map((field) => {
    const { argument, value } = liveValue(field, view, args);
    return { argument, declared: wanted[field], live: value };
  });
  const metadata = { argument: "metadata", declared: args.metadata, live: trunks.metadataOf(live).user };
  const differs = isTakenOver
    ? trunks.userMetadataDiffers(live, metadata.declared)
    : trunks.metadataDiffers(live, metadata.declared, own);
  return [...changes, ...(differs ? [metadata] : [])];
}

function missing(kind: string, recorded: unknown): string {
  return (recorded ?? undefined) === undefined
    ? `${kind} trunk was never created`
    : `${kind} trunk ${String(recorded)} is gone`;
}

export function compare(
  pair: trunks.Pair,
  { owner, args }: Wanted<SipTrunkInputs>,
  id: string,
  state: Props,
  connection: Connection,
): Observation {
  const { inbound, outbound, spare } = declaredPair(pair, args);
  const own = ownMarker(owner, id, args);
  const adopted = adoptedIn(state);
  const isTakenOver = (trunk: InboundTrunk | OutboundTrunk) =>
    adopted !== undefined && !trunks.metadataOf(trunk).marker;
  const changes = [
    ...(outbound ? changesIn(outbound, outboundFields(args, connection), args, own, isTakenOver(outbound)) : []),
    ...(inbound ? changesIn(inbound, inboundFields(args), args, own, isTakenOver(inbound)) : []),
  ];
  const isToMark = [inbound, outbound].some((trunk) => trunk && isTakenOver(trunk));
  const password = changes.find(({ argument }) => argument === "password")?.live;
  const { values, names, digest } = shownChanges(
    changes.filter(({ argument }) => argument !== "password"),
    { sensitive: SENSITIVE, apiSecret: connection.apiSecret, subject: owner },
  );
  const changed: Drift = { names: [...names, ...(password === undefined ? [] : ["password"])], digest };
  const hidden =
    outbound &&
    (isTakenOver(outbound) ? trunks.hiddenTakeOver("outbound", outbound) : trunks.hiddenChange("outbound", outbound));
  const isOpened = inbound && !openerOf(inbound, state) && !trunks.isClosed(inbound) && !isLeftOpen(inbound, state);
  const drift = [
    isToMark ? MARKER_TO_WRITE : adopted?.staysOpen && INTERRUPTED,
    changed.names.length > 0 && changed,
    declares(args, "inbound") && !inbound && missing("inbound", state.inboundTrunkId),
    declares(args, "outbound") && !outbound && missing("outbound", state.outboundTrunkId),
    hidden,
    isOpened &&
      `inbound trunk ${inbound.id} ${exposureOf(inbound) === "none" ? "was opened outside Pulumi" : "is OPEN TO ANYONE"}`,
    spare.length > 0 && `${spare.map((trunk) => trunk.id).join(", ")} left over from an interrupted update`,
  ].filter((it) => typeof it === "object" || typeof it === "string");
  const fingerprint =
    password === undefined ? hidden && "hidden" : credentialFingerprint(connection.apiSecret, owner, String(password));
  return {
    values: { ...values, ...(fingerprint ? { credentialFingerprint: fingerprint } : {}) },
    drift,
    outputs: {
      ...idOf("inbound", pair, args),
      ...idOf("outbound", pair, args),
      ...(isToMark || adopted?.staysOpen ? {} : { [ADOPTED]: undefined }),
    },
  };
}

/**
 * The id of one trunk as an output. A trunk whose create got no answer is found by its marker: the state does not have its id yet.
 * A deleted trunk's old id stays in the state.
 */
function idOf(half: trunks.Half, pair: trunks.Pair, args: SipTrunkInputs): Props {
  const id = pair[half]?.id ?? (declares(args, half) ? undefined : NONE);
  return id === undefined ? {} : { [`${half}TrunkId`]: id };
}

/** Arguments of a program, with something in place of unknown ones. */
const completed = z.custom<SipTrunkInputs>();

/** The arguments as far as they are known. What depends on an unknown one must not be used. */
function asFarAsKnown(args: Partial<SipTrunkInputs>): SipTrunkInputs {
  const numbers = numberArguments(args) ? args.numbers : undefined;
  return completed.parse({ ...args, address: args.address ?? "", numbers });
}

/** The arguments that an argument's value on LiveKit depends on besides itself. */
function sourcesOf(argument: string, { fixedIp }: Partial<SipTrunkInputs>): (keyof SipTrunkInputs)[] {
  switch (argument) {
    case "extension":
      return ["type"];
    case "numbers":
      return ["type", "country", "numberFormat"];
    case "destinationCountry":
      return ["country"];
    case "address":
      return ["port", "fixedIp"];
    case "headers":
      return fixedIp === false ? [] : ["fixedIp", "address", "port", "transport"];
    default:
      return [];
  }
}

/** The names of the arguments that change on LiveKit when a SipTrunk takes over trunks, as far as they are known. */
export function takeOverChanges(
  { inbound, outbound }: { readonly inbound: InboundTrunk | undefined; readonly outbound: OutboundTrunk | undefined },
  args: Partial<SipTrunkInputs>,
  isKnown: IsKnown<SipTrunkInputs>,
  connection: Connection,
): string[] {
  const known = asFarAsKnown(args);
  const own = ownMarker("", "", known);
  const changes = [
    ...(inbound ? changesIn(inbound, inboundFields(known), known, own, true) : []),
    ...(outbound ? changesIn(outbound, outboundFields(known, connection), known, own, true) : []),
  ].map(({ argument }) => argument);
  const writesPassword = outbound && trunks.hidesPassword(outbound) && args.password !== undefined;
  const isArgument = z.custom<keyof SipTrunkInputs>();
  return [...new Set([...changes, ...(writesPassword ? ["password"] : [])])].filter((argument) =>
    [isArgument.parse(argument), ...sourcesOf(argument, args)].every(isKnown),
  );
}

/** Whether taking an open trunk over closes it, because it must be replaced as a whole without its password. */
export function closesOnTakeOver(live: InboundTrunk, args: Partial<SipTrunkInputs>): boolean {
  const wanted = inboundFields(asFarAsKnown(args));
  const changed: readonly string[] = differences<Partial<InboundFields>>(wanted, live);
  const changes = Object.fromEntries(Object.entries(wanted).filter(([field]) => changed.includes(field)));
  return !keepsCredential(live, changes, args);
}
