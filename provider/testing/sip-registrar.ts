/**
 * A SIP registrar with digest authentication on a loopback port. It stands in for the VoIP system in tests and demos
 * without a PBX. SIP behaviour is in sip/; this file holds the server around it: requests, faults and shutdown.
 */

import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { PROTOCOLS, type Protocol } from "../sip/connection";
import { headerOf, isRequest, parseNameAddr, parseUri, type SipHeader, serialize } from "../sip/message";
import {
  Accounts,
  type AuthKind,
  PROXY_AUTH,
  SERVER_AUTH,
  type SipDigestAlgorithm,
  type Verdict,
} from "./sip/accounts";
import { Bindings } from "./sip/bindings";
import { type CallAnswer, Callee, type SipCallRecord } from "./sip/callee";
import { challengeValue } from "./sip/digest";
import { type Incoming, SipListener } from "./sip/listener";

export interface SipRegistrarOptions {
  /** The users that may register and call, with their passwords. */
  users: Readonly<Record<string, string>>;
  /** The realm of its challenges. Default `pbx.example`. */
  realm?: string;
  /** The IP address to listen on. Default 127.0.0.1. */
  host?: string;
  /** The port for UDP and TCP. Default 0: any free port. */
  port?: number;
  /** The protocols it listens on. Default: UDP and TCP, and TLS if `tls` is given. */
  protocols?: readonly Protocol[];
  /** Certificate chain and key in PEM, for TLS. */
  tls?: { readonly cert: string; readonly key: string };
  /** The hash algorithms it asks for, most preferred first, with one challenge each. Default: only MD5. */
  algorithms?: readonly SipDigestAlgorithm[];
  /** Whether its challenges offer qop="auth". Default true; false challenges as in RFC 2069. */
  qop?: boolean;
  /** How long a nonce is valid, in milliseconds. After that the challenge says `stale=true`. Default 60 000. */
  nonceLifetimeMs?: number;
  /** How long it waits before it answers, in milliseconds. Default 0. */
  latencyMs?: number;
  /** Whether OPTIONS needs a credential too. Default false: it is answered with 200. */
  challengeOptions?: boolean;
}

/** A request that carried a credential. It holds no secret. */
export interface CredentialAttempt {
  readonly method: string;
  /** The user name in the credential. */
  readonly username: string;
  readonly accepted: boolean;
  /**
   * The status of the answer: 401 or 407 for a wrong password or an expired nonce, 403 for a barred user, 404 for an
   * unknown one.
   */
  readonly status: number;
  readonly at: Date;
}

/**
 * How a registrar answers: normally, not at all, with bytes that are not SIP, or with 60 kB over UDP and 1 MB over TCP
 * and TLS.
 */
export type RegistrarBehavior = "normal" | "silent" | "garbage" | "enormous";

const ALLOW: SipHeader = { name: "Allow", value: "REGISTER, OPTIONS, INVITE, ACK, CANCEL, BYE" };
const REASONS = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  407: "Proxy Authentication Required",
};

/**
 * A SIP registrar in this process. It also accepts calls: it challenges an INVITE like a REGISTER, then answers it.
 *
 * ```ts
 * const registrar = await SipRegistrar.start({ users: { "1011": "Only-For-Tests-1" } });
 * // address: registrar.host, port: registrar.port, username: "1011"
 * registrar.setPassword("1011", "Changed-In-The-Pbx-2");
 * await registrar.stop();
 * ```
 */
export class SipRegistrar {
  readonly host: string;
  /** The port for UDP and TCP. */
  readonly port: number;
  /** The port for TLS. */
  readonly tlsPort?: number;
  /** Every request with a credential so far. You may clear it: `attempts.length = 0`. */
  readonly attempts: CredentialAttempt[] = [];
  /**
   * Every request so far, as it came over the wire, repeats included. Use it to prove that no secret was sent. You may
   * clear it.
   */
  readonly requests: string[];

  readonly #listener: SipListener;
  readonly #accounts: Accounts;
  readonly #bindings = new Bindings();
  readonly #callee: Callee;
  readonly #options: SipRegistrarOptions;
  readonly #delays = new Set<NodeJS.Timeout>();
  #behavior: RegistrarBehavior = "normal";

  private constructor(options: SipRegistrarOptions, listener: SipListener, callee: Callee, requests: string[]) {
    const { users, realm = "pbx.example", algorithms = ["MD5"], qop = true, nonceLifetimeMs = 60_000 } = options;
    this.#options = options;
    this.#accounts = new Accounts(users, { realm, algorithms, qop, nonceLifetimeMs });
    this.#listener = listener;
    this.#callee = callee;
    this.requests = requests;
    this.host = listener.host;
    this.port = listener.port;
    if (listener.tlsPort !== undefined) {
      this.tlsPort = listener.tlsPort;
    }
  }

  /**
   * Starts a registrar.
   *
   * @throws when `port` is taken (EADDRINUSE)
   */
  static async start(options: SipRegistrarOptions): Promise<SipRegistrar> {
    const { host = "127.0.0.1", port = 0, tls, protocols = tls ? PROTOCOLS : ["udp", "tcp"] } = options;
    const callee = await Callee.start(host);
    const requests: string[] = [];
    let take = (_incoming: Incoming): void => undefined;
    try {
      const listener = await SipListener.listen(
        { host, port, protocols, ...(tls && { tls }) },
        {
          request: (incoming) => take(incoming),
          trace: (direction, message) => {
            if (direction === "in" && isRequest(message)) {
              requests.push(serialize(message).toString());
            }
          },
        },
      );
      const registrar = new SipRegistrar(options, listener, callee, requests);
      take = (incoming) => registrar.#take(incoming);
      return registrar;
    } catch (error) {
      await callee.stop();
      throw error;
    }
  }

