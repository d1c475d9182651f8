/**
 * Asks a VoIP system whether it accepts a credential, without changing anything there: with a REGISTER without Contact, which
 * only queries the current bindings (RFC 3261, section 10.2.3), or with OPTIONS. Any outcome is returned in words, never as an
 * error.
 */

import { randomBytes } from "node:crypto";
import { bracketed } from "../host-text";
import { type Connection, connect, type Target } from "../sip/connection";
import { answer, answerable, type DigestChallenge, parseChallenges } from "../sip/digest";
import { escapeUser, headersOf, isResponse, type SipHeader, type SipResponse } from "../sip/message";
import { type Dns, resolve, type SipServer, systemDns } from "../sip/resolve";
import { ClientTransaction } from "../sip/transaction";
import { whyUnreachable, withinTime } from "./reach";
import * as status from "./status";

/** The methods of asking a VoIP system. */
export const CHECK_METHODS = ["register", "options"] as const;
export type CheckMethod = (typeof CHECK_METHODS)[number];

/** A credential to check, and the VoIP system to ask. */
export interface CredentialQuery {
  readonly server: SipServer;
  /** The user whose bindings are queried: the extension or the username. */
  readonly user: string;
  readonly username: string;
  readonly password: string;
  /** The methods in order. The next one is used if a system responds without asking for a credential. */
  readonly methods: readonly [CheckMethod, ...CheckMethod[]];
  /** How long the whole check may take, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * How often a credential may be sent: each time to another realm or for a stale nonce. It is never sent again after a rejection.
 */
const MOST_ANSWERS = 3;

/**
 * Checks a credential and returns the result as `voipStatus` shows it. A rejected credential is not sent again, because repeated
 * failures get the platform banned.
 */
export async function checkCredential(query: CredentialQuery, dns: Dns = systemDns): Promise<string> {
  const { host } = query.server;
  const deadline = Date.now() + query.timeoutMs;
  const remaining = () => Math.max(1, Math.ceil(deadline - Date.now()));
  const attempt: Attempt = { shown: false };
  let reason = "it has no address";
  try {
    const targets = await withinTime(resolve(query.server, dns), AbortSignal.timeout(remaining()));
    for (const [index, target] of targets.entries()) {
      const signal = AbortSignal.timeout(Math.ceil(remaining() / (targets.length - index)));
      try {
        return await askAt(target, query, attempt, signal);
      } catch (error) {
        reason = whyUnreachable(error, query.server.protocol, query.timeoutMs);
        if (attempt.shown || Date.now() >= deadline) {
          break;
        }
      }
    }
  } catch (error) {
    reason = whyUnreachable(error, query.server.protocol, query.timeoutMs);
  }
  return status.unreachable(host, reason);
}

/** Whether the credential has been sent to anybody. */
interface Attempt {
  shown: boolean;
}

async function askAt(target: Target, query: CredentialQuery, attempt: Attempt, signal: AbortSignal): Promise<string> {
  const dialogue = await Dialogue.open(target, signal);
  try {
    let words = "";
    for (const method of query.methods) {
      const asked = await ask(dialogue, method, query, attempt);
      words = asked.words;
      if (asked.challenged) {
        break;
      }
    }
    return words;
  } finally {
    dialogue.close();
  }
}

interface Asked {
  readonly words: string;
  /** Whether the system asked for a credential, so that its response says something about it. */
  readonly challenged: boolean;
}

async function ask(dialogue: Dialogue, method: CheckMethod, query: CredentialQuery, attempt: Attempt): Promise<Asked> {
  const request = requestOf(method, query);
  const { host } = query.server;
  const answered = new Map<string, string>();
  let headers: SipHeader[] = [];
  for (let round = 0; ; round++) {
    const response = await dialogue.send({ ...request, extra: headers });
    const open = openChallenges(response, answered);
    if (!isChallenge(response) || (round > 0 && open.length === 0)) {
      return { words: wordsOf(response, method, query, round > 0), challenged: round > 0 };
    }
    if (open.length === 0 || round === MOST_ANSWERS) {
      return {
        words: status.notChecked(`${host} asks for a credential in a way that is not supported`),
        challenged: true,
      };
    }
    attempt.shown = true;
    for (const { header, challenge } of open) {
      answered.set(realmKey(header, challenge), challenge.nonce);
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
  }
}

interface OpenChallenge {
  /** The header that answers it. */
  readonly header: "Authorization" | "Proxy-Authorization";
  readonly challenge: DigestChallenge;
}

/** The challenges without an answer yet, or whose answer was correct except for an expired nonce. */
function openChallenges(response: SipResponse, answered: ReadonlyMap<string, string>): OpenChallenge[] {
  const of = (field: string, header: OpenChallenge["header"]) =>
    answerable(parseChallenges(headersOf(response, field))).map((challenge) => ({ header, challenge }));
  const all = [...of("www-authenticate", "Authorization"), ...of("proxy-authenticate", "Proxy-Authorization")];
  return all.filter(({ header, challenge }) => {
    const nonce = answered.get(realmKey(header, challenge));
    return nonce === undefined || (challenge.stale && challenge.nonce !== nonce);
  });
}

function realmKey(header: string, { realm }: DigestChallenge): string {
  return `${header} ${realm}`;
}

function isChallenge({ status: code }: SipResponse): boolean {
  return code === 401 || code === 407;
}

function wordsOf({ status: code }: SipResponse, method: CheckMethod, query: CredentialQuery, shown: boolean): string {
  const { host } = query.server;
  const isGood = code >= 200 && code < 300;
  if (!shown && isGood) {
    return status.notChecked(`${host} does not ask for a credential`);
  }
  if (method === "register" && code === 404) {
    return status.unknownUser(host, query.user, code);
  }
  if (method === "register" && code === 403) {
    // A system that has not seen the credential only says that it takes no registrations, for example from this address.
    return shown ? status.forbidden(host, code) : status.notChecked(status.forbidden(host, code));
  }
  const other = status.notChecked(`${host} answers ${method.toUpperCase()} with ${code}`);
  if (!shown) {
    return other;
  }
  if (code === 401 || code === 407 || code === 403) {
    return status.rejected(host, code);
  }
  // A system that refuses OPTIONS for another reason after seeing the credential has accepted the credential.
  const passed = isGood || (method === "options" && code >= 400 && code < 500 && code !== 408);
  return passed ? status.ACCEPTS : other;
}

/** A request of a check. Only its sequence number and the answers to challenges change between rounds. */
interface CheckRequest {
  readonly method: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly extra?: readonly SipHeader[];
}

function requestOf(method: CheckMethod, { server: { host }, user }: CredentialQuery): CheckRequest {
  const uri = `sip:${bracketed(host)}`;
  const self = `<sip:${escapeUser(user)}@${bracketed(host)}>`;
  return { method: method.toUpperCase(), uri, from: self, to: method === "register" ? self : `<${uri}>` };
}

/** Sends requests one after another over one connection. */
class Dialogue {
  readonly #signal: AbortSignal;
  readonly #callId = randomBytes(12).toString("hex");
  readonly #tag = randomBytes(6).toString("hex");
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

  async send({ method, uri, from, to, extra = [] }: CheckRequest): Promise<SipResponse> {
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
      ...extra,
    ];
    this.#current = new ClientTransaction(this.#connection, { method, uri, headers }, this.#signal);
    return this.#current.response;
  }

  close(): void {
    this.#connection?.close();
  }
}
