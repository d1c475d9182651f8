/** HTTP helpers for the testing kit's servers: reading a request, writing an answer. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Encoding } from "./encoding";
import type { SipCall } from "./methods";
import { TwirpError } from "./twirp-error";

export async function readAll(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An answer before it is sent. Content-Length is added when it is sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

/**
 * Reads an HTTP request as a call of a Twirp method.
 *
 * @throws TwirpError bad_route or malformed
 */
export function readCall(
  request: IncomingMessage,
  path: string,
  method: ((body: Uint8Array, encoding: Encoding) => SipCall) | undefined,
  encoding: Encoding | undefined,
  body: Uint8Array,
): SipCall {
  const route = (why: string) => new TwirpError("bad_route", why, { twirp_invalid_route: `${request.method} ${path}` });
  if (request.method !== "POST") {
    throw route(`unsupported method "${request.method}" (only POST is allowed)`);
  }
  if (!method) {
    throw route(`no handler for path "${path}"`);
  }
  if (!encoding) {
    throw route(`unexpected Content-Type: "${request.headers["content-type"] ?? ""}"`);
  }
  return method(body, encoding);
}

/** What a function returned or threw. */
export type Attempt<Value> = { ok: true; value: Value } | { ok: false; error: unknown };

export function attempt<Value>(run: () => Value): Attempt<Value> {
  try {
    return { ok: true, value: run() };
  } catch (error) {
    return { ok: false, error };
  }
}
