/** A SIP server on this machine: takes requests over UDP, TCP and TLS, and sends each response back the way it came. */

import { randomBytes } from "node:crypto";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createTcpServer, isIPv6, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { type Connection, type Protocol, streamConnection } from "../../sip/connection";
import {
  headersOf,
  isRequest,
  listOf,
  parseMessage,
  parseNameAddr,
  type SipHeader,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  serialize,
} from "../../sip/message";

/** Where a request came from. */
export interface Source {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
}

/** A response before it is sent. What it must copy from its request is added later. */
export interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly headers?: readonly SipHeader[];
  readonly body?: string;
}

/** An incoming request. */
export interface Incoming {
  readonly request: SipRequest;
  readonly source: Source;
  /** The tag that responses carry in To when the request has none there. It names this side of a call. */
  readonly tag: string;
  /** Answers the request. An INVITE may be answered several times, with a final response last. */
  respond(reply: Reply): void;
  /** Sends raw bytes back to the client, for answers that no correct server sends. */
  sendRaw(bytes: Buffer): void;
}

/** The handlers. A retransmitted request gets the same answer as before, without calling them. */
export interface ListenerEvents {
  request(incoming: Incoming): void;
  /** Called with every message in and out, as it is on the wire; for logs. */
  trace?(direction: "in" | "out", message: SipMessage, peer: Source): void;
}

export interface ListenerOptions {
  /** The IP address to listen on; 127.0.0.1 by default. */
  readonly host?: string;
  /** Default 0: any free port, the same one for UDP and TCP. */
  readonly port?: number;
  /** Default: UDP and TCP. */
  readonly protocols?: readonly Protocol[];
  /** Certificate chain and key in PEM. Needed for TLS, which gets a port of its own. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** How many requests are remembered, to answer retransmissions. */
const REMEMBERED = 10_000;

/** Listens for SIP requests. */
export class SipListener {
  readonly host: string;
  /** The port for UDP and TCP. */
  readonly port: number;
  /** The port for TLS. */
  readonly tlsPort?: number;
  readonly #events: ListenerEvents;
  readonly #udp: UdpSocket | undefined;
  readonly #servers: readonly Server[];
  readonly #connections = new Set<Connection>();
  /** Sockets that are still in the TLS handshake, by remote address. */
  readonly #handshakes = new Map<string, Socket>();
  #closing: Promise<unknown> | undefined;
  /** The last response to each request, by transaction (RFC 3261, section 17.2.3). */
  readonly #answered = new Map<string, SipResponse | undefined>();

