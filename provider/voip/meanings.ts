/** Explains what the response to a call usually means, and how to fix it. */

/** The direction of a call: `outbound` from the platform to the VoIP system, `inbound` from the VoIP system to the platform. */
export const DIRECTIONS = ["outbound", "inbound"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Meanings by status. The meaning of a whole class is listed under its first status, such as 400. */
type Meanings = Readonly<Record<number, string>>;

const LOOP =
  "the call goes round in circles between proxies: check that the trunk's address, and the proxy of fixedIp, do not lead back to the sender";
const BUSY = "the number is busy: call one that is free, or try again later";

/** The meanings that are the same in both directions. */
const EITHER: Meanings = {
  300: "the number is to be reached elsewhere, and a test call follows no redirection: call that place itself",
  408: "nobody answered in time: check that somebody, or something, answers the number",
  480: "nobody can take the call now: check that the number's device or agent is registered",
  482: LOOP,
  483: LOOP,
  486: BUSY,
  487: "the call was ended before it was answered: check who or what ended it there",
  500: "the system that was called has trouble of its own: look into its log",
  503: "the system that was called is overloaded, or has no way on to the number: look into its log, and try again later",
  504: "the system that was called waited in vain for another one behind it: look into its log",
  600: BUSY,
  603: "the call was declined: check what the number does with calls of this caller",
  607: "the callee takes the call for unwanted: have the caller id taken off the block list",
  608: "an intermediary takes the call for unwanted: have the caller id taken off the block list",
};

/** The meanings of the VoIP system's responses. */
const OUTBOUND: Meanings = {
  400: "the VoIP system can't read the call: check the trunk's address, transport, fromHost and headers",
  401: "the VoIP system rejects the trunk's credential: set the same username and password there and in the SipTrunk",
  402: "the VoIP provider asks for payment first: check the account's balance",
  403: "usually the caller id in From does not belong to the trunk (From mismatch), or the platform's address is not allowed there: check the trunk's numbers or extension, its fromHost and fixedIp",
  404: "the VoIP system does not know the number: check `to`, and the trunk's numberFormat and country",
  407: "the VoIP system asks for the credential again and again, so the one it got is wrong or a loop repeats the question: set the same username and password there and in the SipTrunk",
  410: "the number is no longer in use: check `to`",
  415: "the two sides have no audio format in common: check the trunk's codecs and mediaEncryption",
  484: "the number is incomplete: check `to`, and the trunk's numberFormat and country",
  488: "the two sides have no audio format or encryption in common: check the trunk's codecs and mediaEncryption",
  604: "the number does not exist anywhere: check `to`, and the trunk's numberFormat and country",
  606: "the two sides have no audio format or encryption in common: check the trunk's codecs and mediaEncryption",
};

/** The meanings of the platform's responses. */
const INBOUND: Meanings = {
  400: "the platform can't read the call: check address, port and transport",
  401: "the platform rejects the trunk's credential: run `pulumi up`, so that the InboundAuth has the trunk's password, and depend on that InboundAuth",
  403: "the platform does not let this caller in: check the InboundAuth's allowedNumbers and allowedAddresses, and `from`",
  404: "no trunk or dispatch rule of the platform takes the number: check `to`, the trunk's numbers or extension, the InboundAuth's allowedNumbers, and that a DispatchRule has the trunk",
  407: "the platform rejects the trunk's credential: run `pulumi up`, so that the InboundAuth has the trunk's password, and depend on that InboundAuth",
  480: "the platform has nobody who takes the call: check the DispatchRule's agents",
  488: "the two sides have no audio format or encryption in common: check the trunk's codecs and mediaEncryption",
  606: "the two sides have no audio format or encryption in common: check the trunk's codecs and mediaEncryption",
};

/** The meanings of all other responses, by class (RFC 3261, section 21). */
const CLASSES: Meanings = {
  300: EITHER[300] ?? "",
  400: "the system that was called does not take the call as it is: look the status up there",
  500: EITHER[500] ?? "",
  600: "the number takes no such call anywhere: check `to`",
};

/**
 * What a final response to an INVITE usually means, and how to fix it. Without a full stop at the end.
 *
 * @param status 300 to 699
 */
export function meaningOf(status: number, direction: Direction): string {
  const own = direction === "outbound" ? OUTBOUND : INBOUND;
  return own[status] ?? EITHER[status] ?? CLASSES[Math.floor(status / 100) * 100] ?? "the answer is not one of SIP";
}
