/**
 * The called side of a call (RFC 3261, sections 13.3 and 17.2.1): rings, answers or refuses, and ends. It discards
 * incoming media and sends none.
 */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import { bracketed } from "../../host-text";
import { headerOf, listOf, parseNameAddr, parseUri, type SipRequest } from "../../sip/message";
import type { Incoming, Reply } from "./listener";
import { answerSdp } from "./sdp";

/** What happens to calls to a user. */
export type CallAnswer = "answer" | "busy" | "notFound" | "noAnswer" | "forbidden";

/** An incoming call. */
export interface SipCallRecord {
  /** The called user, from the Request-URI. */
  readonly callee: string;
  /** The caller: the URI in From. */
  readonly caller: string;
  /** `answered` after the caller's ACK; `ended` after the caller's BYE; `lost` when no ACK came within 32 s. */
  readonly state: "ringing" | "answering" | "answered" | "ended" | "cancelled" | "refused" | "lost";
}

const REFUSALS: Readonly<Record<Exclude<CallAnswer, "answer" | "noAnswer">, Reply>> = {
  busy: { status: 486, reason: "Busy Here" },
  notFound: { status: 404, reason: "Not Found" },
  forbidden: { status: 403, reason: "Forbidden" },
};
const OK: Reply = { status: 200, reason: "OK" };
const TERMINATED: Reply = { status: 487, reason: "Request Terminated" };
const NO_SUCH_CALL: Reply = { status: 481, reason: "Call/Transaction Does Not Exist" };

/** RFC 3261, T1 and T2, in milliseconds. */
const T1_MS = 500;
const T2_MS = 4_000;

interface Call {
  readonly record: { -readonly [Field in keyof SipCallRecord]: SipCallRecord[Field] };
  readonly invite: Incoming;
  timer?: NodeJS.Timeout;
}

export class Callee {
  readonly calls: SipCallRecord[] = [];
  readonly #host: string;
  readonly #media: Socket;
  readonly #answers = new Map<string, CallAnswer>();
  /** Calls by Call-ID and this side's tag. */
  readonly #open = new Map<string, Call>();
  #ending: Promise<void> | undefined;

  private constructor(host: string, media: Socket) {
    this.#host = host;
    this.#media = media;
    media.on("error", () => undefined);
  }

  static async start(host: string): Promise<Callee> {
    const media = createSocket(isIPv6(host) ? "udp6" : "udp4");
    media.bind(0, host);
    await once(media, "listening");
    return new Callee(host, media);
  }

  /** Sets what happens to calls to a user from now on. By default every call is answered. */
  setAnswer(user: string, answer: CallAnswer): void {
    this.#answers.set(user, answer);
  }

  /** Whether a request belongs to a known call. Such a request is not challenged again. */
  knows({ request }: Incoming): boolean {
    return this.#open.has(keyOf(request));
  }

  /** Handles an INVITE that has passed authentication. */
  invite(invite: Incoming, port: number): void {
    const known = this.#open.get(keyOf(invite.request));
    const callee = parseUri(invite.request.uri)?.user ?? "";
    const caller = parseNameAddr(headerOf(invite.request, "from") ?? "").uri;
    const call: Call = { invite, record: known?.record ?? { callee, caller, state: "ringing" } };
    clearTimeout(known?.timer);
    const answer = known ? "answer" : (this.#answers.get(callee) ?? "answer");
    if (!known) {
      this.calls.push(call.record);
    }
    this.#open.set(keyOf(invite.request, invite.tag), call);
    if (answer !== "answer" && answer !== "noAnswer") {
      this.#refuse(call, REFUSALS[answer]);
      return;
    }
    const description = answerSdp(invite.request.body, { host: this.#host, port: this.#media.address().port });
    if (description === undefined) {
      this.#refuse(call, { status: 488, reason: "Not Acceptable Here" });
      return;
    }
    if (!known) {
      invite.respond({ status: 180, reason: "Ringing" });
    }
    if (answer === "answer") {
      const contact = `<sip:${bracketed(this.#host)}:${port};transport=${invite.source.protocol}>`;
      const headers = [
        { name: "Contact", value: contact },
        { name: "Content-Type", value: "application/sdp" },
      ];
      call.record.state = "answering";
      this.#untilAcknowledged(call, { ...OK, headers, body: description });
    }
  }

  /** The caller has received the final response. */
  acknowledge({ request }: Incoming): void {
    const call = this.#open.get(keyOf(request));
    clearTimeout(call?.timer);
    if (call?.record.state === "answering") {
      call.record.state = "answered";
    }
    if (call?.record.state === "refused" || call?.record.state === "cancelled") {
      this.#open.delete(keyOf(request));
    }
  }

  /** The caller hangs up. */
  bye({ request, respond }: Incoming): void {
    const call = this.#open.get(keyOf(request));
    if (!call) {
      respond(NO_SUCH_CALL);
      return;
    }
    clearTimeout(call.timer);
    this.#open.delete(keyOf(request));
    if (call.record.state === "ringing") {
      call.invite.respond(TERMINATED);
    }
    call.record.state = "ended";
    respond(OK);
  }

  /** The caller gives up before the call is answered. After that, CANCEL has no effect (RFC 3261, section 9.2). */
  cancel({ request, respond }: Incoming): void {
    const call = [...this.#open.values()].find(({ invite }) => branchOf(invite.request) === branchOf(request));
    respond(call ? OK : NO_SUCH_CALL);
    if (call?.record.state === "ringing") {
      call.record.state = "cancelled";
      this.#untilAcknowledged(call, TERMINATED);
    }
  }

  async stop(): Promise<void> {
    for (const { timer } of this.#open.values()) {
      clearTimeout(timer);
    }
    this.#open.clear();
    this.#ending ??= new Promise((resolve) => this.#media.close(() => resolve()));
    await this.#ending;
  }

  #refuse(call: Call, reply: Reply): void {
    call.record.state = "refused";
    this.#untilAcknowledged(call, reply);
  }

  /**
   * Resends a final response until its ACK comes or the time is up: a 2xx over all transports, others over UDP
   * (13.3.1.4, 17.2.1).
   */
  #untilAcknowledged(call: Call, reply: Reply): void {
    const isRepeated = reply.status < 300 || call.invite.source.protocol === "udp";
    const send = (wait: number, waited: number) => {
      if (waited < 64 * T1_MS) {
        call.invite.respond(reply);
        call.timer = isRepeated ? setTimeout(() => send(Math.min(wait * 2, T2_MS), waited + wait), wait) : undefined;
        return;
      }
      this.#open.delete(keyOf(call.invite.request, call.invite.tag));
      if (call.record.state === "answering") {
        call.record.state = "lost";
      }
    };
    send(T1_MS, 0);
  }
}

/**
 * A call's key. A request within the call carries the tag in To; for the INVITE it is the tag that the responses carry.
 */
function keyOf(request: SipRequest, tag?: string): string {
  const to = parseNameAddr(headerOf(request, "to") ?? "").params.get("tag");
  return `${headerOf(request, "call-id")} ${to ?? tag}`;
}

/** A CANCEL carries its INVITE's branch (RFC 3261, section 9.1). */
function branchOf(request: SipRequest): string {
  const [via = ""] = listOf(request, "via");
  return `${headerOf(request, "call-id")} ${parseNameAddr(via).params.get("branch")}`;
}
