/** The listener: what it copies into responses, how it answers retransmissions by itself, and how it stops. */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import {
  headerOf,
  headersOf,
  isResponse,
  MessageReader,
  parseMessage,
  type SipResponse,
} from "../provider/sip/message";
import { type Incoming, SipListener } from "../provider/testing/sip/listener";

const VIA = "SIP/2.0/UDP 192.0.2.9:5070;rport;branch=z9hG4bK1";
const request = (method: string, { via = VIA, to = "<sip:b@h>", sequence = 1, callId = "c", more = "" } = {}) =>
  `${method} sip:b@h SIP/2.0\r\nVia: ${via}\r\nFrom: <sip:a@h>;tag=a\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${sequence} ${method}\r\n${more}Content-Length: 0\r\n\r\n`;

describe("the listener", () => {
  let listener: SipListener;
  let client: Socket;
  let incoming: Incoming[];
  let trace: string[];
  let answer: (incoming: Incoming) => void;

  beforeEach(async () => {
    incoming = [];
    trace = [];
    answer = ({ respond }) => respond({ status: 200, reason: "OK", headers: [{ name: "X", value: "y" }] });
    listener = await SipListener.listen(
      {},
      {
        request: (one) => {
          incoming.push(one);
          answer(one);
        },
        trace: (direction, message, peer) =>
          trace.push(`${direction} ${isResponse(message) ? message.status : message.method} ${peer.protocol}`),
      },
    );
    client = createSocket("udp4");
    client.connect(listener.port, "127.0.0.1");
    await once(client, "connect");
  });

  afterEach(async () => {
    client.close();
    await listener.close();
  });

  const send = (text: string) => client.send(text);
  /** The next response over UDP. */
  async function next(): Promise<SipResponse> {
    const [bytes] = await once(client, "message");
    const message = parseMessage(bytes);
    if (!message || !isResponse(message)) {
      throw new Error(`no response: ${bytes}`);
    }
    return message;
  }
  async function exchange(text: string): Promise<SipResponse> {
    const response = next();
    send(text);
    return response;
  }

  it("copies the required headers into a response, and adds the source to the Via", async () => {
    const { port } = client.address();
    const via = `${VIA}, SIP/2.0/TCP proxy;branch=z9hG4bK0`;
    const response = await exchange(
      request("INVITE", { via, more: "Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nSubject: hi\r\n" }),
    );
    expect(headersOf(response, "via")).toEqual([
      `SIP/2.0/UDP 192.0.2.9:5070;rport=${port};branch=z9hG4bK1;received=127.0.0.1`,
      "SIP/2.0/TCP proxy;branch=z9hG4bK0",
    ]);
    expect(headersOf(response, "record-route")).toEqual(["<sip:p1;lr>", "<sip:p2;lr>"]);
    expect(headerOf(response, "from")).toBe("<sip:a@h>;tag=a");
    expect(headerOf(response, "to")).toBe(`<sip:b@h>;tag=${incoming[0]?.tag}`);
    expect([headerOf(response, "call-id"), headerOf(response, "cseq"), headerOf(response, "x")]).toEqual([
      "c",
      "1 INVITE",
      "y",
    ]);
    expect(headerOf(response, "subject")).toBeUndefined();
    expect(incoming[0]?.source).toEqual({ protocol: "udp", address: "127.0.0.1", port });
    expect(trace).toEqual(["in INVITE udp", "out 200 udp"]);
  });

  it("keeps an existing tag, and adds none to a 100", async () => {
    expect(headerOf(await exchange(request("BYE", { to: "<sip:b@h>;tag=t" })), "to")).toBe("<sip:b@h>;tag=t");
    answer = ({ respond }) => respond({ status: 100, reason: "Trying" });
    expect(headerOf(await exchange(request("INVITE")), "to")).toBe("<sip:b@h>");
  });

  it("answers a retransmitted request with the same response, without calling the handler", async () => {
    let count = 0;
    answer = ({ respond }) => respond({ status: 401, reason: `refusal ${++count}` });
    const first = await exchange(request("REGISTER"));
    expect(await exchange(request("REGISTER"))).toEqual(first);
    expect(incoming).toHaveLength(1);
    for (const other of [{ sequence: 2 }, { callId: "d" }, { via: VIA.replace("bK1", "bK2") }]) {
      expect((await exchange(request("REGISTER", other))).reason).not.toBe(first.reason);
    }
    expect(incoming).toHaveLength(4);
  });

  it("reports an ACK once, and does not answer it", async () => {
    answer = () => undefined;
    send(request("ACK"));
    send(request("ACK"));
    answer = ({ request: { method }, respond }) => method !== "ACK" && respond({ status: 200, reason: "OK" });
    await exchange(request("OPTIONS"));
    expect(incoming.map((one) => one.request.method)).toEqual(["ACK", "OPTIONS"]);
  });

  it("ignores anything that is not a request", async () => {
    for (const text of ["", "nonsense", "SIP/2.0 200 OK\r\n\r\n", "x".repeat(60_000)]) {
      send(text);
    }
    await exchange(request("OPTIONS"));
    expect(incoming).toHaveLength(1);
  });

  it("sends raw bytes unchanged, for faults", async () => {
    answer = ({ sendRaw }) => sendRaw(Buffer.from("garbage"));
    const message = once(client, "message");
    send(request("OPTIONS"));
    expect(String((await message)[0])).toBe("garbage");
  });

  it("serves several requests on one TCP connection, and closes one that does not speak SIP", async () => {
    const socket = connectTcp(listener.port, "127.0.0.1");
    const closed = once(socket, "close");
    socket.write(request("OPTIONS") + request("OPTIONS", { sequence: 2 }));
    const reader = new MessageReader();
    const responses = [];
    for await (const chunk of socket) {
      responses.push(...reader.push(chunk));
      if (responses.length === 2) {
        socket.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      }
    }
    await closed;
    expect(responses).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  it("listens on the given port, and reports when that is taken", async () => {
    await expect(SipListener.listen({ port: listener.port }, { request: () => undefined })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    await expect(
      SipListener.listen({ port: listener.port, protocols: ["tcp"] }, { request: () => undefined }),
    ).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("may be closed twice, with open connections; later responses are dropped", async () => {
    answer = () => undefined;
    const socket = connectTcp(listener.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(request("OPTIONS", { sequence: 9 }));
    send(request("OPTIONS"));
    while (incoming.length < 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const closed = once(socket.resume(), "close");
    await Promise.all([listener.close(), listener.close(), closed]);
    for (const { respond, sendRaw } of incoming) {
      respond({ status: 200, reason: "OK" });
      sendRaw(Buffer.from("x"));
    }
  });
});
