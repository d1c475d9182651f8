/** Reads a credential from Asterisk's `pjsip.conf` or `pjsip_wizard.conf`. */

import { dirname, resolve } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { VoipCredential } from "../voip/credential";
import { filePath, words } from "./arguments";
import {
  ASTERISK_DEFAULTS,
  AUTH_OPTIONS,
  type AuthDefaults,
  authArguments,
  authCredential,
  type Use,
} from "./asterisk-auth";
import { folded, isTrue, sameName, stripped } from "./asterisk-text";
import { type Fail, failing } from "./errors";
import { ConfigFiles } from "./files";
import { firstOptionOf, type Option, optionOf, parseConfig, type Section } from "./pjsip-conf";
import { type Reader, type ReaderArgs, readCredential } from "./reading";

const schema = z.strictObject({
  file: filePath,
  section: words("the name of the section of type auth or wizard, without its brackets"),
  ...authArguments,
});

/** Arguments of {@link asteriskConfigCredential}. */
export interface AsteriskConfigCredentialArgs extends ReaderArgs<typeof schema> {
  /**
   * The path of `pjsip.conf` or `pjsip_wizard.conf` on the machine that runs the program. Includes are resolved relative to its
   * folder, as Asterisk resolves them relative to its configuration directory, and not relative to the including file.
   */
  file: pulumi.Input<string>;
  /** The section with `type=auth`, without its brackets. In `pjsip_wizard.conf` the one with `type=wizard`. */
  section: pulumi.Input<string>;
  /** The realm of hashes, if neither the section nor a section of type global in `file` names one. By default `asterisk`. */
  defaultRealm?: pulumi.Input<string | undefined>;
  /** The algorithms in use, if neither the section nor a section of type global in `file` names them. By default `MD5`. */
  defaultAlgorithms?: pulumi.Input<string | undefined>;
  /** Which value counts if password and hash disagree. By default the one that Asterisk uses, if that is certain. */
  use?: pulumi.Input<Use>;
}

/**
 * The credential of an `auth` section of Asterisk's `pjsip.conf`, or of the `inbound_auth/…` options in `pjsip_wizard.conf`, read each
 * time the program runs: the password, or a verifier if only a hash is stored for the algorithm in use. Templates, additions,
 * `#include` and `#tryinclude` are supported; `#exec` is never run.
 */
export function asteriskConfigCredential(args: AsteriskConfigCredentialArgs): pulumi.Output<VoipCredential> {
  return readCredential(asteriskConfigReader, args);
}

/** The reader behind {@link asteriskConfigCredential}. */
export const asteriskConfigReader: Reader<typeof schema> = { name: "asteriskConfigCredential", schema, read };

function read({ file, section, ...more }: z.output<typeof schema>): VoipCredential {
  const fail = failing("asteriskConfigCredential", `[${section}] in Asterisk's ${file}`);
  const files = new ConfigFiles(fail);
  const path = resolve(file);
  const include = (pattern: string) => files.matching(pattern, dirname(path));
  let unclosedComment: string | undefined;
  const sections = parseConfig(files.read(path), include, fail, (place) => {
    unclosedComment ??= place;
  });
  return authIn(sections, section, file, fail, { ...more, unclosedComment });
}

/**
 * The credential of the section of type auth or wizard called `name`.
 *
 * @throws CredentialReadError if there is none or it has no password; if another object has the name, with the section to use
 */
export function authIn(
  all: readonly Section[],
  name: string,
  file: string,
  fail: Fail,
  more: { defaultRealm?: string; defaultAlgorithms?: string; use?: Use; unclosedComment?: string } = {},
): VoipCredential {
  const sections = all.filter((section) => !section.template);
  const own = sections.filter((section) => section.name === name);
  const auths = sections.filter((section) => firstOptionOf(section, "type") === "auth");
  const auth = auths.find((section) => section.name === name);
  if (auth) {
    refuseDuplicates(auths, name, fail);
    refuseUnknown(auth.options, fail);
  }
  const options = auth?.options ?? wizardAuth(own, fail);
  if (!options) {
    throw fail(own.length === 0 ? missing(all, name, more.unclosedComment) : otherType(own));
  }
  const source = `Asterisk's ${file}`;
  return authCredential(options, { defaults: defaultsOf(sections, more), use: more.use, source }, fail);
}

