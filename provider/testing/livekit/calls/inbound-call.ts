/**
 * One accepted inbound call, from ringing until its end, as livekit/sip handles it (pkg/sip/inbound.go: handleInvite).
 */

import { setTimeout as delay } from "node:timers/promises";
import type { Protocol } from "../../../sip/connection";
import { headerOf, listOf, parseNameAddr, type SipHeader } from "../../../sip/message";
import type { Incoming } from "../../sip/listener";
import type { Project } from "../project";
import type { CallRecord, Calls, LiveCall } from "./call";
import { Dialog } from "./dialog";

/** When the 200 is resent over UDP while no ACK comes: milliseconds after the previous one. */
const ANSWER_AGAIN_MS = [250, 500];

/** The methods that livekit/sip supports, sent with each of its responses. */
export const ALLOW: SipHeader = {
  name: "Allow",
  value: "INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO, SUBSCRIBE",
};

/** What makes up an inbound call. */
export interface InboundCallOptions {
  readonly incoming: Incoming;
  readonly record: CallRecord;
  readonly project: Project;
  readonly calls: Calls;
  /** The participant that represents the caller. None while the caller is asked for a PIN. */
  readonly identity?: string;
  /** The emulator's own SIP address, `127.0.0.1:5060`. */
  readonly host: string;
  /** The answer to the caller's session description. */
  readonly sdp: string;
  /** How long the call may ring, in milliseconds. */
  readonly ringingMs: number;
  /** How long the call may last, in milliseconds. */
  readonly durationMs: number;
}

/** A ringing or answered call. */
export class InboundCall implements LiveCall {
  readonly tag: string;
  readonly project: Project;
  readonly record: CallRecord;
  readonly identity?: string;
  /** The branch of its INVITE, which a CANCEL refers to. */
  readonly branch: string;
  readonly #options: InboundCallOptions;
  readonly #acknowledged = new AbortController();
  #timer: NodeJS.Timeout;
  #ending?: Promise<void>;

  constructor(options: InboundCallOptions) {
    const { incoming, record, project, calls, identity } = options;
    this.#options = options;
    this.tag = incoming.tag;
    this.project = project;
    this.record = record;
    if (identity !== undefined) {
      this.identity = identity;
    }
    this.branch = branchOf(incoming);
    record.state = "ringing";
    calls.add(this);
    this.#timer = setTimeout(() => void this.end(), options.ringingMs);
  }

  /** Answers the call, as an agent would. */
  answer(): void {
    const { incoming, record, host, sdp, durationMs } = this.#options;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.end(), durationMs);
    record.state = "active";
    const headers = [contactOf(host, incoming.source.protocol), { name: "Content-Type", value: "application/sdp" }];
    const send = () => this.#respond(200, "OK", headers, sdp);
    send();
    if (incoming.source.protocol === "udp") {
      void this.#repeat(send);
    }
  }

  take(incoming: Incoming): void {
    switch (incoming.request.method) {
      case "ACK":
        this.#acknowledged.abort();
        break;
      case "BYE":
        incoming.respond({ status: 200, reason: "OK" });
        this.#finish();
        break;
      case "INVITE": {
        const type = { name: "Content-Type", value: "application/sdp" };
        const headers = [ALLOW, contactOf(this.#options.host, incoming.source.protocol), type];
        incoming.respond({ status: 200, reason: "OK", headers, body: this.#options.sdp });
        break;
      }
      default:
        incoming.respond({ status: 200, reason: "OK" });
    }
  }

  /** The caller gives up while the call rings. */
  cancel(): void {
    if (this.record.state === "ringing") {
      this.#respond(487, "Request Terminated");
      this.#finish();
    }
  }

  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    const { state } = this.record;
    this.record.state = "ended";
    if (state === "ringing") {
      this.#respond(486, "Rejected");
    } else if (state === "active") {
      await this.#dialog().bye();
    }
    this.#finish();
  }

  #respond(status: number, reason: string, headers: readonly SipHeader[] = [], body = ""): void {
    this.record.status = status;
    this.#options.incoming.respond({ status, reason, headers: [ALLOW, ...headers], body });
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#acknowledged.abort();
    this.record.state = "ended";
    this.#options.calls.remove(this);
  }

  async #repeat(send: () => void): Promise<void> {
    const { signal } = this.#acknowledged;
    for (const wait of ANSWER_AGAIN_MS) {
      await delay(wait, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) {
        return;
      }
      send();
    }
  }

  #dialog(): Dialog {
    const { request, source, tag } = this.#options.incoming;
    const from = headerOf(request, "from") ?? "";
    const [contactValue = from] = listOf(request, "contact");
    const [sequence = "1"] = (headerOf(request, "cseq") ?? "").trim().split(/\s+/);
    const state = {
      callId: headerOf(request, "call-id") ?? "",
      local: `${headerOf(request, "to")};tag=${tag}`,
      remote: from,
      target: parseNameAddr(contactValue).uri,
      routes: listOf(request, "record-route"),
      protocol: source.protocol,
    };
    return new Dialog(state, Number(sequence));
  }
}

/** The branch of the top Via. A CANCEL carries the branch of the request that it cancels (RFC 3261, section 9.1). */
export function branchOf({ request }: Incoming): string {
  const [via = ""] = listOf(request, "via");
  return parseNameAddr(via).params.get("branch") ?? "";
}

/** The Contact that the other side sends its requests to: the emulator's own SIP address. */
export function contactOf(host: string, protocol: Protocol): SipHeader {
  const transport = protocol === "udp" ? "" : `;transport=${protocol}`;
  return { name: "Contact", value: `<sip:${host}${transport}>` };
}
