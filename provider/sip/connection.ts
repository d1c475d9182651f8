/** Carries SIP messages over UDP, TCP and TLS to one peer. Independent of their content. */

import { createSocket } from "node:dgram";
import { connect as connectTcp, isIPv6, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { MalformedStream, MessageReader, parseMessage, type SipMessage } from "./message";

/** The transport protocols. */
export const PROTOCOLS = ["udp", "tcp", "tls"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

/** How long a closed stream may take to send what was written, in milliseconds. */
const LINGER_MS = 500;

/** The address where a peer listens. */
export interface Target {
  readonly protocol: Protocol;
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  /** The name that the TLS certificate must be valid for, also sent as SNI. Without one, the address is used. */
  readonly serverName?: string;
}

/** The events of a connection. */
export interface ConnectionEvents {
  message(message: SipMessage): void;
  /** The connection has failed. Never called after `close()`. */
  failed(reason: Error): void;
}

/** An open connection to one peer. */
export interface Connection {
  readonly protocol: Protocol;
  /** The local address, for Via and Contact. */
  readonly localAddress: string;
  readonly localPort: number;
  /** The peer's address. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  send(bytes: Buffer): void;
  close(): void;
}

/**
 * Opens a connection to a peer. TLS certificates are verified by Node.js; set NODE_EXTRA_CA_CERTS to use a private CA.
 *
 * @throws the socket's own error if the peer can't be reached or its certificate is invalid; the signal's reason
 */
export async function connect(target: Target, events: ConnectionEvents, signal: AbortSignal): Promise<Connection> {
  signal.throwIfAborted();
  // With an invalid port, connecting a socket throws and leaves the socket open.
  if (!Number.isInteger(target.port) || target.port < 1 || target.port > 65_535) {
    throw new RangeError(`port ${target.port} is not between 1 and 65535`);
  }
  return target.protocol === "udp" ? openUdp(target, events, signal) : openStream(target, events, signal);
}

function openUdp(target: Target, events: ConnectionEvents, signal: AbortSignal): Promise<Connection> {
  const socket = createSocket(isIPv6(target.address) ? "udp6" : "udp4");
  let open = true;
  const close = () => {
    if (open) {
      open = false;
      socket.close();
    }
  };
  return new Promise((resolve, reject) => {
    const abort = () => {
      close();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    let report: (reason: Error) => void = reject;
    const fail = (error: Error): void => {
      if (open) {
        signal.removeEventListener("abort", abort);
        close();
        report(error);
      }
    };
    const connected = (error?: Error) => {
      if (error || !open) {
        fail(error ?? new Error("the connection was closed"));
        return;
      }
      signal.removeEventListener("abort", abort);
      report = (reason) => events.failed(reason);
      socket.on("message", (bytes) => {
        const message = parseMessage(bytes);
        if (message && open) {
          events.message(message);
        }
      });
      const { address, port } = socket.address();
      const send = (bytes: Buffer) => {
        if (open) {
          socket.send(bytes, (error) => error && fail(error));
        }
      };
      resolve(connectionOf(target, address, port, send, close));
    };
    socket.on("error", fail);
    // A connected socket is notified if nobody listens there, and receives datagrams only from the peer.
    socket.connect(target.port, target.address, connected);
  });
}

function openStream(target: Target, events: ConnectionEvents, signal: AbortSignal): Promise<Connection> {
  const { address: host, port, serverName } = target;
  const secure = target.protocol === "tls";
  // SNI takes names only (RFC 6066, section 3).
  const tls = serverName === undefined ? { host, port } : { host, port, servername: serverName };
  const socket: Socket = secure ? connectTls(tls) : connectTcp({ host, port });
  return new Promise((resolve, reject) => {
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", (error) => {
      signal.removeEventListener("abort", abort);
      socket.destroy();
      reject(error);
    });
    socket.once(secure ? "secureConnect" : "connect", () => {
      signal.removeEventListener("abort", abort);
      resolve(streamConnection(socket, target.protocol, events));
    });
  });
}

/** A connection over an open stream, either outgoing or accepted. */
export function streamConnection(socket: Socket, protocol: Protocol, events: ConnectionEvents): Connection {
  const { remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 } = socket;
  const reader = new MessageReader();
  let open = true;
  const fail = (reason: Error) => {
    if (open) {
      open = false;
      socket.destroy();
      events.failed(reason);
    }
  };
  socket.removeAllListeners("error");
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the connection was closed")));
  socket.on("data", (bytes: Buffer) => {
    try {
      for (const message of reader.push(bytes)) {
        if (open) {
          events.message(message);
        }
      }
    } catch (error) {
      fail(error instanceof MalformedStream ? error : new MalformedStream("something that is not SIP"));
    }
  });
  const close = () => {
    if (open) {
      open = false;
      endStream(socket);
    }
  };
  const peer = { protocol, address: remoteAddress, port: remotePort };
  return connectionOf(peer, localAddress, localPort, (bytes) => open && socket.write(bytes), close);
}

/** Sends what was written, for example the last BYE or ACK, but does not wait long for a peer that does not read. */
function endStream(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once("close", () => clearTimeout(timer));
  socket.unref();
  socket.destroySoon();
}

function connectionOf(
  { protocol, address: remoteAddress, port: remotePort }: Target,
  localAddress: string,
  localPort: number,
  send: (bytes: Buffer) => void,
  close: () => void,
): Connection {
  return { protocol, localAddress, localPort, remoteAddress, remotePort, send, close };
}
