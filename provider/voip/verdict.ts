/**
 * What the answers of a VoIP system prove about a credential, and what to ask next if they prove nothing yet. Pure. The rules were
 * measured on real systems: Asterisk 22.10 and 18.26, FreeSWITCH 1.10.12, OpenSIPS 3.6.8 and Kamailio 5.6.
 */

/** The requests of a check. None of them changes anything, places a call or rings a phone. */
export type CheckMethod = "OPTIONS" | "SUBSCRIBE" | "REGISTER";

/** One request and its answers. */
export interface Exchange {
  readonly method: CheckMethod;
  /** The status of the answer to the request without a credential. */
  readonly before: number;
  /** The final status after the credential. Absent if the credential was not sent. */
  readonly after?: number;
  /** Why a challenge was not answered, or not to the end, if that is so. */
  readonly unanswered?: string;
  /** The product that the answers name in Server or User-Agent. */
  readonly product?: string;
  /** Whether the credential was sent as a digest without `qop`, which is easier to crack. */
  readonly withoutQop?: boolean;
}

export type Verdict =
  | { readonly kind: "accepts" }
  | { readonly kind: "rejects"; readonly status: number }
  /** The answers prove nothing. `reason` completes a sentence that begins with the host. */
  | { readonly kind: "unknown"; readonly reason: string };

/** The products whose answers differ in a way that matters. */
type Product = "asterisk" | "freeswitch" | "proxy" | "other";

function productOf(exchanges: readonly Exchange[]): Product {
  const named = exchanges.map(({ product = "" }) => product).join(" ");
  if (/asterisk|fpbx|freepbx|issabel/i.test(named)) {
    return "asterisk";
  }
  if (/freeswitch/i.test(named)) {
    return "freeswitch";
  }
  return /kamailio|opensips|openser/i.test(named) ? "proxy" : "other";
}

/** Whether a VoIP system names itself as Asterisk, which answers strangers and wrong passwords alike. */
export function isAsterisk(exchanges: readonly Exchange[]): boolean {
  return productOf(exchanges) === "asterisk";
}

/** What one exchange proves on its own. Undefined if nothing. An answer before a challenge says nothing about the credential. */
function proofIn({ method, after }: Exchange, product: Product): Verdict | undefined {
  if (after === undefined) {
    return undefined;
  }
  if (after >= 200 && after < 300) {
    return { kind: "accepts" };
  }
  if (after === 401 || after === 407) {
    return { kind: "rejects", status: after };
  }
  // Asterisk looks for the called user or the event only once it knows who asks. Its 403 can come from chan_sip, which refuses a
  // wrong password in that way.
  const isPastTheDoor = method !== "REGISTER" && after >= 400 && after < 500 && after !== 403 && after !== 408;
  return product === "asterisk" && isPastTheDoor ? { kind: "accepts" } : undefined;
}

/** What the exchanges so far prove. Undefined if nothing yet. */
export function proof(exchanges: readonly Exchange[]): Verdict | undefined {
  const product = productOf(exchanges);
  return exchanges.map((exchange) => proofIn(exchange, product)).find((verdict) => verdict !== undefined);
}

/**
 * The request that may prove more. Undefined if none does without side effects.
 *
 * - Asterisk is not asked with REGISTER: on an AOR with `remove_existing` and a lowered `max_contacts`, that removes a phone.
 * - FreeSWITCH answers OPTIONS to anyone, and REGISTER with 403 whatever is wrong. SUBSCRIBE tells a wrong password from a right one.
 * - A proxy may pass SUBSCRIBE on to a phone, so it gets REGISTER.
 * - A system that does not say what it is may be Asterisk if it challenges OPTIONS, or FreeSWITCH if it does not.
 */
export function nextMethod(exchanges: readonly Exchange[]): CheckMethod | undefined {
  const asked = (method: CheckMethod) => exchanges.find((exchange) => exchange.method === method);
  const options = asked("OPTIONS");
  if (!options) {
    return "OPTIONS";
  }
  if (exchanges.some(({ unanswered }) => unanswered !== undefined)) {
    return undefined;
  }
  const wasChallenged = ({ after }: Exchange) => after !== undefined;
  const orders: Readonly<Record<Product, readonly CheckMethod[]>> = {
    asterisk: ["SUBSCRIBE"],
    freeswitch: ["SUBSCRIBE", "REGISTER"],
    proxy: ["REGISTER"],
    other: wasChallenged(options) ? ["SUBSCRIBE", "REGISTER"] : ["REGISTER", "SUBSCRIBE"],
  };
  const next = orders[productOf(exchanges)].find((method) => !asked(method));
  const subscribe = asked("SUBSCRIBE");
  // A system that challenged both, and refused both for another reason afterwards, may be an Asterisk.
  return next === "REGISTER" && subscribe && wasChallenged(subscribe) ? undefined : next;
}

/** The verdict when nothing more can be asked. */
export function verdictOn(exchanges: readonly Exchange[]): Verdict {
  const proven = proof(exchanges);
  const last = exchanges.at(-1);
  if (proven || !last) {
    return proven ?? { kind: "unknown", reason: "was not asked" };
  }
  const unanswered = exchanges.find((exchange) => exchange.unanswered !== undefined);
  if (unanswered?.unanswered !== undefined) {
    return { kind: "unknown", reason: unanswered.unanswered };
  }
  const shown = exchanges.filter(({ after }) => after !== undefined);
  if (shown.length === 0) {
    const answers = exchanges.map(({ method, before }) => `${method} with ${before}`).join(" and ");
    return { kind: "unknown", reason: `does not ask for a credential: it answers ${answers}` };
  }
  const answers = shown.map(({ method, after }) => `${method} with ${after}`).join(" and ");
  return { kind: "unknown", reason: `answers ${answers} after the credential, which proves nothing about it` };
}
