/** Client transactions with the timers of RFC 3261, over a connection that only records what is sent. */

import type { Connection, Protocol } from "../provider/sip/connection";
import { headerOf, isRequest, parseMessage, type SipRequest, type SipResponse } from "../provider/sip/message";
import { ClientTransaction } from "../provider/sip/transaction";

const DRAFT = {
  uri: "sip:1012@pbx.example",
  headers: [
    { name: "Max-Forwards", value: "70" },
    { name: "Route", value: "<sip:proxy.example;lr>" },
    { name: "From", value: "<sip:1011@pbx.example>;tag=a" },
    { name: "To", value: "<sip:1012@pbx.example>" },
    { name: "Call-ID", value: "c" },
  ],
};
const draft = (method: string) => ({
  ...DRAFT,
  method,
  headers: [...DRAFT.headers, { name: "CSeq", value: `7 ${method}` }],
});

/** A connection that records what is sent, and at which second. */
function pretend(protocol: Protocol, localAddress = "127.0.0.1") {
  const began = Date.now();
  const sent: { at: number; request: SipRequest; bytes: string }[] = [];
  const connection: Connection = {
    protocol,
    localAddress,
    localPort: 5080,
    remoteAddress: "127.0.0.1",
    remotePort: 5060,
    send: (bytes) => {
      const request = parseMessage(bytes);
      if (request && isRequest(request)) {
        sent.push({ at: (Date.now() - began) / 1_000, request, bytes: bytes.toString() });
      }
    },
    close: () => undefined,
  };
  return { connection, sent, times: () => sent.map(({ at }) => at) };
}

const respondTo = ({ request }: ClientTransaction, status: number, change = (text: string) => text): SipResponse => ({
  status,
  reason: "",
  headers: ["Via", "From", "Call-ID", "CSeq"]
    .map((name) => ({ name, value: change(headerOf(request, name) ?? "") }))
    .concat({ name: "To", value: `${headerOf(request, "to")};tag=b` }),
  body: "",
});

