/** Finds a user in FreeSWITCH's directory: domains, groups, users and their params, as mod_sofia reads them. Pure. */

import { type CredentialVerifier, ha1Algorithm, type VoipCredential, verifies } from "../voip/credential";
import type { Fail } from "./errors";
import { type Preprocessed, unsetSentence, unsetVariable } from "./freeswitch-preprocessor";
import { type Element, parseXml } from "./freeswitch-xml";

/** A user, and the group and domain that it inherits from. */
interface User {
  readonly user: Element;
  readonly group?: Element;
  readonly domain: Element;
}

/** The elements that may contain the directory's domains, if the file is not the whole configuration. */
const AROUND_DOMAINS: ReadonlySet<string> = new Set(["document", "include", "section"]);

/** What is looked for, and where. */
interface Sought {
  readonly username: string;
  readonly domain?: string;
  readonly realm?: string;
  /** Where the configuration is, in words. */
  readonly source: string;
}

/**
 * The credential of a user in a preprocessed configuration.
 *
 * @throws CredentialReadError if the user does not exist, exists in several domains or has no credential
 */
export function credentialIn(configuration: Preprocessed, sought: Sought, fail: Fail): VoipCredential {
  const { username, domain } = sought;
  const all = domainsIn(parseXml(configuration, fail));
  const domains = firstOfEachName(all);
  const users = domains
    .filter((candidate) => domain === undefined || same(nameOf(candidate), domain))
    .map((candidate) => userIn(candidate, username))
    .filter((found) => found !== undefined);
  const [found, second] = users;
  if (!found) {
    const ignored = all.find(
      (candidate) =>
        !domains.includes(candidate) &&
        (domain === undefined || same(nameOf(candidate), domain)) &&
        userIn(candidate, username),
    );
    throw fail(
      ignored
        ? `the user is in a second <domain> of the same name (${configuration.placeOf(ignored.position)}), which FreeSWITCH passes over: move its users to the first one`
        : notFound(domains, domain),
    );
  }
  if (second) {
    const names = users.map((user) => readable(nameOf(user.domain)));
    throw fail(`the user is in more than one domain (${names.join(", ")}): set \`domain\``);
  }
  if (same(found.user.attributes.get("type"), "pointer")) {
    throw fail(
      `the first user of this id or number-alias (${configuration.placeOf(found.user.position)}) is a pointer, which FreeSWITCH lets nobody log in as: move the user itself before it`,
    );
  }
  return credentialOf(found, sought, fail);
}

function credentialOf(found: User, { username, realm, source }: Sought, fail: Fail): VoipCredential {
  const password = whole(param(found, "password") ?? "", "its password uses", fail);
  const stored = param(found, "a1-hash");
  if (stored === undefined) {
    if (password === "") {
      throw fail("the user has neither a password nor an a1-hash: set one");
    }
    return { username, password };
  }
  // If there are both, FreeSWITCH uses the hash, even an empty one.
  const ha1 = whole(stored, "its a1-hash uses", fail);
  const algorithm = ha1Algorithm(ha1);
  if (!algorithm) {
    if (ha1 === "") {
      throw fail(
        password === ""
          ? "the user has neither a password nor an a1-hash: set one"
          : "its a1-hash is empty, and FreeSWITCH uses it instead of the password: remove the param",
      );
    }
    throw fail("its a1-hash is not valid hexadecimal in lower case: compute it again from username:domain:password");
  }
  const verifier: CredentialVerifier = {
    // A hash holds the name in the case in which the directory has it.
    username: same(found.user.attributes.get("id"), username)
      ? (found.user.attributes.get("id") ?? username)
      : username,
    realm: realm ?? whole(nameOf(found.domain), "the name of its domain uses", fail),
    algorithm,
    ha1,
    source,
  };
  return password !== "" && verifies(verifier, password) ? { username, password } : verifier;
}

/** A param of the user, its group or its domain, in this order. In a user the last one counts, in a group or domain the first. */
function param({ user, group, domain }: User, name: string): string | undefined {
  return valuesOf(user, name).at(-1) ?? (group && valuesOf(group, name)[0]) ?? valuesOf(domain, name)[0];
}

function valuesOf(element: Element, name: string): string[] {
  return childrenOf(child(element, "params"), "param")
    .filter(({ attributes }) => same(attributes.get("name"), name))
    .map(({ attributes }) => attributes.get("value") ?? "");
}

/**
 * Looks in the domain's groups, then in its users or in the domain itself, for the first user of this id or number-alias. FreeSWITCH
 * also takes the first user with a type other than pointer for anybody.
 */
function userIn(domain: Element, username: string): User | undefined {
  const isWanted = ({ attributes }: Element) => {
    const type = attributes.get("type");
    return (
      same(attributes.get("id"), username) ||
      same(attributes.get("number-alias"), username) ||
      (type !== undefined && !same(type, "pointer"))
    );
  };
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
  const names = domains.map(nameOf);
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

function nameOf(domain: Element): string {
  return domain.attributes.get("name") ?? "";
}

/** A domain's name for a message, with unset variables as they are written. */
function readable(name: string): string {
  return name.replace(/\uE000([^\uE001]*)\uE001/g, "$$$${$1}");
}

/** The domains of the directory. FreeSWITCH reads only the first section of that name, and no other section. */
function domainsIn(roots: readonly Element[]): Element[] {
  const domains: Element[] = [];
  const stack = [...roots].reverse();
  let directory: Element | undefined;
  for (let element = stack.pop(); element; element = stack.pop()) {
    if (element.name === "domain") {
      domains.push(element);
    } else if (element.name === "section") {
      if (same(element.attributes.get("name"), "directory") && directory === undefined) {
        directory = element;
        pushReversed(stack, element.children);
      }
    } else if (AROUND_DOMAINS.has(element.name)) {
      pushReversed(stack, element.children);
    }
  }
  return domains;
}

function pushReversed(stack: Element[], elements: readonly Element[]): void {
  for (let index = elements.length - 1; index >= 0; index--) {
    const element = elements[index];
    if (element) {
      stack.push(element);
    }
  }
}

/** FreeSWITCH reads only the first of several domains with the same name. */
function firstOfEachName(domains: readonly Element[]): Element[] {
  const byName = new Map<string, Element>();
  for (const domain of domains) {
    const name = nameOf(domain).toLowerCase();
    if (!byName.has(name)) {
      byName.set(name, domain);
    }
  }
  return [...byName.values()];
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
