/**
 * The errors with which CreateSIPParticipant fails when the call fails (livekit/sip, pkg/sip/outbound.go: Invite;
 * pkg/errors/errors.go: ApplySIPStatus; livekit/protocol, livekit/sip.go: sipCodeToGRPCCode, TwirpErrorMeta).
 */

import type { SipResponse } from "../../../sip/message";
import { headerOf } from "../../../sip/message";
import { rpcError, type TwirpCode, type TwirpError } from "../twirp-error";

/**
 * SIP statuses whose code differs from the default of their class: failed_precondition for 5xx, invalid_argument for
 * the rest.
 */
const CODES: readonly [code: TwirpCode, statuses: readonly number[]][] = [
  ["not_found", [301, 302, 404, 410, 481, 604]],
  ["permission_denied", [401, 402, 403, 433, 470, 603, 607, 608]],
  ["unauthenticated", [407, 428, 436, 437, 438, 494]],
  ["deadline_exceeded", [408, 504]],
  ["failed_precondition", [409, 412, 482, 483]],
  ["resource_exhausted", [440, 480, 486, 600]],
  ["out_of_range", [416]],
  ["aborted", [487, 491]],
  ["invalid_argument", [505, 513]],
];

/** Statuses for which livekit/sip also reads the reason from the body. */
const EXPLAINED: ReadonlySet<number> = new Set([400, 404, 480, 486, 488]);

/** The other side refused the call. The SIP status goes into the metadata, where livekit-server-sdk looks for it. */
export function refusal(response: SipResponse): TwirpError {
  const { status, reason, body } = response;
  const isExplained = EXPLAINED.has(status);
  const detail = isExplained && body !== "" ? body : (isExplained && headerOf(response, "x-twilio-error")) || reason;
  const code =
    CODES.find(([, statuses]) => statuses.includes(status))?.[0] ??
    (status >= 500 && status < 600 ? "failed_precondition" : "invalid_argument");
  const what = isExplained ? "INVITE failed" : "unexpected status from INVITE response";
  const meta = { sip_status_code: String(status), sip_status: detail };
  return rpcError(code, `${what}: sip status: ${status}: ${detail}`, meta);
}

/** The call rang until the ringing timeout, or the room was closed meanwhile. */
export const noAnswer = () => rpcError("canceled", "sip request timed out");

/** The request took longer than livekit-server waits. */
export const requestTimeout = () => rpcError("deadline_exceeded", "request timed out");

/** No response, or no final one. */
export const silence = (responses: number) =>
  rpcError("canceled", `transaction failed to complete (${responses} intermediate responses)`);

export const missingCredential = () =>
  rpcError("failed_precondition", "sip server required auth, but no username or password was provided");

export const missingChallenge = () => rpcError("failed_precondition", "no auth header in sip invite response");

/** Every answer to a challenge got another challenge, so the credential is wrong. */
export const authenticationFailed = () =>
  rpcError("failed_precondition", "max auth retry attempts reached for SIP invite");
