/**
 * The credential check against VoIP systems that give every kind of answer. voip-status.test.ts uses a real Kamailio.
 */

import { once } from "node:events";
import { createServer } from "node:net";
import { headerOf, type SipMessage, serialize } from "../provider/sip/message";
import { challengeValue, parseAnswer, proves } from "../provider/testing/sip/digest";
import { type Incoming, type ListenerOptions, type Reply, SipListener } from "../provider/testing/sip/listener";
import { type CredentialQuery, checkCredential as check } from "../provider/voip/credential-check";
import { CANARY, password } from "./support/examples";

const PASSWORD = password("pbx");
const closers: (() => Promise<unknown>)[] = [];

async function checkCredential(...query: Parameters<typeof check>): Promise<string> {
  return (await check(...query)).status;
}

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** What a VoIP system was asked, and how often it was sent a credential. */
interface Seen {
  readonly host: string;
  readonly port: number;
  readonly messages: SipMessage[];
  shown(): number;
}

async function voipSystem(answer: (incoming: Incoming) => Reply | undefined, options?: ListenerOptions): Promise<Seen> {
  const messages: SipMessage[] = [];
  const listener = await SipListener.listen(options ?? {}, {
    request: (incoming) => {
      messages.push(incoming.request);
      const reply = answer(incoming);
      if (reply) {
        incoming.respond(reply);
      }
    },
  });
  closers.push(() => listener.close());
  const shown = () => messages.filter((message) => credentialOf(message) !== undefined).length;
  return { host: listener.host, port: listener.port, messages, shown };
}

function credentialOf(message: SipMessage): string | undefined {
  return headerOf(message, "authorization") ?? headerOf(message, "proxy-authorization");
}

const CHALLENGE = { realm: "pbx", nonce: "nonce-1", stale: false, algorithm: "MD5", qop: [] };

function challenge(overrides: Partial<typeof CHALLENGE & { opaque: string; qop: string[] }> = {}, status = 401): Reply {
  const name = status === 401 ? "WWW-Authenticate" : "Proxy-Authenticate";
  return {
    status,
    reason: "Unauthorized",
    headers: [{ name, value: challengeValue({ ...CHALLENGE, ...overrides }) }],
  };
}

/** Challenges first, then answers as `then` says. */
const challenging =
  (then: Reply | ((incoming: Incoming) => Reply), first = challenge()) =>
  (incoming: Incoming): Reply => {
    if (credentialOf(incoming.request) === undefined) {
      return first;
    }
    return typeof then === "function" ? then(incoming) : then;
  };

const registrar = ({ request }: Incoming): Reply => {
  const given = parseAnswer(credentialOf(request) ?? "");
  const isRight = given && given.username === "1011" && proves(given, PASSWORD, { method: request.method });
  return isRight ? { status: 200, reason: "OK" } : challenge({ nonce: "nonce-2" });
};

function methodsOf({ messages }: Seen): (string | undefined)[] {
  return messages.map((message) => ("method" in message ? message.method : undefined));
}

function query(system: Pick<Seen, "host" | "port">, overrides: Partial<CredentialQuery> = {}): CredentialQuery {
  return {
    server: { host: system.host, port: system.port, protocol: "udp" },
    caller: "1011",
    domain: "pbx.test",
    username: "1011",
    password: PASSWORD,
    optionsOnly: false,
    timeoutMs: 3000,
    ...overrides,
  };
}

const REJECTS = "127.0.0.1 rejects the credential (401)";

