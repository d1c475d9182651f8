/** Explains what the response to a call usually means, and how to fix it. */

/** The direction of a call: `outbound` from the platform to the VoIP system, `inbound` from the VoIP system to the platform. */
export const DIRECTIONS = ["outbound", "inbound"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Meanings by status. The meaning of a whole class is listed under its first status, such as 400. */
type Meanings = Readonly<Record<number, string>>;

const LOOP =
  "the call loops between proxies: check that neither the trunk's address nor the proxy of fixedIp leads back to the sender";
const BUSY = "the number is busy: call one that is free, or try again later";

/** The meanings that are the same in both directions. */
const EITHER: Meanings = {
  300: "the call was redirected, and a test call does not follow redirects: call the new destination directly",
  408: "nobody answered in time: check that a person or a device answers the number",
  480: "nobody can take the call now: check that the number's device or agent is registered",
  482: LOOP,
  483: LOOP,
  486: BUSY,
  487: "the call was ended before it was answered: find out who or what ended it",
  500: "the called system has an internal problem: check its log",
  503: "the called system is overloaded, or has no route to the number: check its log, and try again later",
  504: "the called system got no answer from another system behind it: check its log",
  600: BUSY,
  603: "the call was declined: check how the number handles calls from this caller",
  607: "the callee rejects the call as unwanted: have the caller id removed from the block list",
  608: "an intermediary rejects the call as unwanted: have the caller id removed from the block list",
};

/** The meanings of the VoIP system's responses. */
const OUTBOUND: Meanings = {
  400: "the VoIP system rejects the call as malformed: check the trunk's address, transport, fromHost and headers",
  401: "the VoIP system rejects the trunk's credential: set the same username and password there and in the SipTrunk",
  402: "the VoIP provider requires payment first: check the account's balance",
  403: "usually the caller id in From does not belong to the trunk (From mismatch), or the platform's address is not allowed there: check the trunk's numbers or extension, its fromHost and fixedIp",
  404: "the VoIP system does not know the number: check `to`, and the trunk's numberFormat and country",
  407: "the VoIP system keeps asking for the credential, so the credential is wrong or the call loops: set the same username and password there and in the SipTrunk",
  410: "the number is no longer in use: check `to`",
  415: "the two sides have no audio format in common: check the trunk's codecs and mediaEncryption",
  484: "the number is incomplete: check `to`, and the trunk's numberFormat and country",
  488: "the two sides have no audio format or encryption in common: check the trunk's codecs and mediaEncryption",
  604: "the number does not exist anywhere: check `to`, and the trunk's numberFormat and country",
  606: "the two sides have no audio format or encryption in common: check the trunk's codecs and mediaEncryption",
};

/** The meanings of the platform's responses. */
const INBOUND: Meanings = {
  400: "the platform rejects the call as malformed: check address, port and transport",
  401: "the platform rejects the trunk's credential: run `pulumi up`, so that the InboundAuth has the trunk's password, and depend on that InboundAuth",
  403: "the platform does not let this caller in: check the InboundAuth's allowedNumbers and allowedAddresses, and `from`",
  404: "no trunk or dispatch rule of the platform takes the number: check `to`, the trunk's numbers or extension, the InboundAuth's allowedNumbers, and that a DispatchRule lists the trunk",
  407: "the platform rejects the trunk's credential: run `pulumi up`, so that the InboundAuth has the trunk's password, and depend on that InboundAuth",
  480: "nobody on the platform takes the call: check the DispatchRule's agents",
  488: "the two sides have no audio format or encryption in common: check the trunk's codecs and mediaEncryption",
  606: "the two sides have no audio format or encryption in common: check the trunk's codecs and mediaEncryption",
};

/** The meanings of all other responses, by class (RFC 3261, section 21). */
const CLASSES: Meanings = {
  300: EITHER[300] ?? "",
  400: "the called system rejects the call: look up what the status means there",
  500: EITHER[500] ?? "",
  600: "the number accepts no such call anywhere: check `to`",
};

/**
 * What a final response to an INVITE usually means, and how to fix it. Without a full stop at the end.
 *
 * @param status 300 to 699
 */
export function meaningOf(status: number, direction: Direction): string {
  const own = direction === "outbound" ? OUTBOUND : INBOUND;
  return own[status] ?? EITHER[status] ?? CLASSES[Math.floor(status / 100) * 100] ?? "this is not a final SIP status";
}