  private constructor(host: string, events: ListenerEvents, udp: UdpSocket | undefined, tcp?: Server, tls?: Server) {
    this.host = host;
    this.#events = events;
    this.#udp = udp;
    this.#servers = [tcp, tls].filter((server) => server !== undefined);
    this.port = udp?.address().port ?? portOf(tcp ?? tls);
    if (tls) {
      this.tlsPort = portOf(tls);
    }
    udp?.on("message", (datagram, { address, port }) => {
      const message = parseMessage(datagram);
      const source: Source = { protocol: "udp", address, port };
      if (message) {
        this.#take(message, source, (bytes) => udp.send(bytes, port, address, () => undefined));
      }
    });
    udp?.on("error", () => undefined);
    tcp?.on("connection", (socket) => this.#accept(socket, "tcp"));
    tls?.on("connection", (socket: Socket) => {
      const peer = peerOf(socket);
      this.#handshakes.set(peer, socket);
      socket.once("close", () => this.#handshakes.delete(peer));
    });
    tls?.on("secureConnection", (socket) => {
      this.#handshakes.delete(peerOf(socket));
      this.#accept(socket, "tls");
    });
    tls?.on("tlsClientError", () => undefined);
  }

  /**
   * Starts to listen.
   *
   * @throws the socket's own error, EADDRINUSE for example
   */
  static async listen(options: ListenerOptions, events: ListenerEvents): Promise<SipListener> {
    const { host = "127.0.0.1", protocols = ["udp", "tcp"], tls } = options;
    for (let attempt = 1; ; attempt++) {
      const opened: { close(): unknown }[] = [];
      try {
        const udp = protocols.includes("udp") ? await bindUdp(host, options.port ?? 0, opened) : undefined;
        const port = udp?.address().port ?? options.port ?? 0;
        const tcp = protocols.includes("tcp") ? await bindStream(createTcpServer(), host, port, opened) : undefined;
        const secure = protocols.includes("tls")
          ? await bindStream(createTlsServer({ ...tls }), host, 0, opened)
          : undefined;
        return new SipListener(host, events, udp, tcp, secure);
      } catch (error) {
        for (const socket of opened) {
          socket.close();
        }
        // A port that is free for UDP may be taken for TCP.
        if (options.port || attempt === 5) {
          throw error;
        }
      }
    }
  }

  /** Stops listening and closes all connections. Later responses are dropped. Safe to call twice. */
  async close(): Promise<void> {
    this.#closing ??= this.#end();
    await this.#closing;
  }

  #end(): Promise<unknown> {
    for (const connection of this.#connections) {
      connection.close();
    }
    for (const socket of this.#handshakes.values()) {
      socket.destroy();
    }
    const sockets = [this.#udp, ...this.#servers].filter((socket) => socket !== undefined);
    return Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  #accept(socket: Socket, protocol: Protocol): void {
    const source: Source = { protocol, address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    const connection = streamConnection(socket, protocol, {
      message: (message) => this.#take(message, source, (bytes) => connection.send(bytes)),
      failed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  #take(message: SipMessage, source: Source, write: (bytes: Buffer) => void): void {
    this.#events.trace?.("in", message, source);
    if (!isRequest(message)) {
      return;
    }
    const key = transactionKey(message);
    const send = (bytes: Buffer) => this.#closing === undefined && write(bytes);
    const sendTraced = (response: SipResponse) => {
      this.#events.trace?.("out", response, source);
      send(serialize(response));
    };
    if (this.#answered.has(key)) {
      const before = this.#answered.get(key);
      if (before && message.method !== "ACK") {
        sendTraced(before);
      }
      return;
    }
    this.#remember(key, undefined);
    const tag = randomBytes(6).toString("hex");
    const respond = (reply: Reply) => {
      const response = responseTo(message, source, tag, reply);
      this.#remember(key, response);
      sendTraced(response);
    };
    this.#events.request({ request: message, source, tag, respond, sendRaw: send });
  }

  #remember(key: string, response: SipResponse | undefined): void {
    this.#answered.set(key, response);
    const [oldest] = this.#answered.keys();
    if (this.#answered.size > REMEMBERED && oldest !== undefined) {
      this.#answered.delete(oldest);
    }
  }
}

/**
 * A response together with the headers that it must copy from its request (RFC 3261, section 8.2.6.2; RFC 3581 for
 * Via).
 */
export function responseTo(request: SipRequest, source: Source, tag: string, reply: Reply): SipResponse {
  const [top, ...vias] = listOf(request, "via");
  const copied = ["From", "Call-ID", "CSeq"].flatMap((name) =>
    headersOf(request, name).map((value): SipHeader => ({ name, value })),
  );
  const to = headersOf(request, "to").map((value) => {
    const tagged = parseNameAddr(value).params.has("tag") || reply.status === 100;
    return { name: "To", value: tagged ? value : `${value};tag=${tag}` };
  });
  const routes = listOf(request, "record-route").map((value) => ({ name: "Record-Route", value }));
  return {
    status: reply.status,
    reason: reply.reason,
    headers: [
      ...(top === undefined ? [] : [{ name: "Via", value: receivedVia(top, source) }]),
      ...vias.map((value) => ({ name: "Via", value })),
      ...routes,
      ...copied,
      ...to,
      ...(reply.headers ?? []),
    ],
    body: reply.body ?? "",
  };
}

function receivedVia(via: string, { address, port }: Source): string {
  const received = via.includes(";received=") ? via : `${via};received=${address}`;
  return received.replace(/;rport(?![=\w])/i, `;rport=${port}`);
}

/**
 * An ACK to a refusal has its INVITE's branch, but is a request of its own. The Call-ID tells requests apart that lack
 * a unique branch, as in RFC 2543.
 */
function transactionKey(request: SipRequest): string {
  const [via = ""] = listOf(request, "via");
  const branch = parseNameAddr(via).params.get("branch") ?? "";
  return [
    branch,
    via.split(";")[0],
    request.method,
    headersOf(request, "cseq")[0],
    headersOf(request, "call-id")[0],
  ].join("|");
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  return address && typeof address === "object" ? address.port : 0;
}

async function bindUdp(host: string, port: number, opened: { close(): unknown }[]): Promise<UdpSocket> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  opened.push(socket);
  socket.bind(port, host);
  await once(socket, "listening");
  return socket;
}

async function bindStream<Kind extends Server>(
  server: Kind,
  host: string,
  port: number,
  opened: { close(): unknown }[],
): Promise<Kind> {
  opened.push(server);
  server.listen(port, host);
  await once(server, "listening");
  return server;
}
