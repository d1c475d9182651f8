/**
 * Asks a VoIP system whether it accepts a credential, as LiveKit's call would ask it, and without changing anything there. Any outcome
 * is returned in words, never as an error. verdict.ts decides what is asked and what the answers prove.
 */

import { randomBytes } from "node:crypto";
import { bracketed } from "../host-text";
import { type Connection, connect, type Target } from "../sip/connection";
import { answer, answerable, type DigestChallenge, MOST_DIGESTS, parseChallenges } from "../sip/digest";
import { escapeUser, headerOf, headersOf, isResponse, type SipHeader, type SipResponse } from "../sip/message";
import { type Dns, resolve, type SipServer, systemDns } from "../sip/resolve";
import { ClientTransaction } from "../sip/transaction";
import { whyUnreachable, withinTime } from "./reach";
import * as status from "./status";
import { type CheckMethod, type Exchange, isAsterisk, nextMethod, proof, type Verdict, verdictOn } from "./verdict";

/** A credential to check, and the VoIP system to ask. */
export interface CredentialQuery {
  readonly server: SipServer;
  /** Who calls: the user in the From header of LiveKit's calls, the caller number or the extension. */
  readonly caller: string;
  /** The SIP domain in that header. VoIP systems choose the user's domain and realm by it. */
  readonly domain: string;
  readonly username: string;
  readonly password: string;
  /** Whether only OPTIONS may be sent. */
  readonly optionsOnly: boolean;
  /** How long the whole check may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** What a check found. */
export interface CheckResult {
  /** In the words of `voipStatus`. */
  readonly status: string;
  /** A rejection by a system that answers strangers in the same way as it answers wrong passwords. */
  readonly mayBeStranger: boolean;
  /** The credential was sent as a digest without `qop`, because the system offers none. */
  readonly withoutQop: boolean;
}

/** A result of which nothing but the status is known. */
export function statusAlone(words: string): CheckResult {
  return { status: words, mayBeStranger: false, withoutQop: false };
}

/** The most rounds of challenges of one request: a proxy's, the phone system's, and one for a stale nonce. */
const MOST_ROUNDS = 3;

/** Checks a credential. After a proven rejection nothing more is sent, because repeated failures get the platform banned. */
export async function checkCredential(query: CredentialQuery, dns: Dns = systemDns): Promise<CheckResult> {
  const { host } = query.server;
  const deadline = Date.now() + query.timeoutMs;
  const remaining = () => Math.max(1, Math.ceil(deadline - Date.now()));
  const attempt: Attempt = { exchanges: [], shown: false };
  let reason = "it has no address";
  try {
    const targets = await withinTime(resolve(query.server, dns), AbortSignal.timeout(remaining()));
    for (const [index, target] of targets.entries()) {
      const signal = AbortSignal.timeout(Math.ceil(remaining() / (targets.length - index)));
      try {
        await askAt(target, query, attempt, signal);
        return resultOf(host, attempt.exchanges);
      } catch (error) {
        reason = whyUnreachable(error, query.server.protocol, query.timeoutMs);
        if (attempt.exchanges.length > 0) {
          return resultOf(host, attempt.exchanges);
        }
        if (attempt.shown || Date.now() >= deadline) {
          break;
        }
      }
    }
  } catch (error) {
    reason = whyUnreachable(error, query.server.protocol, query.timeoutMs);
  }
  return statusAlone(status.unreachable(host, reason));
}

/** What has happened so far. */
interface Attempt {
  readonly exchanges: Exchange[];
  /** Whether the credential has been sent to anybody. If so, no other address of the host is asked. */
  shown: boolean;
}

function resultOf(host: string, exchanges: readonly Exchange[]): CheckResult {
  const verdict = verdictOn(exchanges);
  return {
    status: wordsOf(host, verdict),
    mayBeStranger: verdict.kind === "rejects" && isAsterisk(exchanges),
    withoutQop: exchanges.some(({ withoutQop }) => withoutQop),
  };
}

function wordsOf(host: string, verdict: Verdict): string {
  switch (verdict.kind) {
    case "accepts":
      return status.ACCEPTS;
    case "rejects":
      return status.rejected(host, verdict.status);
    case "unknown":
      return status.couldNotTell(host, verdict.reason);
  }
}

async function askAt(target: Target, query: CredentialQuery, attempt: Attempt, signal: AbortSignal): Promise<void> {
  const { exchanges } = attempt;
  const dialogue = await Dialogue.open(target, signal);
  try {
    for (;;) {
      const method = proof(exchanges) ? undefined : nextMethod(exchanges);
      if (method === undefined || (query.optionsOnly && method !== "OPTIONS")) {
        return;
      }
      exchanges.push(await ask(dialogue, method, query, attempt));
    }
  } finally {
    dialogue.close();
  }
}

async function ask(
  dialogue: Dialogue,
  method: CheckMethod,
  query: CredentialQuery,
  attempt: Attempt,
): Promise<Exchange> {
  const request = requestOf(method, query, dialogue.contact);
  dialogue.begin();
  const first = await dialogue.send(request);
  const product = headerOf(first, "server") ?? headerOf(first, "user-agent");
  const exchange = { method, before: first.status, ...(product !== undefined && { product }) };
  const answered = new Map<string, string>();
  let headers: SipHeader[] = [];
  let wasStale = false;
  let withoutQop = false;
  let response = first;
  for (let round = 0; ; round++) {
    if (!isChallenge(response)) {
      return round === 0 ? exchange : { ...exchange, after: response.status, withoutQop };
    }
    const all = challengesIn(response);
    const open = all.filter((challenge) => isOpen(challenge, answered)).slice(0, MOST_DIGESTS);
    const isStale = round > 0 && open.some((challenge) => answered.has(realmKey(challenge)));
    if (open.length === 0) {
      return round === 0
        ? { ...exchange, unanswered: "asks for a credential in a way that is not supported" }
        : { ...exchange, after: response.status, withoutQop };
    }
    if (round === MOST_ROUNDS || (isStale && wasStale)) {
      return { ...exchange, unanswered: "asks for the credential again and again" };
    }
    wasStale ||= isStale;
    withoutQop ||= open.some(({ challenge }) => challenge.qop.length === 0);
    for (const challenge of open) {
      answered.set(realmKey(challenge), challenge.challenge.nonce);
    }
    // Every realm on the path gets its answer. Answers accepted earlier are sent along (RFC 3261, section 22.3).
    const kept = headers.filter(({ name }) => !open.some(({ header }) => header === name));
    headers = [
      ...kept,
      ...open.map(({ header: name, challenge }) => ({
        name,
        value: answer(challenge, query, { method: request.method, uri: request.uri }),
      })),
    ];
    attempt.shown = true;
    response = await dialogue.send({ ...request, headers: [...request.headers, ...headers] });
  }
}

interface OpenChallenge {
  /** The header that answers it. */
  readonly header: "Authorization" | "Proxy-Authorization";
  readonly challenge: DigestChallenge;
}

function challengesIn(response: SipResponse): OpenChallenge[] {
  const of = (field: string, header: OpenChallenge["header"]) =>
    answerable(parseChallenges(headersOf(response, field))).map((challenge) => ({ header, challenge }));
  return [...of("www-authenticate", "Authorization"), ...of("proxy-authenticate", "Proxy-Authorization")];
}

/** Whether a challenge has no answer yet, or its answer was correct except for an expired nonce. */
function isOpen(challenge: OpenChallenge, answered: ReadonlyMap<string, string>): boolean {
  const nonce = answered.get(realmKey(challenge));
  return nonce === undefined || (challenge.challenge.stale && challenge.challenge.nonce !== nonce);
}

function realmKey({ header, challenge }: OpenChallenge): string {
  return `${header} ${challenge.realm}`;
}

function isChallenge({ status: code }: SipResponse): boolean {
  return code === 401 || code === 407;
}

/** A request of a check. Only its sequence number and the answers to challenges change between rounds. */
interface CheckRequest {
  readonly method: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly headers: readonly SipHeader[];
}

/**
 * OPTIONS asks the system itself, in the caller's name. REGISTER has no Contact, so it only queries the account's bindings (RFC 3261,
 * section 10.2.3). SUBSCRIBE with Expires 0 fetches the presence once (RFC 6665, section 4.4.3).
 */
function requestOf(method: CheckMethod, query: CredentialQuery, contact: string): CheckRequest {
  const domain = bracketed(query.domain);
  const caller = `sip:${escapeUser(query.caller)}@${domain}`;
  const account = `sip:${escapeUser(query.username)}@${domain}`;
  const uri = `sip:${bracketed(query.server.host)}`.toLowerCase();
  switch (method) {
    case "OPTIONS":
      return { method, uri, from: `<${caller}>`, to: `<${uri}>`, headers: [] };
    case "REGISTER":
      return { method, uri: `sip:${domain}`, from: `<${account}>`, to: `<${account}>`, headers: [] };
    case "SUBSCRIBE":
      return {
        method,
        uri: caller,
        from: `<${caller}>`,
        to: `<${caller}>`,
        headers: [
          { name: "Contact", value: `<sip:${escapeUser(query.caller)}@${contact}>` },
          { name: "Event", value: "presence" },
          { name: "Accept", value: "application/pidf+xml" },
          { name: "Expires", value: "0" },
        ],
      };
  }
}

/** Sends requests one after another over one connection. */
class Dialogue {
  readonly #signal: AbortSignal;
  #callId = "";
  #tag = "";
  #connection: Connection | undefined;
  #current: ClientTransaction | undefined;
  #sequence = 0;

