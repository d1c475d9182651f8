/** Places a TestCall's call in either direction, and explains in words why it failed. */

import { randomBytes } from "node:crypto";
import { bracketed } from "../host-text";
import { ResourceError } from "../lifecycle/errors";
import type { Wanted } from "../lifecycle/resource";
import type { Session } from "../lifecycle/session";
import type { Props } from "../lifecycle/values";
import type { Account } from "../livekit/account";
import * as calls from "../livekit/calls";
import type { Connection } from "../livekit/connection";
import { LiveKitError } from "../livekit/errors";
import { nameOf } from "../livekit/ownership";
import * as trunks from "../livekit/trunks";
import { formatDialedNumber, writtenNumber } from "../phone-number/format";
import { printable } from "../printable";
import { parseUri } from "../sip/message";
import type { SipServer } from "../sip/resolve";
import { type CallOutcome, placeCall } from "../voip/call";
import { meaningOf } from "../voip/meanings";
import type { TestCallInputs } from "./arguments";

/** When LiveKit ends an outbound call on its own, in seconds, in case the room is not deleted. */
const MAX_CALL_DURATION = 30;

/**
 * A number as the trunk's VoIP system writes it. The trunk's own extension is never formatted, even if it looks like a phone
 * number; its own numbers always are, even if they are as short as an extension.
 */
function written(number: string, args: TestCallInputs): string {
  const { extension, numbers, country, numberFormat } = args;
  const format = { numberFormat, country };
  if (number === extension) {
    return number;
  }
  return numbers?.includes(number) ? writtenNumber(number, format) : formatDialedNumber(number, format);
}

function calledNumber(args: TestCallInputs): string {
  return written(args.to ?? args.extension ?? args.numbers?.[0] ?? "", args);
}

/** The platform's SIP address. */
function platformServer({ address, port, transport }: TestCallInputs, { sipHost = "" }: Connection): SipServer {
  const configured = parseUri(`sip:${sipHost}`);
  const chosen = port ?? (address === undefined ? configured?.port : undefined);
  return {
    host: address ?? configured?.host ?? "",
    protocol: transport,
    ...(chosen === undefined ? {} : { port: chosen }),
  };
}

/** The status and reason phrase of an answer, printable and short. */
function answerWords(status: number, reason: string): string {
  const words = printable(reason.replace(/^SIP_STATUS_/, ""), 60).trim();
  return words === "" ? String(status) : `${status} (${words})`;
}

/** LiveKit's messages for calls that fail without a SIP status (livekit/sip, pkg/sip/outbound.go), and what they mean. */
const LIVEKIT_WORDS: readonly [pattern: RegExp, sentence: string][] = [
  [/max auth retry attempts/, `got 407 for each answer: ${meaningOf(407, "outbound")}`],
  [
    /required auth, but no username or password/,
    "got 407: the VoIP system asks for a credential and the trunk has none: give the SipTrunk username and password",
  ],
  [
    /\(0 intermediate responses\)/,
    "got no SIP answer: the platform can't reach the VoIP system: check the trunk's address, port and transport, and any firewall in between",
  ],
  [/no such host/, "was not sent, because the VoIP system's host name does not exist: check the trunk's address"],
];

/** Why LiveKit's call failed: the words after "the call …". Undefined if the error is not about the call itself. */
function outboundFailure(error: LiveKitError, { ringingTimeout }: TestCallInputs) {
  if (error.sip) {
    const { status, reason } = error.sip;
    return `got ${answerWords(status, reason)}: ${meaningOf(status, "outbound")}.`;
  }
  const [, sentence] = LIVEKIT_WORDS.find(([pattern]) => pattern.test(error.message)) ?? [];
  if (sentence !== undefined && error.code !== undefined) {
    return `${sentence}.`;
  }
  if (error.code === "canceled" || error.code === "deadline_exceeded") {
    return `was not answered within ${ringingTimeout} s: ${meaningOf(408, "outbound")}.`;
  }
  if (error.code === "unavailable") {
    return `found no SIP service at LiveKit (${error.message.replace(/\.$/, "")}): check that livekit/sip is running with the same Redis as the LiveKit server.`;
  }
  switch (error.failure) {
    case "unauthenticated":
    case "clock":
      return undefined;
    case "unreachable":
    case "failed":
      return `failed: ${error.message} It is not retried automatically, because it may have rung: run \`pulumi up\` to place it again.`;
    default:
      return `was not placed: ${error.message}`;
  }
}

/** A further possible cause if the caller was not asked for a credential. */
const ADDRESS_HINT =
  "; the platform did not ask for a credential, so this machine's address may be missing from the InboundAuth's allowedAddresses";

