/**
 * Where the registrar's users can be reached: the bindings that REGISTER adds, queries and removes (RFC 3261, section
 * 10.3).
 */

import { headerOf, listOf, parseNameAddr, type SipHeader, type SipRequest } from "../../sip/message";

/** How long a binding lasts if its request does not say, in seconds. */
const DEFAULT_EXPIRES = 3_600;

export class Bindings {
  /** For each user, when each contact expires, in milliseconds. */
  readonly #ends = new Map<string, Map<string, number>>();

  /** The contact URIs of a user. */
  of(username: string): string[] {
    return [...this.#current(username).keys()];
  }

  /** Applies the Contact and Expires of a REGISTER. Returns false when they are not valid. */
  apply(username: string, request: SipRequest): boolean {
    const contacts = listOf(request, "contact");
    const current = this.#current(username);
    if (contacts.includes("*")) {
      const isRemoval = contacts.length === 1 && headerOf(request, "expires")?.trim() === "0";
      if (isRemoval) {
        current.clear();
      }
      return isRemoval;
    }
    for (const { uri, params } of contacts.map(parseNameAddr)) {
      const seconds = secondsIn(params.get("expires") ?? headerOf(request, "expires"));
      if (seconds === 0) {
        current.delete(uri);
      } else {
        current.set(uri, Date.now() + seconds * 1_000);
      }
    }
    return true;
  }

  /** The current contacts as header fields for a 200. */
  headers(username: string): SipHeader[] {
    return [...this.#current(username)].map(([uri, end]) => ({
      name: "Contact",
      value: `<${uri}>;expires=${Math.ceil((end - Date.now()) / 1_000)}`,
    }));
  }

  #current(username: string): Map<string, number> {
    const ends = this.#ends.get(username) ?? new Map<string, number>();
    this.#ends.set(username, ends);
    for (const [uri, end] of ends) {
      if (end <= Date.now()) {
        ends.delete(uri);
      }
    }
    return ends;
  }
}

function secondsIn(text: string | undefined): number {
  return text !== undefined && /^\s*\d{1,9}\s*$/.test(text) ? Number(text) : DEFAULT_EXPIRES;
}
