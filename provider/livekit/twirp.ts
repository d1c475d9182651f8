/** Makes one Twirp call to LiveKit: one attempt, with its own token, a bounded response, and no secrets in errors. */

import type * as serverSdk from "livekit-server-sdk";
import type { SIPGrant, VideoGrant } from "livekit-server-sdk";
import { type BoundedAnswer, boundedFetch } from "../http/bounded-fetch";
import { printable } from "../printable";
import type { Connection } from "./connection";
import { LiveKitError, QUOTED_LIMIT, redact, type SipAnswer } from "./errors";

/** The default time limit of a call, in milliseconds. */
export const CALL_TIMEOUT_MS = 10_000;

/**
 * The largest response that is read, in MiB. A list of 10,000 trunks with metadata is 5.5 MB, and LiveKit 1.13 returns all of
 * them at once; this allows fifty times as much. Three such listings still fit into a small machine's memory.
 */
const MAX_MESSAGE_MIB = 256;

/** The longest error response that is read, in KiB. A Twirp error is a few hundred bytes, a proxy's page a few thousand. */
const MAX_REFUSAL_KIB = 64;

/** The clock difference that LiveKit tolerates in tokens, in milliseconds (livekit/protocol, auth/verifier.go). */
const CLOCK_LEEWAY_MS = 60_000;

/** The part of a protobuf message type that is needed here. */
export interface MessageType<Message> {
  fromBinary(bytes: Uint8Array): Message;
}

/** Loaded on the first call, because a program that only declares resources makes none. */
function sdk(): typeof serverSdk {
  return require("livekit-server-sdk");
}

const answered = new WeakSet<Connection>();

/** Whether a LiveKit server has responded to anything on this connection yet. */
export function hasAnswered(connection: Connection): boolean {
  return answered.has(connection);
}

/** The method to call, with its permissions and time limit. */
export interface Endpoint {
  readonly service: "SIP" | "RoomService";
  readonly method: string;
  /** The token's permissions: no more than the method needs. */
  readonly sip?: SIPGrant;
  readonly video?: VideoGrant;
  /** How long to wait for the response, in milliseconds. Default: {@link CALL_TIMEOUT_MS}. */
  readonly timeoutMs?: number;
}

/** Calls `livekit.SIP/<method>` once, as an administrator of trunks and rules. See {@link callLiveKit}. */
export function callSip<Response>(
  connection: Connection,
  method: string,
  request: { toBinary(): Uint8Array },
  responseType: MessageType<Response>,
  secrets: readonly string[] = [],
): Promise<Response> {
  return callLiveKit(connection, { service: "SIP", method, sip: { admin: true } }, request, responseType, secrets);
}

/**
 * Calls a method of LiveKit once. Uses binary protobuf, which preserves unknown fields when a message is read and written back.
 * livekit-server-sdk's SipClient uses JSON, which loses them, and it leaves out several fields.
 *
 * @param secrets the request's own secrets, which are removed from whatever the server responds
 * @throws LiveKitError
 */
export async function callLiveKit<Response>(
  connection: Connection,
  { service, method, sip, video, timeoutMs = CALL_TIMEOUT_MS }: Endpoint,
  request: { toBinary(): Uint8Array },
  responseType: MessageType<Response>,
  secrets: readonly string[] = [],
): Promise<Response> {
  const { url, apiKey, apiSecret } = connection;
  const { AccessToken } = sdk();
  const accessToken = new AccessToken(apiKey, apiSecret, { ttl: "2m" });
  if (sip) {
    accessToken.addSIPGrant(sip);
  }
  if (video) {
    accessToken.addGrant(video);
  }
  const token = await accessToken.toJwt();
  const cut = (text: string) => redact(text, [token, apiSecret, ...secrets]);

  let answer: BoundedAnswer;
  try {
    answer = await boundedFetch(
      `${url}/twirp/livekit.${service}/${method}`,
      {
        method: "POST",
        headers: { "Content-Type": "application/protobuf", Authorization: `Bearer ${token}` },
        body: Buffer.from(request.toBinary()),
        redirect: "error",
      },
      { timeoutMs, maxBytes },
    );
  } catch (error) {
    const why = cut(reasonOf(error));
    const details = { lasting: isLasting(error) };
    throw new LiveKitError(
      "unreachable",
      method,
      `LiveKit at ${url} did not answer ${method}: ${why}.`,
      undefined,
      details,
    );
  }
  answered.add(connection);
  const { response, body } = answer;
  if (!response.ok) {
    throw refusal(connection, method, response, body ? twirpError(new TextDecoder().decode(body), cut) : TOO_LONG);
  }
  if (isProtobuf(response) && body === undefined) {
    throw new LiveKitError(
      "failed",
      method,
      `LiveKit at ${url} answered ${method} with more than ${MAX_MESSAGE_MIB} MiB, which is too much to read: check that livekit:url names a LiveKit server, and that the metadata of trunks and rules is not very large.`,
      response.status,
      { lasting: true },
    );
  }
  const message = isProtobuf(response) && body ? parsed(responseType, body) : undefined;
  if (message === undefined) {
    throw new LiveKitError(
      "failed",
      method,
      `LiveKit at ${url} answered ${method} with something that is not the expected message: check that livekit:url names a LiveKit server.`,
      response.status,
    );
  }
  return message;
}

