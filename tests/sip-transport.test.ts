/** SIP over real sockets on loopback: connections to peers that behave and to peers that don't. */

import { execFile } from "node:child_process";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { promisify } from "node:util";
import { type Connection, connect, type Protocol, type Target } from "../provider/sip/connection";
import { isResponse, parseMessage, type SipMessage, type SipResponse, serialize } from "../provider/sip/message";
import { ClientTransaction } from "../provider/sip/transaction";
import { SipListener } from "../provider/testing/sip/listener";
import { ThrowAwayCa } from "./support/throw-away-ca";

const OPTIONS = {
  method: "OPTIONS",
  uri: "sip:pbx.example",
  headers: [
    { name: "From", value: "<sip:1011@pbx.example>;tag=a" },
    { name: "To", value: "<sip:pbx.example>" },
    { name: "Call-ID", value: "c" },
    { name: "CSeq", value: "1 OPTIONS" },
  ],
};
const OK: SipResponse = { status: 200, reason: "OK", headers: [{ name: "Via", value: "SIP/2.0/TCP h" }], body: "" };

/** Clean-up functions to run after each test. */
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) {
    await end();
  }
});

/** Connects, and exposes what happens on the connection as it happens. */
async function open(target: Target, signal = new AbortController().signal) {
  const messages: SipMessage[] = [];
  const failures: Error[] = [];
  const waiting: (() => void)[] = [];
  const changed = () => {
    for (const wake of waiting.splice(0)) {
      wake();
    }
  };
  const until = async (reached: () => boolean) => {
    while (!reached()) {
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  const events = {
    message: (message: SipMessage) => {
      messages.push(message);
      changed();
    },
    failed: (reason: Error) => {
      failures.push(reason);
      changed();
    },
  };
  const connection = await connect(target, events, signal);
  ends.push(() => connection.close());
  return { connection, messages, failures, until };
}

async function ask(connection: Connection, messages: SipMessage[], until: (reached: () => boolean) => Promise<void>) {
  const transaction = new ClientTransaction(connection, OPTIONS, AbortSignal.timeout(5_000));
  await until(() => messages.some((message) => isResponse(message) && transaction.take(message)));
  return transaction.response;
}

async function tcpPeer(serve: (socket: Socket) => void): Promise<Target> {
  return streamPeer(createServer(), "connection", "tcp", serve);
}

async function streamPeer(server: Server, event: string, protocol: Protocol, serve: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => undefined));
  });
  server.on(event, serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    for (const socket of sockets) {
      socket.destroy();
    }
    return new Promise((resolve) => server.close(resolve));
  });
  return { protocol, address: "127.0.0.1", port: portOf(server.address()) };
}

async function udpPeer(): Promise<{ socket: UdpSocket; target: Target }> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  ends.push(() => socket.close());
  return { socket, target: { protocol: "udp", address: "127.0.0.1", port: socket.address().port } };
}

/** A port on which nobody listens. */
async function deadPort(): Promise<number> {
  const { socket, target } = await udpPeer();
  ends.pop();
  socket.close();
  await once(socket, "close");
  return target.port;
}

const portOf = (address: AddressInfo | string | null) => (address && typeof address === "object" ? address.port : 0);