/** Why a call to the platform failed: the words after "the call …". */
function inboundFailure(outcome: Exclude<CallOutcome, { kind: "accepted" }>, args: TestCallInputs): string {
  const { ringingTimeout, transport, password } = args;
  switch (outcome.kind) {
    case "refused":
      return `got ${answerWords(outcome.status, outcome.reason)}: ${refusalMeaning(outcome, password !== undefined)}.`;
    case "unanswered":
      return outcome.trying
        ? `did not ring within ${ringingTimeout} s: ${meaningOf(480, "inbound")}.`
        : `got no SIP answer within ${ringingTimeout} s: check address, port and transport, and that the trunk and its InboundAuth accept this caller. A platform may ignore callers that it does not know.`;
    case "unreachable":
      return `did not get through over ${transport} (${outcome.reason}): check address, port and transport, and that a SIP server runs there.`;
  }
}

function refusalMeaning(
  { status, authenticated }: Extract<CallOutcome, { kind: "refused" }>,
  hasCredential: boolean,
): string {
  if ((status === 401 || status === 407) && !authenticated) {
    return hasCredential
      ? "the platform asks for the credential in a way that is not supported: check that address is the platform's"
      : "the platform asks for a credential and the trunk has none: give the SipTrunk username and password, or allow this machine's address in the InboundAuth's allowedAddresses";
  }
  const isAboutCaller = status === 403 || status === 404;
  return `${meaningOf(status, "inbound")}${isAboutCaller && !authenticated ? ADDRESS_HINT : ""}`;
}

/** Has LiveKit place the call. Deleting the room afterwards hangs up. */
async function callOut({ account, own }: Session, { owner, args }: Wanted<TestCallInputs>): Promise<Props> {
  const { connection } = account;
  const trunk = nameOf(args.trunk);
  const outbound = await trunks.outboundOf(account, own.keyOf("SipTrunk", args.trunk));
  if (!outbound) {
    throw new ResourceError(
      `TestCall "${nameOf(owner)}": the outbound trunk of SipTrunk "${trunk}" does not exist: run \`pulumi up\` without --target, so that the trunk is created first.`,
    );
  }
  const to = calledNumber(args);
  const room = `pulumi-test-call-${randomBytes(8).toString("hex")}`;
  const call = {
    trunkId: outbound.id,
    to,
    room,
    identity: "pulumi-test-call",
    ringingTimeout: args.ringingTimeout,
    maxCallDuration: MAX_CALL_DURATION,
  };
  try {
    await calls.placeCall(connection, call, [outbound.authPassword]);
  } catch (error) {
    const failure = error instanceof LiveKitError ? outboundFailure(error, args) : undefined;
    throw failure === undefined
      ? error
      : new ResourceError(`TestCall "${nameOf(owner)}": the call to ${to} through SipTrunk "${trunk}" ${failure}`, {
          cause: error,
        });
  } finally {
    // If this fails, the call ends soon anyway, at MAX_CALL_DURATION.
    await calls.deleteRoom(connection, room).catch(() => undefined);
  }
  return { result: "answered (200)", sipStatus: 200 };
}

/** Calls the platform the way the VoIP system does. */
async function callIn({ connection }: Account, { owner, args }: Wanted<TestCallInputs>): Promise<Props> {
  const { username, password } = args;
  const server = platformServer(args, connection);
  const to = calledNumber(args);
  const outcome = await placeCall({
    server,
    to,
    from: args.from === undefined ? (username ?? "pulumi-test-call") : written(args.from, args),
    ...(username !== undefined && password !== undefined ? { credential: { username, password } } : {}),
    secureMedia: args.mediaEncryption === "require",
    timeoutMs: args.ringingTimeout * 1000,
  });
  if (outcome.kind !== "accepted") {
    const where = `${bracketed(server.host)}${server.port === undefined ? "" : `:${server.port}`}`;
    throw new ResourceError(
      `TestCall "${nameOf(owner)}": the call to ${to} on SipTrunk "${nameOf(args.trunk)}" at ${where} ${inboundFailure(outcome, args)}`,
    );
  }
  const { status } = outcome;
  return { result: `${status < 200 ? "ringing" : "answered"} (${status})`, sipStatus: status };
}

/**
 * Places the call.
 *
 * @throws ResourceError if the call fails
 */
export function place(session: Session, wanted: Wanted<TestCallInputs>): Promise<Props> {
  return wanted.args.direction === "outbound" ? callOut(session, wanted) : callIn(session.account, wanted);
}
