/** The fault proxy: what it passes on unchanged, what its faults do, what it reports, and what it does not reveal. */

import { inspect } from "node:util";
import { SipClient } from "livekit-server-sdk";
import { type Fault, FaultProxy, LiveKitEmulator } from "../provider/testing";

const PASSWORD = "Canary-Passw0rd-1";

describe("the proxy with faults", () => {
  let emulator: LiveKitEmulator;
  let proxy: FaultProxy;
  let client: SipClient;

  beforeEach(async () => {
    emulator = await LiveKitEmulator.start();
    proxy = await FaultProxy.start({ target: emulator.url });
    client = new SipClient(proxy.url, emulator.apiKey, emulator.apiSecret, { failover: false, requestTimeout: 0.5 });
  });

  afterEach(async () => {
    await proxy.stop();
    await emulator.stop();
  });

  const create = () => client.createSipInboundTrunk("in", ["+1"], { authUsername: "user", authPassword: PASSWORD });
  const trunks = () => emulator.project().inboundTrunks().length;

  it("passes on calls, answers, refusals and other requests", async () => {
    const { sipTrunkId } = await create();
    expect(await client.listSipInboundTrunk()).toMatchObject([{ sipTrunkId, authPassword: PASSWORD }]);
    await expect(create()).rejects.toMatchObject({ status: 400, message: expect.stringContaining("Conflicting") });
    expect(await (await fetch(proxy.url)).text()).toBe("OK");
    const [refused, direct] = await Promise.all(
      [proxy.url, emulator.url].map(async (url) => {
        const response = await fetch(`${url}/twirp/livekit.SIP/ListSIPInboundTrunk?a=b`, { headers: { "X-A": "b" } });
        const { date, ...headers } = Object.fromEntries(response.headers);
        expect(date).toBeDefined();
        return { status: response.status, headers, body: await response.text() };
      }),
    );
    expect(refused).toEqual(direct);
    expect(proxy.requests).toEqual([
      { method: "CreateSIPInboundTrunk", status: 200 },
      { method: "ListSIPInboundTrunk", status: 200 },
      { method: "CreateSIPInboundTrunk", status: 400 },
      { method: "ListSIPInboundTrunk", status: 404 },
    ]);
  });

  it.each<[what: string, fault: Fault, committed: number]>([
    ["cut before", { cut: "before" }, 0],
    ["cut after", { cut: "after" }, 1],
    ["answered with 503", { status: 503 }, 0],
    ["answered with 503 after the commit", { status: 503, committed: true }, 1],
    ["answered with a page", { status: 502, body: "<html>" }, 0],
    ["left hanging", { hang: true }, 0],
    ["left hanging after the commit", { hang: true, committed: true }, 1],
  ])("fails a call once that is %s", async (_, fault, committed) => {
    proxy.inject({ ...fault, method: "CreateSIPInboundTrunk" });
    await client.listSipInboundTrunk();
    await expect(create()).rejects.toThrow();
    expect(trunks()).toBe(committed);
    expect(proxy.requests.at(-1)?.status).toBe(fault.status);
    await client.listSipInboundTrunk();
  });

  it("reports a call before the server gets it, and its answer before the client gets it", async () => {
    const seen: string[] = [];
    const ends = [
      proxy.onRequest(async (method) => void seen.push(`${method}: ${trunks()}`)),
      proxy.onAnswer((method) => void seen.push(`${method} answered: ${trunks()}`)),
    ];
    await create();
    for (const end of ends) {
      end();
    }
    await client.listSipInboundTrunk();
    expect(seen).toEqual(["CreateSIPInboundTrunk: 0", "CreateSIPInboundTrunk answered: 1"]);
  });

  it("cuts the connection while the server is down", async () => {
    await emulator.stop();
    await expect(fetch(proxy.url)).rejects.toThrow("fetch failed");
    await expect(create()).rejects.toThrow();
  });

  it("records no secret, and closes every connection when it stops", async () => {
    await create();
    expect(inspect(proxy, { depth: 9, showHidden: false })).not.toMatch(/Canary|eyJ/);
    proxy.inject({ hang: true });
    const hanging = expect(create()).rejects.toThrow();
    while (proxy.requests.length < 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await proxy.stop();
    await hanging;
    await expect(fetch(proxy.url)).rejects.toThrow("fetch failed");
  });
});
