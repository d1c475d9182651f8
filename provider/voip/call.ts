/**
 * Places a test call over SIP (RFC 3261, sections 9, 13 and 15). The call is placed once, counts as accepted when it rings or is
 * answered, and is then ended properly. The credential is sent at most once, and no audio is sent.
 */

import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { bracketed, unbracketed } from "../host-text";
import { type Connection, connect, type Target } from "../sip/connection";
import { answer, answerable, type DigestCredential, MOST_DIGESTS, parseChallenges } from "../sip/digest";
import {
  escapeUser,
  headersOf,
  isResponse,
  listOf,
  parseNameAddr,
  parseUri,
  type SipHeader,
  type SipMessage,
  type SipResponse,
  serialize,
} from "../sip/message";
import { type Dns, resolve, type SipServer, systemDns } from "../sip/resolve";
import { ClientTransaction, type Draft, via } from "../sip/transaction";
import { whyUnreachable, withinTime } from "./reach";
import { audioOffer } from "./session-description";

/** See {@link Call.ringingMs}. */
const RINGING_MS = 2_000;

/** How long ending a call may take, in milliseconds: CANCEL and its 487, or BYE and its 200. */
const ENDING_MS = 5_000;

/** How many phones of one call are hung up. More would let the other side choose how much is sent, and where to. */
const MOST_PHONES = 4;

/** A call to place. */
export interface Call {
  readonly server: SipServer;
  /** The callee: the user part of the Request-URI. */
  readonly to: string;
  /** The caller: the user part of From. */
  readonly from: string;
  /** Sent if the other side asks for it. Without a credential, a challenge counts as a refusal. */
  readonly credential?: DigestCredential;
  /** Offer encrypted media only. */
  readonly secureMedia: boolean;
  /** How long the other side has to ring or answer, in milliseconds, including the time to connect. */
  readonly timeoutMs: number;
  /**
   * How long the call must ring to count as accepted, in milliseconds. livekit/sip rings before it looks for a dispatch rule, and
   * refuses the call if it finds none. Default 2000.
   */
  readonly ringingMs?: number;
}

/** The result of a call. Contains nothing secret. */
export type CallOutcome =
  /** It rang (180, 183) or was answered (2xx), and has been ended. */
  | { readonly kind: "accepted"; readonly status: number }
  /** A final response of 300 to 699. `authenticated` means that the credential had been sent. */
  | { readonly kind: "refused"; readonly status: number; readonly reason: string; readonly authenticated: boolean }
  /** Nobody answered in time. `trying` means that the other side reported progress (100). */
  | { readonly kind: "unanswered"; readonly trying: boolean }
  /** The server can't be reached or does not speak SIP. */
  | { readonly kind: "unreachable"; readonly reason: string };

/** Places a call once, and ends it. Never throws because of what the other side does. */
export async function placeCall(call: Call, dns: Dns = systemDns): Promise<CallOutcome> {
  const patience = AbortSignal.timeout(call.timeoutMs);
  const caller = new Caller(call, dns);
  try {
    await caller.open(patience);
    return await caller.place(patience);
  } catch (error) {
    return { kind: "unreachable", reason: whyUnreachable(error, call.server.protocol, call.timeoutMs) };
  } finally {
    await caller.end();
  }
}

/** A pending INVITE. */
interface Invite {
  readonly transaction: ClientTransaction;
  readonly branch: string;
  readonly sequence: number;
  readonly authorization: readonly SipHeader[];
  /** Whether the other side has responded at all. Only then may the INVITE be cancelled (RFC 3261, section 9.1). */
  trying: boolean;
  /** Whether it has received its final response or lost its connection. */
  ended: boolean;
}

/** The result of an INVITE: a response, or nothing in time. */
type Reply = SipResponse | "silence";

