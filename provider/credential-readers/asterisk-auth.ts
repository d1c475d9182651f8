/** Turns an `auth` object of Asterisk's PJSIP, wherever it is stored, into a credential (res_pjsip, config_auth.c). */

import { z } from "zod";
import { type CredentialVerifier, ha1Algorithm, type VoipCredential, verifies } from "../voip/credential";
import { words } from "./arguments";
import { folded, stripped } from "./asterisk-text";
import type { Fail } from "./errors";

/** An option of an auth, by Asterisk's name of it. An option may occur several times. */
export interface AuthOption {
  readonly name: string;
  readonly value: string;
}

/** What counts for auths that don't set it: `default_realm` and `default_auth_algorithms_…` of the global section. */
export interface AuthDefaults {
  readonly realm: string;
  readonly algorithmsUas: string;
  readonly algorithmsUac: string;
}

/** What Asterisk uses if the global section does not set it either. */
export const ASTERISK_DEFAULTS: AuthDefaults = { realm: "asterisk", algorithmsUas: "MD5", algorithmsUac: "MD5" };

/** The arguments that both readers of auths have. */
export const authArguments = {
  defaultRealm: words("default_realm of Asterisk's global section").optional(),
  defaultAlgorithms: words("default_auth_algorithms_uas of Asterisk's global section, for example SHA-256").optional(),
  use: z.enum(["password", "hash"], { error: 'must be "password" or "hash"' }).optional(),
};

/** Which of the stored values counts. */
export type Use = z.output<typeof authArguments.use>;

/** The options of an auth. Asterisk does not load an auth with another one. */
export const AUTH_OPTIONS: ReadonlySet<string> = new Set([
  "type",
  "auth_type",
  "username",
  "password",
  "md5_cred",
  "password_digest",
  "realm",
  "nonce_lifetime",
  "refresh_token",
  "oauth_clientid",
  "oauth_secret",
  "supported_algorithms_uac",
  "supported_algorithms_uas",
]);

type Algorithm = CredentialVerifier["algorithm"] | "SHA-512-256";

const HASH_LENGTHS: Readonly<Record<Algorithm, number>> = { MD5: 32, "SHA-256": 64, "SHA-512-256": 64 };

/** Those that a verifier can check, best first. */
const VERIFIABLE = ["SHA-256", "MD5"] as const;

/** A hash, and the option that holds it. */
interface Hash {
  readonly ha1: string;
  readonly option: string;
}

/**
 * The credential of an auth: of the hash of the algorithm in use, else of the password.
 *
 * @param source where it is stored, in words
 * @param unordered whether the order of `options` is not the one in which Asterisk reads them
 * @throws CredentialReadError if it has none, if Asterisk would not load it, or if it depends on Asterisk's version which value counts
 */
export function authCredential(
  options: readonly AuthOption[],
  {
    defaults,
    use,
    source,
    unordered = false,
  }: { defaults: AuthDefaults; use?: Use; source: string; unordered?: boolean },
  fail: Fail,
): VoipCredential {
  const all = (name: string) => options.filter((option) => folded(option.name) === name).map(({ value }) => value);
  const last = (name: string) => all(name).at(-1) ?? "";
  const type = authType(all("auth_type"), fail);
  const username = last("username");
  const password = last("password");
  if (username === "") {
    throw fail("it has no username: set one");
  }
  const plain = (): VoipCredential => {
    if (password === "") {
      throw fail(type === "userpass" ? "it has no password: set one" : NO_HASH);
    }
    return { username, password };
  };
  if (use === "password") {
    return plain();
  }
  const hashes = hashesOf(
    options,
    { beside: type === "userpass" && password !== "" && use === undefined, unordered },
    fail,
  );
  const uas = algorithmsOf(all("supported_algorithms_uas"), defaults.algorithmsUas, fail);
  const uac = algorithmsOf(all("supported_algorithms_uac"), defaults.algorithmsUac, fail);
  if (password === "") {
    requireHashes(hashes, [...uas, ...uac], type, fail);
  }
  const inUse = uas.flatMap((algorithm) => hashes.get(algorithm) ?? []);
  if (inUse.length === 0) {
    if (use === "hash") {
      throw fail(`it has no hash for ${uas.join(" or ")}, and \`use\` is "hash": remove \`use\`, or set ${HASHES}`);
    }
    return plain();
  }
  const realm = last("realm") || defaults.realm;
  const verifiers = VERIFIABLE.filter((algorithm) => uas.includes(algorithm)).flatMap((algorithm) => {
    const ha1 = hashes.get(algorithm)?.ha1;
    return ha1 === undefined ? [] : [{ username, realm, algorithm, ha1, source }];
  });
  const [verifier] = verifiers;
  if (!verifier) {
    throw fail(UNVERIFIABLE);
  }
  if (password === "" || use === "hash") {
    return verifier;
  }
  if (verifiers.length === inUse.length && verifiers.every((each) => verifies(each, password))) {
    return plain();
  }
  // Before 20.12, 21.7 and 22.2, Asterisk used the password if auth_type was userpass, and md5_cred only if it was md5.
  const versionDecides = type === "userpass" && inUse.every(({ option }) => option === "md5_cred");
  const algorithmDecides = inUse.length < uas.length;
  if (versionDecides || algorithmDecides) {
    const { option } = inUse.find((hash) => hash.ha1 === verifier.ha1) ?? { option: "md5_cred" };
    const why = versionDecides ? "Asterisk's version" : "the algorithm that the caller chooses";
    throw fail(
      `its password and its ${option} disagree for the realm ${realm}, and it depends on ${why} which one counts: store the same password in both, remove one, or set \`use\` to "password" or "hash"`,
    );
  }
  return verifier;
}