  private constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  static async open(target: Target, signal: AbortSignal): Promise<Dialogue> {
    const dialogue = new Dialogue(signal);
    dialogue.#connection = await connect(
      target,
      {
        message: (message) => isResponse(message) && dialogue.#current?.take(message),
        failed: (reason) => dialogue.#current?.fail(reason),
      },
      signal,
    );
    return dialogue;
  }

  /** Makes the next request the first of a dialog of its own. */
  begin(): void {
    this.#callId = randomBytes(12).toString("hex");
    this.#tag = randomBytes(6).toString("hex");
    this.#sequence = 0;
  }

  async send({ method, uri, from, to, headers: own }: CheckRequest): Promise<SipResponse> {
    if (!this.#connection) {
      throw new Error("the connection is closed");
    }
    this.#sequence += 1;
    const headers = [
      { name: "Max-Forwards", value: "70" },
      { name: "From", value: `${from};tag=${this.#tag}` },
      { name: "To", value: to },
      { name: "Call-ID", value: this.#callId },
      { name: "CSeq", value: `${this.#sequence} ${method}` },
      { name: "User-Agent", value: "pulumi-livekit-sip" },
      ...own,
    ];
    this.#current = new ClientTransaction(this.#connection, { method, uri, headers }, this.#signal);
    return this.#current.response;
  }

  /** Where the VoIP system reaches this end. */
  get contact(): string {
    const { localAddress = "", localPort = 0 } = this.#connection ?? {};
    return `${bracketed(localAddress)}:${localPort}`;
  }

  close(): void {
    this.#connection?.close();
  }
}
