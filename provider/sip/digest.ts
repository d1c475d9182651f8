/** Digest authentication in SIP (RFC 3261, section 22; RFC 7616; RFC 8760): answers challenges. Independent of the network. */

import { createHash, randomBytes } from "node:crypto";
import { splitOutside, unquote } from "./message";

/** The hash functions that SIP supports (RFC 8760, section 2.1), by their names in a challenge, the weakest first. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ["MD5", "md5"],
  ["SHA-256", "sha256"],
  ["SHA-512-256", "sha512-256"],
]);

/** How many challenges of one response to answer at most. Each answer is a digest that somebody could try to crack. */
export const MOST_DIGESTS = 2;

/** A challenge as in WWW-Authenticate and Proxy-Authenticate. */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque?: string;
  /** The credential was correct, and only the nonce had expired (RFC 7616, section 3.3). */
  readonly stale: boolean;
  /** As written in the challenge, for example `MD5-sess`. MD5 if the challenge names none. */
  readonly algorithm: string;
  /** The offered qualities of protection. Empty for challenges in the style of RFC 2069. */
  readonly qop: readonly string[];
}

/** An answer as in Authorization and Proxy-Authorization. */
export interface DigestAnswer {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly response: string;
  readonly algorithm: string;
  readonly cnonce?: string;
  readonly qop?: string;
  readonly nc?: string;
}

/** The credential that answers a challenge. */
export interface DigestCredential {
  readonly username: string;
  readonly password: string;
}

/** The parts of the request that go into the hash of the answer. */
export interface DigestSubject {
  readonly method: string;
  /** The Request-URI. */
  readonly uri: string;
  readonly body?: string;
}

/** H(username:realm:password) in lower-case hexadecimal (RFC 7616, section 3.4.2). Undefined if the algorithm is unknown. */
export function ha1(algorithm: string, { username, password }: DigestCredential, realm: string): string | undefined {
  return hash(algorithm, `${username}:${realm}:${password}`);
}

/** The digest challenges in WWW-Authenticate or Proxy-Authenticate. Other schemes and invalid challenges are dropped. */
export function parseChallenges(values: readonly string[]): DigestChallenge[] {
  return values
    .flatMap((value) => schemesIn(value))
    .flatMap(({ scheme, params }): DigestChallenge[] => {
      const realm = params.get("realm");
      const nonce = params.get("nonce");
      if (scheme !== "digest" || realm === undefined || nonce === undefined) {
        return [];
      }
      const opaque = params.get("opaque");
      return [
        {
          realm,
          nonce,
          ...(opaque === undefined ? {} : { opaque }),
          stale: params.get("stale")?.toLowerCase() === "true",
          algorithm: params.get("algorithm") ?? "MD5",
          qop: (params.get("qop") ?? "")
            .split(",")
            .map((text) => text.trim().toLowerCase())
            .filter((text) => text !== ""),
        },
      ];
    });
}

/**
 * The challenges to answer: of each realm, the one with the strongest algorithm that is supported, and with a `qop` rather than without.
 * RFC 8760, section 2.4, leaves the order to the server; but a weak answer is a risk for the credential.
 */
export function answerable(challenges: readonly DigestChallenge[]): DigestChallenge[] {
  const byRealm = new Map<string, DigestChallenge>();
  for (const challenge of challenges) {
    const { algorithm, qop, realm } = challenge;
    const known =
      hashOf(algorithm) !== undefined && (qop.length === 0 || qop.includes("auth") || qop.includes("auth-int"));
    const other = byRealm.get(realm);
    if (known && (!other || strength(challenge) > strength(other))) {
      byRealm.set(realm, challenge);
    }
  }
  return [...byRealm.values()];
}

function strength({ algorithm, qop }: DigestChallenge): number {
  const rank = [...HASHES.values()].indexOf(hashOf(algorithm) ?? "");
  return 2 * rank + (qop.length > 0 ? 1 : 0);
}

