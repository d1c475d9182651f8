/**
 * One outbound call, from its INVITE until its end, as livekit/sip handles it (pkg/sip/outbound.go: connectSIP,
 * sipSignal, watchCancelledInvite).
 */

import { randomBytes } from "node:crypto";
import { type Connection, type ConnectionEvents, connect } from "../../../sip/connection";
import {
  headerOf,
  isRequest,
  listOf,
  parseNameAddr,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  serialize,
} from "../../../sip/message";
import { resolve } from "../../../sip/resolve";
import { type Incoming, responseTo } from "../../sip/listener";
import { newId, type Project } from "../project";
import { rpcError, TwirpError } from "../twirp-error";
import type { CallRecord, Calls, LiveCall } from "./call";
import { noAnswer, silence } from "./call-error";
import { Dialog } from "./dialog";
import { ALLOW, contactOf } from "./inbound-call";
import { offer } from "./media";
import { OutboundInvite } from "./outbound-invite";
import type { Plan } from "./participant";

/** How long to wait for the final response to a cancelled INVITE, in milliseconds. */
const CANCEL_GRACE_MS = 5_000;

export interface OutboundCallOptions {
  readonly plan: Plan;
  readonly project: Project;
  readonly calls: Calls;
  /** The emulator's own SIP address, where the other side's requests go. */
  readonly host: string;
}

/** A call, starting with its first INVITE. */
export class OutboundCall implements LiveCall {
  /** This side's tag, which is also LiveKit's id of the call. */
  readonly tag = newId("SCL_");
  readonly project: Project;
  readonly record: CallRecord;
  readonly identity: string;
  /** Resolves when the other side answers. Rejects with the API's error when it does not. */
  readonly answered: Promise<void>;
  readonly #options: OutboundCallOptions;
  readonly #callId = randomBytes(12).toString("hex");
  readonly #abort = new AbortController();
  readonly #closed = new AbortController();
  #timer: NodeJS.Timeout;
  #connection?: Connection;
  #invite?: OutboundInvite;
  #dialog?: Dialog;
  #ending?: Promise<void>;
  /** The cleanup after a call that was not answered. */
  #aftermath: Promise<void> = Promise.resolve();
  /** Resolves the wait for the final response to a cancelled INVITE. */
  #settled: () => void = () => undefined;

  constructor(options: OutboundCallOptions) {
    const { plan, project, calls } = options;
    this.#options = options;
    this.project = project;
    this.identity = plan.identity;
    const { trunkId, room, number: from, callTo: to } = plan;
    this.record = { direction: "outbound", trunkId, room, from, to, status: 0, state: "calling" };
    calls.records.push(this.record);
    calls.add(this);
    this.#timer = setTimeout(() => this.giveUp(noAnswer()), plan.ringingMs);
    this.answered = this.#run();
    this.answered.catch(() => undefined);
  }

  /** Stops waiting for an answer. {@link answered} rejects with `reason`. */
  giveUp(reason: TwirpError): void {
    if (this.record.state === "calling" || this.record.state === "ringing") {
      this.#abort.abort(reason);
    }
  }

  take(incoming: Incoming): void {
    const { method } = incoming.request;
    if (method === "INVITE") {
      const headers = [ALLOW, this.#contact(), { name: "Content-Type", value: "application/sdp" }];
      incoming.respond({ status: 200, reason: "OK", headers, body: this.#offer() });
    } else if (method !== "ACK") {
      incoming.respond({ status: 200, reason: "OK" });
    }
    if (method === "BYE") {
      this.#close();
    }
  }

  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    if (this.record.state === "active") {
      this.record.state = "ended";
      await this.#dialog?.bye();
      this.#close();
      return;
    }
    this.giveUp(noAnswer());
    await this.answered.catch(() => undefined);
    await this.#aftermath;
  }

  async #run(): Promise<void> {
    try {
      const connection = await this.#open();
      this.#connection = connection;
      const { signal } = this.#abort;
      const { plan } = this.#options;
      const invite = new OutboundInvite({
        ...{ plan, connection, headers: this.#headers(), body: this.#offer(), signal },
        progress: (status) => {
          this.record.status = status;
          this.record.state = status >= 180 && status < 200 ? "ringing" : this.record.state;
        },
      });
      this.#invite = invite;
      this.#dialog = await this.#acknowledge(await invite.send());
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.end(), plan.durationMs);
      this.record.state = "active";
    } catch (error) {
      clearTimeout(this.#timer);
      this.record.state = "ended";
      this.#aftermath = this.#takeBack().then(() => this.#close());
      throw error instanceof TwirpError ? error : silence(this.#invite?.provisional ?? 0);
    }
  }

  async #open(): Promise<Connection> {
    const { host, port, protocol } = this.#options.plan;
    const lookup = resolve({ host, protocol, ...(port === undefined ? {} : { port }) });
    const [target] = await lookup.catch(() => []);
    if (!target) {
      throw rpcError("invalid_argument", `lookup ${host}: no such host`);
    }
    return connect(target, this.#events(), this.#abort.signal).catch((error) => {
      // The real server has sent the INVITE by then, so it answers with an error that no client retries.
      throw error instanceof TwirpError ? error : rpcError("failed_precondition", `dial ${protocol} ${host}: ${error}`);
    });
  }

  #events(): ConnectionEvents {
    return {
      message: (message: SipMessage) => {
        if (isRequest(message)) {
          this.#takeRequest(message);
        } else if (this.#invite?.take(message) === "final") {
          this.#takeFinal(message);
        }
      },
      failed: (reason: Error) => {
        this.#invite?.fail(reason);
        this.#settled();
      },
    };
  }

