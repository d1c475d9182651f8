/** Faults between a client and LiveKit: what can go wrong, as data, and how a server injects it. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type Answer, send } from "./http";
import { codeForStatus, type TwirpCode, TwirpError } from "./twirp-error";

/** The pause after each byte of a `drip` answer, in milliseconds. */
const DRIP_MS = 20;

/**
 * One fault. Set one of `cut`, `hang`, `status` and `body`, or only `latencyMs` or `send`. A fault hits before the
 * token is checked, as a load balancer's failure would.
 */
export interface Fault {
  /** The methods that it hits, by a name such as `UpdateSIPInboundTrunk` or by a pattern. Default: all. */
  method?: string | RegExp;
  /** How many requests it hits. Default 1. `Number.POSITIVE_INFINITY` means all until it is removed. */
  times?: number;
  /** Milliseconds to wait before the request is carried out. Default 0. */
  latencyMs?: number;
  /** Closes the connection without an answer, before or after the request is carried out. */
  cut?: "before" | "after";
  /** Never answers. The client's timeout ends the request. */
  hang?: true;
  /** Answers with this HTTP status. Default 200 with `body`. */
  status?: number;
  /** The Retry-After header of the answer, in seconds. */
  retryAfterSeconds?: number;
  /** The Twirp error's code. Default: the code that matches `status`. */
  code?: TwirpCode;
  /** The Twirp error's message. Default: says that a test injected the fault. */
  msg?: string;
  /** Answers with exactly this instead of a Twirp error, for example truncated JSON or a proxy's error page. */
  body?: string | Uint8Array;
  /** The Content-Type of `body`. Default `text/html; charset=utf-8`. */
  contentType?: string;
  /** The Content-Encoding of `body`, which must already be encoded, for example `gzip`. Default: none. */
  contentEncoding?: string;
  /**
   * Sends the answer, injected or real, without end: `drip` sends 50 bytes per second, one at a time; `endless` sends
   * as fast as the client reads. The body repeats; if it is empty, only the headers are sent. The client's timeout or
   * size limit ends it.
   */
  send?: "drip" | "endless";
  /** With `hang`, `status` or `body`: carries out the request anyway. Default false. */
  committed?: boolean;
}

/** The faults that wait for a request. */
export class Faults {
  private readonly waiting: { fault: Fault; left: number }[] = [];

  /** Adds a fault. Returns a function that removes it. */
  add(fault: Fault): () => void {
    const entry = { fault, left: fault.times ?? 1 };
    this.waiting.push(entry);
    return () => this.remove(entry);
  }

  /** The oldest fault that hits `method`. Uses up one of its `times`. */
  take(method: string): Fault | undefined {
    const entry = this.waiting.find(({ fault }) => strikes(fault, method));
    if (entry && --entry.left <= 0) {
      this.remove(entry);
    }
    return entry?.fault;
  }

  private remove(entry: { fault: Fault; left: number }): void {
    const index = this.waiting.indexOf(entry);
    if (index >= 0) {
      this.waiting.splice(index, 1);
    }
  }
}

/**
 * Answers a request with the result of `carryOut`, or as the fault says.
 *
 * @param ending aborts waiting when the server stops
 * @returns the status of the answer; undefined when there was none because the connection was cut or left hanging
 * @throws when the client or the server's stop ended an endless answer
 */
export async function answerUnder(
  fault: Fault | undefined,
  { request, response, ending }: { request: IncomingMessage; response: ServerResponse; ending: AbortSignal },
  carryOut: () => Promise<Answer>,
): Promise<number | undefined> {
  if (fault?.latencyMs) {
    await delay(fault.latencyMs, undefined, { signal: ending });
  }
  const injected = fault && faultAnswer(fault);
  const isLost = fault?.cut === "before" || ((fault?.hang || injected) && !fault.committed);
  const real = isLost ? undefined : await carryOut();
  if (fault?.cut) {
    request.socket.destroy();
    return undefined;
  }
  const answer = injected ?? real;
  if (!answer || fault?.hang) {
    return undefined;
  }
  if (fault?.send) {
    response.writeHead(answer.status, answer.headers).flushHeaders();
    await pipeline(Readable.from(withoutEnd(answer.body, fault.send, ending)), response, { signal: ending });
  } else {
    send(response, answer);
  }
  return answer.status;
}

/** Repeats the body. */
async function* withoutEnd(body: Answer["body"], how: "drip" | "endless", ending: AbortSignal) {
  const bytes = Buffer.from(body);
  if (bytes.length === 0) {
    await new Promise((resolve) => ending.addEventListener("abort", resolve));
  }
  for (let at = 0; ; at = (at + 1) % bytes.length) {
    if (how === "drip") {
      yield bytes.subarray(at, at + 1);
      await delay(DRIP_MS, undefined, { signal: ending });
    } else {
      yield bytes;
    }
  }
}

/** The answer that a fault sends instead of the server's; undefined when it sends none. */
function faultAnswer(fault: Fault): Answer | undefined {
  const retryAfter: Record<string, string> =
    fault.retryAfterSeconds === undefined ? {} : { "Retry-After": String(fault.retryAfterSeconds) };
  if (fault.body !== undefined) {
    const { status = 200, body, contentType = "text/html; charset=utf-8", contentEncoding } = fault;
    const encoding: Record<string, string> = contentEncoding ? { "Content-Encoding": contentEncoding } : {};
    return { status, headers: { "Content-Type": contentType, ...encoding, ...retryAfter }, body };
  }
  if (fault.status === undefined) {
    return undefined;
  }
  const error = new TwirpError(fault.code ?? codeForStatus(fault.status), fault.msg ?? "a fault injected by the test");
  return { status: fault.status, headers: { "Content-Type": "application/json", ...retryAfter }, body: error.toBody() };
}

function strikes({ method }: Fault, name: string): boolean {
  if (method === undefined) {
    return true;
  }
  return typeof method === "string" ? method === name : name.search(method) >= 0;
}
