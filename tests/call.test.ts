import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { buffer } from "node:stream/consumers";
import { CreateSIPParticipantRequest, DeleteRoomRequest } from "@livekit/protocol";
import * as calls from "../provider/livekit/calls";
import { headerOf, headersOf, listOf, parseNameAddr, type SipRequest } from "../provider/sip/message";
import { type Call, placeCall } from "../provider/voip/call";
import { DIRECTIONS, meaningOf } from "../provider/voip/meanings";
import { audioOffer } from "../provider/voip/session-description";
import { expectNoCanary, password } from "./support/examples";
import { Kamailio, kamailioAvailability } from "./support/kamailio";
import { type Challenge, ignore, pickUp, refuse, ring, type Script, SipCallee } from "./support/sip-callee";
import { SippCallee, sippAvailability } from "./support/sipp";
import type { CalleeScenario } from "./support/sipp-scenarios";

const credential = { username: "1011", password: password("office") };
const challenge: Challenge = { status: 407, ...credential };

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});

async function callee(script: Script, asking?: Challenge, options?: Parameters<typeof SipCallee.listen>[2]) {
  const listening = await SipCallee.listen(script, asking, options);
  closing.push(() => listening.close());
  return listening;
}

function callTo(port: number, changes: Partial<Call> = {}): Call {
  const server = { host: "127.0.0.1", port, protocol: "udp" } as const;
  return {
    server,
    to: "1011",
    from: "caller",
    credential,
    secureMedia: false,
    timeoutMs: 5_000,
    ringingMs: 10,
    ...changes,
  };
}

function sequence(request: SipRequest): string | undefined {
  return headerOf(request, "cseq");
}

function branch(request: SipRequest): string | undefined {
  return parseNameAddr(listOf(request, "via")[0] ?? "").params.get("branch");
}

describe.each(["udp", "tcp"] as const)("a call over %s", (protocol) => {
  const to = (port: number, changes: Partial<Call> = {}) =>
    callTo(port, { server: { host: "127.0.0.1", port, protocol }, ...changes });

  test("cancels a call that rings: CANCEL, then ACK to the 487", async () => {
    const it = await callee(ring);
    expect(await placeCall(to(it.port))).toEqual({ kind: "accepted", status: 180 });
    const ack = await it.got("ACK");
    expect(it.methods).toEqual(["INVITE", "CANCEL", "ACK"]);
    const [invite, cancel] = it.requests;
    for (const request of [cancel, ack]) {
      expect(request && branch(request)).toBe(invite && branch(invite));
      expect(request?.uri).toBe(invite?.uri);
    }
    expect(cancel && sequence(cancel)).toBe("1 CANCEL");
    expect(sequence(ack)).toBe("1 ACK");
    expect(headerOf(ack, "to")).toMatch(/;tag=/);
    expect(cancel && headerOf(cancel, "to")).toBe(invite && headerOf(invite, "to"));
  });

  test("hangs up a call that is answered: ACK and BYE, in the dialog", async () => {
    const it = await callee(pickUp);
    expect(await placeCall(to(it.port))).toEqual({ kind: "accepted", status: 200 });
    expect(it.methods).toEqual(["INVITE", "ACK", "BYE"]);
    const [invite, ack, bye] = it.requests;
    expect(ack && sequence(ack)).toBe("1 ACK");
    expect(bye && sequence(bye)).toBe("2 BYE");
    for (const request of [ack, bye]) {
      expect(request?.uri).toBe(`sip:telephone@127.0.0.1:${it.port}`);
      expect(request && headerOf(request, "to")).toMatch(/;tag=/);
      expect(request && branch(request)).not.toBe(invite && branch(invite));
      expect(request && headerOf(request, "call-id")).toBe(invite && headerOf(invite, "call-id"));
      expect(request && headerOf(request, "from")).toBe(invite && headerOf(invite, "from"));
    }
  });

  test.each([401, 407] as const)("answers a %i once, with the credential", async (status) => {
    const it = await callee(ring, { ...challenge, status });
    expect(await placeCall(to(it.port))).toEqual({ kind: "accepted", status: 180 });
    expect(it.all("INVITE").map(sequence)).toEqual(["1 INVITE", "2 INVITE"]);
    const [first, second] = it.all("INVITE");
    expect(first && branch(first)).not.toBe(second && branch(second));
    expectNoCanary(it.wire);
  });

  test("sends a refused credential once, and not again", async () => {
    const it = await callee(ring, { ...challenge, password: "another" });
    expect(await placeCall(to(it.port))).toEqual({
      kind: "refused",
      status: 407,
      reason: "Prove it",
      authenticated: true,
    });
    expect(it.all("INVITE")).toHaveLength(2);
  });
});

