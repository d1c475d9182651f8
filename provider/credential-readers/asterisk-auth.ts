/** Turns an `auth` object of Asterisk's PJSIP, wherever it is stored, into a credential (res_pjsip, config_auth.c). */

import { type CredentialVerifier, ha1Algorithm, type VoipCredential } from "../voip/credential";
import type { Fail } from "./errors";

/** Asterisk's realm if neither the auth nor the global section names one. */
export const DEFAULT_REALM = "asterisk";

/** How an auth stores its password: Asterisk's `auth_type`. */
export type AuthType = "userpass" | "md5" | "digest";

/** The `auth_type`. Default: `userpass`. */
export function authType(text: string, fail: Fail): AuthType {
  const type = text.trim().toLowerCase() || "userpass";
  if (type === "userpass" || type === "md5" || type === "digest") {
    return type;
  }
  throw fail("its auth_type does not store a SIP password: use an auth of type userpass, md5 or digest");
}

/** The credential of an auth that stores the password. */
export function plainCredential(username: string, password: string, fail: Fail): VoipCredential {
  if (password === "") {
    throw fail("it has no password: set one");
  }
  return { username: named(username, fail), password };
}

/**
 * The verifier of an auth that stores hashes: `md5_cred`, or `password_digest` with comma-separated entries like
 * `SHA-256:<hash>`. SHA-256 is preferred.
 */
export function hashedCredential(
  { username, realm, hashes, source }: { username: string; realm: string; hashes: readonly string[]; source: string },
  fail: Fail,
): CredentialVerifier {
  const entries = hashes
    .flatMap((hash) => hash.split(","))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
    .map((entry) => {
      const colon = entry.indexOf(":");
      return {
        algorithm: colon < 0 ? "MD5" : entry.slice(0, colon).trim().toUpperCase(),
        ha1: entry.slice(colon + 1).trim(),
      };
    });
  if (entries.length === 0) {
    throw fail("its auth_type requires a hash, and there is none: set md5_cred or password_digest");
  }
  for (const algorithm of ["SHA-256", "MD5"] as const) {
    const ha1 = entries.findLast((entry) => entry.algorithm === algorithm)?.ha1;
    if (ha1 !== undefined) {
      if (ha1Algorithm(ha1) !== algorithm) {
        throw fail(`its ${algorithm} hash is not valid hexadecimal: compute it again from username:realm:password`);
      }
      return { username: named(username, fail), realm, algorithm, ha1: ha1.toLowerCase(), source };
    }
  }
  throw fail("its hashes are neither MD5 nor SHA-256: add one of these");
}

function named(username: string, fail: Fail): string {
  if (username === "") {
    throw fail("it has no username: set one");
  }
  return username;
}
