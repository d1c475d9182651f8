import { SIPInboundTrunkInfo, SIPTransport } from "@livekit/protocol";
import { AccessToken, RoomServiceClient, type SipCallError, SipClient } from "livekit-server-sdk";
import { LiveKitEmulator, type LiveKitEmulatorOptions } from "../provider/testing/livekit-emulator";
import { availablePlatforms, type Platform } from "./support/livekit-platform";
import { type CallOptions, type CallResult, SippCallee, sippAvailability, sippCall } from "./support/sipp";
import type { CalleeScenario } from "./support/sipp-scenarios";
import { UserAgent } from "./support/user-agent";

const NUMBER = "+12025550123";
const CREDENTIAL = { username: "1011", password: "Canary-7fd1c0-calls-Aa1!" };
const WRONG = { username: "1011", password: "Another-Password-1" };

let emulator: LiveKitEmulator;
let trunks: SipClient;
const running: { stop(): Promise<void> }[] = [];

async function start(sip: LiveKitEmulatorOptions["sip"] = true): Promise<void> {
  emulator = await LiveKitEmulator.start({ sip });
  trunks = new SipClient(emulator.url, emulator.apiKey, emulator.apiSecret);
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((callee) => callee.stop()));
  await emulator?.stop();
});

/** Polls until the condition holds, because sipp and the emulator can only be observed from outside. */
async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !holds(); ) {
    if (Date.now() > deadline) {
      throw new Error(`It does not hold: ${JSON.stringify(emulator.calls)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function inboundTrunk(fields: Partial<SIPInboundTrunkInfo>): Promise<string> {
  const info = new SIPInboundTrunkInfo({ numbers: [NUMBER], ...fields });
  const { sipTrunkId } = await trunks.createSipInboundTrunk(info.name, info.numbers, {
    allowedAddresses: info.allowedAddresses,
    allowedNumbers: info.allowedNumbers,
    authUsername: info.authUsername,
    authPassword: info.authPassword,
  });
  return sipTrunkId;
}

async function rule(trunkIds: string[], pin = ""): Promise<string> {
  const { sipDispatchRuleId } = await trunks.createSipDispatchRule(
    { type: "direct", roomName: "reception", pin },
    { trunkIds },
  );
  return sipDispatchRuleId;
}

/** A call that sipp makes as a PBX. The caller's number and the From host can be set. */
function call(options: Partial<CallOptions> & { called?: string; fromHost?: string } = {}): Promise<CallResult> {
  const { called = NUMBER, fromHost, localIp = "127.0.0.1", ...rest } = options;
  const [host = "", port] = emulator.sipHost.split(":");
  const from = `+4930123@${fromHost ?? localIp}`;
  return sippCall({ to: { host, port: Number(port), user: called }, from, localIp, ...rest });
}

const describeWithSipp = sippAvailability().available ? describe : describe.skip;

describeWithSipp("inbound calls", () => {
  it.each(["udp", "tcp"] as const)(
    "are challenged over %s, ring, are answered, and end when the caller hangs up",
    async (transport) => {
      await start();
      const trunkId = await inboundTrunk({ authUsername: CREDENTIAL.username, authPassword: CREDENTIAL.password });
      const ruleId = await rule([trunkId]);
      const result = await call({ ...CREDENTIAL, transport });
      expect([result.asExpected, result.statuses]).toEqual([true, [100, 407, 100, 180, 200]]);
      expect(result.trace).toMatch(/^Proxy-Authenticate: Digest realm="LiveKit", nonce="[^"]+", algorithm=MD5$/m);
      expect(emulator.calls).toEqual([
        {
          ...{ direction: "inbound", trunkId, ruleId, room: "reception", from: "+4930123", to: NUMBER },
          ...{ sourceAddress: "127.0.0.1", status: 200, state: "ended" },
        },
      ]);
      expect(emulator.project().roomNames()).toEqual(["reception"]);
    },
  );

  it("are refused with a wrong credential or an unknown user, and no password is recorded", async () => {
    await start();
    const trunkId = await inboundTrunk({ authUsername: CREDENTIAL.username, authPassword: CREDENTIAL.password });
    await rule([trunkId]);
    for (const credential of [WRONG, { ...CREDENTIAL, username: "1012" }]) {
      expect((await call(credential)).statuses).toEqual([100, 407, 100, 401]);
    }
    expect(emulator.calls.map(({ status, state }) => [status, state])).toEqual([
      [401, "ended"],
      [401, "ended"],
    ]);
    expect(JSON.stringify([emulator.calls, emulator])).not.toContain("Canary");
  });

  it("follow the current trunks and rules", async () => {
    await start();
    const trunkId = await inboundTrunk({ authUsername: CREDENTIAL.username, authPassword: CREDENTIAL.password });
    expect((await call(CREDENTIAL)).statuses).toEqual([100, 407, 100, 180, 404]);
    const ruleId = await rule([trunkId]);
    expect((await call(CREDENTIAL)).statuses).toEqual([100, 407, 100, 180, 200]);
    await trunks.updateSipInboundTrunkFields(trunkId, { authPassword: WRONG.password });
    expect((await call(CREDENTIAL)).statuses).toEqual([100, 407, 100, 401]);
    expect((await call(WRONG)).statuses).toEqual([100, 407, 100, 180, 200]);
    await trunks.deleteSipDispatchRule(ruleId);
    await trunks.deleteSipTrunk(trunkId);
    expect((await call(WRONG)).statuses).toEqual([100, 180, 404]);
    expect(emulator.calls.at(-1)).toMatchObject({ trunkId: "", status: 404, state: "ended" });
  });

  it.each<[title: string, trunk: Partial<SIPInboundTrunkInfo>, caller: Parameters<typeof call>[0], status: number]>([
    ["an allowed address", { allowedAddresses: ["127.0.0.1/32"] }, {}, 200],
    ["another address", { allowedAddresses: ["127.0.0.1/32"] }, { localIp: "127.0.0.2" }, 404],
    ["an allowed network", { allowedAddresses: ["127.0.0.0/30"] }, { localIp: "127.0.0.2" }, 200],
    ["an allowed caller", { allowedNumbers: ["+49 30 123"] }, {}, 200],
    ["another caller", { allowedNumbers: ["+4930124"] }, {}, 404],
    ["a number that no trunk has", {}, { called: "+12025550124" }, 404],
    ["a number without its plus", {}, { called: NUMBER.slice(1) }, 200],
    ["a trunk with numbers alone, which is open to anyone", {}, { localIp: "127.0.0.2" }, 200],
    ["a user name without a password, which is not challenged", { authUsername: "1011" }, {}, 200],
    ["an invalid entry, which is silently dropped", { allowedAddresses: ["not an ip"] }, {}, 200],
    ["a bare address that From claims", { allowedAddresses: ["203.0.113.7"] }, { fromHost: "203.0.113.7" }, 200],
    ["a prefix, which From can't claim", { allowedAddresses: ["203.0.113.7/32"] }, { fromHost: "203.0.113.7" }, 404],
    ["a closed trunk", { authUsername: "nobody", authPassword: "known to nobody" }, CREDENTIAL, 401],
  ])("are decided as livekit/sip does: %s", async (_title, fields, caller, status) => {
    await start();
    await rule([await inboundTrunk(fields)]);
    const { finalStatus } = await call(caller);
    expect(finalStatus).toBe(status);
    expect(emulator.calls).toMatchObject([{ status, sourceAddress: caller?.localIp ?? "127.0.0.1" }]);
  });

  it("are all accepted by a rule without trunks", async () => {
    await start();
    const ruleId = await rule([]);
    expect((await call({ called: "whoever", localIp: "127.0.0.2" })).statuses).toEqual([100, 180, 200]);
    expect(emulator.calls).toMatchObject([{ trunkId: "", ruleId, room: "reception" }]);
  });

  it("are answered at once for a PIN, and join no room", async () => {
    await start({ answer: "ringing" });
    const ruleId = await rule([await inboundTrunk({})], "4711");
    expect((await call()).statuses).toEqual([100, 180, 200]);
    expect(emulator.calls).toMatchObject([{ ruleId, status: 200 }]);
    expect(emulator.calls[0]).not.toHaveProperty("room");
    expect(JSON.stringify(emulator.calls)).not.toContain("4711");
  });

  it("ring until the caller gives up when nobody answers", async () => {
    await start({ answer: "ringing" });
    await rule([await inboundTrunk({})]);
    const result = await call({ expect: 180 });
    expect([result.asExpected, result.statuses]).toEqual([true, [100, 180, 487]]);
    expect(emulator.calls).toMatchObject([{ status: 487, state: "ended" }]);
  });

  it.each<[method: string, status: number, toTag: string]>([
    ["OPTIONS", 200, ""],
    ["REGISTER", 405, ""],
    ["SUBSCRIBE", 405, ""],
    ["BYE", 400, ""],
    ["BYE", 481, "unknown"],
    ["INVITE", 481, "unknown"],
    ["CANCEL", 481, ""],
  ])("%s outside of a call is answered with %d (tag %j)", async (method, status, toTag) => {
    await start();
    const [host = "", port] = emulator.sipHost.split(":");
    const agent = await UserAgent.open({ host, port: Number(port) });
    const answer = await agent.request(method, { from: "100", to: "200", ...(toTag && { toTag }) });
    agent.close();
    expect(answer.status).toBe(status);
    expect(emulator.calls).toEqual([]);
  });

  it.each<[how: string, hangUp: () => Promise<void>]>([
    ["its room is deleted", () => rooms().deleteRoom("reception")],
    ["its participant is removed", () => rooms().removeParticipant("reception", "sip_+4930123")],
    ["the emulator stops", () => emulator.stop()],
  ])("end when %s", async (_how, hangUp) => {
    await start();
    await rule([await inboundTrunk({})]);
    const result = call({ hangUp: "callee" });
    await until(() => emulator.calls[0]?.state === "active");
    await hangUp();
    const { asExpected, messages } = await result;
    expect(asExpected).toBe(true);
    // sipp finds the call by its Call-ID alone. Other clients need the tags.
    const textOf = (start: RegExp) => messages.find(({ text }) => start.test(text))?.text ?? "";
    const [, tag] = /^To: .*;tag=(\w+)$/m.exec(textOf(/^SIP\/2\.0 200[\s\S]*CSeq: \d+ INVITE/)) ?? [];
    expect(textOf(/^BYE /)).toContain(`;tag=${tag}\nTo: <sip:+4930123@127.0.0.1>;tag=caller-1\n`);
    await until(() => emulator.calls[0]?.state === "ended");
  });

  it("find the trunk among several projects", async () => {
    const projects = ["one", "two"].map((name) => ({ apiKey: name, apiSecret: "x".repeat(32) }));
    emulator = await LiveKitEmulator.start({ projects, sip: true });
    trunks = new SipClient(emulator.url, "two", "x".repeat(32));
    const trunkId = await inboundTrunk({});
    await rule([trunkId]);
    await call();
    expect(emulator.calls).toMatchObject([{ trunkId, status: 200 }]);
  });
});

function rooms(): RoomServiceClient {
  return new RoomServiceClient(emulator.url, emulator.apiKey, emulator.apiSecret);
}

describeWithSipp("outbound calls", () => {
  /** A PBX behind a new outbound trunk. */
  async function pbx(scenario: CalleeScenario, fields: Record<string, unknown> = {}, transport: "udp" | "tcp" = "udp") {
    const callee = await SippCallee.start({ scenario, transport });
    running.push(callee);
    const { sipTrunkId } = await trunks.createSipOutboundTrunk("pbx", `127.0.0.1:${callee.port}`, [NUMBER], {
      transport: transport === "tcp" ? SIPTransport.SIP_TRANSPORT_TCP : SIPTransport.SIP_TRANSPORT_AUTO,
      ...fields,
    });
    return { callee, sipTrunkId };
  }

  function dial(sipTrunkId: string, options: Parameters<SipClient["createSipParticipant"]>[3] = {}) {
    return trunks.createSipParticipant(sipTrunkId, "200", "test-call", { waitUntilAnswered: true, ...options });
  }

  function failure(attempt: Promise<unknown>): Promise<SipCallError> {
    return attempt.then(
      () => {
        throw new Error("The call was answered.");
      },
      (error: SipCallError) => error,
    );
  }

  it("use the trunk's number and headers, and end when the room is deleted", async () => {
    await start();
    const { callee, sipTrunkId } = await pbx({ kind: "answer" }, { headers: { "X-Destination": "sip.example" } });
    const info = await dial(sipTrunkId, { headers: { "X-Call": "1" } });
    expect(info).toMatchObject({ roomName: "test-call", participantIdentity: "sip-participant" });
    expect(info.sipCallId).toMatch(/^SCL_\w{12}$/);
    expect(emulator.calls).toEqual([
      {
        ...{ direction: "outbound", trunkId: sipTrunkId, room: "test-call", from: NUMBER, to: "200" },
        ...{ status: 200, state: "active" },
      },
    ]);
    await rooms().deleteRoom("test-call");
    await until(() => callee.received("BYE").length === 1 && emulator.calls[0]?.state === "ended");
    const [invite] = callee.received("INVITE");
    expect(invite).toMatch(/^From: "\+12025550123" <sip:\+12025550123@127\.0\.0\.1>;tag=SCL_/m);
    expect(invite).toMatch(/^X-Destination: sip\.example$/m);
    expect(invite).toMatch(/^X-Call: 1$/m);
    expect(callee.received("ACK")).toHaveLength(1);
    expect(emulator.project().roomNames()).toEqual([]);
  });

  it("work over TCP, and without waiting for the answer", async () => {
    await start();
    const { callee, sipTrunkId } = await pbx({ kind: "answer" }, {}, "tcp");
    await dial(sipTrunkId, { waitUntilAnswered: false, fromNumber: "+1999" });
    await until(() => emulator.calls[0]?.state === "active");
    await rooms().removeParticipant("test-call", "sip-participant");
    await until(() => callee.received("BYE").length === 1);
    expect(callee.received("INVITE")[0]).toMatch(/^INVITE sip:200@127\.0\.0\.1:\d+;transport=tcp SIP/);
    expect(emulator.calls).toMatchObject([{ from: "+1999" }]);
  });

  it("answer a challenge with the trunk's credential, and never reveal it", async () => {
    await start();
    const { callee, sipTrunkId } = await pbx(
      { kind: "challenge", ...CREDENTIAL },
      { authUsername: CREDENTIAL.username, authPassword: CREDENTIAL.password },
    );
    await dial(sipTrunkId);
    expect(callee.received("INVITE")).toHaveLength(2);
    expect(JSON.stringify([callee.messages(), emulator.requests, emulator.calls])).not.toContain("Canary");
  });

  it("reach another platform, which challenges like a proxy (407)", async () => {
    await start();
    const trunkId = await inboundTrunk({ authUsername: CREDENTIAL.username, authPassword: CREDENTIAL.password });
    await rule([trunkId]);
    const { sipTrunkId } = await trunks.createSipOutboundTrunk("itself", emulator.sipHost, ["+4930123"], {
      transport: SIPTransport.SIP_TRANSPORT_AUTO,
      authUsername: CREDENTIAL.username,
      authPassword: CREDENTIAL.password,
    });
    await trunks.createSipParticipant(sipTrunkId, NUMBER, "test-call", { waitUntilAnswered: true });
    expect(emulator.calls).toMatchObject([
      { direction: "outbound", state: "active" },
      { direction: "inbound", trunkId, state: "active" },
    ]);
    await rooms().deleteRoom("reception");
    await until(() => emulator.calls.every(({ state }) => state === "ended"));
  });

  const wrong = { authUsername: WRONG.username, authPassword: WRONG.password };
  it.each<[title: string, scenario: CalleeScenario, auth: Record<string, string>, error: Record<string, unknown>]>([
    [
      "busy",
      { kind: "refuse", status: 486, reason: "Busy Here" },
      {},
      { sipStatusCode: 486, sipStatus: "Busy Here", status: 429, code: "resource_exhausted" },
    ],
    ["an unknown number", { kind: "refuse", status: 404 }, {}, { sipStatusCode: 404, status: 404, code: "not_found" }],
    ["a loop", { kind: "refuse", status: 482 }, {}, { sipStatusCode: 482, status: 412, code: "failed_precondition" }],
    ["a PBX with an internal error", { kind: "refuse", status: 500 }, {}, { sipStatusCode: 500, status: 412 }],
    [
      "a refused credential",
      { kind: "challenge", ...CREDENTIAL },
      wrong,
      { sipStatusCode: 403, sipStatus: "Wrong Credential", status: 403, code: "permission_denied" },
    ],
    [
      "repeated challenges",
      { kind: "challenge-again" },
      wrong,
      {
        ...{ sipStatusCode: undefined, status: 412, code: "failed_precondition" },
        message: "twirp error unknown: max auth retry attempts reached for SIP invite",
      },
    ],
    [
      "a challenge to a trunk without a credential",
      { kind: "challenge-again" },
      {},
      {
        ...{ sipStatusCode: undefined, status: 412, code: "failed_precondition" },
        message: "twirp error unknown: sip server required auth, but no username or password was provided",
      },
    ],
  ])("fail as livekit/sip does: %s", async (_title, scenario, auth, error) => {
    await start();
    const { callee, sipTrunkId } = await pbx(scenario, auth);
    const thrown = await failure(dial(sipTrunkId));
    expect(pick(thrown, Object.keys(error))).toEqual(error);
    expect(thrown.name === "SipCallError").toBe(error.sipStatusCode !== undefined);
    await until(() => callee.received("ACK").length === callee.received("INVITE").length);
    expect(emulator.calls).toMatchObject([{ state: "ended" }]);
  });

  it("time out when nobody answers", async () => {
    await start();
    const { callee, sipTrunkId } = await pbx({ kind: "ring" });
    const thrown = await failure(dial(sipTrunkId, { ringingTimeout: 1 }));
    expect(thrown).toMatchObject({
      status: 408,
      code: "canceled",
      message: "twirp error unknown: sip request timed out",
    });
    await until(() => callee.received("CANCEL").length === 1 && callee.received("ACK").length === 1);
    expect(emulator.calls).toMatchObject([{ status: 180, state: "ended" }]);
  });

  it("fail when nothing listens", async () => {
    await start();
    const { callee, sipTrunkId } = await pbx({ kind: "answer" });
    await callee.stop();
    expect(await failure(dial(sipTrunkId))).toMatchObject({ status: 408, code: "canceled" });
    expect(emulator.calls).toMatchObject([{ status: 0, state: "ended" }]);
  });

  it("end when the other side hangs up", async () => {
    await start();
    const { sipTrunkId } = await pbx({ kind: "hang-up" });
    await dial(sipTrunkId);
    await until(() => emulator.calls[0]?.state === "ended");
    await expect(rooms().removeParticipant("test-call", "sip-participant")).rejects.toThrow(
      "participant does not exist",
    );
  });

  it("are cancelled when the emulator stops while they ring", async () => {
    await start();
    const { callee, sipTrunkId } = await pbx({ kind: "ring" });
    const attempt = failure(dial(sipTrunkId));
    await until(() => emulator.calls[0]?.status === 180);
    await emulator.stop();
    await until(() => callee.received("CANCEL").length === 1);
    await attempt;
  });
});

function pick(source: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, Reflect.get(source, name)]));
}

describe.each(availablePlatforms())("without livekit/sip, on %s", (_name, startPlatform) => {
  let platform: Platform;
  let trunkId: string;
  beforeAll(async () => {
    platform = await startPlatform();
    const client = new SipClient(platform.url, platform.apiKey, platform.apiSecret);
    ({ sipTrunkId: trunkId } = await client.createSipOutboundTrunk("pbx", "127.0.0.1:9", ["+1"], {
      transport: SIPTransport.SIP_TRANSPORT_AUTO,
    }));
  });
  afterAll(() => platform.stop());

  type Grants = {
    sip?: { admin?: boolean; call?: boolean };
    video?: { roomCreate?: boolean; roomAdmin?: boolean; room?: string };
  };

  async function ask(method: string, body: object, { sip, video }: Grants): Promise<[number, unknown]> {
    const token = new AccessToken(platform.apiKey, platform.apiSecret, { ttl: "2m" });
    token.addSIPGrant({ ...sip });
    token.addGrant({ ...video });
    const response = await fetch(`${platform.url}/twirp/livekit.${method}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${await token.toJwt()}` },
      body: JSON.stringify(body),
    });
    const error: unknown = await response.json();
    return [response.status, error];
  }

  const mayCall = { sip: { call: true } };
  const whole = { sip_trunk_id: "ST_x", sip_call_to: "100", room_name: "r" };
  it.each<[body: object, grants: Grants, status: number, error: string]>([
    [whole, { sip: { admin: true } }, 401, "unauthenticated: permissions denied"],
    [{}, mayCall, 400, "invalid_argument: missing sip trunk id and sip number"],
    [{ sip_trunk_id: "ST_x" }, mayCall, 400, "invalid_argument: missing sip callee number"],
    [
      { ...whole, sip_call_to: "a@b" },
      mayCall,
      400,
      "invalid_argument: SipCallTo should be a phone number or SIP user, not a full SIP URI",
    ],
    [{ ...whole, room_name: "" }, mayCall, 400, "invalid_argument: missing room name"],
    [whole, mayCall, 404, "not_found: requested sip trunk does not exist"],
    [
      { ...whole, display_name: "x".repeat(129) },
      mayCall,
      400,
      "invalid_argument: DisplayName too long (max 128 characters)",
    ],
    [
      { ...whole, display_name: 'a"b' },
      mayCall,
      400,
      "invalid_argument: DisplayName must be a valid quoted string: invalid syntax",
    ],
    [
      { ...whole, destination: { city: "x" } },
      mayCall,
      400,
      "invalid_argument: if city is specified, country or region must also be specified",
    ],
    [
      { ...whole, headers: { From: "x" } },
      mayCall,
      400,
      "invalid_argument: invalid header name: header name From not supported",
    ],
    [
      { ...whole, media: { media_timeout: "-1s" } },
      mayCall,
      400,
      "invalid_argument: media_timeout must not be negative",
    ],
    [
      { trunk: { hostname: "sip:x" }, sip_call_to: "100", room_name: "r" },
      mayCall,
      400,
      "invalid_argument: trunk hostname should be a hostname or IP, not SIP URI",
    ],
    [
      { trunk: { hostname: "127.0.0.1:9" }, sip_call_to: "100", room_name: "r" },
      mayCall,
      412,
      "failed_precondition: twirp error unknown: no numbers on outbound trunk",
    ],
  ])("refuses CreateSIPParticipant %j", async (body, grants, status, error) => {
    expect(await ask("SIP/CreateSIPParticipant", body, grants)).toEqual([
      status,
      { code: error.split(": ")[0], msg: error.replace(/^\w+: /, "") },
    ]);
  });

  it("can't place a call", async () => {
    expect(await ask("SIP/CreateSIPParticipant", { ...whole, sip_trunk_id: trunkId }, mayCall)).toEqual([
      503,
      { code: "unavailable", msg: "twirp error unknown: no response from servers" },
    ]);
  });

  it.each<[method: string, body: object, grants: Grants, status: number, error: string]>([
    ["DeleteRoom", { room: "r" }, {}, 401, "unauthenticated: permissions denied"],
    [
      "DeleteRoom",
      { room: "r" },
      { video: { roomCreate: true } },
      404,
      "not_found: twirp error unknown: requested room does not exist",
    ],
    [
      "RemoveParticipant",
      { room: "r", identity: "x" },
      { video: { roomAdmin: true, room: "q" } },
      401,
      "unauthenticated: permissions denied",
    ],
    [
      "RemoveParticipant",
      { room: "r", identity: "x" },
      { video: { roomAdmin: true, room: "r" } },
      404,
      "not_found: twirp error unknown: participant does not exist",
    ],
  ])("refuses %s %j with %j", async (method, body, grants, status, error) => {
    expect(await ask(`RoomService/${method}`, body, grants)).toEqual([
      status,
      { code: error.split(": ")[0], msg: error.replace(/^\w+: /, "") },
    ]);
  });
});

it("reveals its SIP address only when it has one", async () => {
  emulator = await LiveKitEmulator.start();
  expect(() => emulator.sipHost).toThrow("start it with { sip: true }");
  await emulator.stop();
  await start();
  expect(emulator.sipHost).toMatch(/^127\.0\.0\.1:\d+$/);
  await expect(LiveKitEmulator.start({ sip: { port: Number(emulator.sipHost.split(":")[1]) } })).rejects.toThrow(
    "EADDRINUSE",
  );
});
