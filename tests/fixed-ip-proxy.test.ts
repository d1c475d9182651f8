/** The proxy example in the real Kamailio, between real SIP endpoints: what it lets through, and what it must not. */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { TestStack } from "../provider/testing/test-stack";
import { FixedIpProxy } from "./support/fixed-ip-proxy";
import { Kamailio, kamailioAvailability } from "./support/kamailio";
import { type CallOptions, SippCallee, sippAvailability, sippCall } from "./support/sipp";

const HEADER = "X-Outbound-Destination";
const PASSWORD = "Canary1pass";
const PLATFORM = "127.0.0.2";

const here = kamailioAvailability(["postgres"]).available && sippAvailability().available;
(here ? describe : describe.skip)("the proxy with a fixed address", () => {
  let answering: SippCallee;
  let ringing: SippCallee;
  let challenging: SippCallee;
  let neighbour: SippCallee;
  let proxy: FixedIpProxy;
  /** Receives packets and tells where they came from. */
  let witness: Socket;
  let registrar: Kamailio;

  beforeAll(async () => {
    witness = createSocket("udp4");
    witness.bind(0, "127.0.0.1");
    await once(witness, "listening");
    [answering, ringing, challenging, neighbour] = await Promise.all([
      SippCallee.start(),
      SippCallee.start({ scenario: { kind: "ring" }, transport: "tcp" }),
      SippCallee.start({ scenario: { kind: "challenge", username: "acme", password: PASSWORD } }),
      SippCallee.start(),
    ]);
    registrar = await Kamailio.start({ transports: ["udp", "tls"], callee: answering, users: { "1011": PASSWORD } });
    const ports = [answering, ringing, challenging, registrar].map(({ port }) => port);
    const destinations = [...ports, registrar.tlsPort, witness.address().port].map((port) => `2 127.0.0.1 32 ${port}`);
    proxy = await FixedIpProxy.start({
      allowed: [`1 ${PLATFORM} 32 0 platform`, ...destinations, `2 pbx.acme.example 32 5060`, "2 ::1 128 5070"],
      ca: registrar.ca,
    });
  });
  afterAll(async () => {
    witness.close();
    await Promise.all([answering, ringing, challenging, neighbour, registrar, proxy].map((part) => part.stop()));
  });

  const callWith = (headers: readonly string[], options: Partial<CallOptions> = {}) =>
    sippCall({
      to: { host: proxy.host, port: proxy.port, user: "+12025550123" },
      localIp: PLATFORM,
      headers,
      ...options,
    });
  const callTo = (destination: string, options: Partial<CallOptions> = {}) =>
    callWith([`${HEADER}: ${destination}`], options);
  const at = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;

  test("forwards a call to the destination in the header, and its BYE", async () => {
    const call = await callTo(at(answering));
    expect(call).toMatchObject({ asExpected: true, statuses: [100, 180, 200] });
    const [invite = ""] = answering.received("INVITE");
    expect(invite).toContain(`INVITE sip:+12025550123@${at(answering)} SIP/2.0`);
    expect(invite).not.toContain(HEADER);
    expect(answering.received("BYE")).toHaveLength(1);
  });

  test("sends calls from its own address", async () => {
    const packet = once(witness, "message");
    const call = callTo(`127.0.0.1:${witness.address().port}`, { timeoutMs: 1_000 });
    const [text, from] = await packet;
    expect(String(text)).toMatch(/^INVITE /);
    expect(from).toMatchObject({ address: proxy.host, port: proxy.port });
    await call;
  });

  test("forwards CANCEL, and bridges a call from UDP to TCP", async () => {
    const call = await callTo(`${at(ringing)};transport=tcp`, { expect: 180 });
    expect(call).toMatchObject({ asExpected: true });
    expect(ringing.received("CANCEL")).toHaveLength(1);
  });

  test("lets the platform authenticate to the destination itself", async () => {
    const options = { username: "acme", password: PASSWORD };
    expect(await callTo(at(challenging), options)).toMatchObject({
      asExpected: true,
      statuses: [100, 401, 100, 180, 200],
    });
    const wrong = await callTo(at(challenging), { ...options, password: "wrong", expect: 403 });
    expect(wrong).toMatchObject({ asExpected: true });
  });

  test.each(["udp", "tls"] as const)("reaches a phone system over %s, which answers 407", async (transport) => {
    const to = transport === "tls" ? `127.0.0.1:${registrar.tlsPort};transport=tls` : at(registrar);
    const call = await callTo(to, { from: "1011@voip.test", username: "1011", password: PASSWORD });
    if (!call.asExpected) {
      throw new Error(`The call failed: ${call.trace}`);
    }
    expect(call.statuses.filter((status) => status !== 100)).toEqual([407, 180, 200]);
    expect(registrar.requests().at(-1)).toMatchObject({ method: "BYE", sourceIp: proxy.host, transport });
  });

  test("refuses a destination that is not in its allowlist", async () => {
    for (const to of [at(neighbour), "evil.example", "pbx.acme.example:5061", "xpbx.acme.example", "127.0.0.1"]) {
      expect(await callTo(to, { expect: 403 })).toMatchObject({ asExpected: true });
    }
    expect(neighbour.messages()).toEqual([]);
  });

  test("refuses a header that is missing, duplicated, or holds anything but one destination", async () => {
    const good = at(answering);
    const before = answering.messages().length;
    const bad = [
      [],
      [`${HEADER}:`],
      [`${HEADER}: ${good}`, `${HEADER}: ${at(neighbour)}`],
      [`${HEADER}: ${good}`, `${HEADER.toLowerCase()}: ${good}`],
      ...[
        `${good}@${at(neighbour)}`,
        `user@${good}`,
        `sip:${good}`,
        `${good};maddr=127.0.0.1`,
        `${good};transport=udp;maddr=127.0.0.1`,
        `${good};transport=ws`,
        `${good}?Route=x`,
        `${good}, ${at(neighbour)}`,
        `${good},${at(neighbour)}`,
        `${good} ${at(neighbour)}`,
        `<${good}>`,
        `${good}%00`,
        "127.0.0.1:99999",
        "127.0.0.1:0",
        "127.0.0.1:05060",
        "127.0.0.1:",
        "-",
      ].map((value) => [`${HEADER}: ${value}`]),
    ];
    for (const headers of bad) {
      const { statuses } = await callWith(headers, { expect: 400 });
      expect([headers, ...statuses.filter((status) => status !== 100)]).toEqual([headers, 400]);
    }
    expect(answering.messages()).toHaveLength(before);
    expect(neighbour.messages()).toEqual([]);
  });

  test("refuses a caller that is not the platform", async () => {
    const call = await callTo(at(answering), { localIp: "127.0.0.1", expect: 403 });
    expect(call).toMatchObject({ asExpected: true });
  });

  /** Sends a raw request from the platform's address. Returns the first final response. */
  async function answerTo(method: string, headers: readonly string[]): Promise<string> {
    const socket = createSocket("udp4");
    socket.bind(0, PLATFORM);
    await once(socket, "listening");
    const { port } = socket.address();
    const lines = [
      `${method} sip:1@${at(neighbour)} SIP/2.0`,
      `Via: SIP/2.0/UDP ${PLATFORM}:${port};branch=z9hG4bK${port}`,
      "From: <sip:1@x.example>;tag=1",
      `Call-ID: ${port}`,
      `CSeq: 1 ${method}`,
      `Contact: <sip:1@${PLATFORM}:${port}>`,
      "Max-Forwards: 70",
      ...headers,
      "Content-Length: 0",
    ];
    try {
      socket.send(`${lines.join("\r\n")}\r\n\r\n`, proxy.port, proxy.host);
      for (;;) {
        const [answer] = await once(socket, "message");
        if (!String(answer).startsWith("SIP/2.0 1")) {
          return String(answer);
        }
      }
    } finally {
      socket.close();
    }
  }

  test.each([
    ["a second line", `${HEADER}: DEST\r\n ;maddr=127.0.0.1`],
    ["a second line with a host", `${HEADER}: DEST\r\n\t@evil.example`],
    ["a zero byte and a host", `${HEADER}: DEST\0@evil.example`],
    ["a zero byte and a parameter", `${HEADER}: DEST;transport=udp\0;maddr=127.0.0.9`],
    ["a bare line feed", `${HEADER}: DEST\n ;maddr=127.0.0.1`],
  ])("refuses a header with %s", async (_, header) => {
    const answer = await answerTo("INVITE", ["To: <sip:2@x.example>", header.replace("DEST", at(answering))]);
    expect(answer).toMatch(/^SIP\/2\.0 400 /);
  });

  test.each(["INVITE", "BYE", "OPTIONS", "REFER"])(
    "relays no %s outside of a call that it admitted, whatever the Route header says",
    async (method) => {
      const route = `Route: <sip:${proxy.host}:${proxy.port};lr>`;
      expect(await answerTo(method, ["To: <sip:2@x.example>;tag=2", route])).toMatch(/^SIP\/2\.0 481 /);
      expect(neighbour.messages()).toEqual([]);
    },
  );

  test("ignores a Route header of the caller that leads elsewhere", async () => {
    const route = `Route: <sip:${at(neighbour)};lr>`;
    expect(await callWith([`${HEADER}: ${at(answering)}`, route])).toMatchObject({ asExpected: true });
    expect(neighbour.messages()).toEqual([]);
  });
});

test("the example's stack sets the proxy as the trunk's address, and the destination in the header", async () => {
  const emulator = await LiveKitEmulator.start();
  const stack = await TestStack.create({
    projectDir: join(__dirname, "..", "examples", "fixed-ip-proxy"),
    config: {
      "livekit:url": emulator.url,
      "livekit:apiKey": emulator.apiKey,
      "livekit:outboundProxy": JSON.stringify({ address: "proxy.example.com:5060" }),
    },
    secrets: { "livekit:apiSecret": emulator.apiSecret, "fixed-ip-proxy:supportPassword": "Only-For-Tests-1" },
  });
  try {
    expect(await stack.up()).toMatchObject({ succeeded: true });
    expect(emulator.project().outboundTrunks()).toMatchObject([
      { address: "proxy.example.com:5060", headers: { [HEADER]: "sip.provider.example" } },
    ]);
    expect(await stack.preview({ expectNoChanges: true })).toMatchObject({ exitCode: 0 });
  } finally {
    await stack.dispose();
    await emulator.stop();
  }
});
