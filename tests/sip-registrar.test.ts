/** The testing kit's SIP registrar: standard behaviour, settings, faults, calls, and a clean stop. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectTls } from "node:tls";
import { inspect } from "node:util";
import { answer } from "../provider/sip/digest";
import { headerOf, headersOf, MessageReader, type SipResponse } from "../provider/sip/message";
import { answerSdp } from "../provider/testing/sip/sdp";
import { SipRegistrar, type SipRegistrarOptions } from "../provider/testing/sip-registrar";
import { ThrowAwayCa } from "./support/throw-away-ca";
import { challengesIn, UserAgent, type Wording } from "./support/user-agent";

const PASSWORD = "Canary-Passw0rd-1";
const CREDENTIAL = { username: "1011", password: PASSWORD };
const OFFER =
  "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 96 8 0\r\n";

describe("the registrar", () => {
  const agents: UserAgent[] = [];
  let registrar: SipRegistrar;

  const start = async (options: Partial<SipRegistrarOptions> = {}) => {
    registrar = await SipRegistrar.start({ users: { "1011": PASSWORD }, ...options });
    return registrar;
  };
  const open = async (protocol: "udp" | "tcp" = "udp") => {
    const agent = await UserAgent.open({ ...registrar.toJSON(), protocol });
    agents.push(agent);
    return agent;
  };
  const register = async (wording: Partial<Wording> = {}, credential = CREDENTIAL) =>
    (await open()).authenticated("REGISTER", { from: "1011", ...wording }, credential);

  afterEach(async () => {
    for (const agent of agents.splice(0)) {
      agent.close();
    }
    await registrar.stop();
  });

  describe("challenges", () => {
    it("are sent once for each algorithm, by preference, and any of them may be answered", async () => {
      await start({ algorithms: ["SHA-256", "MD5"], realm: "acme" });
      const agent = await open();
      const wording = { from: "1011" };
      const challenged = await agent.request("REGISTER", wording);
      const found = challengesIn(challenged);
      expect(found).toMatchObject([
        { realm: "acme", algorithm: "SHA-256", qop: ["auth"] },
        { realm: "acme", algorithm: "MD5", qop: ["auth"] },
      ]);
      for (const challenge of found) {
        const { uri } = agent.draft("REGISTER", wording);
        const value = answer(challenge, CREDENTIAL, { method: "REGISTER", uri });
        const response = await agent.request("REGISTER", {
          ...wording,
          headers: [{ name: "Authorization", value }],
        });
        expect(response.status).toBe(200);
      }
    });

    it("may not be answered with an algorithm that was not offered", async () => {
      await start({ algorithms: ["SHA-256"] });
      const agent = await open();
      const challenged = await agent.request("REGISTER", { from: "1011" });
      const [challenge] = challengesIn(challenged).map((offered) => ({ ...offered, algorithm: "MD5" }));
      const { uri } = agent.draft("REGISTER", { from: "1011" });
      const value = challenge ? answer(challenge, CREDENTIAL, { method: "REGISTER", uri }) : "";
      const headers = [{ name: "Authorization", value }];
      expect((await agent.request("REGISTER", { from: "1011", headers })).status).toBe(401);
    });

    it("work without qop, as in RFC 2069", async () => {
      await start({ qop: false });
      expect(challengesIn(await (await open()).request("REGISTER", { from: "1011" }))).toMatchObject([{ qop: [] }]);
      expect((await register()).status).toBe(200);
    });

    it.each<[nonce: string, lifetime: number, change: (nonce: string) => string]>([
      ["too old", -1, (nonce) => nonce],
      ["not its own", 60_000, (nonce) => `${nonce}0`],
    ])(
      "are marked stale for the right credential when the nonce is %s, and not for a wrong one",
      async (_nonce, lifetime, change) => {
        await start({ nonceLifetimeMs: lifetime });
        const agent = await open();
        const wording = { from: "1011" };
        const challenged = await agent.request("REGISTER", wording);
        const [challenge] = challengesIn(challenged);
        const answers = [PASSWORD, "Wrong-Passw0rd-1"].map(async (password) => {
          const offered = { nonce: "", realm: "", stale: false, algorithm: "MD5", qop: [], ...challenge };
          const { uri } = agent.draft("REGISTER", wording);
          const subject = { method: "REGISTER", uri };
          const value = answer({ ...offered, nonce: change(offered.nonce) }, { username: "1011", password }, subject);
          return agent.request("REGISTER", { ...wording, headers: [{ name: "Authorization", value }] });
        });
        const found = (await Promise.all(answers)).map((response) => [
          response.status,
          challengesIn(response)[0]?.stale,
        ]);
        expect(found).toEqual([
          [401, true],
          [401, false],
        ]);
      },
    );

    it("are sent to OPTIONS if configured", async () => {
      await start({ challengeOptions: true });
      const agent = await open();
      expect((await agent.request("OPTIONS", { from: "1011" })).status).toBe(401);
      expect((await agent.authenticated("OPTIONS", { from: "1011" }, CREDENTIAL)).status).toBe(200);
      const wrong = { ...CREDENTIAL, password: "Wrong-Passw0rd-1" };
      expect((await agent.authenticated("OPTIONS", { from: "1011" }, wrong)).status).toBe(401);
    });

    it("are not sent for unsupported methods", async () => {
      await start();
      const response = await (await open()).request("PUBLISH", { from: "1011" });
      expect([response.status, headerOf(response, "allow")]).toEqual([405, expect.stringContaining("REGISTER")]);
    });
  });

  describe("accounts", () => {
    it("can be added, removed, barred and unbarred", async () => {
      await start();
      registrar.bar("1011");
      expect((await register({}, { ...CREDENTIAL, password: "Wrong-Passw0rd-1" })).status).toBe(401);
      expect((await register()).status).toBe(403);
      registrar.bar("1011", false);
      expect((await register()).status).toBe(200);
      registrar.removeUser("1011");
      expect((await register()).status).toBe(404);
      registrar.setPassword("1011", PASSWORD);
      expect((await register()).status).toBe(200);
    });

    it("may not register for another account", async () => {
      await start({ users: { "1011": PASSWORD, "1012": "Another-Passw0rd-1" } });
      expect((await register({ from: "1012" })).status).toBe(403);
    });

    it("are recorded with every attempted credential, and without any secret", async () => {
      await start();
      registrar.setPassword("1012", "Canary-Passw0rd-2");
      await register();
      await register({}, { ...CREDENTIAL, password: "Canary-Wrong-3" });
      await register({ from: "ghost" }, { username: "ghost", password: "Canary-Ghost-4" });
      await (await open()).authenticated("INVITE", { from: "1011", to: "1012", body: OFFER }, CREDENTIAL);
      expect(
        registrar.attempts.map(({ method, username, accepted, status }) => [method, username, accepted, status]),
      ).toEqual([
        ["REGISTER", "1011", true, 200],
        ["REGISTER", "1011", false, 401],
        ["REGISTER", "ghost", false, 404],
        ["INVITE", "1011", true, 200],
      ]);
      expect(registrar.attempts[0]?.at).toBeInstanceOf(Date);
      expect(registrar.requests.filter((text) => text.startsWith("REGISTER "))).toHaveLength(6);
      const printed = [inspect(registrar, { depth: 9 }), JSON.stringify(registrar), ...registrar.requests];
      printed.push(inspect(registrar.attempts), inspect(registrar.calls));
      expect(printed.join("\n")).not.toContain("Canary");
      expect(printed.join("\n")).toContain('username="1011"');
    });
  });

  describe("bindings", () => {
    const contact = (value: string) => ({ name: "Contact", value });
    const contactsIn = (response: SipResponse) => [response.status, headersOf(response, "contact")];

    beforeEach(() => start());

    it("are added, listed, refreshed and removed", async () => {
      const made = await register({ headers: [contact("<sip:1011@192.0.2.1>;expires=60, <sip:1011@192.0.2.2>")] });
      expect(contactsIn(made)).toEqual([200, ["<sip:1011@192.0.2.1>;expires=60", "<sip:1011@192.0.2.2>;expires=3600"]]);
      expect(contactsIn(await register())[1]).toHaveLength(2);
      const expires = { name: "Expires", value: "0" };
      await register({ headers: [contact("<sip:1011@192.0.2.1>"), expires] });
      expect(registrar.bindings("1011")).toEqual(["sip:1011@192.0.2.2"]);
      expect(contactsIn(await register({ headers: [contact("*"), expires] }))).toEqual([200, []]);
      expect(registrar.bindings("1011")).toEqual([]);
    });

    it("are not removed by a * without Expires: 0", async () => {
      await register({ headers: [contact("<sip:1011@192.0.2.1>")] });
      expect((await register({ headers: [contact("*")] })).status).toBe(400);
      expect(registrar.bindings("1011")).toHaveLength(1);
    });
  });

  describe("faults", () => {
    beforeEach(() => start());

    it("make the registrar silent until it is set back to normal", async () => {
      const agent = await open("tcp");
      registrar.behave("silent");
      const unanswered = agent.send("OPTIONS", { from: "1011" });
      unanswered.response.catch(() => undefined);
      const seen = agent.send("OPTIONS", { from: "1011" });
      seen.response.catch(() => undefined);
      while (registrar.requests.length < 2) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      registrar.behave("normal");
      const answered = agent.send("OPTIONS", { from: "1011" }).response.then(() => "answered");
      expect(await Promise.race([unanswered.response, seen.response, answered])).toBe("answered");
    });

    it.each(["garbage", "enormous"] as const)(
      "make the registrar send %s data that a TCP client rejects",
      async (behavior) => {
        registrar.behave(behavior);
        const response = (await open("tcp")).request("REGISTER", { from: "1011" });
        await expect(response).rejects.toMatchObject({ name: "MalformedStream" });
      },
    );

    it("make the registrar send an enormous challenge over UDP", async () => {
      registrar.behave("enormous");
      const [challenge] = challengesIn(await (await open()).request("REGISTER", { from: "1011" }));
      expect(challenge?.nonce).toHaveLength(60_000);
    });

    it("make the registrar send garbage over UDP", async () => {
      registrar.behave("garbage");
      const agent = await open();
      const response = agent.request("REGISTER", { from: "1011" });
      response.catch(() => undefined);
      while (registrar.requests.length < 2) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      agent.close();
      await expect(response).rejects.toThrow("the user agent was closed");
    });
  });

  it("delays its answers as configured, for many requests at once", async () => {
    await start({ latencyMs: 100 });
    const agent = await open();
    const began = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => agent.request("OPTIONS", { from: "1011" })));
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(95);
    expect(took).toBeLessThan(1_500);
  });

  it("serves TLS on a separate port", async () => {
    const ca = new ThrowAwayCa();
    try {
      const tls = ca.certify("IP:127.0.0.1");
      await start({ tls });
      const port = registrar.tlsPort ?? 0;
      const socket = connectTls({ host: registrar.host, port, ca: readFileSync(ca.file) });
      socket.write(
        "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
      );
      const [bytes] = await once(socket, "data");
      expect(new MessageReader().push(bytes)).toMatchObject([{ status: 200 }]);
      expect(port).not.toBe(registrar.port);
      socket.destroy();
    } finally {
      ca.dispose();
    }
  });

  it("leaves no pending answer, call or port behind when it stops, and may be stopped twice", async () => {
    await start({ latencyMs: 50 });
    const { port } = registrar;
    const agent = await open("tcp");
    const call = { from: "1011", to: "1012", body: OFFER };
    expect((await agent.authenticated("INVITE", call, CREDENTIAL)).status).toBe(200);
    const pending = agent.request("OPTIONS", { from: "1011" });
    while (!registrar.requests.some((text) => text.startsWith("OPTIONS"))) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all([registrar.stop(), expect(pending).rejects.toThrow("the connection was closed")]);
    await registrar.stop();
    await start({ port });
    expect(registrar.port).toBe(port);
    await expect(SipRegistrar.start({ users: {}, port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  describe("calls", () => {
    const wording: Wording = { from: "1011", to: "1012", callId: "call-1", body: OFFER };

    beforeEach(() => start());

    /** Calls with the right credential. The result can follow the call and end it. */
    async function call(given: Partial<Wording> = {}, protocol: "udp" | "tcp" = "udp") {
      const agent = await open(protocol);
      const first = { ...wording, ...given };
      const challenged = await agent.request("INVITE", first);
      expect(challenged.status).toBe(407);
      const second = { ...agent.answering(challenged, "INVITE", first, CREDENTIAL), branch: "z9hG4bKcall" };
      const provisional: SipResponse[] = [];
      let ring = (): void => undefined;
      const rings = new Promise<void>((resolve) => {
        ring = resolve;
      });
      const transaction = agent.send("INVITE", second, (response) => {
        provisional.push(response);
        ring();
      });
      return { agent, second, transaction, provisional, rings };
    }
    const within = (response: SipResponse, given: Wording, sequence: number): Wording => ({
      from: given.from,
      ...(given.to !== undefined && { to: given.to }),
      ...(given.callId !== undefined && { callId: given.callId }),
      toTag: headerOf(response, "to")?.split(";tag=")[1] ?? "",
      sequence,
    });

    it.each(["udp", "tcp"] as const)("are challenged, ring, are answered and end over %s", async (protocol) => {
      const { agent, second, transaction, provisional } = await call({}, protocol);
      const response = await transaction.response;
      expect(response.status).toBe(200);
      expect(provisional.map(({ status }) => status)).toEqual([180]);
      expect(headerOf(response, "contact")).toBe(`<sip:127.0.0.1:${registrar.port};transport=${protocol}>`);
      expect(headerOf(response, "content-type")).toBe("application/sdp");
      expect(response.body).toMatch(/\r\nm=audio \d+ RTP\/AVP 8\r\n/);
      expect(registrar.calls).toMatchObject([{ callee: "1012", caller: "sip:1011@127.0.0.1", state: "answering" }]);
      agent.acknowledge(within(response, second, 2));
      expect((await agent.request("BYE", within(response, second, 3))).status).toBe(200);
      expect(registrar.calls).toMatchObject([{ state: "ended" }]);
      expect((await agent.request("BYE", within(response, second, 4))).status).toBe(481);
    });

    it("are refused with a wrong credential, and not recorded as calls", async () => {
      const agent = await open();
      const response = await agent.authenticated("INVITE", wording, { ...CREDENTIAL, password: "Wrong-Passw0rd-1" });
      expect(response.status).toBe(407);
      expect(registrar.calls).toEqual([]);
    });

    it.each([
      ["busy", 486],
      ["notFound", 404],
      ["forbidden", 403],
    ] as const)("end as configured: %s", async (how, status) => {
      registrar.answerCalls("1012", how);
      expect((await (await call()).transaction.response).status).toBe(status);
      expect(registrar.calls).toMatchObject([{ state: "refused" }]);
    });

    it("ring until they are cancelled", async () => {
      registrar.answerCalls("1012", "noAnswer");
      const { agent, transaction, rings } = await call();
      await rings;
      const cancel = { from: "1011", to: "1012", callId: "call-1", sequence: 2 };
      expect((await agent.request("CANCEL", { ...cancel, branch: "z9hG4bKcall" })).status).toBe(200);
      expect((await transaction.response).status).toBe(487);
      expect(registrar.calls).toMatchObject([{ state: "cancelled" }]);
      expect((await agent.request("CANCEL", { ...cancel, branch: "z9hG4bKother" })).status).toBe(481);
    });

    it("repeat their 200 until the ACK arrives, over any transport", async () => {
      const { agent, second, transaction } = await call({}, "tcp");
      const response = await transaction.response;
      let again = 0;
      const taken = transaction.take.bind(transaction);
      const repeated = new Promise<void>((resolve) => {
        transaction.take = (one) => {
          const isTaken = taken(one);
          again += isTaken ? 1 : 0;
          resolve();
          return isTaken;
        };
      });
      await repeated;
      agent.acknowledge(within(response, second, 2));
      // TCP keeps the order: once OPTIONS is answered, the ACK has been handled.
      await agent.request("OPTIONS", { from: "1011" });
      expect([again, registrar.calls[0]?.state]).toEqual([1, "answered"]);
    });

    it("accept a re-INVITE with other media without another challenge", async () => {
      const { agent, second, transaction } = await call();
      const response = await transaction.response;
      agent.acknowledge(within(response, second, 2));
      const again = await agent.request("INVITE", { ...within(response, second, 3), body: OFFER.replace("8 0", "0") });
      expect(again.body).toMatch(/m=audio \d+ RTP\/AVP 0\r\n/);
      expect(registrar.calls).toHaveLength(1);
    });

    it("are refused when there is no common media", async () => {
      const { transaction } = await call({ body: OFFER.replace("RTP/AVP", "RTP/SAVP") });
      expect((await transaction.response).status).toBe(488);
    });
  });
});

