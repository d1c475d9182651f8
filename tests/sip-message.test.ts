/** SIP messages: parsing, writing, and the rejection of invalid input. */

import fc from "fast-check";
import { bracketed } from "../provider/host-text";
import { parseChallenges } from "../provider/sip/digest";
import {
  escapeUser,
  headerOf,
  headersOf,
  isRequest,
  listOf,
  MalformedStream,
  MESSAGE_LIMIT,
  MessageReader,
  parseMessage,
  parseNameAddr,
  parseUri,
  type SipMessage,
  type SipRequest,
  serialize,
} from "../provider/sip/message";

const REGISTER: SipRequest = {
  method: "REGISTER",
  uri: "sip:pbx.example",
  headers: [
    { name: "Via", value: "SIP/2.0/UDP 127.0.0.1:5080;rport;branch=z9hG4bK1" },
    { name: "From", value: "<sip:1011@pbx.example>;tag=a" },
    { name: "To", value: "<sip:1011@pbx.example>" },
    { name: "Call-ID", value: "c" },
    { name: "CSeq", value: "1 REGISTER" },
  ],
  body: "",
};
const INVITE: SipRequest = { ...REGISTER, method: "INVITE", body: "v=0\r\ns=Grüße\r\n\r\n" };
const CHALLENGED: SipMessage = {
  status: 401,
  reason: "Unauthorized",
  headers: [...REGISTER.headers, { name: "WWW-Authenticate", value: 'Digest realm="a", nonce="b"' }],
  body: "",
};

const withLength = (message: SipMessage): SipMessage => ({
  ...message,
  headers: [...message.headers, { name: "Content-Length", value: String(Buffer.byteLength(message.body)) }],
});
const read = (text: string) => parseMessage(Buffer.from(text.replace(/\n/g, "\r\n")));

describe("a message", () => {
  it.each([
    ["a request", REGISTER],
    ["a request with a body", INVITE],
    ["a response", CHALLENGED],
  ])("is parsed as it was serialized: %s", (_title, message) => {
    expect(parseMessage(serialize(message))).toEqual(withLength(message));
    expect(serialize(withLength(message))).toEqual(serialize(message));
    expect(new MessageReader().push(serialize(message))).toEqual([withLength(message)]);
  });

  it("is parsed as it was serialized, for any contents", () => {
    const token = fc
      .stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/)
      .filter((name) => !/^(content-length|l)$/i.test(name));
    const value = fc.string({ unit: "binary", maxLength: 40 }).map((text) => text.replace(/[\r\n]+/g, " ").trim());
    const headers = fc.array(fc.record({ name: token, value }), { maxLength: 6 });
    const start = fc.oneof(
      fc.record({ method: token, uri: fc.stringMatching(/^[!-~]{1,30}$/) }),
      fc.record({ status: fc.integer({ min: 100, max: 699 }), reason: value }),
    );
    fc.assert(
      fc.property(start, headers, fc.string({ unit: "binary", maxLength: 40 }), (line, fields, body) => {
        const message = { ...line, headers: fields, body };
        expect(parseMessage(serialize(message))).toEqual(withLength(message));
      }),
    );
  });

  it("unfolds header fields, with one space for each fold", () => {
    const message = read("SIP/2.0 200 OK\nSubject: I know\n \t you're there\nTo:<sip:a@b>\n\n");
    expect(message?.headers).toEqual([
      { name: "Subject", value: "I know you're there" },
      { name: "To", value: "<sip:a@b>" },
    ]);
  });

  it("accepts compact header names, in any case, with spaces before the colon", () => {
    const message = read("OPTIONS sip:a SIP/2.0\nv: one, two\nV : three\nF:<sip:f>\ni:id\nm: <sip:m>\nL: 0\n\n");
    const found = message && [listOf(message, "Via"), headerOf(message, "From"), headerOf(message, "CALL-ID")];
    expect(found).toEqual([["one", "two", "three"], "<sip:f>", "id"]);
    expect(message && headersOf(message, "contact")).toEqual(["<sip:m>"]);
  });

  it.each(["constructor", "__proto__", "toString"])("may have a header field called %s", (name) => {
    const message = read(`OPTIONS sip:a SIP/2.0\n${name}: x\n\n`);
    expect(message && headersOf(message, name)).toEqual(["x"]);
  });

  it("splits lists only outside quotes and angle brackets", () => {
    const message = read('OPTIONS sip:a SIP/2.0\nRoute: "a, b" <sip:x,y>;lr,, <sip:z>\n\n');
    expect(message && listOf(message, "route")).toEqual(['"a, b" <sip:x,y>;lr', "<sip:z>"]);
  });

  it.each([
    ["no status line", "HELLO\n\n"],
    ["another version", "SIP/3.0 200 OK\n\n"],
    ["a status of 700", "SIP/2.0 700 What\n\n"],
    ["HTTP", "GET / HTTP/1.1\nHost: a\n\n"],
    ["a header without a colon", "SIP/2.0 200 OK\nnonsense\n\n"],
    ["a header without a name", "SIP/2.0 200 OK\n: x\n\n"],
    ["no end of the header", "SIP/2.0 200 OK\nTo: a\n"],
    ["less body than declared", "SIP/2.0 200 OK\nContent-Length: 5\n\nabc"],
  ])("is rejected with %s", (_title, text) => expect(read(text)).toBeUndefined());

  it("ends at its Content-Length in a datagram, and at the end of the datagram without one", () => {
    expect(read("SIP/2.0 200 OK\nContent-Length: 3\n\nabcdef")?.body).toBe("abc");
    expect(read("SIP/2.0 200 OK\n\nabcdef")?.body).toBe("abcdef");
  });

  it("is rejected beyond the size limit", () => {
    expect(parseMessage(Buffer.from(`SIP/2.0 200 OK\r\n\r\n${"a".repeat(MESSAGE_LIMIT)}`))).toBeUndefined();
  });

  it("can't be used to inject a header field", () => {
    const headers = [{ name: "From", value: '"x\r\nContact: <sip:evil>\nX: \r" <sip:a@b>' }];
    const safe = parseMessage(serialize({ method: "REGISTER", uri: "sip:a", headers, body: "" }));
    expect(safe?.headers.map(({ name }) => name)).toEqual(["From", "Content-Length"]);
  });
});