describe("a call", () => {
  test("accepts only a trusted certificate over TLS", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(async () => server.close());
    const address = server.address();
    const port = address && typeof address === "object" ? address.port : 0;
    const outcome = await placeCall(callTo(port, { server: { host: "127.0.0.1", port, protocol: "tls" } }));
    expect(outcome.kind).toBe("unreachable");
  });

  test.each([
    [403, "Forbidden"],
    [404, "Not Found"],
    [486, "Busy Here"],
    [302, "Moved Temporarily"],
    [603, "Decline"],
  ])("does not repeat a call that is refused with %i", async (status, reason) => {
    const it = await callee(refuse(status, reason), challenge);
    expect(await placeCall(callTo(it.port))).toEqual({ kind: "refused", status, reason, authenticated: true });
    await it.got("ACK");
    expect(it.all("INVITE")).toHaveLength(2);
  });

  test("without a credential, treats a challenge as a refusal", async () => {
    const it = await callee(ring, challenge);
    const { credential: _, ...open } = callTo(it.port);
    expect(await placeCall(open)).toEqual({ kind: "refused", status: 407, reason: "Prove it", authenticated: false });
    expect(it.all("INVITE")).toHaveLength(1);
  });

  test("answers the supported one of several challenges", async () => {
    const besides = ['Basic realm="x"', 'Digest realm="LiveKit", nonce="n", algorithm=SNAKE-9'];
    const it = await callee(ring, { ...challenge, besides });
    expect(await placeCall(callTo(it.port))).toEqual({ kind: "accepted", status: 180 });
  });

  test("sends one INVITE, retransmits it over UDP, and ends in time when nothing answers", async () => {
    const it = await callee(ignore);
    const before = Date.now();
    expect(await placeCall(callTo(it.port, { timeoutMs: 700 }))).toEqual({ kind: "unanswered", trying: false });
    expect(Date.now() - before).toBeLessThan(3_000);
    expect(it.methods).toEqual(["INVITE"]);
    expect(it.wire.match(/^INVITE /gm)).toHaveLength(2);
  });

  test("reports a refusal after ringing as a refusal", async () => {
    const it = await callee((incoming) => {
      ring(incoming);
      setTimeout(() => incoming.respond({ status: 404, reason: "Does not match Trunks or Dispatch Rules" }), 100);
    });
    const { ringingMs: _, ...call } = callTo(it.port);
    expect(await placeCall(call)).toMatchObject({ kind: "refused", status: 404 });
  });

  test("cancels a call that only gets 100 Trying until the timeout", async () => {
    const it = await callee(({ respond }) => respond({ status: 100, reason: "Trying" }));
    expect(await placeCall(callTo(it.port, { timeoutMs: 300 }))).toEqual({ kind: "unanswered", trying: true });
    await it.got("ACK");
    expect(it.methods).toEqual(["INVITE", "CANCEL", "ACK"]);
  });

  test("hangs up a call that is answered while it is being cancelled", async () => {
    const it = await callee(ring);
    it.onCancel = pickUp;
    expect(await placeCall(callTo(it.port))).toEqual({ kind: "accepted", status: 180 });
    expect(it.methods).toEqual(["INVITE", "CANCEL", "ACK", "BYE"]);
  });

  test("acknowledges every retransmission of an answer", async () => {
    const it = await callee((incoming, self) => {
      pickUp(incoming, self);
      pickUp(incoming, self);
    });
    expect(await placeCall(callTo(it.port))).toEqual({ kind: "accepted", status: 200 });
    expect(it.all("BYE")).toHaveLength(1);
    expect(it.wire.match(/^ACK /gm)?.length).toBeGreaterThanOrEqual(2);
  });

  test("hangs up at the callee's Contact, through the recorded route", async () => {
    const behind = await callee(ignore);
    const it = await callee((incoming) => {
      const headers = [
        { name: "Record-Route", value: "<sip:far.example;lr>" },
        { name: "Record-Route", value: `<sip:127.0.0.1:${behind.port};lr>` },
        { name: "Contact", value: "<sip:telephone@pbx.example>" },
      ];
      incoming.respond({ status: 200, reason: "OK", headers });
    });
    expect(await placeCall(callTo(it.port))).toEqual({ kind: "accepted", status: 200 });
    const bye = await behind.got("BYE");
    expect(bye.uri).toBe("sip:telephone@pbx.example");
    expect(listOf(bye, "route")).toEqual([`<sip:127.0.0.1:${behind.port};lr>`, "<sip:far.example;lr>"]);
    expect(behind.methods).toEqual(["ACK", "BYE"]);
    expect(it.methods).toEqual(["INVITE"]);
  });

  test("hangs up only a few of the phones when hundreds answer", async () => {
    const elsewhere = await callee(ignore);
    const contact = `Contact: <sip:telephone@127.0.0.1:${elsewhere.port}>`;
    const it = await callee(({ request, sendRaw }) => {
      const headers = ["via", "from", "call-id", "cseq"].flatMap((name) =>
        headersOf(request, name).map((value) => `${name}: ${value}`),
      );
      for (let phone = 0; phone < 300; phone++) {
        const lines = ["SIP/2.0 200 OK", ...headers, `To: <sip:1@pbx.example>;tag=${phone}`, contact];
        sendRaw(Buffer.from(`${lines.join("\r\n")}\r\nContent-Length: 0\r\n\r\n`));
      }
    });
    expect(await placeCall(callTo(it.port))).toEqual({ kind: "accepted", status: 200 });
    expect(elsewhere.all("BYE").length).toBeLessThanOrEqual(4);
    expect(elsewhere.wire.match(/^ACK /gm)?.length ?? 0).toBeLessThanOrEqual(8);
  });

  test("reports why the call could not be sent", async () => {
    const gone = await callee(ignore);
    const { port } = gone;
    await gone.close();
    const tcp = { host: "127.0.0.1", port, protocol: "tcp" } as const;
    expect(await placeCall(callTo(port, { server: tcp }))).toEqual({
      kind: "unreachable",
      reason: "connection refused",
    });
    expect(await placeCall(callTo(port))).toEqual({ kind: "unreachable", reason: "connection refused" });
    const dns = {
      srv: async () => [],
      addresses: () => Promise.reject(Object.assign(new Error(), { code: "ENOTFOUND" })),
    };
    expect(await placeCall(callTo(5060, { server: { host: "no.example", protocol: "udp" } }), dns)).toEqual({
      kind: "unreachable",
      reason: "no such host",
    });
  });

  test("reports a peer that does not speak SIP as an outcome", async () => {
    const web = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
    web.listen(0, "127.0.0.1");
    const noise = createSocket("udp4").bind(0, "127.0.0.1");
    await Promise.all([once(web, "listening"), once(noise, "listening")]);
    closing.push(
      async () => web.close(),
      async () => noise.close(),
    );
    noise.on("message", (_, { port }) => noise.send("\u0000garbage\r\n\r\n", port, "127.0.0.1"));
    const address = web.address();
    const port = address && typeof address === "object" ? address.port : 0;
    expect((await placeCall(callTo(port, { server: { host: "127.0.0.1", port, protocol: "tcp" } }))).kind).toBe(
      "unreachable",
    );
    const outcome = await placeCall(callTo(noise.address().port, { timeoutMs: 300 }));
    expect(outcome).toEqual({ kind: "unanswered", trying: false });
  });

  test("offers plain audio, or encrypted audio where the trunk requires it", () => {
    const plain = audioOffer({ address: "192.0.2.1", port: 4000, secure: false });
    expect(plain).toMatch(/^v=0\r\no=- \d+ 1 IN IP4 192\.0\.2\.1\r\ns=-\r\nc=IN IP4 192\.0\.2\.1\r\nt=0 0\r\n/);
    expect(plain).toContain("m=audio 4000 RTP/AVP 0 8 101\r\n");
    const secure = audioOffer({ address: "2001:db8::1", port: 4000, secure: true });
    expect(secure).toContain("c=IN IP6 2001:db8::1\r\n");
    expect(secure).toContain("m=audio 4000 RTP/SAVP 0 8 101\r\n");
    expect(/inline:(\S+)/.exec(secure)?.[1]).toHaveLength(40);
  });
});

