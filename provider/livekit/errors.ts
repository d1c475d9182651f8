/** Errors from calls to LiveKit. All messages are printable and contain no tokens, API secrets or passwords. */

import { printable } from "../printable";

/** The kinds of failure that callers distinguish. */
export type Failure =
  /** No response: connection refused, reset, unresolvable or timed out. Whether the server acted is unknown. */
  | "unreachable"
  /** The server rejects the API key, its secret or the token (HTTP 401 or 403). */
  | "unauthenticated"
  /** The token's times do not match the server's clock. */
  | "clock"
  /** The object named in the request does not exist. */
  | "not-found"
  /** The server rejects the content of the request (validation, conflicts). */
  | "refused"
  /** Anything else, including 5xx and 429. */
  | "failed";

/** The SIP response to a call that LiveKit placed. */
export interface SipAnswer {
  /** 100 to 699. */
  readonly status: number;
  /** The reason phrase of the response, or LiveKit's name for the status. */
  readonly reason: string;
}

/** A failed call to LiveKit. `message` is a sentence for the user, with secrets removed. */
export class LiveKitError extends Error {
  override readonly name = "LiveKitError";
  /** The Twirp code, for example `deadline_exceeded`, if LiveKit itself responded. */
  readonly code?: string;
  /** Set if the callee of a call refused it. */
  readonly sip?: SipAnswer;
  /** How long LiveKit asks to wait before the next attempt, in milliseconds (Retry-After). */
  readonly retryAfterMs?: number;
  /** Whether retrying can't help: an unknown host name, an invalid certificate, an oversized response. */
  readonly lasting: boolean;

  constructor(
    readonly failure: Failure,
    /** The Twirp method, for example `UpdateSIPInboundTrunk`. */
    readonly method: string,
    message: string,
    /** The HTTP status, if there was a response. */
    readonly status?: number,
    details: {
      readonly code?: string | undefined;
      readonly sip?: SipAnswer;
      readonly retryAfterMs?: number | undefined;
      readonly lasting?: boolean;
    } = {},
  ) {
    super(printable(message));
    this.lasting = details.lasting ?? false;
    if (details.retryAfterMs !== undefined) {
      this.retryAfterMs = details.retryAfterMs;
    }
    if (details.code !== undefined) {
      this.code = details.code;
    }
    if (details.sip) {
      this.sip = { ...details.sip, reason: printable(details.sip.reason, QUOTED_LIMIT) };
    }
  }
}

/** The most characters of a response that a message quotes. The fix comes after the quote and must not be cut off. */
export const QUOTED_LIMIT = 600;

const JWT = /\beyJ[\w-]*\.[\w-]*(\.[\w-]*)?/g;

/**
 * Removes secrets from a text that came from outside: anything that looks like a token (LiveKit's response to a wrong API secret
 * quotes the whole token), and each of `secrets`, longest first, in any quoting that the other side may use.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const written = new Set([...secrets].filter((secret) => secret.length >= 3).flatMap(quotations));
  const longestFirst = [...written].sort((a, b) => b.length - a.length);
  return longestFirst.reduce((cut, secret) => cut.replaceAll(secret, "[secret]"), text).replace(JWT, "[token]");
}

/** A secret in the forms in which it can be quoted: as it is, in JSON or Go's %q, in HTML and in a URL. */
function quotations(secret: string): string[] {
  const html = secret
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&#34;")
    .replaceAll("'", "&#39;");
  const url = new URLSearchParams([["", secret]]).toString().slice(1);
  return [secret, JSON.stringify(secret).slice(1, -1), html, html.replaceAll("&#34;", "&quot;"), url];
}
