/**
 * What the emulator adds to LiveKit: projects, faults, recorded requests, commit listeners, hidden passwords, and a
 * clean stop.
 */

import { once } from "node:events";
import { connect } from "node:net";
import { inspect } from "node:util";
import { CreateSIPInboundTrunkRequest, SIPInboundTrunkInfo, SIPTransport } from "@livekit/protocol";
import { AccessToken, SipClient } from "livekit-server-sdk";
import { LiveKitEmulator, type LiveKitEmulatorOptions } from "../provider/testing/livekit-emulator";

const PASSWORD = "Canary-Passw0rd-1";

describe("the LiveKit emulator", () => {
  let emulator: LiveKitEmulator;

  const start = async (options?: LiveKitEmulatorOptions) => {
    emulator = await LiveKitEmulator.start(options);
    return emulator;
  };
  const clientOf = ({ apiKey, apiSecret } = { apiKey: emulator.apiKey, apiSecret: emulator.apiSecret }) =>
    new SipClient(emulator.url, apiKey, apiSecret, { failover: false, requestTimeout: 5 });
  const create = (client = clientOf(), number = "+1") =>
    client.createSipInboundTrunk("in", [number], { authUsername: "user", authPassword: PASSWORD });
  const post = async () => {
    const token = new AccessToken(emulator.apiKey, emulator.apiSecret);
    token.addSIPGrant({ admin: true });
    return fetch(`${emulator.url}/twirp/livekit.SIP/CreateSIPInboundTrunk`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${await token.toJwt()}` },
      body: JSON.stringify({ trunk: { numbers: ["+1"] } }),
    });
  };

  afterEach(() => emulator.stop());

  describe("projects", () => {
    const secret = (letter: string) => letter.repeat(32);

    it("are separate, and shared by keys with the same project name", async () => {
      const [first, second, other] = [
        { apiKey: "API1", apiSecret: secret("a"), name: "acme" },
        { apiKey: "API2", apiSecret: secret("b"), name: "acme" },
        { apiKey: "API3", apiSecret: secret("c") },
      ];
      await start({ projects: [first, second, other] });
      const { sipTrunkId } = await create(clientOf(first));
      expect(await clientOf(second).listSipInboundTrunk()).toMatchObject([{ sipTrunkId }]);
      expect(await clientOf(other).listSipInboundTrunk()).toEqual([]);
      await expect(create(clientOf(other))).resolves.toBeDefined();
      expect(emulator.project().inboundTrunks()).toHaveLength(1);
      expect(emulator.project("API3")).toMatchObject({ name: "API3" });
      expect(() => emulator.project("API4")).toThrow("The emulator has no API key API4.");
      await expect(clientOf({ ...other, apiSecret: first.apiSecret }).listSipInboundTrunk()).rejects.toMatchObject({
        status: 401,
      });
    });

    it("get a random secret that LiveKit would accept if none is given", async () => {
      const { apiSecret } = await start();
      expect(apiSecret).toMatch(/^.{32,}$/);
      await emulator.stop();
      expect((await start()).apiSecret).not.toBe(apiSecret);
    });

    it("return copies", async () => {
      await start();
      await create();
      const [copy] = emulator.project().inboundTrunks();
      copy?.numbers.push("+2");
      expect(emulator.project().inboundTrunks()).toMatchObject([{ numbers: ["+1"], authPassword: PASSWORD }]);
    });
  });

  describe("faults", () => {
    beforeEach(() => start());

    it.each([
      [429, "resource_exhausted"],
      [500, "internal"],
      [503, "unavailable"],
    ])("answer %i once, as Twirp error %s, without carrying out the call", async (status, code) => {
      emulator.inject({ status, retryAfterSeconds: 7 });
      const response = await post();
      expect([response.status, response.headers.get("retry-after")]).toEqual([status, "7"]);
      expect(await response.json()).toEqual({ code, msg: "a fault injected by the test" });
      expect(emulator.project().inboundTrunks()).toEqual([]);
      expect((await post()).status).toBe(200);
    });

    it("carry out the call anyway if they are committed", async () => {
      emulator.inject({ status: 503, committed: true, code: "unavailable", msg: "try later" });
      expect(await (await post()).json()).toEqual({ code: "unavailable", msg: "try later" });
      expect(emulator.project().inboundTrunks()).toHaveLength(1);
    });

    it.each<[cut: "before" | "after", stored: number]>([
      ["before", 0],
      ["after", 1],
    ])("cut the connection %s the commit", async (cut, stored) => {
      emulator.inject({ cut });
      await expect(post()).rejects.toThrow("fetch failed");
      expect(emulator.project().inboundTrunks()).toHaveLength(stored);
      expect(emulator.requests).toMatchObject([{ method: "CreateSIPInboundTrunk", status: undefined }]);
    });

    it("affect only the methods that they name, as often as they say, until they are removed", async () => {
      const remove = emulator.inject({ method: /^Create.*Outbound/, status: 500, times: Number.POSITIVE_INFINITY });
      emulator.inject({ method: "ListSIPInboundTrunk", status: 503, times: 2 });
      const client = clientOf();
      const createOutbound = () =>
        client.createSipOutboundTrunk("o", "a.example", ["+1"], { transport: SIPTransport.SIP_TRANSPORT_AUTO });
      await create();
      await expect(client.listSipInboundTrunk()).rejects.toMatchObject({ status: 503 });
      await expect(client.listSipInboundTrunk()).rejects.toMatchObject({ status: 503 });
      await expect(client.listSipInboundTrunk()).resolves.toHaveLength(1);
      await expect(createOutbound()).rejects.toMatchObject({ status: 500 });
      await expect(createOutbound()).rejects.toMatchObject({ status: 500 });
      remove();
      await expect(createOutbound()).resolves.toBeDefined();
    });

    it("answer with a body that is not Twirp", async () => {
      emulator.inject({ body: '{"sip_trunk_id": "ST_', committed: true });
      const torn = await post();
      expect([torn.status, await torn.text()]).toEqual([200, '{"sip_trunk_id": "ST_']);
      emulator.inject({ status: 502, body: "<html>Bad gateway</html>" });
      const page = await post();
      expect([page.status, await page.text()]).toEqual([502, "<html>Bad gateway</html>"]);
    });

    it("delay the call", async () => {
      emulator.inject({ latencyMs: 80 });
      const began = performance.now();
      expect((await post()).status).toBe(200);
      expect(performance.now() - began).toBeGreaterThan(75);
    });

    it("hang until the client gives up", async () => {
      emulator.inject({ hang: true, committed: true });
      const hanging = new SipClient(emulator.url, emulator.apiKey, emulator.apiSecret, {
        failover: false,
        requestTimeout: 0.2,
      });
      await expect(create(hanging)).rejects.toThrow();
      expect(emulator.project().inboundTrunks()).toHaveLength(1);
    });
  });

  it("records requests in order, without the token, and prints them without secrets", async () => {
    await start();
    const client = clientOf();
    await create(client);
    await client.createSipDispatchRule({ type: "direct", roomName: "room", pin: "271828" });
    await expect(create(client)).rejects.toThrow();
    await expect(clientOf({ apiKey: "APIother", apiSecret: "x" }).listSipInboundTrunk()).rejects.toThrow();
    expect(emulator.requests.map(({ method, status, apiKey }) => [method, status, apiKey])).toEqual([
      ["CreateSIPInboundTrunk", 200, emulator.apiKey],
      ["CreateSIPDispatchRule", 200, emulator.apiKey],
      ["CreateSIPInboundTrunk", 400, emulator.apiKey],
      ["ListSIPInboundTrunk", 401, undefined],
    ]);
    const message = emulator.requests[0]?.message;
    expect(message instanceof CreateSIPInboundTrunkRequest && message.trunk?.authPassword).toBe(PASSWORD);

    const printed = [inspect(emulator, { depth: 9 }), JSON.stringify(emulator), `${emulator.requests}`];
    printed.push(inspect(emulator.requests, { depth: 9 }), JSON.stringify(emulator.requests));
    for (const text of printed) {
      for (const secret of [PASSWORD, "271828", "eyJ", emulator.apiSecret]) {
        expect(text).not.toContain(secret);
      }
    }
    expect(printed.at(-1)).toContain('"authPassword":"[redacted]"');
  });

  it("reports every committed state before the answer, and nothing else", async () => {
    await start();
    const client = clientOf();
    const seen: [method: string, trunks: number][] = [];
    const end = emulator.onCommit(({ method, project }) => seen.push([method, project.inboundTrunks().length]));
    const { sipTrunkId } = await create(client);
    expect(seen).toEqual([["CreateSIPInboundTrunk", 1]]);
    await client.listSipInboundTrunk();
    await expect(create(client)).rejects.toThrow();
    await client.updateSipInboundTrunkFields(sipTrunkId, { name: "b" });
    await client.deleteSipTrunk(sipTrunkId);
    await client.deleteSipTrunk(sipTrunkId);
    end();
    await create(client);
    expect(seen).toEqual([
      ["CreateSIPInboundTrunk", 1],
      ["UpdateSIPInboundTrunk", 1],
      ["DeleteSIPTrunk", 0],
    ]);
  });

  it("can hide passwords and set times like a hosted platform, and keeps both internally", async () => {
    const began = Date.now();
    let now = began;
    await start({ hidePasswords: true, clock: () => now });
    const client = clientOf();
    const created = await create(client);
    now += 1_500;
    const updated = await client.updateSipInboundTrunkFields(created.sipTrunkId, { authPassword: "Other1" });
    const [listed] = await client.listSipInboundTrunk();
    expect([created.authPassword, updated.authPassword, listed?.authPassword]).toEqual(["", "", ""]);
    expect([created.createdAt?.toDate(), created.updatedAt?.toDate()]).toEqual([new Date(began), new Date(began)]);
    expect([listed?.createdAt?.toDate(), listed?.updatedAt?.toDate()]).toEqual([new Date(began), new Date(now)]);
    expect(emulator.project().inboundTrunks()).toMatchObject([{ authPassword: "Other1" }]);
  });

  it("can set times alone, even on full replacements", async () => {
    await start({ timestamps: true });
    const client = clientOf();
    const created = await create(client);
    const replaced = await client.updateSipInboundTrunk(
      created.sipTrunkId,
      new SIPInboundTrunkInfo({ numbers: ["+2"] }),
    );
    expect(created.authPassword).toBe(PASSWORD);
    expect(replaced).toMatchObject({ createdAt: created.createdAt, updatedAt: expect.anything() });
  });

  it.each<[title: string, offMs: number, why: string]>([
    ["ahead", 15 * 60_000, "token is expired"],
    ["behind", -15 * 60_000, "token is not valid yet"],
  ])("can have a clock that is %s, including its Date header", async (_title, offMs, why) => {
    await start({ clock: () => Date.now() + offMs });
    const token = new AccessToken(emulator.apiKey, emulator.apiSecret, { ttl: "2m" });
    token.addSIPGrant({ admin: true });
    const jwt = await token.toJwt();
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${jwt}` };
    const url = `${emulator.url}/twirp/livekit.SIP/ListSIPInboundTrunk`;
    const response = await fetch(url, { method: "POST", headers, body: "{}" });
    expect(await response.text()).toBe(`invalid token: ${jwt}, error: token has invalid claims: ${why}`);
    const off = Date.parse(response.headers.get("date") ?? "") - Date.now();
    expect(Math.abs(off - offMs)).toBeLessThan(2_000);
  });

  it("listens on the given port, and reports when that is taken", async () => {
    const { url } = await start();
    await expect(LiveKitEmulator.start({ port: Number(new URL(url).port) })).rejects.toThrow("EADDRINUSE");
  });

  it("leaves no connection, waiting request or port behind when it stops", async () => {
    const { url } = await start();
    const { port } = new URL(url);
    const idle = connect(Number(port), "127.0.0.1");
    await once(idle, "connect");
    emulator.inject({ hang: true });
    emulator.inject({ latencyMs: 600_000 });
    const pending = [post(), post()].map((request) => expect(request).rejects.toThrow("fetch failed"));
    while (emulator.requests.length < 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const closed = once(idle, "close");
    await emulator.stop();
    await Promise.all([...pending, closed]);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
    await start({ port: Number(port) });
    expect(emulator.url).toBe(url);
  });
});