(sippAvailability().available ? describe : describe.skip)("a call to sipp", () => {
  async function sipp(scenario: CalleeScenario) {
    const telephone = await SippCallee.start({ scenario });
    closing.push(() => telephone.stop());
    return telephone;
  }

  test("hangs up when it answers", async () => {
    const telephone = await sipp({ kind: "answer" });
    expect(await placeCall(callTo(telephone.port, { ringingMs: 2_000 }))).toEqual({ kind: "accepted", status: 200 });
    expect(["INVITE", "ACK", "BYE"].map((method) => telephone.received(method).length)).toEqual([1, 1, 1]);
  });

  test("cancels when it rings", async () => {
    const telephone = await sipp({ kind: "ring" });
    expect(await placeCall(callTo(telephone.port))).toEqual({ kind: "accepted", status: 180 });
    expect(telephone.received("CANCEL")).toHaveLength(1);
  });

  test("answers its challenge, and reports a refusal of a wrong credential", async () => {
    const telephone = await sipp({ kind: "challenge", ...credential });
    expect(await placeCall(callTo(telephone.port, { ringingMs: 2_000 }))).toEqual({ kind: "accepted", status: 200 });
    const wrong = { ...credential, password: "wrong" };
    expect(await placeCall(callTo(telephone.port, { credential: wrong }))).toMatchObject({
      kind: "refused",
      status: 403,
    });
  });

  (kamailioAvailability(["postgres"]).available ? test : test.skip)(
    "hangs up through Kamailio along the recorded route",
    async () => {
      const telephone = await sipp({ kind: "answer" });
      const proxy = await Kamailio.start({ users: { [credential.username]: credential.password }, callee: telephone });
      closing.push(() => proxy.stop());
      expect(await placeCall(callTo(proxy.port, { ringingMs: 2_000 }))).toEqual({ kind: "accepted", status: 200 });
      expect(["INVITE", "ACK", "BYE"].map((method) => telephone.received(method).length)).toEqual([1, 1, 1]);
      expect(proxy.requests().filter(({ method }) => method === "BYE")).toHaveLength(1);
    },
  );
});