/** How much of a response is read. A success that is not protobuf is not read at all. */
function maxBytes(response: globalThis.Response): number {
  if (!response.ok) {
    return MAX_REFUSAL_KIB * 1024;
  }
  return isProtobuf(response) ? MAX_MESSAGE_MIB * 1024 * 1024 : 0;
}

/** Checked by content type: a proxy's page may parse as protobuf, and an empty page would be an empty list. */
function isProtobuf(response: globalThis.Response): boolean {
  return response.headers.get("content-type")?.startsWith("application/protobuf") ?? false;
}

function parsed<Message>(type: MessageType<Message>, body: Uint8Array): Message | undefined {
  try {
    return type.fromBinary(body);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return "unknown error";
  }
  const cause: unknown = error.cause;
  if (cause instanceof Error) {
    return "code" in cause && cause.message === "" ? String(cause.code) : cause.message;
  }
  return error.message;
}

/** Whether connecting failed for a permanent reason: the host name or the certificate. */
function isLasting(error: unknown): boolean {
  const { cause } = error instanceof Error ? error : {};
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return code === "ENOTFOUND" || /CERT|SSL|TLS/.test(code);
}

function refusal(
  connection: Connection,
  method: string,
  response: globalThis.Response,
  { code, message, sip }: TwirpError,
): LiveKitError {
  const { url, project } = connection;
  const { status } = response;
  if (sip) {
    // A callee's 401, 403 and 407 arrive with the same HTTP statuses as a rejected token (livekit/protocol,
    // SIPStatus.GRPCStatus).
    return new LiveKitError("refused", method, `LiveKit answered ${method} with ${message}.`, status, { code, sip });
  }
  if (status === 401 || status === 403) {
    const skew = clockSkew(response);
    if (skew !== undefined && Math.abs(skew) > CLOCK_LEEWAY_MS) {
      const minutes = Math.round(Math.abs(skew) / 60_000);
      return new LiveKitError(
        "clock",
        method,
        `LiveKit at ${url} refused the token because this machine's clock is about ${minutes} minute${minutes === 1 ? "" : "s"} ${skew > 0 ? "ahead of" : "behind"} the server's: set the clock.`,
        status,
      );
    }
    return new LiveKitError(
      "unauthenticated",
      method,
      `LiveKit refused the API key for ${project} (${status} ${message}): check livekit:apiKey and livekit:apiSecret, or LIVEKIT_API_KEY and LIVEKIT_API_SECRET; if the configuration was just changed, run \`pulumi up --refresh=false\` once, because Pulumi refreshes with the configuration of the last update.`,
      status,
    );
  }
  if (code === "not_found" && status === 404) {
    return new LiveKitError("not-found", method, `LiveKit answered ${method} with 404: ${message}.`, status, {
      code,
    });
  }
  const failure = status >= 400 && status < 500 && status !== 429 && code ? "refused" : "failed";
  const details = { code, retryAfterMs: retryAfter(response) };
  return new LiveKitError(failure, method, `LiveKit answered ${method} with ${status}: ${message}.`, status, details);
}

interface TwirpError {
  readonly code?: string;
  readonly message: string;
  readonly sip?: SipAnswer;
}

/** Replaces an explanation that is too long to read. Secrets can't be removed reliably from a truncated text. */
const TOO_LONG: TwirpError = { message: `an explanation of more than ${MAX_REFUSAL_KIB} KiB` };

/**
 * Parses an error response. Twirp errors are JSON; those of proxies are not, and a wrong token is reported in plain text.
 *
 * @param cut removes the secrets from what is shown, after JSON's escapes are undone
 */
function twirpError(body: string, cut: (text: string) => string): TwirpError {
  try {
    const parsed: unknown = JSON.parse(body);
    if (parsed && typeof parsed === "object" && "msg" in parsed && "code" in parsed) {
      const sip = "meta" in parsed ? sipAnswer(parsed.meta, cut) : undefined;
      return {
        code: String(parsed.code),
        message: printable(cut(String(parsed.msg)), QUOTED_LIMIT),
        ...(sip ? { sip } : {}),
      };
    }
  } catch {
    // Not JSON: shown below as plain text.
  }
  const text = cut(body).replace(/\s+/g, " ").trim();
  return { message: text.length > 200 ? `${text.slice(0, 200)}…` : text || "no explanation" };
}

/** The callee's SIP response, which LiveKit adds to its own error (livekit/protocol, SIPStatus.TwirpErrorMeta). */
function sipAnswer(meta: unknown, cut: (text: string) => string): SipAnswer | undefined {
  if (typeof meta !== "object" || meta === null || !("sip_status_code" in meta)) {
    return undefined;
  }
  const status = Number(meta.sip_status_code);
  const reason = "sip_status" in meta ? cut(String(meta.sip_status)) : "";
  return status >= 100 && status < 700 ? { status, reason } : undefined;
}

/** Retry-After in milliseconds. The header contains seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(response: globalThis.Response): number | undefined {
  const value = response.headers.get("retry-after") ?? "";
  const until = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(until) ? undefined : Math.max(0, until);
}

/** How far this machine's clock is ahead of the server's, in milliseconds, according to the response's Date header. */
function clockSkew(response: globalThis.Response): number | undefined {
  const date = Date.parse(response.headers.get("date") ?? "");
  return Number.isNaN(date) ? undefined : Date.now() - date;
}
