/** What can go wrong on the way to LiveKit. Every message in here is printable, and free of tokens, keys' secrets and passwords. */

import { printable } from "../printable";

/** The twirp codes and HTTP statuses that callers decide by. */
export type Failure =
  /** No answer: refused, reset, unresolvable or timed out. Whether the server acted is not known. */
  | "unreachable"
  /** The server does not accept the API key, its secret or the token (HTTP 401 or 403). */
  | "unauthenticated"
  /** The token's times do not fit the server's clock. */
  | "clock"
  /** The object that the call names does not exist. */
  | "not-found"
  /** The server refuses the request for what it says (validation, conflicts). */
  | "refused"
  /** Anything else, 5xx and 429 included. */
  | "failed";

/** How a SIP server answered a call that LiveKit placed. */
export interface SipAnswer {
  /** 100 to 699. */
  readonly status: number;
  /** The answer's own words, or LiveKit's name for the status. */
  readonly reason: string;
}

/** A call to LiveKit that did not succeed. `message` is a sentence for the user; secrets are cut out of it. */
export class LiveKitError extends Error {
  override readonly name = "LiveKitError";
  /** The twirp code, `deadline_exceeded` for example, where LiveKit itself answered. */
  readonly code?: string;
  /** Set when it is the callee of a call that refused. */
  readonly sip?: SipAnswer;
  /** How long LiveKit asks to wait before the next attempt, in milliseconds (Retry-After). */
  readonly retryAfterMs?: number;
  /** Whether the same attempt will not succeed later either: an unknown host name, an invalid certificate, too large an answer. */
  readonly lasting: boolean;

  constructor(
    readonly failure: Failure,
    /** The Twirp method, for example `UpdateSIPInboundTrunk`. */
    readonly method: string,
    message: string,
    /** The HTTP status, where there was an answer. */
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

/** The most characters of an answer that a message repeats: what to do about it stands behind it and must not be cut off. */
export const QUOTED_LIMIT = 600;

const JWT = /\beyJ[\w-]*\.[\w-]*(\.[\w-]*)?/g;

/**
 * Cuts secrets out of a text that came from outside: anything that looks like a token (LiveKit answers a wrong secret
 * with the whole token in the message), and each of `secrets`, longest first, however the other side has quoted it.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const written = new Set([...secrets].filter((secret) => secret.length >= 3).flatMap(quotations));
  const longestFirst = [...written].sort((a, b) => b.length - a.length);
  return longestFirst.reduce((cut, secret) => cut.replaceAll(secret, "[secret]"), text).replace(JWT, "[token]");
}

/** A secret as it is, within quotation marks (JSON, and Go's %q), within HTML, and within a URL. */
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