describe("the meaning of a status", () => {
  test.each([
    [401, "outbound", /rejects the trunk's credential/],
    [401, "inbound", /rejects the trunk's credential/],
    [403, "outbound", /From mismatch/],
    [403, "inbound", /allowedAddresses/],
    [404, "outbound", /does not know the number/],
    [404, "inbound", /no trunk or dispatch rule/],
    [407, "outbound", /keeps asking for the credential/],
    [482, "outbound", /loops between proxies/],
    [483, "inbound", /loops between proxies/],
    [486, "outbound", /busy/],
    [600, "inbound", /busy/],
    [480, "outbound", /nobody can take the call/],
    [408, "outbound", /nobody answered/],
    [488, "outbound", /audio format or encryption/],
    [606, "inbound", /audio format or encryption/],
    [500, "outbound", /internal problem/],
    [503, "outbound", /overloaded/],
    [302, "outbound", /does not follow redirects/],
    [499, "outbound", /rejects the call/],
    [599, "inbound", /internal problem/],
    [699, "inbound", /anywhere/],
  ] as const)("%i, %s", (status, direction, meaning) => {
    expect(meaningOf(status, direction)).toMatch(meaning);
  });

  test("is a sentence with a remedy for every status", () => {
    for (const direction of DIRECTIONS) {
      for (let status = 300; status < 700; status++) {
        expect(meaningOf(status, direction)).toMatch(/^[a-z].*: .*[^.]$/);
      }
    }
  });
});

describe("a call that LiveKit places", () => {
  /** Answers like LiveKit, and records the calls. */
  async function liveKit(answer: (method: string) => { status: number; body: string } | undefined) {
    const asked: { method: string; grants: unknown; body: Buffer }[] = [];
    const server = createHttpServer(async (request, response) => {
      const body = await buffer(request);
      const method = request.url?.split("/").slice(-2).join("/") ?? "";
      const { video, sip } = decodeToken(request.headers.authorization ?? "");
      asked.push({ method, grants: { video, sip }, body });
      const { status, body: text } = answer(method) ?? { status: 200, body: "" };
      const type = status === 200 ? "application/protobuf" : "application/json";
      response.writeHead(status, { "Content-Type": type }).end(text);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(async () => server.close());
    const address = server.address();
    const url = `http://127.0.0.1:${address && typeof address === "object" ? address.port : 0}`;
    return { asked, connection: { url, apiKey: "key", apiSecret: password("api"), project: "test" } };
  }

  function decodeToken(authorization: string): { video?: unknown; sip?: unknown } {
    const [, payload = ""] = authorization.split(".");
    return JSON.parse(Buffer.from(payload, "base64url").toString());
  }

  const call = {
    trunkId: "ST_1",
    to: "0741926265",
    room: "pulumi-test-call-1",
    identity: "pulumi-test-call",
    ringingTimeout: 30,
    maxCallDuration: 20,
  };

  test("waits for the answer, and requests only the grants that it needs", async () => {
    const { asked, connection } = await liveKit(() => undefined);
    await calls.placeCall(connection, call, []);
    await calls.deleteRoom(connection, call.room);
    expect(asked.map(({ method, grants }) => ({ method, grants }))).toEqual([
      { method: "livekit.SIP/CreateSIPParticipant", grants: { sip: { call: true } } },
      { method: "livekit.RoomService/DeleteRoom", grants: { video: { roomCreate: true } } },
    ]);
    const [placed, deleted] = asked.map(({ body }) => body);
    expect(CreateSIPParticipantRequest.fromBinary(placed ?? Buffer.of()).toJson()).toEqual({
      sipTrunkId: "ST_1",
      sipCallTo: "0741926265",
      roomName: "pulumi-test-call-1",
      participantIdentity: "pulumi-test-call",
      ringingTimeout: "30s",
      maxCallDuration: "20s",
      waitUntilAnswered: true,
    });
    expect(DeleteRoomRequest.fromBinary(deleted ?? Buffer.of()).room).toBe("pulumi-test-call-1");
  });

  test("distinguishes the callee's refusal from LiveKit's own, and makes one request", async () => {
    const meta = { sip_status_code: "403", sip_status: "Forbidden" };
    const refusal = { code: "permission_denied", msg: "INVITE failed: sip status: 403: Forbidden", meta };
    const { asked, connection } = await liveKit(() => ({ status: 403, body: JSON.stringify(refusal) }));
    await expect(calls.placeCall(connection, call, [])).rejects.toMatchObject({
      failure: "refused",
      sip: { status: 403, reason: "Forbidden" },
    });
    expect(asked).toHaveLength(1);
    const own = { code: "permission_denied", msg: "permissions denied" };
    const denying = await liveKit(() => ({ status: 403, body: JSON.stringify(own) }));
    await expect(calls.placeCall(denying.connection, call, [])).rejects.toMatchObject({ failure: "unauthenticated" });
  });

  test("treats a missing room as deleted", async () => {
    const gone = { status: 404, body: JSON.stringify({ code: "not_found", msg: "requested room does not exist" }) };
    const { connection } = await liveKit(() => gone);
    await calls.deleteRoom(connection, "room");
  });
});
