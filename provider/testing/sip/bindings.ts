/** Where the registrar's users can be reached: the bindings that REGISTER makes, asks for and removes (RFC 3261, section 10.3). */

import { headerOf, listOf, parseNameAddr, type SipHeader, type SipRequest } from "../../sip/message";

/** How long a binding lasts where its request does not say, in seconds. */
const DEFAULT_EXPIRES = 3_600;

export class Bindings {
  /** For each user the time at which each contact ends, in milliseconds. */
  readonly #ends = new Map<string, Map<string, number>>();

  /** The contacts of a user, by their URIs. */
  of(username: string): string[] {
    return [...this.#current(username).keys()];
  }

  /** Carries out what a REGISTER says in its Contact and Expires; false when that makes no sense. */
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

  /** The current contacts as the header fields of a 200. */
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