  /** A repeated answer needs another ACK. An answer to a call that was given up is acknowledged and hung up. */
  #takeFinal(response: SipResponse): void {
    if (response.status >= 300) {
      this.#settled();
    } else if (this.record.state === "active") {
      void this.#acknowledge(response).catch(() => undefined);
    } else if (this.record.state === "ended") {
      const hangUp = async () => (await this.#acknowledge(response)).bye();
      void hangUp().then(this.#settled, this.#settled);
    }
  }

  async #acknowledge(response: SipResponse): Promise<Dialog> {
    const { plan } = this.#options;
    const [target = `<${plan.uri}>`] = listOf(response, "contact");
    const sequence = this.#invite?.sequence ?? 1;
    const dialog = new Dialog(
      {
        callId: this.#callId,
        local: `${plan.from};tag=${this.tag}`,
        remote: headerOf(response, "to") ?? `<${plan.uri}>`,
        target: parseNameAddr(target).uri,
        routes: listOf(response, "record-route").reverse(),
        protocol: plan.protocol,
      },
      sequence,
    );
    await dialog.acknowledge(sequence, this.#connection);
    return dialog;
  }

  /** Cancels an INVITE that was given up, but only if the other side has responded to it (RFC 3261, section 9.1). */
  async #takeBack(): Promise<void> {
    const invite = this.#invite;
    if (!this.#abort.signal.aborted || !invite || invite.provisional === 0) {
      return;
    }
    const settled = new Promise<void>((resolved) => {
      this.#settled = resolved;
    });
    const timer = setTimeout(this.#settled, CANCEL_GRACE_MS);
    invite.cancel(this.#closed.signal);
    await settled;
    clearTimeout(timer);
  }

  /** Handles a request that came over this call's own connection, as over TCP, like one to the emulator's port. */
  #takeRequest(request: SipRequest): void {
    const connection = this.#connection;
    if (connection) {
      const { protocol, remoteAddress: address, remotePort: port } = connection;
      const source = { protocol, address, port };
      this.take({
        ...{ request, source, tag: this.tag },
        sendRaw: (bytes) => connection.send(bytes),
        respond: (reply) => connection.send(serialize(responseTo(request, source, this.tag, reply))),
      });
    }
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.record.state = "ended";
    this.#closed.abort(new Error("the call is over"));
    this.#options.calls.remove(this);
    this.#connection?.close();
  }

  #headers(): SipHeader[] {
    const { plan } = this.#options;
    return [
      { name: "Max-Forwards", value: "70" },
      { name: "From", value: `${plan.from};tag=${this.tag}` },
      { name: "To", value: `<${plan.uri}>` },
      { name: "Call-ID", value: this.#callId },
      this.#contact(),
      ALLOW,
      { name: "User-Agent", value: "LiveKit" },
      { name: "Content-Type", value: "application/sdp" },
      ...plan.headers.map(([name, value]) => ({ name, value })),
    ];
  }

  #contact(): SipHeader {
    return contactOf(this.#options.host, this.#options.plan.protocol);
  }

  #offer(): string {
    return offer(this.#options.host.replace(/:\d+$/, ""));
  }
}
