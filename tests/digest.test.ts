/** Digest authentication: the test vectors of the RFCs, challenges as real servers send them, and the round trip. */

import { createHash } from "node:crypto";
import fc from "fast-check";
import { answer, answerable, type DigestChallenge, parseChallenges } from "../provider/sip/digest";
import { challengeValue, parseAnswer, proves } from "../provider/testing/sip/digest";

const LION = { username: "Mufasa", password: "Circle Of Life" };
const INDEX = { method: "GET", uri: "/dir/index.html" };
const RFC_7616 = {
  realm: "http-auth@example.org",
  nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
  opaque: "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
};
const RFC_7616_CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

const challenge = (given: Partial<DigestChallenge>): DigestChallenge => ({
  realm: "pbx.example",
  nonce: "n",
  stale: false,
  algorithm: "MD5",
  qop: [],
  ...given,
});

const responseTo = (
  given: Partial<DigestChallenge>,
  {
    credential = LION,
    subject = INDEX,
    cnonce = "",
  }: {
    credential?: { username: string; password: string };
    subject?: { method: string; uri: string; body?: string };
    cnonce?: string;
  } = {},
) => parseAnswer(answer(challenge(given), credential, subject, cnonce))?.response;

describe("the digest answer", () => {
  it("matches RFC 2617, section 3.5", () => {
    const { realm, nonce } = { realm: "testrealm@host.com", nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093" };
    expect(responseTo({ realm, nonce, qop: ["auth", "auth-int"] }, { cnonce: "0a4f113b" })).toBe(
      "6629fae49393a05397450978507c4ef1",
    );
  });

  it("matches RFC 2069, section 2.4, with erratum 749, when the challenge has no qop", () => {
    const { realm, nonce } = { realm: "testrealm@host.com", nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093" };
    const credential = { username: "Mufasa", password: "CircleOfLife" };
    const value = answer(challenge({ realm, nonce }), credential, INDEX);
    expect(parseAnswer(value)?.response).toBe("1949323746fe6a43ef61f9606e7febea");
    expect(value).not.toMatch(/qop|nc=|cnonce/);
  });

  it.each([
    ["MD5", "8ca523f5e9506fed4657c9700eebdbec"],
    ["SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
  ])("matches RFC 7616, section 3.9.1, for %s", (algorithm, response) => {
    const lion = { credential: { ...LION, password: "Circle of Life" }, cnonce: RFC_7616_CNONCE };
    expect(responseTo({ ...RFC_7616, algorithm, qop: ["auth", "auth-int"] }, lion)).toBe(response);
  });

  it("matches RFC 7616, section 3.9.2, with erratum 4897, for SHA-512-256", () => {
    const given = {
      realm: "api@example.org",
      nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
      algorithm: "SHA-512-256",
      qop: ["auth"],
    };
    const doe = {
      credential: { username: "Jäsøn Doe", password: "Secret, or not?" },
      subject: { method: "GET", uri: "/doe.json" },
      cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    };
    expect(responseTo(given, doe)).toBe("3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
  });

  it.each([
    ["MD5-sess", "md5"],
    ["SHA-256-SESS", "sha256"],
  ])("follows RFC 7616, section 3.4, with auth-int and %s", (algorithm, hash) => {
    const h = (text: string) => createHash(hash).update(text).digest("hex");
    const subject = { method: "INVITE", uri: "sip:1012@pbx.example", body: "v=0\r\n" };
    const a1 = `${h("Mufasa:pbx.example:Circle Of Life")}:n:c`;
    const a2 = `INVITE:sip:1012@pbx.example:${h("v=0\r\n")}`;
    const expected = h(`${h(a1)}:n:00000001:c:auth-int:${h(a2)}`);
    expect(responseTo({ algorithm, qop: ["auth-int"] }, { subject, cnonce: "c" })).toBe(expected);
  });

  it("includes the cnonce for a -sess algorithm without qop", () => {
    expect(answer(challenge({ algorithm: "MD5-sess" }), LION, INDEX, "c")).toContain('cnonce="c"');
  });

  it("prefers auth, echoes opaque, and quotes exactly what RFC 3261 requires", () => {
    const value = answer(challenge({ opaque: "o", qop: ["auth-int", "auth"] }), LION, INDEX, "c");
    expect(value).toMatch(
      /^Digest username="Mufasa", realm="pbx.example", nonce="n", uri="\/dir\/index.html", response="[0-9a-f]{32}", algorithm=MD5, cnonce="c", opaque="o", qop=auth, nc=00000001$/,
    );
  });

  it("never contains the password", () => {
    expect(answer(challenge({}), { username: "1011", password: "Canary-Passw0rd-1" }, INDEX)).not.toContain("Canary");
  });

  it("has a new cnonce each time", () => {
    const [first, second] = [1, 2].map(() => parseAnswer(answer(challenge({ qop: ["auth"] }), LION, INDEX))?.cnonce);
    expect(first).toMatch(/^[0-9a-f]{16}$/);
    expect(second).not.toBe(first);
  });
});

describe("parsing challenges", () => {
  it.each<[title: string, lines: string[], expected: Partial<DigestChallenge>[]]>([
    [
      "several in one line",
      ['Digest realm="a", nonce="1", algorithm=SHA-256, qop="auth", Digest realm="a", nonce="2", algorithm=MD5'],
      [
        { realm: "a", nonce: "1", algorithm: "SHA-256", qop: ["auth"] },
        { realm: "a", nonce: "2", algorithm: "MD5", qop: [] },
      ],
    ],
    ["several lines", ['Digest realm="a", nonce="1"', 'Digest realm="b", nonce="2"'], [{ realm: "a" }, { realm: "b" }]],
    [
      "commas and equal signs in quotes",
      ['Digest realm="Acme, Inc. = us", nonce="abc==", qop="auth,auth-int"'],
      [{ realm: "Acme, Inc. = us", nonce: "abc==", qop: ["auth", "auth-int"] }],
    ],
    ["escaped quotes", ['Digest realm="the \\"old\\" \\\\ PBX", nonce="1"'], [{ realm: 'the "old" \\ PBX' }]],
    [
      "unknown schemes",
      ['Basic realm="x", NTLM, Bearer realm="y", nonce="9", Digest realm="a", nonce="1", Negotiate abc=='],
      [{ realm: "a", nonce: "1" }],
    ],
    ["unknown parameters", ['Digest realm="a", auth-param=x, nonce="1", flag, charset=UTF-8'], [{ nonce: "1" }]],
    ["values without quotes", ["Digest realm=pbx.example,nonce=abc"], [{ realm: "pbx.example", nonce: "abc" }]],
    [
      "any case, and spaces around signs",
      ['dIGEST  REALM = "a" ,\tNonce= "1",ALGORITHM=md5'],
      [{ realm: "a", nonce: "1", algorithm: "md5" }],
    ],
    ["qop without quotes", ['Digest realm="a", nonce="1", qop=auth'], [{ qop: ["auth"] }]],
    ["algorithm in quotes", ['Digest realm="a", nonce="1", algorithm="MD5"'], [{ algorithm: "MD5" }]],
    ["stale in any case", ['Digest realm="a", nonce="1", stale=TRUE'], [{ stale: true }]],
    ["stale that is false", ['Digest realm="a", nonce="1", stale="false"'], [{ stale: false }]],
    ["a duplicate parameter, of which the first counts", ['Digest realm="a", nonce="1", realm="b"'], [{ realm: "a" }]],
    ["an empty realm", ['Digest realm="", nonce="1"'], [{ realm: "", nonce: "1" }]],
    ["an algorithm left out", ['Digest realm="a", nonce="1", opaque=""'], [{ algorithm: "MD5", opaque: "" }]],
    ["no nonce", ['Digest realm="a"'], []],
    ["no realm", ['Digest nonce="a"'], []],
    ["an unclosed quote", ['Digest realm="a, nonce="1"'], []],
    ["nothing", ["", ",", "=", "Digest", 'realm="a", nonce="1"'], []],
  ])("parses %s", (_title, lines, expected) => {
    const found = parseChallenges(lines);
    expect(found).toHaveLength(expected.length);
    expect(found).toMatchObject(expected);
  });

  it("parses what it serializes", () => {
    const given = challenge({ realm: 'say "hi"', opaque: "o\\", stale: true, qop: ["auth", "auth-int"] });
    expect(parseChallenges([challengeValue(given)])).toEqual([given]);
  });
});

describe("the challenges to answer", () => {
  it("are the first supported one of each realm, as RFC 8760, section 2.4 requires", () => {
    const found = answerable([
      challenge({ realm: "a", nonce: "1", algorithm: "SHA3-256" }),
      challenge({ realm: "a", nonce: "2", algorithm: "SHA-256", qop: ["auth-conf"] }),
      challenge({ realm: "a", nonce: "3", algorithm: "sha-256", qop: ["auth-conf", "auth"] }),
      challenge({ realm: "a", nonce: "4" }),
      challenge({ realm: "b", nonce: "5", algorithm: "AKAv1-MD5" }),
      challenge({ realm: "c", nonce: "6", algorithm: "MD5-sess" }),
    ]);
    expect(found.map(({ nonce }) => nonce)).toEqual(["3", "6"]);
  });

  it("prefer the strongest algorithm of a realm, then qop, in any order", () => {
    const offered = [
      challenge({ nonce: "1", algorithm: "MD5", qop: ["auth"] }),
      challenge({ nonce: "2", algorithm: "SHA-256" }),
      challenge({ nonce: "3", algorithm: "SHA-256", qop: ["auth"] }),
      challenge({ nonce: "4" }),
    ];
    for (const order of [offered, offered.toReversed()]) {
      expect(answerable(order).map(({ nonce }) => nonce)).toEqual(["3"]);
    }
  });
});

/** Texts with all the characters that make quoting difficult. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ unit: fc.constantFrom('"', "\\", ",", "=", "<", ">", " ", ";", "a", "é", "💡"), maxLength: 20 }),
);

const given = fc.record({
  realm: text,
  nonce: text,
  stale: fc.boolean(),
  algorithm: fc.constantFrom("MD5", "md5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "sha-512-256-SESS"),
  qop: fc.subarray(["auth", "auth-int"]),
  opaque: text,
});

describe("the round trip", () => {
  it("proves the right password and no other, for any realm, user name and qop", () => {
    const subject = { method: "INVITE", uri: "sip:1012@pbx.example", body: "v=0\r\n" };
    fc.assert(
      fc.property(given, text, text, text, (offered, username, password, other) => {
        fc.pre(other !== password);
        const [read] = parseChallenges([challengeValue(offered)]);
        expect(read).toEqual(offered);
        const proof = parseAnswer(answer(offered, { username, password }, subject));
        expect(proof).toMatchObject({ username, realm: offered.realm, nonce: offered.nonce, uri: subject.uri });
        expect(proof && proves(proof, password, subject)).toBe(true);
        expect(proof && proves(proof, other, subject)).toBe(false);
        expect(proof && proves(proof, password, { ...subject, method: "REGISTER" })).toBe(false);
        const changed = proof && proves(proof, password, { ...subject, body: "v=1\r\n" });
        expect(changed).toBe(proof?.qop !== "auth-int");
      }),
    );
  });

  it("proves nothing with an unknown algorithm", () => {
    const proof = parseAnswer(answer(challenge({ algorithm: "CRC-32" }), LION, INDEX));
    expect(proof && proves(proof, LION.password, INDEX)).toBe(false);
  });

  it.each(["", "Basic TXVmYXNh", 'Digest username="a", realm="b", nonce="c", uri="d"', "Digest"])(
    "does not parse %j as an answer",
    (value) => expect(parseAnswer(value)).toBeUndefined(),
  );
});