/** The calling side of one call. */
class Caller {
  readonly #call: Call;
  readonly #dns: Dns;
  readonly #over = new AbortController();
  readonly #callId = randomBytes(12).toString("hex");
  readonly #tag = randomBytes(6).toString("hex");
  readonly #connections: Connection[] = [];
  readonly #transactions: ClientTransaction[] = [];
  /** Keyed by the tag of the answering party: a proxy may let several phones answer one INVITE. */
  readonly #hangUps = new Map<string, HangUp>();
  #media: Socket | undefined;
  #offer = "";
  #sequence = 0;
  #invite: Invite | undefined;

  constructor(call: Call, dns: Dns) {
    this.#call = call;
    this.#dns = dns;
  }

  /** @throws the resolver's or the socket's own error; the signal's reason */
  async open(patience: AbortSignal): Promise<void> {
    const targets = await withinTime(resolve(this.#call.server, this.#dns), patience);
    const { localAddress } = await this.#connectToAny(targets, patience);
    this.#media = await openMedia(localAddress);
    const { port } = this.#media.address();
    this.#offer = audioOffer({ address: localAddress, port, secure: this.#call.secureMedia });
  }

  /** @throws the error that broke the connection */
  async place(patience: AbortSignal): Promise<CallOutcome> {
    const first = await this.#send([], patience);
    const authorization = this.#answersTo(first);
    return authorization.length === 0
      ? this.#outcome(first, false)
      : this.#outcome(await this.#send(authorization, patience), true);
  }

  /** Cancels a ringing call, hangs up answered ones, and releases all resources. */
  async end(): Promise<void> {
    const bound = AbortSignal.timeout(ENDING_MS);
    if (this.#invite?.trying && !this.#invite.ended) {
      await this.#cancel(this.#invite, bound).catch(() => undefined);
    }
    await Promise.allSettled([...this.#hangUps.values()].map(({ done }) => done));
    this.#close();
  }

  get #connection(): Connection {
    const [connection] = this.#connections;
    if (!connection) {
      throw new Error("The call has no connection.");
    }
    return connection;
  }

  get #uri(): string {
    const { server, to } = this.#call;
    const host = bracketed(unbracketed(server.host));
    const port = server.port === undefined ? "" : `:${server.port}`;
    const transport = server.protocol === "udp" ? "" : `;transport=${server.protocol}`;
    return `sip:${escapeUser(to)}@${host}${port}${transport}`;
  }

  /** Sends an INVITE, and waits until the call rings, is answered or is refused. */
  async #send(authorization: readonly SipHeader[], patience: AbortSignal): Promise<Reply> {
    const sequence = ++this.#sequence;
    const branch = newBranch();
    const draft = this.#draft("INVITE", sequence, authorization);
    let ring: (response: SipResponse) => void = () => undefined;
    const rings = new Promise<SipResponse>((resolve) => {
      ring = resolve;
    });
    const onProvisional = (response: SipResponse) => {
      invite.trying = true;
      if (response.status === 180 || response.status === 183) {
        ring(response);
      }
    };
    const transaction = new ClientTransaction(this.#connection, draft, this.#over.signal, onProvisional, branch);
    const invite: Invite = { transaction, branch, sequence, authorization, trying: false, ended: false };
    const end = () => {
      invite.ended = true;
    };
    transaction.response.then(end, end);
    this.#transactions.push(transaction);
    this.#invite = invite;
    try {
      const reply = await withinTime(Promise.race([rings, transaction.response]), patience);
      return reply.status < 200 ? await this.#settled(reply, transaction) : reply;
    } catch (error) {
      if (patience.aborted) {
        return "silence";
      }
      throw error;
    }
  }

  /** The response that follows the ringing, if it comes soon, or else the ringing. */
  async #settled(ringing: SipResponse, { response }: ClientTransaction): Promise<SipResponse> {
    const end = new AbortController();
    const stillRinging = delay(this.#call.ringingMs ?? RINGING_MS, ringing, { signal: end.signal });
    try {
      return await Promise.race([response, stillRinging]);
    } finally {
      end.abort();
      await stillRinging.catch(() => undefined);
    }
  }

  #outcome(reply: Reply, authenticated: boolean): CallOutcome {
    if (reply === "silence") {
      return { kind: "unanswered", trying: this.#invite?.trying ?? false };
    }
    const { status, reason } = reply;
    return status < 300 ? { kind: "accepted", status } : { kind: "refused", status, reason, authenticated };
  }

  #draft(method: string, sequence: number, more: readonly SipHeader[]): Draft {
    const { localAddress, localPort, protocol } = this.#connection;
    const here = bracketed(localAddress);
    const user = escapeUser(this.#call.from);
    const contact = `<sip:${user}@${here}:${localPort}${protocol === "udp" ? "" : `;transport=${protocol}`}>`;
    const headers = [
      { name: "Max-Forwards", value: "70" },
      { name: "From", value: `<sip:${user}@${here}>;tag=${this.#tag}` },
      { name: "To", value: `<${this.#uri}>` },
      { name: "Call-ID", value: this.#callId },
      { name: "CSeq", value: `${sequence} ${method}` },
    ];
    if (method !== "INVITE") {
      return { method, uri: this.#uri, headers: [...headers, ...more] };
    }
    const offer = [
      { name: "Contact", value: contact },
      { name: "Allow", value: "INVITE, ACK, CANCEL, BYE" },
      { name: "User-Agent", value: "pulumi-livekit-sip" },
      ...more,
      { name: "Content-Type", value: "application/sdp" },
    ];
    return { method, uri: this.#uri, headers: [...headers, ...offer], body: this.#offer };
  }

  /** The headers that answer a challenge. Empty if there is no challenge, no credential or no supported digest. */
  #answersTo(reply: Reply): SipHeader[] {
    const { credential } = this.#call;
    if (reply === "silence" || !credential || ![401, 407].includes(reply.status)) {
      return [];
    }
    const isServer = reply.status === 401;
    const challenges = parseChallenges(headersOf(reply, isServer ? "www-authenticate" : "proxy-authenticate"));
    const subject = { method: "INVITE", uri: this.#uri, body: this.#offer };
    const answered = answerable(challenges).slice(0, MOST_DIGESTS);
    return answered.map((challenge) => ({
      name: isServer ? "Authorization" : "Proxy-Authorization",
      value: answer(challenge, credential, subject),
    }));
  }

  /** Cancels the call while it rings, and waits for the 487 to the INVITE (RFC 3261, section 9). */
  async #cancel({ transaction, branch, sequence }: Invite, bound: AbortSignal): Promise<void> {
    const cancel = new ClientTransaction(
      this.#connection,
      this.#draft("CANCEL", sequence, []),
      bound,
      () => undefined,
      branch,
    );
    this.#transactions.push(cancel);
    await withinTime(Promise.all([cancel.response, transaction.response]), bound);
  }

  #receive(message: SipMessage): void {
    if (!isResponse(message)) {
      return;
    }
    const taken = this.#transactions.find((transaction) => transaction.take(message));
    if (taken && taken === this.#invite?.transaction && message.status >= 200 && message.status < 300) {
      this.#answered(message, this.#invite);
    }
  }

  /** Acknowledges every 2xx, including retransmissions (RFC 3261, section 13.2.2.4), and hangs the call up. */
  #answered(ok: SipResponse, invite: Invite): void {
    const tag = parseNameAddr(headersOf(ok, "to")[0] ?? "").params.get("tag") ?? "";
    const known = this.#hangUps.get(tag);
    if (known) {
      known.acknowledge();
    } else if (this.#hangUps.size < MOST_PHONES) {
      const hangUp = new HangUp(this.#dialog(ok, invite), () => this.#way(ok), this.#transactions);
      this.#hangUps.set(tag, hangUp);
    }
  }

  /** The requests inside the call (RFC 3261, section 12.2.1.1). */
  #dialog(ok: SipResponse, { sequence, authorization }: Invite): Dialog {
    const routes = routesOf(ok).map((value) => ({ name: "Route", value }));
    const to = headersOf(ok, "to").map((value) => ({ name: "To", value }));
    const request = (method: string, cseq: number, more: readonly SipHeader[]): Draft => {
      const { headers } = this.#draft(method, cseq, more);
      return {
        method,
        uri: contactOf(ok) ?? this.#uri,
        headers: [...routes, ...headers.filter(({ name }) => name !== "To"), ...to],
      };
    };
    return { ack: request("ACK", sequence, authorization), bye: request("BYE", ++this.#sequence, []) };
  }

  /**
   * The connection for requests inside the call: to the first route, or else to the callee's own address. A TCP or TLS connection
   * is reused.
   */
  async #way(ok: SipResponse): Promise<Connection> {
    const { protocol, remoteAddress, remotePort } = this.#connection;
    const next = parseUri(parseNameAddr(routesOf(ok)[0] ?? contactOf(ok) ?? "").uri);
    if (!next || protocol !== "udp") {
      return this.#connection;
    }
    const { host, port } = next;
    const signal = AbortSignal.timeout(ENDING_MS);
    const server = { host, protocol, ...(port === undefined ? {} : { port }) };
    const [target] = await withinTime(resolve(server, this.#dns), signal);
    return !target || (target.address === remoteAddress && target.port === remotePort)
      ? this.#connection
      : this.#connect(target, signal);
  }

  /** Tries the targets in order. Before the first request is sent, any of them will do. */
  async #connectToAny(targets: readonly Target[], signal: AbortSignal): Promise<Connection> {
    let failure: unknown = new Error("the name has no address");
    for (const target of targets) {
      try {
        return await this.#connect(target, signal);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async #connect(target: Target, signal: AbortSignal): Promise<Connection> {
    const events = {
      message: (message: SipMessage) => this.#receive(message),
      failed: (reason: Error) => {
        for (const transaction of this.#transactions) {
          transaction.fail(reason);
        }
      },
    };
    const connection = await connect(target, events, signal);
    this.#connections.push(connection);
    return connection;
  }

  #close(): void {
    this.#over.abort();
    for (const connection of this.#connections) {
      connection.close();
    }
    this.#media?.close();
  }
}

/** The two requests that follow an answer. */
interface Dialog {
  readonly ack: Draft;
  readonly bye: Draft;
}

/** Acknowledges an answered call and hangs it up. */
class HangUp {
  /** Settles when the other side has confirmed the BYE, or when the time for that is over. */
  readonly done: Promise<void>;
  #acknowledge: () => void = () => undefined;

  constructor({ ack, bye }: Dialog, way: () => Promise<Connection>, transactions: ClientTransaction[]) {
    this.done = way().then(async (connection) => {
      const headers = [via(connection, newBranch()), ...ack.headers];
      this.#acknowledge = () => connection.send(serialize({ ...ack, headers, body: "" }));
      this.#acknowledge();
      const transaction = new ClientTransaction(connection, bye, AbortSignal.timeout(ENDING_MS));
      transactions.push(transaction);
      await transaction.response;
    });
    this.done.catch(() => undefined);
  }

  acknowledge(): void {
    this.#acknowledge();
  }
}

function routesOf(ok: SipResponse): string[] {
  return listOf(ok, "record-route").reverse();
}

function contactOf(ok: SipResponse): string | undefined {
  const [contact] = listOf(ok, "contact");
  return contact === undefined ? undefined : parseNameAddr(contact).uri;
}

/** Opens a port that receives the other side's audio and drops it. */
async function openMedia(address: string): Promise<Socket> {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  socket.on("error", () => undefined);
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

function newBranch(): string {
  return `z9hG4bK${randomBytes(9).toString("hex")}`;
}