describe("the credential check", () => {
  test("accepts a right credential, and sends neither a Contact nor the password", async () => {
    const system = await voipSystem(challenging(registrar));
    expect(await checkCredential(query(system))).toBe("accepts the credential");
    expect(system.messages.every((message) => headerOf(message, "contact") === undefined)).toBe(true);
    expect(system.messages.map((message) => serialize(message).toString()).join()).not.toContain(CANARY);
  });

  test("rejects a wrong credential, and sends it once", async () => {
    const system = await voipSystem(challenging(registrar));
    expect(await checkCredential(query(system, { password: password("other") }))).toBe(REJECTS);
    expect(system.shown()).toBe(1);
  });

  test.each<[string, Partial<typeof CHALLENGE> & { qop?: string[] }]>([
    ["qop auth", { qop: ["auth"] } as never],
    ["SHA-256", { algorithm: "SHA-256", qop: ["auth"] } as never],
    ["MD5-sess", { algorithm: "MD5-sess", qop: ["auth", "auth-int"] } as never],
    ["a realm in quotes", { realm: 'the "PBX", at \\home' }],
  ])("answers a challenge with %s", async (_name, overrides) => {
    const system = await voipSystem(challenging(registrar, challenge(overrides)));
    expect(await checkCredential(query(system))).toBe("accepts the credential");
  });

  test.each(["tcp", "udp"] as const)("works over IPv6 and %s", async (protocol) => {
    const system = await voipSystem(challenging(registrar), { host: "::1" });
    const server = { host: "[::1]", port: system.port, protocol };
    expect(await checkCredential(query(system, { server }))).toBe("accepts the credential");
  });

  test.each([401, 407])("takes %d to the credential as a rejection, and sends nothing more", async (status) => {
    const system = await voipSystem(challenging(challenge({}, status), challenge({}, status)));
    expect(await checkCredential(query(system))).toBe(`127.0.0.1 rejects the credential (${status})`);
    expect(methodsOf(system)).toEqual(["OPTIONS", "OPTIONS"]);
    expect(system.shown()).toBe(1);
  });

  test("sends what LiveKit's call would: the caller and the domain in From", async () => {
    const system = await voipSystem(challenging(registrar));
    await checkCredential(query(system, { caller: "+12025550123", domain: "acme.example" }));
    expect(headerOf(system.messages[0] as SipMessage, "from")).toMatch(/^<sip:\+12025550123@acme\.example>;tag=/);
    expect(parseAnswer(credentialOf(system.messages[1] as SipMessage) ?? "")?.username).toBe("1011");
  });

  test("sends the account's REGISTER in the same domain if OPTIONS is not challenged", async () => {
    const system = await voipSystem((incoming) =>
      incoming.request.method === "OPTIONS" ? { status: 200, reason: "OK" } : challenging(registrar)(incoming),
    );
    const asked = query(system, { caller: "+12025550123", domain: "acme.example" });
    expect(await checkCredential(asked)).toBe("accepts the credential");
    expect(methodsOf(system)).toEqual(["OPTIONS", "REGISTER", "REGISTER"]);
    expect(headerOf(system.messages[2] as SipMessage, "to")).toBe("<sip:1011@acme.example>");
    expect(await checkCredential(query(system, { password: password("other") }))).toBe(REJECTS);
  });

  test.each<[qop: string[], withoutQop: boolean]>([
    [[], true],
    [["auth"], false],
  ])("reports whether the digest had no qop, with %j offered", async (qop, withoutQop) => {
    const system = await voipSystem(challenging(registrar, challenge({ qop } as never)));
    expect(await check(query(system))).toMatchObject({ status: "accepts the credential", withoutQop });
  });

  test("sends only OPTIONS if optionsOnly is set", async () => {
    const system = await voipSystem(() => ({ status: 200, reason: "OK" }));
    expect(await checkCredential(query(system, { optionsOnly: true }))).toBe(
      "could not tell: 127.0.0.1 does not ask for a credential: it answers OPTIONS with 200",
    );
    expect(methodsOf(system)).toEqual(["OPTIONS"]);
  });

  test("uses SUBSCRIBE where any REGISTER is answered with 403", async () => {
    const system = await voipSystem((incoming) => {
      switch (incoming.request.method) {
        case "OPTIONS":
          return { status: 200, reason: "OK" };
        case "REGISTER":
          return challenging({ status: 403, reason: "Forbidden" })(incoming);
        default:
          return challenging(registrar)(incoming);
      }
    });
    expect(await checkCredential(query(system))).toBe("accepts the credential");
    const [subscribe] = system.messages.filter((message) => "method" in message && message.method === "SUBSCRIBE");
    expect(headerOf(subscribe as SipMessage, "expires")).toBe("0");
    expect(await checkCredential(query(system, { password: password("other") }))).toBe(REJECTS);
  });

  test.each([403, 404, 484, 500])("is inconclusive when every request with the credential gets %d", async (status) => {
    const system = await voipSystem(challenging({ status, reason: "No" }));
    expect(await checkCredential(query(system))).toMatch(
      new RegExp(
        `^could not tell: 127\\.0\\.0\\.1 answers OPTIONS with ${status} and SUBSCRIBE with ${status} after the credential`,
      ),
    );
  });

  test.each([200, 403, 404, 405, 500])("is inconclusive when the answer is %d without a challenge", async (status) => {
    const system = await voipSystem(() => ({ status, reason: "No" }));
    expect(await checkCredential(query(system))).toMatch(
      /^could not tell: 127\.0\.0\.1 does not ask for a credential: it answers OPTIONS with/,
    );
    expect(system.shown()).toBe(0);
  });

  test("tries again when only the nonce was stale", async () => {
    let stale = true;
    const answer = challenging((incoming) => {
      const once = stale;
      stale = false;
      return once ? challenge({ nonce: "nonce-2", stale: true }) : registrar(incoming);
    });
    expect(await checkCredential(query(await voipSystem(answer)))).toBe("accepts the credential");
  });

  test("stops when every nonce is stale", async () => {
    let count = 0;
    const system = await voipSystem(() => challenge({ nonce: `nonce-${count++}`, stale: true }));
    expect(await checkCredential(query(system))).toMatch(
      /^could not tell: .* asks for the credential again and again$/,
    );
    expect(system.shown()).toBeLessThanOrEqual(6);
  });

  test("sends only a few digests when it is challenged for hundreds of realms", async () => {
    const headers = Array.from({ length: 300 }, (_, index) => ({
      name: "WWW-Authenticate",
      value: challengeValue({ ...CHALLENGE, realm: `pbx-${index}` }),
    }));
    const system = await voipSystem(() => ({ status: 401, reason: "No", headers }));
    expect(await checkCredential(query(system))).toMatch(/^could not tell: /);
    const digests = system.messages.flatMap(({ headers }) => headers).filter(({ name }) => name === "Authorization");
    expect(digests.length).toBeLessThanOrEqual(8);
  });

  test("answers a proxy that challenges too", async () => {
    const system = await voipSystem(({ request }) => {
      if (headerOf(request, "proxy-authorization") === undefined) {
        return challenge({ realm: "proxy" }, 407);
      }
      return headerOf(request, "authorization") === undefined ? challenge() : { status: 200, reason: "OK" };
    });
    expect(await checkCredential(query(system))).toBe("accepts the credential");
  });

  test("chooses the challenge that it can answer", async () => {
    const values = [
      'Basic realm="pbx"',
      challengeValue({ ...CHALLENGE, algorithm: "WHIRLPOOL" }),
      challengeValue({ ...CHALLENGE, algorithm: "SHA-256" }),
      challengeValue(CHALLENGE),
    ];
    const headers = values.map((value) => ({ name: "WWW-Authenticate", value }));
    const system = await voipSystem(challenging(registrar, { status: 401, reason: "No", headers }));
    expect(await checkCredential(query(system))).toBe("accepts the credential");
    expect(parseAnswer(credentialOf(system.messages[1] as SipMessage) ?? "")?.algorithm).toBe("SHA-256");
  });

  test("reports that it can answer none of the challenges", async () => {
    const headers = [{ name: "WWW-Authenticate", value: 'Basic realm="pbx"' }];
    const system = await voipSystem(() => ({ status: 401, reason: "No", headers }));
    expect(await checkCredential(query(system))).toBe(
      "could not tell: 127.0.0.1 asks for a credential in a way that is not supported",
    );
  });

  test("at its next address when nobody is at the first", async () => {
    const system = await voipSystem(registrar);
    const dns = { srv: async () => [], addresses: async () => ["127.0.0.2", "127.0.0.1"] };
    const server = { host: "pbx.test", port: system.port, protocol: "tcp" as const };
    expect(await checkCredential(query(system, { server }), dns)).toBe("accepts the credential");
  });
});