/**
 * The value of Authorization or Proxy-Authorization that answers a challenge.
 *
 * @param cnonce the client nonce; random by default
 */
export function answer(
  challenge: DigestChallenge,
  credential: DigestCredential,
  subject: DigestSubject,
  cnonce: string = randomBytes(8).toString("hex"),
): string {
  const { realm, nonce, algorithm, opaque } = challenge;
  const qop = ["auth", "auth-int"].find((offered) => challenge.qop.includes(offered));
  const unproven: DigestAnswer = {
    username: credential.username,
    realm,
    nonce,
    uri: subject.uri,
    response: "",
    algorithm,
    ...(qop !== undefined || isSession(algorithm) ? { cnonce } : {}),
    ...(qop === undefined ? {} : { qop, nc: "00000001" }),
  };
  const proven = { ...unproven, response: responseOf(unproven, credential.password, subject) ?? "" };
  const field = (name: string, value: string | undefined) => (value === undefined ? [] : [`${name}=${value}`]);
  const quoted = (name: string, value: string | undefined) => field(name, value === undefined ? value : quote(value));
  return `Digest ${[
    ...quoted("username", proven.username),
    ...quoted("realm", realm),
    ...quoted("nonce", nonce),
    ...quoted("uri", proven.uri),
    ...quoted("response", proven.response),
    ...field("algorithm", algorithm),
    ...quoted("cnonce", proven.cnonce),
    ...quoted("opaque", opaque),
    ...field("qop", proven.qop),
    ...field("nc", proven.nc),
  ].join(", ")}`;
}

/** Computes an answer's `response` (RFC 7616, section 3.4.1). */
export function responseOf(
  given: DigestAnswer,
  password: string,
  { method, body = "" }: DigestSubject,
): string | undefined {
  const { username, realm, nonce, uri, algorithm, cnonce = "", qop, nc = "" } = given;
  const base = ha1(algorithm, { username, password }, realm);
  const bodyHash = hash(algorithm, body);
  if (base === undefined || bodyHash === undefined) {
    return undefined;
  }
  const secret = isSession(algorithm) ? hash(algorithm, `${base}:${nonce}:${cnonce}`) : base;
  const request = hash(algorithm, qop === "auth-int" ? `${method}:${uri}:${bodyHash}` : `${method}:${uri}`);
  return hash(algorithm, [secret, nonce, ...(qop ? [nc, cnonce, qop] : []), request].join(":"));
}

function hash(algorithm: string, text: string): string | undefined {
  const name = hashOf(algorithm);
  return name === undefined ? undefined : createHash(name).update(text).digest("hex");
}

function hashOf(algorithm: string): string | undefined {
  return HASHES.get(algorithm.toUpperCase().replace(/-SESS$/, ""));
}

function isSession(algorithm: string): boolean {
  return /-sess$/i.test(algorithm);
}

export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

export interface Scheme {
  readonly scheme: string;
  readonly params: ReadonlyMap<string, string>;
}

/**
 * The schemes in one header line: `Digest a=b, c=d, Basic e=f` contains two. If a parameter is repeated, its first value counts.
 */
export function schemesIn(value: string): Scheme[] {
  const schemes: { scheme: string; params: Map<string, string> }[] = [];
  for (const part of splitOutside(value, ",")) {
    const [, scheme, pair = ""] = /^(?:([\w-]+)[ \t]+)?(.*)$/s.exec(part) ?? [];
    if (scheme !== undefined && !/^\s*=/.test(pair)) {
      schemes.push({ scheme: scheme.toLowerCase(), params: new Map() });
    }
    const [name = "", text = ""] = (scheme !== undefined && /^\s*=/.test(pair) ? `${scheme}${pair}` : pair).split(
      /=(.*)/s,
    );
    const params = schemes.at(-1)?.params;
    const key = name.trim().toLowerCase();
    if (params && key !== "" && !params.has(key)) {
      params.set(key, unquote(text.trim()));
    }
  }
  return schemes;
}
