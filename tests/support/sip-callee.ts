/** A telephone on loopback that tests call. It handles calls as its script says and records what it receives. */

import { headerOf, isRequest, type SipHeader, type SipRequest, serialize } from "../../provider/sip/message";
import { challengeValue, parseAnswer, proves } from "../../provider/testing/sip/digest";
import { type Incoming, type ListenerOptions, SipListener } from "../../provider/testing/sip/listener";

/** What the telephone does with an INVITE that it accepts. */
export type Script = (incoming: Incoming, callee: SipCallee) => void;

/** Asks for a credential before it accepts a call. */
export interface Challenge {
  readonly status: 401 | 407;
  readonly username: string;
  readonly password: string;
  /** More values of the challenge's header, before the real one. */
  readonly besides?: readonly string[];
}

const NONCE = "0123456789abcdef";
const REALM = "LiveKit";

export class SipCallee {
  /** Every request. A retransmission is not added again. */
  readonly requests: SipRequest[] = [];
  /** Everything that went in and out, as on the wire. */
  wire = "";
  /** What it does when a call is cancelled. */
  onCancel: Script = refuse(487, "Request Terminated");
  #listener: SipListener | undefined;
  #ringing: Incoming | undefined;
  readonly #waiting = new Set<() => void>();

  private constructor(
    private readonly script: Script,
    private readonly challenge: Challenge | undefined,
  ) {}

  static async listen(script: Script, challenge?: Challenge, options: ListenerOptions = {}): Promise<SipCallee> {
    const callee = new SipCallee(script, challenge);
    callee.#listener = await SipListener.listen(options, {
      request: (incoming) => callee.take(incoming),
      trace: (direction, message) => {
        callee.wire += `${direction}\n${serialize(message).toString()}\n`;
        if (direction === "in" && !isRequest(message)) {
          throw new Error("A callee got a response.");
        }
      },
    });
    return callee;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get tlsPort(): number {
    return this.#listener?.tlsPort ?? 0;
  }

  get methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  all(method: string): SipRequest[] {
    return this.requests.filter((request) => request.method === method);
  }

  /** Waits until a request of this method has arrived. */
  async got(method: string): Promise<SipRequest> {
    for (;;) {
      const [request] = this.all(method);
      if (request) {
        return request;
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
  }

  private take(incoming: Incoming): void {
    const { request, respond } = incoming;
    this.requests.push(request);
    switch (request.method) {
      case "INVITE":
        if (this.admits(request)) {
          this.#ringing = incoming;
          this.script(incoming, this);
        } else {
          const { status, besides = [] } = this.challenge ?? { status: 401 };
          const name = status === 401 ? "WWW-Authenticate" : "Proxy-Authenticate";
          const own = { realm: REALM, nonce: NONCE, stale: false, algorithm: "MD5", qop: [] };
          const headers = [...besides, challengeValue(own)].map((value): SipHeader => ({ name, value }));
          respond({ status, reason: "Prove it", headers });
        }
        break;
      case "CANCEL":
        respond({ status: 200, reason: "OK" });
        if (this.#ringing) {
          this.onCancel(this.#ringing, this);
        }
        break;
      case "BYE":
        respond({ status: 200, reason: "OK" });
        break;
    }
    for (const resolve of this.#waiting) {
      resolve();
    }
    this.#waiting.clear();
  }

  private admits(request: SipRequest): boolean {
    const { challenge } = this;
    if (!challenge) {
      return true;
    }
    const value = headerOf(request, challenge.status === 401 ? "authorization" : "proxy-authorization");
    const given = value === undefined ? undefined : parseAnswer(value);
    return (
      given !== undefined &&
      given.username === challenge.username &&
      given.nonce === NONCE &&
      proves(given, challenge.password, { method: request.method, body: request.body })
    );
  }
}

/** Rings forever. */
export const ring = ({ respond }: Incoming) => {
  respond({ status: 100, reason: "Trying" });
  respond({ status: 180, reason: "Ringing" });
};

/** Answers at once. */
export const pickUp: Script = (incoming, callee) => {
  const contact = { name: "Contact", value: `<sip:telephone@127.0.0.1:${callee.port}>` };
  incoming.respond({ status: 200, reason: "OK", headers: [contact] });
};

/** Refuses with a status. */
export const refuse =
  (status: number, reason: string): Script =>
  ({ respond }) =>
    respond({ status, reason });

/** Never answers. */
export const ignore: Script = () => undefined;
