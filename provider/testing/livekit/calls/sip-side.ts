/** The SIP side of an emulator: one port on loopback for UDP and TCP, and the calls on it. */

import { SipListener } from "../../sip/listener";
import type { Project } from "../project";
import type { Calls } from "./call";
import { InboundCalls } from "./inbound";

export interface SipSideOptions {
  /** The port on 127.0.0.1, for UDP and TCP. Default 0: any free port. */
  port?: number;
  /**
   * What an agent does with a call that a dispatch rule accepts. `"answer"` sends 180, then 200. `"ringing"` lets it
   * ring until the caller gives up or the trunk's ringing timeout ends it (486). Default `"answer"`. No RTP is sent in
   * either case.
   */
  answer?: "ringing" | "answer";
}

/** Accepts and places calls. */
export class SipSide {
  /** `127.0.0.1:<port>` */
  readonly host: string;

  private constructor(
    private readonly listener: SipListener,
    private readonly calls: Calls,
  ) {
    this.host = `${listener.host}:${listener.port}`;
  }

  /**
   * Starts to listen.
   *
   * @throws when the port is taken (EADDRINUSE)
   */
  static async start(
    { port = 0, answer = "answer" }: SipSideOptions,
    projects: readonly Project[],
    calls: Calls,
  ): Promise<SipSide> {
    let inbound: InboundCalls | undefined;
    const listener = await SipListener.listen({ port }, { request: (incoming) => inbound?.take(incoming) });
    const side = new SipSide(listener, calls);
    inbound = new InboundCalls({ calls, projects, host: side.host, answer });
    return side;
  }

  /** Ends every call, and frees the port. */
  async stop(): Promise<void> {
    await Promise.all(this.calls.all().map((call) => call.end()));
    await this.listener.close();
  }
}