/** Asterisk loads no auth of a file in which two have the same name. */
function refuseDuplicates(auths: readonly Section[], name: string, fail: Fail): void {
  const seen = new Map<string, Section>();
  for (const auth of auths) {
    const first = seen.get(auth.name);
    if (first) {
      const which = auth.name === name ? "the section" : `the section [${auth.name}] of type auth`;
      throw fail(
        `${which} is there twice (${placeOf(first)}, and ${placeOf(auth)}), and Asterisk loads no auth of the file then: remove one`,
      );
    }
    seen.set(auth.name, auth);
  }
}

function refuseUnknown(options: readonly Option[], fail: Fail): void {
  const unsure = options.find((option) => option.unsure);
  if (unsure) {
    throw fail(
      `${placeOf(unsure)}: it depends on Asterisk's version which of several options += appends to: write the whole value with =`,
    );
  }
  const unknown = options.find(({ name }) => !name.startsWith("@") && !AUTH_OPTIONS.has(folded(name)));
  if (unknown) {
    throw fail(
      `${placeOf(unknown)}: an auth has no option of this name, so Asterisk does not load the section: expected ${[...AUTH_OPTIONS].join(", ")}`,
    );
  }
}

/** The options of the auth that Asterisk makes of a section of type wizard for calls that come in. Undefined if there is no wizard. */
function wizardAuth(own: readonly Section[], fail: Fail): readonly Option[] | undefined {
  const wizards = own.filter(({ options }) =>
    options.some(({ name, value }) => name.includes("type") && value === "wizard"),
  );
  const [wizard, second] = wizards;
  if (!wizard) {
    return undefined;
  }
  if (second) {
    throw fail(
      `the section of type wizard is there twice (${placeOf(wizard)}, and ${placeOf(second)}), and which one counts depends on the last reload: remove one`,
    );
  }
  if (!isTrue(optionOf(wizard, "accepts_auth") ?? "")) {
    throw fail("the wizard does not let calls in by password: set accepts_auth=yes and inbound_auth/…");
  }
  const prefix = "inbound_auth/";
  const options = wizard.options
    .filter(({ name }) => name.startsWith(prefix) && name.length > prefix.length)
    .map((option) => ({ ...option, name: option.name.slice(prefix.length) }));
  refuseUnknown(options, fail);
  return options;
}

function defaultsOf(
  sections: readonly Section[],
  { defaultRealm, defaultAlgorithms }: { defaultRealm?: string; defaultAlgorithms?: string },
): AuthDefaults {
  const global = sections.find(
    (section) => (firstOptionOf(section, "type") ?? (section.name === "global" ? "global" : "")) === "global",
  );
  const option = (name: string) => (global && optionOf(global, name)) || undefined;
  return {
    realm: option("default_realm") ?? defaultRealm ?? ASTERISK_DEFAULTS.realm,
    algorithmsUas: option("default_auth_algorithms_uas") ?? defaultAlgorithms ?? ASTERISK_DEFAULTS.algorithmsUas,
    algorithmsUac: option("default_auth_algorithms_uac") ?? ASTERISK_DEFAULTS.algorithmsUac,
  };
}

function placeOf({ file, line }: { file: string; line: number }): string {
  return `${file}, line ${line}`;
}

function missing(sections: readonly Section[], name: string, unclosedComment: string | undefined): string {
  const similar = sections.find((section) => sameName(stripped(section.name), stripped(name)));
  if (similar?.template) {
    return `there is no such section: check \`section\`. The one in ${placeOf(similar)} is a template`;
  }
  if (similar) {
    return `there is no such section, only [${similar.name}] in ${placeOf(similar)}: Asterisk tells names apart by case and by blanks`;
  }
  return unclosedComment === undefined
    ? "there is no such section: check `section`"
    : `there is no such section before the comment of ${unclosedComment}, which is never closed: close it with --;`;
}

function otherType(own: readonly Section[]): string {
  const auth = own.map((section) => optionOf(section, "auth") ?? optionOf(section, "outbound_auth")).find(Boolean);
  return auth
    ? `the section is not of type auth, but it names the auth [${auth}]: set \`section\` to that`
    : "the section is not of type auth: set `section` to the one that holds the password";
}
