/**
 * A small SIP user agent for tests, built on the package's own SIP stack: one connection, and requests worded by the
 * test.
 */

import { randomUUID } from "node:crypto";
import { bracketed } from "../../provider/host-text";
import { type Connection, connect, type Protocol } from "../../provider/sip/connection";
import { answer, answerable, type DigestCredential, parseChallenges } from "../../provider/sip/digest";
import { headersOf, isResponse, type SipHeader, type SipResponse } from "../../provider/sip/message";
import { ClientTransaction, type Draft } from "../../provider/sip/transaction";

/** The parts of a request besides its method. */
export interface Wording {
  /** The user of From. */
  from: string;
  /** The user of To. Default: the same. */
  to?: string;
  /** The Request-URI. Default: the domain's for REGISTER and OPTIONS, otherwise the user's of To. */
  uri?: string;
  /** The tag of To, within a call. */
  toTag?: string;
  callId?: string;
  sequence?: number;
  branch?: string;
  headers?: readonly SipHeader[];
  body?: string;
}

export class UserAgent {
  readonly #domain: string;
  readonly #connection: Connection;
  readonly #transactions: ClientTransaction[];
  readonly #ending = new AbortController();

  private constructor(domain: string, connection: Connection, transactions: ClientTransaction[]) {
    this.#domain = domain;
    this.#connection = connection;
    this.#transactions = transactions;
  }

  static async open(place: { host: string; port: number; protocol?: Protocol; domain?: string }): Promise<UserAgent> {
    const { host, port, protocol = "udp", domain = bracketed(host) } = place;
    const transactions: ClientTransaction[] = [];
    const connection = await connect(
      { protocol, address: host, port },
      {
        message: (message) => isResponse(message) && transactions.some((transaction) => transaction.take(message)),
        failed: (reason) => {
          for (const transaction of transactions) {
            transaction.fail(reason);
          }
        },
      },
      AbortSignal.timeout(5_000),
    );
    return new UserAgent(domain, connection, transactions);
  }

  close(): void {
    this.#ending.abort(new Error("the user agent was closed"));
    this.#connection.close();
  }

  /** Sends a request. Returns its transaction. */
  send(method: string, wording: Wording, onProvisional?: (response: SipResponse) => void): ClientTransaction {
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(20_000)]);
    const draft = this.draft(method, wording);
    const transaction = new ClientTransaction(this.#connection, draft, signal, onProvisional, wording.branch);
    this.#transactions.push(transaction);
    return transaction;
  }

  /** Sends a request and waits for its final response. */
  request(method: string, wording: Wording): Promise<SipResponse> {
    return this.send(method, wording).response;
  }

  /** Sends a request, and sends it again with a credential, in the same dialog, if it is challenged. */
  async authenticated(method: string, wording: Wording, credential: DigestCredential): Promise<SipResponse> {
    const first = { callId: randomUUID(), ...wording };
    const challenged = await this.request(method, first);
    if (challenged.status !== 401 && challenged.status !== 407) {
      return challenged;
    }
    return this.request(method, this.answering(challenged, method, first, credential));
  }

  /** The same wording, with the answer to a challenge. */
  answering(challenged: SipResponse, method: string, wording: Wording, credential: DigestCredential): Wording {
    const isProxy = challenged.status === 407;
    const [challenge] = answerable(challengesIn(challenged));
    if (!challenge) {
      throw new Error(`no challenge to answer in ${challenged.status}`);
    }
    const { uri } = this.draft(method, wording);
    const subject = { method, uri, ...(wording.body === undefined ? {} : { body: wording.body }) };
    const value = answer(challenge, credential, subject);
    return {
      ...wording,
      sequence: (wording.sequence ?? 1) + 1,
      headers: [...(wording.headers ?? []), { name: isProxy ? "Proxy-Authorization" : "Authorization", value }],
    };
  }

  /** A request as it will be sent. */
  draft(method: string, wording: Wording): Draft {
    const { from, to = from, toTag, callId = randomUUID(), sequence = 1, headers = [], body } = wording;
    const isForDomain = method === "REGISTER" || method === "OPTIONS";
    const uri = wording.uri ?? `sip:${isForDomain ? "" : `${to}@`}${this.#domain}`;
    const fields: SipHeader[] = [
      { name: "Max-Forwards", value: "70" },
      { name: "From", value: `<sip:${from}@${this.#domain}>;tag=test` },
      { name: "To", value: `<sip:${to}@${this.#domain}>${toTag === undefined ? "" : `;tag=${toTag}`}` },
      { name: "Call-ID", value: callId },
      { name: "CSeq", value: `${sequence} ${method}` },
    ];
    return { method, uri, headers: [...fields, ...headers], ...(body === undefined ? {} : { body }) };
  }

  /** Sends an ACK to a 2xx, which belongs to no transaction. */
  acknowledge(wording: Wording): void {
    this.send("ACK", wording).fail(new Error("an ACK has no response"));
  }
}

/** The digest challenges in a response. */
export function challengesIn(response: SipResponse) {
  return parseChallenges([...headersOf(response, "www-authenticate"), ...headersOf(response, "proxy-authenticate")]);
}
