/** The SIP registrar's accounts: its challenges, and the check of the credentials that answer them. */

import { createHmac, randomBytes } from "node:crypto";
import { headersOf, type SipHeader, type SipRequest } from "../../sip/message";
import { challengeValue, parseAnswer, proves } from "./digest";

/** The hash functions a registrar can ask for. */
export type SipDigestAlgorithm = "MD5" | "SHA-256" | "SHA-512-256";

/** How a registrar challenges. */
export interface ChallengeOptions {
  readonly realm: string;
  /** Most preferred first (RFC 8760, section 2.4). */
  readonly algorithms: readonly SipDigestAlgorithm[];
  /** Whether challenges offer qop="auth". Without it they are those of RFC 2069. */
  readonly qop: boolean;
  /** How long a nonce is valid, in milliseconds. */
  readonly nonceLifetimeMs: number;
}

/** The result of checking a request's credential. */
export interface Verdict {
  /** The user that the credential names. Undefined when the request has no credential for this realm. */
  readonly username?: string;
  /** 200, 401 for a missing or wrong credential, 403 for a barred account, 404 for an unknown one. */
  readonly status: 200 | 401 | 403 | 404;
  /** The credential was right, but the nonce too old (RFC 7616, section 3.3). */
  readonly stale: boolean;
}

/**
 * The header names and status of a challenge and its answer: for the server itself, or for a proxy on the way (RFC
 * 3261, section 22).
 */
export const SERVER_AUTH = { status: 401, challenge: "WWW-Authenticate", answer: "Authorization" } as const;
export const PROXY_AUTH = { status: 407, challenge: "Proxy-Authenticate", answer: "Proxy-Authorization" } as const;
export type AuthKind = typeof SERVER_AUTH | typeof PROXY_AUTH;

export class Accounts {
  readonly #options: ChallengeOptions;
  readonly #passwords: Map<string, string>;
  readonly #barred = new Set<string>();
  /** Signs nonces, so that they need not be stored. */
  readonly #key = randomBytes(32);

  constructor(passwords: Readonly<Record<string, string>>, options: ChallengeOptions) {
    this.#passwords = new Map(Object.entries(passwords));
    this.#options = options;
  }

  set(username: string, password: string): void {
    this.#passwords.set(username, password);
  }

  remove(username: string): void {
    this.#passwords.delete(username);
    this.#barred.delete(username);
  }

  bar(username: string, barred: boolean): void {
    if (barred) {
      this.#barred.add(username);
    } else {
      this.#barred.delete(username);
    }
  }

  /** Checks the credential that a request carries. */
  judge(request: SipRequest, { answer }: AuthKind): Verdict {
    const given = headersOf(request, answer)
      .map(parseAnswer)
      .find((one) => one?.realm === this.#options.realm);
    if (!given) {
      return { status: 401, stale: false };
    }
    const { username, algorithm, nonce } = given;
    const password = this.#passwords.get(username);
    if (password === undefined) {
      return { username, status: 404, stale: false };
    }
    const offered = this.#options.algorithms.some((one) => one.toLowerCase() === algorithm.toLowerCase());
    if (!offered || !proves(given, password, request)) {
      return { username, status: 401, stale: false };
    }
    if (!this.#isFresh(nonce)) {
      return { username, status: 401, stale: true };
    }
    return { username, status: this.#barred.has(username) ? 403 : 200, stale: false };
  }

  /** One challenge for each algorithm, all with the same new nonce. */
  challenges({ challenge }: AuthKind, stale: boolean): SipHeader[] {
    const { realm, algorithms, qop } = this.#options;
    const nonce = this.#newNonce();
    return algorithms.map((algorithm) => ({
      name: challenge,
      value: challengeValue({ realm, nonce, algorithm, stale, qop: qop ? ["auth"] : [] }),
    }));
  }

  #newNonce(): string {
    const stamp = `${Date.now().toString(36)}.${randomBytes(6).toString("hex")}`;
    return `${stamp}.${this.#sign(stamp)}`;
  }

  #isFresh(nonce: string): boolean {
    const [time = "", salt, signature] = nonce.split(".");
    const age = Date.now() - Number.parseInt(time, 36);
    return signature === this.#sign(`${time}.${salt}`) && age <= this.#options.nonceLifetimeMs;
  }

  #sign(stamp: string): string {
    return createHmac("sha256", this.#key).update(stamp).digest("hex").slice(0, 24);
  }
}
