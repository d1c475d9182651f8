/** Parses FreeSWITCH's user directory: domains, groups, users and their params, as mod_sofia reads them. Pure. */

import { SaxesParser } from "saxes";
import { type CredentialVerifier, ha1Algorithm, type VoipCredential, verifies } from "../voip/credential";
import type { Fail } from "./errors";
import { unsetSentence, unsetVariable } from "./freeswitch-preprocessor";

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
}

/** A user, and the group and domain that it inherits from. */
interface User {
  readonly user: Element;
  readonly group?: Element;
  readonly domain: Element;
}

/** The elements that may contain the directory's domains. */
const AROUND_DOMAINS: ReadonlySet<string> = new Set(["document", "include", "section"]);

/**
 * The credential of a user in a preprocessed configuration.
 *
 * @param source where the configuration is, in words
 * @throws CredentialReadError if the user does not exist, exists more than once or has no credential
 */
export function credentialIn(
  xml: string,
  { username, domain, source }: { username: string; domain?: string; source: string },
  fail: Fail,
): VoipCredential {
  const domains = [...domainsIn(parseXml(xml, fail))];
  const users = domains
    .filter((candidate) => domain === undefined || same(candidate.attributes.name, domain))
    .map((candidate) => userIn(candidate, username))
    .filter((found) => found !== undefined);
  const [found, second] = users;
  if (!found) {
    throw fail(notFound(domains, domain));
  }
  if (second) {
    const names = users.map((user) => readable(user.domain.attributes.name ?? ""));
    throw fail(`the user is in more than one domain (${names.join(", ")}): set \`domain\``);
  }
  return credentialOf(found, username, source, fail);
}

function credentialOf(found: User, username: string, source: string, fail: Fail): VoipCredential {
  const password = whole(param(found, "password"), "its password uses", fail);
  const ha1 = whole(param(found, "a1-hash"), "its a1-hash uses", fail);
  if (ha1 === "") {
    if (password === "") {
      throw fail("the user has neither a password nor an a1-hash: set one");
    }
    return { username, password };
  }
  // If there are both, FreeSWITCH uses the hash.
  const algorithm = ha1Algorithm(ha1);
  if (!algorithm) {
    throw fail("its a1-hash is not valid hexadecimal: compute it again from username:domain:password");
  }
  const realm = whole(found.domain.attributes.name ?? "", "the name of its domain uses", fail);
  const verifier: CredentialVerifier = {
    username: found.user.attributes.id ?? username,
    realm,
    algorithm,
    ha1: ha1.toLowerCase(),
    source,
  };
  return password !== "" && verifies(verifier, password) ? { username, password } : verifier;
}

/** A param of the user, its group or its domain, in this order. In a user the last one counts, in a group or domain the first. */
function param({ user, group, domain }: User, name: string): string {
  const own = valuesOf(user, name).at(-1);
  return own ?? (group && valuesOf(group, name)[0]) ?? valuesOf(domain, name)[0] ?? "";
}

function valuesOf(element: Element, name: string): string[] {
  return childrenOf(child(element, "params"), "param")
    .filter(({ attributes }) => same(attributes.name, name))
    .map(({ attributes }) => attributes.value ?? "");
}

/**
 * Looks in the domain's groups, then in its users or in the domain itself. Pointers are skipped: they refer to a user elsewhere.
 */
function userIn(domain: Element, username: string): User | undefined {
  const isWanted = ({ attributes }: Element) => same(attributes.id, username) && !same(attributes.type, "pointer");
  for (const group of childrenOf(child(domain, "groups"), "group")) {
    const user = childrenOf(child(group, "users"), "user").find(isWanted);
    if (user) {
      return { user, group, domain };
    }
  }
  const user = childrenOf(child(domain, "users") ?? domain, "user").find(isWanted);
  return user && { user, domain };
}

function notFound(domains: readonly Element[], domain: string | undefined): string {
  const names = domains.map(({ attributes }) => attributes.name ?? "");
  if (names.length === 0) {
    return "the file contains no <domain>: set `file` to the root of the directory, for example freeswitch.xml or directory/default.xml";
  }
  if (domain === undefined) {
    return "there is no such user: check `username`";
  }
  if (names.some((name) => same(name, domain))) {
    return "there is no such user in this domain: check `username` and `domain`";
  }
  const variable = names.map(unsetVariable).find((name) => name !== undefined);
  return variable === undefined
    ? `there is no such domain, only ${names.map(readable).join(", ")}: check \`domain\``
    : `the name of a domain uses ${unsetSentence(variable)}`;
}

/** Returns a value, or throws if it contains an unset variable. */
function whole(value: string, subject: string, fail: Fail): string {
  const variable = unsetVariable(value);
  if (variable !== undefined) {
    throw fail(`${subject} ${unsetSentence(variable)}`);
  }
  return value;
}

/** A domain's name for a message, with unset variables as they are written. */
function readable(name: string): string {
  return name.replace(/\uE000([^\uE001]*)\uE001/g, "$$$${$1}");
}

/** The domains of the directory. Other sections of the configuration are skipped. */
function* domainsIn(elements: readonly Element[]): Generator<Element> {
  for (const element of elements) {
    if (element.name === "domain") {
      yield element;
    } else if (
      AROUND_DOMAINS.has(element.name) &&
      (element.name !== "section" || same(element.attributes.name, "directory"))
    ) {
      yield* domainsIn(element.children);
    }
  }
}

function child(element: Element, name: string): Element | undefined {
  return element.children.find((candidate) => candidate.name === name);
}

function childrenOf(element: Element | undefined, name: string): Element[] {
  return (element?.children ?? []).filter((candidate) => candidate.name === name);
}

function same(a: string | undefined, b: string): boolean {
  return a?.toLowerCase() === b.toLowerCase();
}

/**
 * Parses elements and attributes; text is not needed. FreeSWITCH's own parser accepts any comment and a bare `&`, which XML does
 * not allow; the rest must be well-formed. The parser supports only XML's five entities, and opens no files.
 */
function parseXml(xml: string, fail: Fail): Element[] {
  const root: Element = { name: "", attributes: {}, children: [] };
  const open: Element[] = [root];
  const parser = new SaxesParser({ fragment: true });
  parser.on("error", () => {
    // The parser's message may quote the file.
    const element = open.at(-1)?.name;
    const place = element ? `inside <${element}>` : "outside of its elements";
    throw fail(`the configuration is not well-formed XML ${place}: check that every element is closed`);
  });
  parser.on("opentag", (tag) => {
    const attributes = Object.entries(tag.attributes).map(([name, value]) => [name, String(value)]);
    const element: Element = { name: tag.name, attributes: Object.fromEntries(attributes), children: [] };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.write(xml.replace(/<!--.*?-->/gs, "").replace(/&(?!(?:#\d+|#x[\da-f]+|lt|gt|amp|quot|apos);)/gi, "&amp;"));
  parser.close();
  return root.children;
}