describe("a client transaction", () => {
  const controller = () => new AbortController();

  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });

  it("retransmits over UDP after 0.5, 1, 2, 4, 4 … seconds, always the same bytes", async () => {
    const { connection, sent, times } = pretend("udp");
    const transaction = new ClientTransaction(connection, draft("REGISTER"), controller().signal);
    jest.advanceTimersByTime(16_000);
    expect(times()).toEqual([0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5]);
    expect(new Set(sent.map(({ bytes }) => bytes)).size).toBe(1);
    transaction.take(respondTo(transaction, 200));
    jest.advanceTimersByTime(60_000);
    expect(sent).toHaveLength(7);
    await expect(transaction.response).resolves.toMatchObject({ status: 200 });
  });

  it("retransmits an INVITE after 0.5, 1, 2, 4, 8 … seconds", () => {
    const { connection, times } = pretend("udp");
    const transaction = new ClientTransaction(connection, draft("INVITE"), controller().signal);
    jest.advanceTimersByTime(32_000);
    expect(times()).toEqual([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]);
    transaction.fail(new Error("enough"));
  });

  it("stops retransmitting an INVITE after a provisional response, but keeps waiting", async () => {
    const { connection, sent } = pretend("udp");
    const provisional: number[] = [];
    const transaction = new ClientTransaction(connection, draft("INVITE"), controller().signal, ({ status }) =>
      provisional.push(status),
    );
    transaction.take(respondTo(transaction, 100));
    transaction.take(respondTo(transaction, 180));
    jest.advanceTimersByTime(60_000);
    expect(sent).toHaveLength(1);
    transaction.take(respondTo(transaction, 200));
    transaction.take(respondTo(transaction, 183));
    expect(provisional).toEqual([100, 180]);
    await expect(transaction.response).resolves.toMatchObject({ status: 200 });
  });

  it("retransmits another request every 4 seconds after a provisional response", () => {
    const { connection, times } = pretend("udp");
    const transaction = new ClientTransaction(connection, draft("OPTIONS"), controller().signal);
    jest.advanceTimersByTime(100);
    transaction.take(respondTo(transaction, 100));
    jest.advanceTimersByTime(10_000);
    expect(times()).toEqual([0, 0.5, 4.5, 8.5]);
    transaction.fail(new Error("enough"));
  });

  it.each(["tcp", "tls"] as const)("sends once over %s", (protocol) => {
    const { connection, sent } = pretend(protocol);
    const transaction = new ClientTransaction(connection, draft("REGISTER"), controller().signal);
    jest.advanceTimersByTime(60_000);
    expect(sent).toHaveLength(1);
    transaction.fail(new Error("enough"));
  });

  it("puts the address for the answer and a new branch into its Via", () => {
    const viaOf = (protocol: Protocol, address?: string) => {
      const { connection } = pretend(protocol, address);
      const transaction = new ClientTransaction(connection, draft("OPTIONS"), controller().signal);
      transaction.fail(new Error("enough"));
      return headerOf(transaction.request, "via");
    };
    expect(viaOf("udp")).toMatch(/^SIP\/2\.0\/UDP 127\.0\.0\.1:5080;rport;branch=z9hG4bK[0-9a-f]{18}$/);
    expect(viaOf("tls", "::1")).toMatch(/^SIP\/2\.0\/TLS \[::1\]:5080;rport;branch=/);
    expect(viaOf("udp")).not.toBe(viaOf("udp"));
  });

  it("ignores responses that do not match: another branch, another method, no headers", async () => {
    const { connection } = pretend("tcp");
    const transaction = new ClientTransaction(connection, draft("REGISTER"), controller().signal);
    const others = [
      respondTo(transaction, 403, (value) => value.replace("z9hG4bK", "z9hG4bK0")),
      respondTo(transaction, 403, (value) => value.replace("REGISTER", "OPTIONS")),
      { status: 403, reason: "", headers: [], body: "" },
    ];
    expect(others.map((response) => transaction.take(response))).toEqual([false, false, false]);
    expect(transaction.take(respondTo(transaction, 200))).toBe(true);
    await expect(transaction.response).resolves.toMatchObject({ status: 200 });
  });

  it("acknowledges a refused INVITE in the same transaction, for every retransmission of the refusal", () => {
    const { connection, sent } = pretend("udp");
    const transaction = new ClientTransaction(connection, draft("INVITE"), controller().signal);
    transaction.take(respondTo(transaction, 486));
    transaction.take(respondTo(transaction, 486));
    const [invite, ack, again] = sent.map(({ request }) => request);
    expect(ack).toMatchObject({ method: "ACK", uri: DRAFT.uri });
    expect(again).toEqual(ack);
    for (const name of ["Via", "From", "Call-ID", "Max-Forwards", "Route"]) {
      expect([name, ack && headerOf(ack, name)]).toEqual([name, invite && headerOf(invite, name)]);
    }
    expect(ack && headerOf(ack, "to")).toBe("<sip:1012@pbx.example>;tag=b");
    expect(ack && headerOf(ack, "cseq")).toBe("7 ACK");
  });

  it("leaves the ACK of an answered call to the caller, and acknowledges nothing else", () => {
    const { connection, sent } = pretend("tcp");
    for (const [method, status] of [
      ["INVITE", 200],
      ["REGISTER", 403],
    ] as const) {
      const transaction = new ClientTransaction(connection, draft(method), controller().signal);
      transaction.take(respondTo(transaction, status));
    }
    expect(sent.map(({ request }) => request.method)).toEqual(["INVITE", "REGISTER"]);
  });

  it("ends with the signal's reason", async () => {
    const { connection, sent } = pretend("udp");
    const abort = controller();
    const transaction = new ClientTransaction(connection, draft("REGISTER"), abort.signal);
    const reason = new Error("no answer within 3 s");
    abort.abort(reason);
    await expect(transaction.response).rejects.toBe(reason);
    jest.advanceTimersByTime(60_000);
    expect(sent).toHaveLength(1);
  });

  it("sends nothing when the signal is already aborted", async () => {
    const { connection, sent } = pretend("udp");
    const transaction = new ClientTransaction(connection, draft("REGISTER"), AbortSignal.abort("too late"));
    await expect(transaction.response).rejects.toBe("too late");
    expect(sent).toEqual([]);
  });

  it("fails when the connection fails", async () => {
    const { connection } = pretend("udp");
    const transaction = new ClientTransaction(connection, draft("REGISTER"), controller().signal);
    transaction.fail(new Error("ECONNREFUSED"));
    transaction.take(respondTo(transaction, 200));
    await expect(transaction.response).rejects.toThrow("ECONNREFUSED");
  });
});