describe("the credential check ends in time", () => {
  test("when nothing listens", async () => {
    const system = await voipSystem(() => undefined);
    await closers.pop()?.();
    expect(await checkCredential(query(system))).toBe("unreachable: 127.0.0.1: connection refused");
  });

  test("when nothing answers", async () => {
    const system = await voipSystem(() => undefined);
    const words = await checkCredential(query(system, { timeoutMs: 700 }));
    expect(words).toBe("unreachable: 127.0.0.1: no answer within 0.7 s");
    expect(system.messages).toHaveLength(1);
  });

  test("when nothing answers the credential, which is not sent to another address", async () => {
    const system = await voipSystem(({ request }) => (credentialOf(request) === undefined ? challenge() : undefined));
    const dns = { srv: async () => [], addresses: async () => ["127.0.0.1", "127.0.0.1"] };
    const server = { host: "pbx.test", port: system.port, protocol: "udp" as const };
    const words = await checkCredential(query(system, { timeoutMs: 900, server }), dns);
    expect(words).toMatch(/^unreachable: pbx.test: no answer/);
    expect(system.shown()).toBe(1);
  });

  test("when the answer is not SIP, or is too large", async () => {
    for (const [bytes, words] of [
      [Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"), "it answers with something that is not SIP"],
      [Buffer.alloc(200_000, "x"), "it answers with a message that does not end"],
      [Buffer.from("SIP/2.0 200 OK\r\nContent-Length: 999999999\r\n\r\n"), "it answers with something that is not SIP"],
    ] as const) {
      const server = createServer((socket) =>
        socket
          .on("error", () => undefined)
          .resume()
          .end(bytes),
      );
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      closers.push(() => new Promise((done) => server.close(done)));
      const address = server.address();
      const port = address && typeof address === "object" ? address.port : 0;
      const asked = query({ host: "127.0.0.1", port }, { server: { host: "127.0.0.1", port, protocol: "tcp" } });
      expect(await checkCredential(asked)).toBe(`unreachable: 127.0.0.1: ${words}`);
    }
  });

  test("when the name has no address", async () => {
    const dns = {
      srv: async () => [],
      addresses: () => Promise.reject(Object.assign(new Error("x"), { code: "ENOTFOUND" })),
    };
    const server = { host: "pbx.test", protocol: "udp" as const };
    expect(await checkCredential(query({ host: "", port: 0 }, { server }), dns)).toBe(
      "unreachable: pbx.test: no such host",
    );
  });
});
