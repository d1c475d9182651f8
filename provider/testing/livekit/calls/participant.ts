/**
 * Turns a valid CreateSIPParticipant request into the call to place (livekit/protocol, rpc/sip.go:
 * NewCreateSIPParticipantRequestResult; livekit/sip, pkg/sip/client.go: buildLegacyURI). Pure functions.
 */

import type { Duration } from "@bufbuild/protobuf";
import { type CreateSIPParticipantRequest, type SIPOutboundTrunkInfo, SIPTransport } from "@livekit/protocol";
import type { Protocol } from "../../../sip/connection";
import { escapeUser } from "../../../sip/message";
import { rpcError } from "../twirp-error";

/** How long a call rings by default (livekit/sip, pkg/sip/participant.go). */
export const DEFAULT_RINGING_MS = 180_000;
/** The longest duration of a call. */
export const MAX_CALL_MS = 24 * 3_600_000;

/** A call to place. */
export interface Plan {
  readonly trunkId: string;
  readonly protocol: Protocol;
  /** Host and, where given, port of the other side. */
  readonly host: string;
  readonly port?: number;
  /** The URI in the request line and in To. */
  readonly uri: string;
  /** The From value without its tag. */
  readonly from: string;
  /** The caller's number. */
  readonly number: string;
  readonly callTo: string;
  readonly username: string;
  readonly password: string;
  /** Sorted by name. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly room: string;
  readonly identity: string;
  readonly waitUntilAnswered: boolean;
  /** How long the call may ring. */
  readonly ringingMs: number;
  /** How long the call may last. */
  readonly durationMs: number;
}

const PROTOCOLS: ReadonlyMap<SIPTransport, Protocol> = new Map([
  [SIPTransport.SIP_TRANSPORT_UDP, "udp"],
  [SIPTransport.SIP_TRANSPORT_TCP, "tcp"],
  [SIPTransport.SIP_TRANSPORT_TLS, "tls"],
]);

/**
 * The number that a call shows. If the trunk has several, the real server picks one at random; this takes the first.
 *
 * @param trunk the stored trunk that the request names
 * @throws TwirpError failed_precondition when there is none
 */
export function shownNumber(request: CreateSIPParticipantRequest, trunk: SIPOutboundTrunkInfo | undefined): string {
  const number = request.sipNumber || trunk?.numbers[0];
  if (!number) {
    throw rpcError("failed_precondition", "no numbers on outbound trunk");
  }
  return number;
}

/**
 * The call that a request asks for.
 *
 * @param ownHost the host in From when the trunk names none
 * @throws TwirpError invalid_argument when the address is not valid
 */
export function planOf(
  request: CreateSIPParticipantRequest,
  trunk: SIPOutboundTrunkInfo | undefined,
  number: string,
  ownHost: string,
): Plan {
  const inline = trunk ? undefined : request.trunk;
  const address = trunk?.address ?? inline?.hostname ?? "";
  const named = PROTOCOLS.get((trunk ?? inline)?.transport ?? SIPTransport.SIP_TRANSPORT_AUTO);
  const target = hostAndPort(address);
  const uri = (user: string, host: string) =>
    `sip:${escapeUser(user)}@${host}${named === undefined ? "" : `;transport=${named}`}`;
  const fromHost = (trunk ?? inline)?.fromHost || ownHost;
  const shown = (request.displayName ?? number).replace(/["\\]/g, "\\$&");
  return {
    trunkId: request.sipTrunkId,
    protocol: named ?? "udp",
    ...target,
    uri: uri(request.sipCallTo, address),
    from: `"${shown}" <${uri(number, fromHost)}>`,
    number,
    callTo: request.sipCallTo,
    username: (trunk ?? inline)?.authUsername ?? "",
    password: (trunk ?? inline)?.authPassword ?? "",
    headers: Object.entries({ ...trunk?.headers, ...request.headers }).sort(([a], [b]) => (a < b ? -1 : 1)),
    room: request.roomName,
    identity: request.participantIdentity || `sip_${request.sipCallTo}`,
    waitUntilAnswered: request.waitUntilAnswered,
    ringingMs: durationOr(DEFAULT_RINGING_MS, MAX_CALL_MS, request.ringingTimeout),
    durationMs: durationOr(MAX_CALL_MS, MAX_CALL_MS, request.maxCallDuration),
  };
}

function milliseconds(duration: Duration | undefined): number {
  return duration ? Number(duration.seconds) * 1000 + duration.nanos / 1e6 : 0;
}

/** The duration that a trunk or a request sets, in milliseconds, capped at `most`; `unset` when it sets none. */
export function durationOr(unset: number, most: number, duration: Duration | undefined): number {
  const given = milliseconds(duration);
  return given > 0 ? Math.min(given, most) : unset;
}

function hostAndPort(address: string): { host: string; port?: number } {
  if (address === "") {
    throw rpcError("invalid_argument", "invalid request URI: address must be set");
  }
  const [, host, port] = /^(\[[^\]]*\]|[^:]*):(.+)$/.exec(address) ?? [];
  if (host === undefined || port === undefined) {
    return { host: address };
  }
  if (!/^\d+$/.test(port)) {
    throw rpcError("invalid_argument", `invalid request URI: invalid port in hostname: "${port}"`);
  }
  return { host, port: Number(port) };
}
