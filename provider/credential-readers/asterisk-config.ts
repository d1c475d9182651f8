/** Reads a credential from Asterisk's `pjsip.conf`. */

import { dirname, resolve } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { VoipCredential } from "../voip/credential";
import { filePath, words } from "./arguments";
import { authType, DEFAULT_REALM, hashedCredential, plainCredential } from "./asterisk-auth";
import { type Fail, failing } from "./errors";
import { ConfigFiles } from "./files";
import { optionOf, parseConfig, type Section } from "./pjsip-conf";
import { type ReaderArgs, readCredential } from "./reading";

const schema = z.strictObject({
  file: filePath,
  section: words("the name of the section of type auth, without its brackets"),
});

/** Arguments of {@link asteriskConfigCredential}. */
export interface AsteriskConfigCredentialArgs extends ReaderArgs<typeof schema> {
  /**
   * The path of `pjsip.conf` on the machine that runs the program. Includes are resolved relative to its folder, as Asterisk
   * resolves them relative to its configuration directory, and not relative to the including file.
   */
  file: pulumi.Input<string>;
  /** The section with `type=auth`, without its brackets. */
  section: pulumi.Input<string>;
}

/**
 * The credential of an `auth` section of Asterisk's `pjsip.conf`, read each time the program runs: the password, or a verifier if
 * `auth_type` is md5 or digest. Templates, `#include` and `#tryinclude` are supported; `#exec` is never run.
 */
export function asteriskConfigCredential(args: AsteriskConfigCredentialArgs): pulumi.Output<VoipCredential> {
  return readCredential("asteriskConfigCredential", schema, args, ({ file, section }) => {
    const fail = failing("asteriskConfigCredential", `[${section}] in Asterisk's ${file}`);
    const files = new ConfigFiles(fail);
    const path = resolve(file);
    const sections = parseConfig(files.read(path), (pattern) => files.matching(pattern, dirname(path)), fail);
    return authIn(sections, section, file, fail);
  });
}

/**
 * The credential of the auth section called `name`.
 *
 * @throws CredentialReadError if there is none or it has no password; if another object has the name, with the section to use
 */
export function authIn(sections: readonly Section[], name: string, file: string, fail: Fail): VoipCredential {
  const own = sections.filter((section) => !section.template && section.name === name);
  const auth = own.find((section) => typeOf(section) === "auth");
  if (!auth) {
    throw fail(own.length === 0 ? "there is no such section: check `section`" : otherType(own));
  }
  const option = (key: string) => optionOf(auth, key) ?? "";
  const type = authType(option("auth_type"), fail);
  const hashes = auth.options.filter(([key]) => /^(md5_cred|password_digest)$/i.test(key)).map(([, value]) => value);
  // With auth_type digest, Asterisk uses the password if there are no hashes.
  if (type === "userpass" || (type === "digest" && hashes.length === 0)) {
    return plainCredential(option("username"), option("password"), fail);
  }
  const realm = option("realm") || globalRealm(sections);
  return hashedCredential({ username: option("username"), realm, hashes, source: `Asterisk's ${file}` }, fail);
}

function typeOf(section: Section): string {
  return (optionOf(section, "type") ?? "").toLowerCase();
}

/** The realm for auths that name none: `default_realm` in the section of type global. */
function globalRealm(sections: readonly Section[]): string {
  const global = sections.find((section) => !section.template && typeOf(section) === "global");
  return (global && optionOf(global, "default_realm")) || DEFAULT_REALM;
}

function otherType(own: readonly Section[]): string {
  const auth = own.map((section) => optionOf(section, "auth") ?? optionOf(section, "outbound_auth")).find(Boolean);
  return auth
    ? `the section is not of type auth, but it names the auth [${auth}]: set \`section\` to that`
    : "the section is not of type auth: set `section` to the one that holds the password";
}
