/** Limits how long to wait for a SIP server, and explains in words why it could not be reached. */

import type { Protocol } from "../sip/connection";
import { MalformedStream } from "../sip/message";

/** The result of `work`. Rejects with the signal's reason if the signal aborts first. */
export function withinTime<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((done, fail) => {
    const abort = () => fail(signal.reason);
    if (signal.aborted) {
      abort();
    }
    signal.addEventListener("abort", abort, { once: true });
    work.then(done, fail).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** Why there was no response, in our own words. Nothing that the peer sent is repeated. */
export function whyUnreachable(error: unknown, protocol: Protocol, timeoutMs: number): string {
  if (error instanceof MalformedStream) {
    return `it answers with ${error.message}`;
  }
  const {
    name = "",
    code = "",
    message = "unknown error",
  }: { name?: string; code?: string; message?: string } = typeof error === "object" && error !== null ? error : {};
  if (name === "TimeoutError") {
    return `no answer within ${timeoutMs / 1000} s`;
  }
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: "connection refused",
    ECONNRESET: "connection reset",
    EHOSTUNREACH: "no route to the host",
    ENETUNREACH: "no route to the network",
    ENOTFOUND: "no such host",
    EAI_AGAIN: "the name server does not answer",
  };
  const words = known[code] ?? message;
  return protocol === "tls" && !(code in known) ? `TLS: ${words}` : words;
}