describe("the SDP answer", () => {
  const at = { host: "127.0.0.1", port: 4002 };
  const mediaOf = (offer: string) => answerSdp(offer, at)?.split("\r\n").slice(5, -1);

  it.each<[title: string, offer: string, media: string[] | undefined]>([
    [
      "selects the first known codec",
      "m=audio 1 RTP/AVP 96 8 0",
      ["m=audio 4002 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=sendrecv"],
    ],
    [
      "mirrors the direction of the accepted medium",
      "m=audio 1 RTP/AVP 0\na=ptime:20\na=sendonly\nm=audio 2 RTP/AVP 0\na=inactive",
      ["m=audio 4002 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=recvonly", "m=audio 0 RTP/AVP 0"],
    ],
    [
      "rejects every other medium in its place",
      "m=video 9 RTP/AVP 99\nm=audio 1 RTP/SAVP 0\nm=audio 1 RTP/AVP 0",
      ["m=video 0 RTP/AVP 99", "m=audio 0 RTP/SAVP 0", "m=audio 4002 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=sendrecv"],
    ],
    ["makes an offer if nothing was offered", "", ["m=audio 4002 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=sendrecv"]],
    ["is absent for unknown codecs", "m=audio 1 RTP/AVP 9 18", undefined],
    ["is absent for disabled audio", "m=audio 0 RTP/AVP 0", undefined],
    ["is absent for invalid input", "nonsense", undefined],
  ])("%s", (_title, offer, media) => expect(mediaOf(offer.replace(/\n/g, "\r\n"))).toEqual(media));

  it("contains the address, including IPv6", () => {
    expect(answerSdp("", { host: "::1", port: 1 })).toContain("\r\nc=IN IP6 ::1\r\n");
  });
});
