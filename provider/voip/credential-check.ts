/**
 * Asks a VoIP system whether it accepts a credential, and changes nothing there: by a REGISTER without Contact, which only asks
 * for the current bindings (RFC 3261, section 10.2.3), or by OPTIONS. Whatever comes back is an outcome in words, never an error.
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

/** How a VoIP system is asked. */
export const CHECK_METHODS = ["register", "options"] as const;
export type CheckMethod = (typeof CHECK_METHODS)[number];

/** What is asked of whom. */
export interface CredentialQuery {
  readonly server: SipServer;
  /** The user whose bindings are asked for: the extension, or the user name. */
  readonly user: string;
  readonly username: string;
  readonly password: string;
  /** What to ask with; the next one when a system answers without asking for a credential. */
  readonly methods: readonly [CheckMethod, ...CheckMethod[]];
  /** How long all of it may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** How often one credential may be shown, each time to another realm or for a stale nonce. A refusal is never answered. */
const MOST_ANSWERS = 3;

/**
 * Asks, and says what the VoIP system answered, as `voipStatus` shows it. The credential is shown once: a wrong one that is
 * tried again and again gets the platform banned.
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

/** Whether the credential has been shown to anybody. */
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
  /** Whether the system asked for a credential, so that its answer says something about it. */
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
    // Each realm on the way gets its answer; what an earlier one has accepted goes along (RFC 3261, section 22.3).
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

/** The challenges that have no answer yet, or whose answer was right but for an old nonce. */
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
    // Before it has seen the credential a system only says that it takes no registrations, from here for example.
    return shown ? status.forbidden(host, code) : status.notChecked(status.forbidden(host, code));
  }
  const other = status.notChecked(`${host} answers ${method.toUpperCase()} with ${code}`);
  if (!shown) {
    return other;
  }
  if (code === 401 || code === 407 || code === 403) {
    return status.rejected(host, code);
  }
  // Whoever refuses OPTIONS for another reason once it has seen the credential has let that pass.
  const passed = isGood || (method === "options" && code >= 400 && code < 500 && code !== 408);
  return passed ? status.ACCEPTS : other;
}

/** A request of a check: the same each time but for its number and what answers the challenges. */
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

/** One request after the other over one connection. */
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