const HASHES = "md5_cred or password_digest";
const NO_HASH = `its auth_type requires a hash, and there is none: set ${HASHES}`;
const UNVERIFIABLE = "its hashes are neither MD5 nor SHA-256: add one of these";

/** The `auth_type`, of which the last one counts. Default: `userpass`. */
function authType(values: readonly string[], fail: Fail): "userpass" | "md5" | "digest" {
  let type: ReturnType<typeof authType> = "userpass";
  for (const value of values) {
    const name = folded(value);
    if (name !== "userpass" && name !== "md5" && name !== "digest") {
      throw fail("its auth_type does not store a SIP password: use an auth of type userpass, md5 or digest");
    }
    type = name;
  }
  return type;
}

/**
 * The hashes by algorithm: `md5_cred`, and `password_digest` with comma-separated entries like `SHA-256:<hash>`. The last one counts.
 *
 * @param beside whether a password could count instead: then an `md5_cred` that is no hash is passed over, as older versions do
 * @param unordered whether the order of the two options is unknown
 */
function hashesOf(
  options: readonly AuthOption[],
  { beside, unordered }: { beside: boolean; unordered: boolean },
  fail: Fail,
): Map<Algorithm, Hash> {
  const hashes = new Map<Algorithm, Hash>();
  for (const { name, value } of options) {
    const option = folded(name);
    if (option !== "md5_cred" && option !== "password_digest") {
      continue;
    }
    for (const entry of value.split(",").map(stripped)) {
      const colon = entry.indexOf(":");
      const algorithm = algorithmNamed(colon < 0 ? "MD5" : stripped(entry.slice(0, colon)));
      const ha1 = entry.slice(colon + 1);
      if (entry === "") {
        continue;
      }
      if (!algorithm) {
        throw fail(`its ${option} has an algorithm that Asterisk does not know: expected MD5, SHA-256 or SHA-512-256`);
      }
      if (ha1.length !== HASH_LENGTHS[algorithm] || !ha1Algorithm(ha1)) {
        if (beside && option === "md5_cred") {
          continue;
        }
        throw fail(
          `its ${algorithm} hash is not valid hexadecimal in lower case: compute it again from username:realm:password`,
        );
      }
      const other = hashes.get(algorithm);
      if (unordered && other && other.option !== option && other.ha1 !== ha1) {
        throw fail(`its ${other.option} and its ${option} have different hashes for ${algorithm}: remove one`);
      }
      hashes.set(algorithm, { ha1, option });
    }
  }
  return hashes;
}

function algorithmNamed(name: string): Algorithm | undefined {
  const upper = name.toUpperCase();
  return upper === "MD5" || upper === "SHA-256" || upper === "SHA-512-256" ? upper : undefined;
}

/** The algorithms of `supported_algorithms_…`, else the default ones. */
function algorithmsOf(values: readonly string[], otherwise: string, fail: Fail): readonly Algorithm[] {
  const named = (list: string) =>
    list
      .split(",")
      .map(stripped)
      .filter((name) => name !== "")
      .map((name) => {
        const algorithm = algorithmNamed(name);
        if (!algorithm) {
          throw fail("it supports an algorithm that Asterisk does not know: expected MD5, SHA-256 or SHA-512-256");
        }
        return algorithm;
      });
  const own = values.flatMap(named);
  return own.length > 0 ? own : named(otherwise);
}

/** Throws if an auth without a password lacks the hash for an algorithm. Asterisk does not load it then. */
function requireHashes(
  hashes: ReadonlyMap<Algorithm, Hash>,
  inUse: readonly Algorithm[],
  type: string,
  fail: Fail,
): void {
  if (hashes.size === 0) {
    throw fail(type === "userpass" ? "it has no password: set one" : NO_HASH);
  }
  if (!VERIFIABLE.some((algorithm) => hashes.has(algorithm))) {
    throw fail(UNVERIFIABLE);
  }
  const missing = inUse.find((algorithm) => !hashes.has(algorithm));
  if (missing) {
    throw fail(
      `it has neither a password nor a hash for ${missing}, so Asterisk does not load it: add one, or set supported_algorithms_uas and supported_algorithms_uac to the algorithm of its hash`,
    );
  }
}