describe("a stream", () => {
  const wire = Buffer.concat([
    Buffer.from("\r\n\r\n"),
    serialize(REGISTER),
    Buffer.from("\r\n"),
    serialize(INVITE),
    serialize(CHALLENGED),
  ]);
  const expected = [REGISTER, INVITE, CHALLENGED].map(withLength);

  it("gives the same messages wherever it is split", () => {
    for (let cut = 0; cut <= wire.length; cut++) {
      const reader = new MessageReader();
      expect([...reader.push(wire.subarray(0, cut)), ...reader.push(wire.subarray(cut))]).toEqual(expected);
    }
  });

  it("may arrive byte by byte", () => {
    const reader = new MessageReader();
    expect([...wire].flatMap((byte) => reader.push(Buffer.of(byte)))).toEqual(expected);
  });

  it.each([
    ["a message without Content-Length", "SIP/2.0 200 OK\r\n\r\n"],
    ["a Content-Length that is not a number", "SIP/2.0 200 OK\r\nContent-Length: many\r\n\r\n"],
    ["a negative Content-Length", "SIP/2.0 200 OK\r\nContent-Length: -1\r\n\r\n"],
    ["a huge Content-Length", "SIP/2.0 200 OK\r\nContent-Length: 999999999\r\n\r\n"],
    ["an endless Content-Length", `SIP/2.0 200 OK\r\nContent-Length: ${"9".repeat(400)}\r\n\r\n`],
    ["another protocol", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"],
    ["a header that does not end", "a".repeat(MESSAGE_LIMIT + 1)],
  ])("is rejected for %s", (_title, text) => {
    expect(() => new MessageReader().push(Buffer.from(text))).toThrow(MalformedStream);
  });

  it("accepts a message of exactly the limit, and rejects one byte more", () => {
    const head = (length: number) => `SIP/2.0 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
    const length = MESSAGE_LIMIT - head(60_000).length;
    const whole = Buffer.from(head(length) + "b".repeat(length));
    expect(whole).toHaveLength(MESSAGE_LIMIT);
    expect(new MessageReader().push(whole)).toMatchObject([{ status: 200, body: "b".repeat(length) }]);
    expect(() => new MessageReader().push(Buffer.from(head(length + 1)))).toThrow("not SIP");
  });

  it("handles a split keep-alive, and skips any number of keep-alives", () => {
    const reader = new MessageReader();
    expect(reader.push(Buffer.from("\r\n".repeat(200_000)))).toEqual([]);
    expect(reader.push(Buffer.from("\r"))).toEqual([]);
    expect(reader.push(Buffer.concat([Buffer.from("\n"), serialize(REGISTER)]))).toEqual([withLength(REGISTER)]);
  });
});

describe("an address", () => {
  it.each<[text: string, uri: string, params: Record<string, string>]>([
    ["<sip:a@b>;tag=1", "sip:a@b", { tag: "1" }],
    ['"Jane <the boss>; \\"J\\"" <sip:a@b;lr>;tag=1;flag', "sip:a@b;lr", { tag: "1", flag: "" }],
    ["Jane <sip:a@b>", "sip:a@b", {}],
    [" sip:a@b ; Tag = 1", "sip:a@b", { tag: "1" }],
    ['sip:a@b;x="<sip:c@d>;y=z"', "sip:a@b", { x: "<sip:c@d>;y=z" }],
    ["SIP/2.0/UDP h:1;branch=z;rport", "SIP/2.0/UDP h:1", { branch: "z", rport: "" }],
    ["", "", {}],
  ])("is parsed: %s", (text, uri, params) => {
    const read = parseNameAddr(text);
    expect([read.uri, Object.fromEntries(read.params)]).toEqual([uri, params]);
  });

  it.each<[text: string, expected: object | undefined]>([
    ["sip:pbx.example", { scheme: "sip", host: "pbx.example" }],
    ["SIPS:1011@pbx.example:5061", { scheme: "sips", user: "1011", host: "pbx.example", port: 5061 }],
    ["sip:a:secret@h", { user: "a", host: "h" }],
    ["sip:+1202;phone-context=x?y@h;user=phone", { user: "+1202;phone-context=x?y", host: "h" }],
    ["sip:a%20b@[::1]:5080;transport=tcp?subject=x", { user: "a b", host: "::1", port: 5080 }],
    ["sip:%zz@h", { user: "%zz", host: "h" }],
    ["sip:h:65536", undefined],
    ["sip:", undefined],
    ["sip:a@", undefined],
    ["tel:+1202", undefined],
    ["sip:a b", undefined],
  ])("contains a URI: %s", (text, expected) => {
    if (expected) {
      expect(parseUri(text)).toMatchObject(expected);
    } else {
      expect(parseUri(text)).toBeUndefined();
    }
  });

  it("escapes and parses any user part", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (user) => {
        expect(parseUri(`sip:${escapeUser(user)}@pbx.example:5060;lr`)).toMatchObject({ user, host: "pbx.example" });
      }),
    );
  });

  it("replaces half a surrogate pair", () => expect(escapeUser("a\ud800")).toBe("a%EF%BF%BD"));

  it("puts IPv6 addresses into brackets, once", () => {
    expect(["::1", "[::1]", "127.0.0.1", "h"].map(bracketed)).toEqual(["[::1]", "[::1]", "127.0.0.1", "h"]);
  });
});

/** Parses bytes in every way. Fails if a parser throws an unexpected error. */
function readAll(bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes);
  const texts = [buffer.toString("utf8"), buffer.toString("latin1")];
  const message = parseMessage(buffer);
  if (message) {
    texts.push(...message.headers.map(({ value }) => value), ...(isRequest(message) ? [message.uri] : []));
    listOf(message, "via");
    parseMessage(serialize(message));
  }
  try {
    new MessageReader().push(buffer);
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedStream);
  }
  for (const text of texts) {
    parseChallenges([text]);
    parseUri(text);
    parseNameAddr(text);
  }
}

describe("hostile input", () => {
  it("never crashes a parser: arbitrary bytes", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), readAll), { numRuns: 300 });
  });

  it("never crashes a parser: messages with bytes changed, inserted and removed", () => {
    const valid = [REGISTER, INVITE, CHALLENGED].map((message) => serialize(message));
    const change = fc.record({ at: fc.nat(400), drop: fc.nat(4), put: fc.uint8Array({ maxLength: 4 }) });
    fc.assert(
      fc.property(fc.constantFrom(...valid), fc.array(change, { minLength: 1, maxLength: 5 }), (start, changes) => {
        const mutated = changes.reduce((bytes, { at, drop, put }) => {
          const position = at % (bytes.length + 1);
          return Buffer.concat([bytes.subarray(0, position), put, bytes.subarray(position + drop)]);
        }, start);
        readAll(mutated);
      }),
      { numRuns: 500 },
    );
  });

  const fill = (pattern: string) => pattern.repeat(Math.floor((MESSAGE_LIMIT - 200) / pattern.length));
  it.each([
    ['"'],
    ["\\"],
    ['\\"'],
    ["<"],
    [">"],
    ["<>"],
    [" "],
    ["\t"],
    [";"],
    [","],
    ["="],
    ["@"],
    [":"],
    ["?"],
    ["["],
    ["]"],
    ["a="],
    ["a ="],
    ["a "],
    ["a,"],
    ['a="b",'],
    ["Digest "],
    ['Digest realm="'],
    ["sip:"],
    ["sip:a@"],
    [";a"],
    ["\r\n"],
    ["\r\n "],
    ["\r\n\t \r"],
    ["%"],
    ["%41"],
    ["\u0000"],
    ["a: b\r\n"],
    ["1"],
    ['"a" '],
    ['\\"<'],
    ["-"],
    ["é"],
  ])("is parsed in linear time: %j, repeated to 64 KiB", (pattern) => {
    // A quadratic step would take 4 × 10⁹ operations here. In linear time everything takes some milliseconds.
    const long = fill(pattern).slice(0, MESSAGE_LIMIT - 200);
    const inputs = [
      long,
      `Digest realm="a", nonce=${long}`,
      `"${long}" <sip:a@b>`,
      `sip:${long}@h`,
      `sip:h;${long}`,
      `SIP/2.0 401 Unauthorized\r\nVia: ${long}\r\n\r\n`,
      `SIP/2.0 401 Unauthorized\r\n${long}\r\n\r\n`,
      `SIP/2.0 ${long}\r\n\r\n`,
      `OPTIONS ${long} SIP/2.0\r\n\r\n`,
    ];
    const began = performance.now();
    for (const input of inputs) {
      readAll(Buffer.from(input));
    }
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
