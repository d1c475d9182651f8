/** The server side of SIP digest authentication: challenging, and checking the answer. */

import {
  type DigestAnswer,
  type DigestChallenge,
  type DigestSubject,
  quote,
  responseOf,
  schemesIn,
} from "../../sip/digest";

/** Parses the value of Authorization or Proxy-Authorization. Undefined when it is not a complete digest answer. */
export function parseAnswer(value: string): DigestAnswer | undefined {
  const [first] = schemesIn(value);
  if (first?.scheme !== "digest") {
    return undefined;
  }
  const { params } = first;
  const [username, realm, nonce, uri, response] = ["username", "realm", "nonce", "uri", "response"].map((name) =>
    params.get(name),
  );
  if ([username, realm, nonce, uri, response].includes(undefined)) {
    return undefined;
  }
  const optional = ["cnonce", "qop", "nc"].flatMap((name) => {
    const text = params.get(name);
    return text === undefined ? [] : [[name, text]];
  });
  return {
    username: username ?? "",
    realm: realm ?? "",
    nonce: nonce ?? "",
    uri: uri ?? "",
    response: response ?? "",
    algorithm: params.get("algorithm") ?? "MD5",
    ...Object.fromEntries(optional),
  };
}

/** Whether an answer proves the password. The caller must check that nonce and realm are those of the challenge. */
export function proves(given: DigestAnswer, password: string, { method, body }: Omit<DigestSubject, "uri">): boolean {
  const expected = responseOf(given, password, { method, uri: given.uri, ...(body === undefined ? {} : { body }) });
  return expected !== undefined && expected === given.response.toLowerCase();
}

/** Builds the value of WWW-Authenticate or Proxy-Authenticate. */
export function challengeValue({ realm, nonce, algorithm, qop, opaque, stale }: DigestChallenge): string {
  return [
    `Digest realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(stale ? ["stale=true"] : []),
    `algorithm=${algorithm}`,
    ...(qop.length > 0 ? [`qop="${qop.join(",")}"`] : []),
  ].join(", ");
}
