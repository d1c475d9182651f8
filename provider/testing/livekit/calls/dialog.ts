/** An answered call between two SIP sides (RFC 3261, section 12): the requests within it, and their route. */

import { type Connection, type ConnectionEvents, connect, type Protocol, type Target } from "../../../sip/connection";
import { parseNameAddr, parseUri, type SipHeader } from "../../../sip/message";
import { resolve } from "../../../sip/resolve";
import { ClientTransaction, type Draft } from "../../../sip/transaction";

/** How long to wait until the other side is connected and has answered a BYE, in milliseconds. */
const BYE_TIMEOUT_MS = 2_000;

/** What the two sides agreed on. */
export interface DialogState {
  readonly callId: string;
  /** This side's From or To value, with its tag. */
  readonly local: string;
  /** The other side's From or To value. */
  readonly remote: string;
  /** The URI in the other side's Contact. */
  readonly target: string;
  /** The values of Route, nearest proxy first. */
  readonly routes: readonly string[];
  /** The protocol that the call came over, for URIs that name none. */
  readonly protocol: Protocol;
}

/** One side of a call. */
export class Dialog {
  constructor(
    readonly state: DialogState,
    private sequence: number,
  ) {}

  /** Builds the next request. An ACK takes the sequence number of its INVITE. */
  private request(method: string, sequence = ++this.sequence): Draft {
    const { callId, local, remote, target, routes } = this.state;
    const headers: SipHeader[] = [
      ...routes.map((value) => ({ name: "Route", value })),
      { name: "Max-Forwards", value: "70" },
      { name: "From", value: local },
      { name: "To", value: remote },
      { name: "Call-ID", value: callId },
      { name: "CSeq", value: `${sequence} ${method}` },
      { name: "User-Agent", value: "LiveKit" },
    ];
    return { method, uri: target, headers };
  }

  /**
   * Sends the ACK to a 2xx, for the INVITE with that sequence number.
   *
   * @param connection the connection that the answer came on; used if the ACK goes to the same place
   */
  async acknowledge(sequence: number, connection: Connection | undefined): Promise<void> {
    const target = await this.#nextHop();
    const draft = this.request("ACK", sequence);
    if (connection?.remotePort === target.port && connection.remoteAddress === target.address) {
      sendOnce(connection, draft);
      return;
    }
    const events = { message: () => undefined, failed: () => undefined };
    const other = await connect(target, events, AbortSignal.timeout(BYE_TIMEOUT_MS));
    sendOnce(other, draft);
    other.close();
  }

  /** Where requests go: to the nearest proxy, or else to the other side itself. */
  async #nextHop(): Promise<Target> {
    const [route] = this.state.routes;
    const uri = parseUri(route === undefined ? this.state.target : parseNameAddr(route).uri);
    if (!uri) {
      throw new Error("the other side's Contact is no SIP URI");
    }
    const named = uri.params.get("transport")?.toLowerCase();
    const protocol = uri.scheme === "sips" || named === "tls" ? "tls" : named === "tcp" ? "tcp" : this.state.protocol;
    const { host, port } = uri;
    const [target] = await resolve({ host, protocol, ...(port === undefined ? {} : { port }) });
    if (!target) {
      throw new Error(`${host} has no address`);
    }
    return target;
  }

  /** Hangs up. Resolves when the other side has answered or can't be reached. */
  async bye(): Promise<void> {
    const signal = AbortSignal.timeout(BYE_TIMEOUT_MS);
    let transaction: ClientTransaction | undefined;
    const events: ConnectionEvents = {
      message: (message) => {
        if ("status" in message) {
          transaction?.take(message);
        }
      },
      failed: (reason) => transaction?.fail(reason),
    };
    try {
      const connection = await connect(await this.#nextHop(), events, signal);
      try {
        transaction = new ClientTransaction(connection, this.request("BYE"), signal);
        await transaction.response;
      } finally {
        connection.close();
      }
    } catch {
      // If the other side can't be reached, it has hung up.
    }
  }
}

/** Sends an ACK once. It gets no response, so its transaction is aborted right away. */
function sendOnce(connection: Connection, draft: Draft): void {
  const sent = new AbortController();
  new ClientTransaction(connection, draft, sent.signal);
  sent.abort(new Error("sent"));
}
