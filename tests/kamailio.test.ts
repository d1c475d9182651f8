/** The tests' real Kamailio behaves like a phone system. Other tests rely on this. */

import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:tls";
import { Kamailio, type KamailioOptions, kamailioAvailability } from "./support/kamailio";

const PASSWORD = "Canary'1\\pass";

/** Sends REGISTER without Contact over UDP, at most twice. Returns the statuses, and the text of the last response. */
async function register(kamailio: Kamailio, username: string, password: string, method = "REGISTER") {
  const socket = createSocket(kamailio.host.includes(":") ? "udp6" : "udp4");
  socket.connect(kamailio.port, kamailio.host);
  await once(socket, "connect");
  const statuses: number[] = [];
  let answer = "";
  try {
    for (let cseq = 1; cseq <= 2; cseq++) {
      const authorization = cseq === 1 ? [] : [`Authorization: ${credential(answer, method, username, password)}`];
      const { port } = socket.address();
      socket.send(
        [
          `${method} sip:${kamailio.realm} SIP/2.0`,
          `Via: SIP/2.0/UDP ${kamailio.host.includes(":") ? "[::1]" : "127.0.0.1"}:${port};branch=z9hG4bK${port}${cseq}`,
          `From: <sip:${username}@${kamailio.realm}>;tag=1`,
          `To: <sip:${username}@${kamailio.realm}>`,
          `Call-ID: ${port}`,
          `CSeq: ${cseq} ${method}`,
          ...authorization,
          "Max-Forwards: 70",
          "Content-Length: 0",
          "",
          "",
        ].join("\r\n"),
      );
      const [message] = await once(socket, "message");
      answer = String(message);
      statuses.push(Number(answer.split(" ")[1]));
      if (statuses.at(-1) !== 401) {
        break;
      }
    }
  } finally {
    socket.close();
  }
  return { statuses, answer };
}

function credential(challenge: string, method: string, username: string, password: string): string {
  const field = (name: string) => new RegExp(`\\b${name}="?([^",\\s]+)`).exec(challenge)?.[1];
  const algorithm = field("algorithm") ?? "MD5";
  const hash = (text: string) =>
    createHash(algorithm === "MD5" ? "md5" : "sha256")
      .update(text)
      .digest("hex");
  const [realm, nonce, uri] = [field("realm"), field("nonce"), `sip:${field("realm")}`];
  const counted = field("qop") ? ["00000001", "abcdef", "auth"] : [];
  const ha1 = hash(`${username}:${realm}:${password}`);
  const response = hash([ha1, nonce, ...counted, hash(`${method}:${uri}`)].join(":"));
  const qop = counted.length > 0 ? `, qop=auth, nc=00000001, cnonce="abcdef"` : "";
  return `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", algorithm=${algorithm}${qop}`;
}

const nonceOf = (answer: string) => /nonce="([^"]+)"/.exec(answer)?.[1];

const describeHere = kamailioAvailability().available ? describe : describe.skip;
const kinds: [string, KamailioOptions][] = [
  ["PostgreSQL", {}],
  ["MariaDB", { database: "mysql" }],
  ["qop", { qop: true }],
  ["SHA-256", { algorithm: "SHA-256" }],
  ["HA1 only", { storeHa1Only: true }],
  ["HA1 only, SHA-256, MariaDB", { storeHa1Only: true, algorithm: "SHA-256", database: "mysql" }],
  ["::1", { ipv6: true }],
];

describeHere.each(kinds)("a registrar with %s", (_, options) => {
  let kamailio: Kamailio;
  beforeAll(async () => {
    kamailio = await Kamailio.start({ ...options, users: { "1011": PASSWORD, barred1: PASSWORD } });
  });
  afterAll(() => kamailio.stop());

  test("accepts the right password, even without a Contact, and records it in requests()", async () => {
    expect((await register(kamailio, "1011", PASSWORD)).statuses).toEqual([401, 200]);
    expect(kamailio.requests().map(({ method, authUser }) => [method, authUser])).toEqual([
      ["REGISTER", undefined],
      ["REGISTER", "1011"],
    ]);
  });

  test("refuses others: 401 with a new nonce, 404, 403", async () => {
    const first = await register(kamailio, "1011", "wrong");
    const second = await register(kamailio, "1011", "wrong");
    expect([first.statuses, second.statuses]).toEqual([
      [401, 401],
      [401, 401],
    ]);
    expect(nonceOf(first.answer)).not.toBe(nonceOf(second.answer));
    expect((await register(kamailio, "9999", PASSWORD)).statuses).toEqual([401, 404]);
    expect((await register(kamailio, "barred1", PASSWORD)).statuses).toEqual([401, 403]);
  });

  test("applies a changed password at once", async () => {
    await kamailio.setPassword("1011", "another");
    expect((await register(kamailio, "1011", PASSWORD)).statuses).toEqual([401, 401]);
    expect((await register(kamailio, "1011", "another")).statuses).toEqual([401, 200]);
    const [[password] = []] = await kamailio.query("select password from subscriber where username = '1011'");
    expect(password).toBe(options.storeHa1Only ? "" : "another");
  });
});

describeHere("Kamailio", () => {
  test("answers OPTIONS with 200 or a challenge, with a delay, for many clients at a time", async () => {
    const open = await Kamailio.start();
    const asking = await Kamailio.start({ optionsChallenge: true, delayMs: 300, users: { "1011": PASSWORD } });
    try {
      expect((await register(open, "1011", PASSWORD, "OPTIONS")).statuses).toEqual([200]);
      const before = Date.now();
      const many = Array.from({ length: 20 }, () => register(asking, "1011", PASSWORD, "OPTIONS"));
      expect((await Promise.all(many)).map(({ statuses }) => statuses.join())).toEqual(Array(20).fill("401,200"));
      expect(Date.now() - before).toBeGreaterThanOrEqual(600);
      expect(Date.now() - before).toBeLessThan(3_000);
    } finally {
      await Promise.all([open.stop(), asking.stop()]);
    }
  });

  test("offers TLS with a certificate of its own authority, and does not answer while paused", async () => {
    const kamailio = await Kamailio.start({ transports: ["tls"] });
    const options = { host: kamailio.host, port: kamailio.port, servername: "localhost" };
    try {
      const trusting = connect({ ...options, ca: kamailio.ca });
      await once(trusting, "secureConnect");
      expect(trusting.authorized).toBe(true);
      trusting.destroy();
      const strict = connect(options);
      const [error] = await once(strict, "error");
      expect(String(error)).toMatch(/certificate/);

      kamailio.pause();
      const unanswered = connect({ ...options, ca: kamailio.ca });
      await once(unanswered, "connect");
      expect(
        await Promise.race([once(unanswered, "secureConnect"), once(unanswered.setTimeout(300), "timeout")]),
      ).toEqual([]);
      unanswered.destroy();
    } finally {
      await kamailio.stop();
    }
  });
});