  /** Changes a user's password, or adds the user. The old password stops working at once. */
  setPassword(username: string, password: string): void {
    this.#accounts.set(username, password);
  }

  /** Removes a user. The user's requests get 404 from now on. */
  removeUser(username: string): void {
    this.#accounts.remove(username);
  }

  /** Answers 403 to a user even with the right credential, until called with `barred` false. */
  bar(username: string, barred = true): void {
    this.#accounts.bar(username, barred);
  }

  /** The contacts that a user has registered. */
  bindings(username: string): string[] {
    return this.#bindings.of(username);
  }

  /** The calls so far, in the order in which they arrived with the right credential. */
  get calls(): readonly SipCallRecord[] {
    return this.#callee.calls;
  }

  /** Sets what happens to calls to a user or number from now on. By default each call is answered. */
  answerCalls(callee: string, answer: CallAnswer): void {
    this.#callee.setAnswer(callee, answer);
  }

  /** Makes every new request fail in this way, until you set another behaviour. */
  behave(behavior: RegistrarBehavior): void {
    this.#behavior = behavior;
  }

  /** Closes every connection, ends every call and frees the ports. Safe to call twice. */
  async stop(): Promise<void> {
    for (const delay of this.#delays) {
      clearTimeout(delay);
    }
    this.#delays.clear();
    await Promise.all([this.#listener.close(), this.#callee.stop()]);
  }

  toJSON(): { host: string; port: number; tlsPort?: number } {
    const { host, port, tlsPort } = this;
    return { host, port, ...(tlsPort !== undefined && { tlsPort }) };
  }

  [inspect.custom](): string {
    return `SipRegistrar ${JSON.stringify(this)}`;
  }

  #take(incoming: Incoming): void {
    const { latencyMs = 0 } = this.#options;
    if (latencyMs === 0) {
      this.#serve(incoming);
      return;
    }
    const delay = setTimeout(() => {
      this.#delays.delete(delay);
      this.#serve(incoming);
    }, latencyMs);
    this.#delays.add(delay);
  }

  #serve(incoming: Incoming): void {
    const { method } = incoming.request;
    if (method === "ACK") {
      this.#callee.acknowledge(incoming);
    } else if (this.#behavior !== "normal") {
      misbehave(incoming, this.#behavior);
    } else if (method === "REGISTER") {
      this.#register(incoming);
    } else if (method === "OPTIONS") {
      if (!this.#options.challengeOptions || this.#admit(incoming, SERVER_AUTH) !== undefined) {
        answer(incoming, 200, [ALLOW]);
      }
    } else if (method === "INVITE") {
      if (this.#callee.knows(incoming) || this.#admit(incoming, PROXY_AUTH) !== undefined) {
        this.#callee.invite(incoming, this.port);
      }
    } else if (method === "BYE") {
      this.#callee.bye(incoming);
    } else if (method === "CANCEL") {
      this.#callee.cancel(incoming);
    } else {
      answer(incoming, 405, [ALLOW]);
    }
  }

  #register(incoming: Incoming): void {
    const { request } = incoming;
    const username = this.#admit(incoming, SERVER_AUTH);
    if (username === undefined) {
      return;
    }
    // A user may only register their own account.
    if (parseUri(parseNameAddr(headerOf(request, "to") ?? "").uri)?.user !== username) {
      answer(incoming, 403);
    } else if (this.#bindings.apply(username, request)) {
      answer(incoming, 200, this.#bindings.headers(username));
    } else {
      answer(incoming, 400);
    }
  }

  /**
   * The user that the request's credential proves. Undefined when it proves none; the request is then already answered.
   */
  #admit(incoming: Incoming, kind: AuthKind): string | undefined {
    const verdict = this.#accounts.judge(incoming.request, kind);
    const status = verdict.status === 401 ? kind.status : verdict.status;
    this.#note(incoming, verdict, status);
    if (status === 200) {
      return verdict.username;
    }
    answer(incoming, status, status === kind.status ? this.#accounts.challenges(kind, verdict.stale) : []);
    return undefined;
  }

  #note({ request: { method } }: Incoming, { username }: Verdict, status: number): void {
    if (username !== undefined) {
      this.attempts.push({ method, username, accepted: status === 200, status, at: new Date() });
    }
  }
}

function answer({ respond }: Incoming, status: keyof typeof REASONS, headers: readonly SipHeader[] = []): void {
  respond({ status, reason: REASONS[status], headers });
}

function misbehave({ respond, sendRaw, source }: Incoming, behavior: Exclude<RegistrarBehavior, "normal">): void {
  if (behavior === "garbage") {
    // Ends like a message, so that clients over TCP don't wait for more.
    sendRaw(Buffer.concat([randomBytes(500), Buffer.from("\r\n\r\n")]));
  } else if (behavior === "enormous") {
    const nonce = "0".repeat(source.protocol === "udp" ? 60_000 : 1_000_000);
    const value = challengeValue({ realm: "enormous", nonce, algorithm: "MD5", stale: false, qop: ["auth"] });
    respond({ status: 401, reason: REASONS[401], headers: [{ name: "WWW-Authenticate", value }] });
  }
}