describe("a connection", () => {
  it.each<[Protocol, string]>([
    ["udp", "127.0.0.1"],
    ["tcp", "127.0.0.1"],
    ["udp", "::1"],
    ["tcp", "::1"],
  ])("carries a request and its answer over %s to %s", async (protocol, host) => {
    const listener = await SipListener.listen({ host }, { request: ({ respond }) => respond({ ...OK, headers: [] }) });
    ends.push(() => listener.close());
    const { connection, messages, until } = await open({ protocol, address: host, port: listener.port });
    expect(connection).toMatchObject({ protocol, localAddress: host, remoteAddress: host, remotePort: listener.port });
    await expect(ask(connection, messages, until)).resolves.toMatchObject({ status: 200 });
  });

  it("retransmits over UDP after loss, and gets its answer", async () => {
    const { socket, target } = await udpPeer();
    let datagrams = 0;
    socket.on("message", (bytes, { port, address }) => {
      const message = parseMessage(bytes);
      if (++datagrams > 2 && message) {
        socket.send(serialize({ ...OK, headers: message.headers }), port, address);
      }
    });
    const { connection, messages, until } = await open(target);
    await expect(ask(connection, messages, until)).resolves.toMatchObject({ status: 200 });
    expect(datagrams).toBe(3);
  });

  it("splits a TCP stream into its messages", async () => {
    const wire = Buffer.concat([serialize(OK), Buffer.from("\r\n\r\n"), serialize({ ...OK, status: 404, body: "no" })]);
    const target = await tcpPeer((socket) => {
      socket.write(wire.subarray(0, 20));
      socket.once("data", () => socket.write(wire.subarray(20)));
    });
    const { connection, messages, until } = await open(target);
    connection.send(Buffer.from("\r\n"));
    await until(() => messages.length === 2);
    expect(messages).toMatchObject([{ status: 200 }, { status: 404, body: "no" }]);
  });

  it("accepts datagrams from its peer only, and ignores those that are not SIP", async () => {
    const { socket, target } = await udpPeer();
    const stranger = await udpPeer();
    const { connection, messages, until } = await open(target);
    const send = (from: UdpSocket, bytes: Buffer) =>
      new Promise<void>((resolve) => from.send(bytes, connection.localPort, "127.0.0.1", () => resolve()));
    await send(stranger.socket, serialize({ ...OK, status: 403 }));
    await send(socket, Buffer.alloc(0));
    await send(socket, Buffer.alloc(60_000, "x"));
    await send(socket, serialize(OK));
    await until(() => messages.length > 0);
    expect(messages).toMatchObject([{ status: 200 }]);
  });

  it("fails once, and ends, when a stream does not contain SIP", async () => {
    const target = await tcpPeer((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n".repeat(3)));
    const { messages, failures, until } = await open(target);
    await until(() => failures.length > 0);
    expect(failures).toEqual([expect.objectContaining({ name: "MalformedStream" })]);
    expect(messages).toEqual([]);
  });

  it("fails when its peer closes it", async () => {
    const { failures, until } = await open(await tcpPeer((socket) => socket.end()));
    await until(() => failures.length > 0);
    expect(failures).toMatchObject([{ message: "the connection was closed" }]);
  });

  it("reports at once over TCP that nothing listens", async () => {
    const target: Target = { protocol: "tcp", address: "127.0.0.1", port: await deadPort() };
    await expect(open(target)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("reports after the first datagram over UDP that nothing listens, and only once", async () => {
    const { connection, failures, until } = await open({
      protocol: "udp",
      address: "127.0.0.1",
      port: await deadPort(),
    });
    connection.send(serialize(OK));
    connection.send(serialize(OK));
    await until(() => failures.length > 0);
    connection.send(serialize(OK));
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toMatchObject([{ code: "ECONNREFUSED" }]);
  });

  it.each<Protocol>(["udp", "tcp", "tls"])("is refused for an invalid port: %s", async (protocol) => {
    for (const port of [70_000, 0, 50.6]) {
      const target: Target = { protocol, address: "127.0.0.1", port };
      await expect(open(target)).rejects.toThrow(`port ${port} is not between 1 and 65535`);
    }
  });

  it("is refused for an address that UDP may not send to", async () => {
    const target: Target = { protocol: "udp", address: "255.255.255.255", port: 5060 };
    await expect(open(target)).rejects.toMatchObject({ code: "EACCES" });
  });

  it.each<Protocol>(["udp", "tcp", "tls"])(
    "is not opened with a signal that is already aborted: %s",
    async (protocol) => {
      const reason = new Error("too late");
      const target: Target = { protocol, address: "127.0.0.1", port: 9 };
      await expect(open(target, AbortSignal.abort(reason))).rejects.toBe(reason);
    },
  );

  it.each<Protocol>(["udp", "tcp", "tls"])("is abandoned when the signal is aborted: %s", async (protocol) => {
    const reason = new Error("given up");
    const peer = await tcpPeer(() => undefined);
    const abort = new AbortController();
    const opening = open({ ...peer, protocol }, abort.signal);
    queueMicrotask(() => abort.abort(reason));
    await expect(opening).rejects.toBe(reason);
  });

  it("abandons a TLS handshake that never ends, and disconnects from the peer", async () => {
    const abort = new AbortController();
    const left = new Promise<void>((resolve) => {
      void tcpPeer((socket) => {
        socket.once("data", () => abort.abort(new Error("3 s are over")));
        socket.once("close", () => resolve());
      }).then((peer) => {
        opening = open({ ...peer, protocol: "tls" }, abort.signal);
        opening.catch(() => undefined);
      });
    });
    let opening: Promise<unknown> = Promise.resolve();
    await left;
    await expect(opening).rejects.toThrow("3 s are over");
  });

  it("leaves its port to others once it is closed, over UDP", async () => {
    const { target } = await udpPeer();
    const { connection } = await open(target);
    connection.close();
    const next = createSocket("udp4");
    ends.push(() => next.close());
    next.bind(connection.localPort, connection.localAddress);
    await once(next, "listening");
    expect(next.address().port).toBe(connection.localPort);
  });

  it("sends everything that was written before it is closed, and reports nothing afterwards", async () => {
    // More than the sockets' buffers hold.
    const long = Buffer.alloc(4_000_000, "x");
    let received = 0;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const target = await tcpPeer((socket) => {
      socket.on("data", (chunk) => {
        received += chunk.length;
      });
      socket.once("close", end);
      socket.write(serialize(OK));
    });
    const { connection, messages, failures, until } = await open(target);
    await until(() => messages.length === 1);
    connection.send(long);
    connection.close();
    connection.close();
    connection.send(serialize(OK));
    await ended;
    expect([received, failures]).toEqual([long.length, []]);
  });
});

describe("TLS", () => {
  const ca = new ThrowAwayCa();
  const certificate = ca.certify("DNS:pbx.example", "IP:127.0.0.1");
  afterAll(() => ca.dispose());

  /**
   * Connects in a new process that trusts the authority. Node only reads the authority (NODE_EXTRA_CA_CERTS) at
   * start-up.
   */
  async function connectElsewhere(target: Target): Promise<string> {
    const program = `require(process.argv[1]).connect(JSON.parse(process.argv[2]), {}, new AbortController().signal).then(
      (connection) => { console.log("connected"); connection.close(); }, (error) => console.log(error.code))`;
    const module = join(__dirname, "../dist/sip/connection.js");
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", program, module, JSON.stringify(target)], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: ca.file },
    });
    return stdout.trim();
  }

  it("verifies the certificate by the requested name, which is sent as SNI, or by the address", async () => {
    const names: (string | false | null)[] = [];
    const server = createTlsServer(certificate);
    const target = await streamPeer(server, "secureConnection", "tls", () => undefined);
    server.on("secureConnection", ({ servername }) => names.push(servername));
    expect(await connectElsewhere({ ...target, serverName: "pbx.example" })).toBe("connected");
    expect(await connectElsewhere(target)).toBe("connected");
    expect(names).toEqual(["pbx.example", false]);
    expect(await connectElsewhere({ ...target, serverName: "other.example" })).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  });

  it("refuses a certificate of an unknown authority", async () => {
    const target = await streamPeer(createTlsServer(certificate), "secureConnection", "tls", () => undefined);
    await expect(open({ ...target, serverName: "pbx.example" })).rejects.toMatchObject({
      code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    });
  });

  it("refuses a peer that does not speak TLS, or hangs up", async () => {
    const plain = await tcpPeer((socket) => socket.write(serialize(OK)));
    await expect(open({ ...plain, protocol: "tls" })).rejects.toMatchObject({ code: "ERR_SSL_WRONG_VERSION_NUMBER" });
    const short = await tcpPeer((socket) => socket.end());
    await expect(open({ ...short, protocol: "tls" })).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  it("is served by the listener, and closing the listener does not wait for a pending handshake", async () => {
    const listener = await SipListener.listen(
      { protocols: ["tls"], tls: certificate },
      { request: ({ respond }) => respond({ ...OK, headers: [] }) },
    );
    ends.push(() => listener.close());
    const port = listener.tlsPort ?? 0;
    expect(await connectElsewhere({ protocol: "tls", address: "127.0.0.1", port })).toBe("connected");
    const abort = new AbortController();
    const idle = await open({ protocol: "tcp", address: "127.0.0.1", port }, abort.signal);
    await listener.close();
    await idle.until(() => idle.failures.length > 0);
  });
});
