/** Client transactions (RFC 3261, section 17.1): one request over one connection, retransmitted over UDP until it is answered. */

import { randomBytes } from "node:crypto";
import { bracketed } from "../host-text";
import type { Connection } from "./connection";
import {
  headerOf,
  headersOf,
  listOf,
  parseNameAddr,
  type SipHeader,
  type SipRequest,
  type SipResponse,
  serialize,
} from "./message";

/** The first wait before a retransmission over UDP, in milliseconds (RFC 3261, T1). */
const T1_MS = 500;
/** The longest such wait, in milliseconds (RFC 3261, T2). */
const T2_MS = 4_000;

/** A request before it is sent. It has no Via, which depends on the connection. */
export interface Draft {
  readonly method: string;
  readonly uri: string;
  readonly headers: readonly SipHeader[];
  readonly body?: string;
}

/** One request in progress. */
export class ClientTransaction {
  readonly request: SipRequest;
  readonly #connection: Connection;
  readonly #branch: string;
  readonly #finished: Promise<SipResponse>;
  #settle: (outcome: { readonly response: SipResponse } | { readonly reason: unknown }) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  #wait = T1_MS;
  #proceeding = false;
  #ended = false;
  readonly #onProvisional: (response: SipResponse) => void;

  /**
   * Sends the request. Pass every response from the connection to {@link take}.
   *
   * @param signal ends the transaction: the response then rejects with the signal's reason
   */
  constructor(
    connection: Connection,
    draft: Draft,
    signal: AbortSignal,
    onProvisional: (response: SipResponse) => void = () => undefined,
    branch = `z9hG4bK${randomBytes(9).toString("hex")}`,
  ) {
    this.#connection = connection;
    this.#branch = branch;
    this.#onProvisional = onProvisional;
    this.request = { ...draft, headers: [via(connection, branch), ...draft.headers], body: draft.body ?? "" };
    this.#finished = new Promise((resolve, reject) => {
      const abort = () => this.#settle({ reason: signal.reason });
      this.#settle = (outcome) => {
        this.#ended = true;
        clearTimeout(this.#timer);
        signal.removeEventListener("abort", abort);
        if ("response" in outcome) {
          resolve(outcome.response);
        } else {
          reject(outcome.reason);
        }
      };
      signal.addEventListener("abort", abort, { once: true });
      if (signal.aborted) {
        abort();
      }
    });
    this.#finished.catch(() => undefined);
    if (!signal.aborted) {
      this.#send();
    }
  }

  /** The final response (200 to 699). Rejects if the connection fails or the signal aborts. */
  get response(): Promise<SipResponse> {
    return this.#finished;
  }

  /** Handles a response if it belongs to this request. Returns whether it does. */
  take(response: SipResponse): boolean {
    const [topVia = ""] = listOf(response, "via");
    const branch = parseNameAddr(topVia).params.get("branch");
    const method = headerOf(response, "cseq")?.trim().split(/\s+/)[1];
    if (branch !== this.#branch || method !== this.request.method) {
      return false;
    }
    if (response.status >= 200) {
      this.#acknowledge(response);
      this.#settle({ response });
    } else if (!this.#ended) {
      this.#proceeding = true;
      // Once it is being processed, an INVITE is not retransmitted. Others are, but rarely (RFC 3261, 17.1.1.2 and 17.1.2.2).
      this.#wait = T2_MS;
      if (this.request.method === "INVITE") {
        clearTimeout(this.#timer);
      }
      this.#onProvisional(response);
    }
    return true;
  }

  /** The connection has failed. */
  fail(reason: Error): void {
    this.#settle({ reason });
  }

  #send(): void {
    this.#connection.send(serialize(this.request));
    if (this.#connection.protocol === "udp") {
      this.#timer = setTimeout(() => {
        this.#wait = this.request.method === "INVITE" ? this.#wait * 2 : Math.min(this.#wait * 2, T2_MS);
        if (!(this.#proceeding && this.request.method === "INVITE")) {
          this.#send();
        }
      }, this.#wait);
    }
  }

  /** The ACK to a refusal is part of the transaction (RFC 3261, 17.1.1.3). The ACK to a 2xx is part of the call. */
  #acknowledge(response: SipResponse): void {
    if (this.request.method === "INVITE" && response.status >= 300) {
      const kept = this.request.headers.filter(({ name }) => /^(via|from|call-id|route|max-forwards)$/i.test(name));
      const sequence = headerOf(this.request, "cseq")?.split(" ")[0] ?? "1";
      const headers = [
        ...kept,
        ...headersOf(response, "to").map((value) => ({ name: "To", value })),
        { name: "CSeq", value: `${sequence} ACK` },
      ];
      this.#connection.send(serialize({ method: "ACK", uri: this.request.uri, headers, body: "" }));
    }
  }
}

/** The top Via. `rport` makes the response come back to where the request came from (RFC 3581). */
export function via({ protocol, localAddress, localPort }: Connection, branch: string): SipHeader {
  const sentBy = `${bracketed(localAddress)}:${localPort}`;
  return { name: "Via", value: `SIP/2.0/${protocol.toUpperCase()} ${sentBy};rport;branch=${branch}` };
}
