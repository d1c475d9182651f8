/** One Twirp call to LiveKit's SIP service: a token of its own, one attempt, a bounded wait, and no secret in an error. */

import { AccessToken } from "livekit-server-sdk";
import type { Connection } from "./connection";
import { LiveKitError, redact } from "./errors";

/** How long a call may take, in milliseconds. */
export const CALL_TIMEOUT_MS = 10_000;

/** The leeway that LiveKit grants a token's times, in milliseconds (livekit/protocol, auth/verifier.go). */
const CLOCK_LEEWAY_MS = 60_000;

/** What this needs of a protobuf message type. */
export interface MessageType<Message> {
  fromBinary(bytes: Uint8Array): Message;
}

/**
 * Calls `livekit.SIP/<method>` once. Binary protobuf, because there the fields that this version does not know survive
 * a read and a write back; livekit-server-sdk's SipClient speaks JSON, which loses them, and leaves out several fields.
 *
 * @param secrets the request's own secrets: they are cut out of whatever the server answers
 * @throws LiveKitError
 */
export async function callSip<Response>(
  connection: Connection,
  method: string,
  request: { toBinary(): Uint8Array },
  responseType: MessageType<Response>,
  secrets: readonly string[] = [],
): Promise<Response> {
  const { url, apiKey, apiSecret } = connection;
  const accessToken = new AccessToken(apiKey, apiSecret, { ttl: "2m" });
  accessToken.addSIPGrant({ admin: true });
  const token = await accessToken.toJwt();
  const cut = (text: string) => redact(text, [token, apiSecret, ...secrets]);

  let response: globalThis.Response;
  let body: Uint8Array;
  try {
    response = await fetch(`${url}/twirp/livekit.SIP/${method}`, {
      method: "POST",
      headers: { "Content-Type": "application/protobuf", Authorization: `Bearer ${token}` },
      body: Buffer.from(request.toBinary()),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      redirect: "error",
    });
    body = new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    const why = cut(reasonOf(error));
    throw new LiveKitError("unreachable", method, `LiveKit at ${url} did not answer ${method}: ${why}.`);
  }
  if (!response.ok) {
    throw refusal(connection, method, response, cut(new TextDecoder().decode(body)));
  }
  try {
    return responseType.fromBinary(body);
  } catch {
    throw new LiveKitError(
      "failed",
      method,
      `LiveKit at ${url} answered ${method} with something that is not the expected message: check that livekit:url names a LiveKit server.`,
      response.status,
    );
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return "unknown error";
  }
  if (error.name === "TimeoutError") {
    return `no answer within ${CALL_TIMEOUT_MS / 1000} s`;
  }
  const cause: unknown = error.cause;
  if (cause instanceof Error) {
    return "code" in cause && cause.message === "" ? String(cause.code) : cause.message;
  }
  return error.message;
}

function refusal(connection: Connection, method: string, response: globalThis.Response, body: string): LiveKitError {
  const { url, project } = connection;
  const { status } = response;
  const { code, message } = twirpError(body);
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
      `LiveKit refused the API key for ${project} (${status} ${message}): check livekit:apiKey and livekit:apiSecret, or LIVEKIT_API_KEY and LIVEKIT_API_SECRET; if the configuration was just changed, run \`pulumi up --refresh=false\` once, because Pulumi refreshes with the one of the last update.`,
      status,
    );
  }
  if (code === "not_found" && status === 404) {
    return new LiveKitError("not-found", method, `LiveKit answered ${method} with 404: ${message}.`, status);
  }
  const failure = status >= 400 && status < 500 && status !== 429 && code ? "refused" : "failed";
  return new LiveKitError(failure, method, `LiveKit answered ${method} with ${status}: ${message}.`, status);
}

/** Twirp errors are JSON; a proxy's are not, and a wrong token is answered in plain text. */
function twirpError(body: string): { code?: string; message: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    if (parsed && typeof parsed === "object" && "msg" in parsed && "code" in parsed) {
      return { code: String(parsed.code), message: String(parsed.msg) };
    }
  } catch {
    // Not JSON: shown below as the text that it is.
  }
  const text = body.replace(/\s+/g, " ").trim();
  return { message: text.length > 200 ? `${text.slice(0, 200)}…` : text || "no explanation" };
}

/** How far this machine's clock is ahead of the server's, in milliseconds, by the answer's Date header. */
function clockSkew(response: globalThis.Response): number | undefined {
  const date = Date.parse(response.headers.get("date") ?? "");
  return Number.isNaN(date) ? undefined : Date.now() - date;
}
