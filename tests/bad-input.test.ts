/** Bad input is refused in the preview, in one sentence that names the field and the fix, without the secret. */

import { CANARY, everything, expectNoCanary, hotline, office, password } from "./support/examples";
import { someOf, scenario as test } from "./support/matrix";
import { describeInWorlds, expectRefusals, expectSuccess, type Program, said } from "./support/worlds";

const trunk = (args: Record<string, unknown>): Program => ({ trunks: { office: { ...office, ...args } } });
const did = (args: Record<string, unknown>): Program => ({ trunks: { hotline: { ...hotline, ...args } } });
const ip = (allowedAddresses: unknown): Program => ({
  trunks: { office },
  auths: { office: { trunk: "office", method: "ip", allowedAddresses } },
});
const rule = (args: Record<string, unknown>): Program => ({
  trunks: { office },
  rules: { reception: { trunks: ["office"], rule: "individual", ...args } },
});
const without = (args: Record<string, unknown>, ...fields: string[]) =>
  Object.fromEntries(Object.entries(args).filter(([field]) => !fields.includes(field)));

const REFUSED: [string, Program, string][] = [
  [
    "a password that is short",
    trunk({ password: `${CANARY.slice(0, 8)}1` }),
    "password is too weak: it also needs at least 12 characters",
  ],
  [
    "a password without a digit",
    trunk({ password: "Canary-NoDigits-Here" }),
    "password is too weak: it also needs a digit",
  ],
  ["a password without upper case", trunk({ password: "canary-7fd1c0-lower" }), "an upper-case letter"],
  ["a password without lower case", trunk({ password: "CANARY-7FD1C0-UPPER" }), "a lower-case letter"],
  ["a username without a password", { trunks: { hotline: without(hotline, "password") } }, "password is missing"],
  ["a password without a username", { trunks: { hotline: without(hotline, "username") } }, "username is missing"],
  ["a username with a quotation mark", trunk({ username: 'a"b' }), "username must not hold quotation marks or control"],
  ["a username with a line break", trunk({ username: "a\r\nb" }), "username must not hold quotation marks or control"],
  ["a username with a space", trunk({ username: "a b" }), "username must not hold spaces"],
  [
    "a realm with a line break",
    { trunks: { office }, auths: { office: { trunk: "office", method: "credentials", realm: "a\nb" } } },
    "realm must not hold quotation marks or control characters",
  ],
  ["an unknown country", trunk({ country: "XX" }), "country is not a country code of ISO 3166-1 alpha-2"],
  ["no country", { trunks: { office: without(office, "country") } }, "country is missing"],
  ["no extension", { trunks: { office: without(office, "extension") } }, "extension is missing"],
  ["numbers on an extension", trunk({ numbers: ["+12025550123"] }), `numbers can't be used with type: "extension"`],
  ["an extension on numbers", did({ extension: "1011" }), `extension can't be used with type: "did"`],
  ["a number that is not valid", did({ numbers: ["+1 202 55"] }), 'numbers[0] "+1 202 55" is not a phone number'],
  [
    "a foreign number in national format",
    did({ numbers: ["+40741926265"], numberFormat: "national" }),
    "has no national form in US",
  ],
  ["a duplicate number", did({ numbers: ["+12025550123", "+12025550123"] }), "is the same number as"],
  ["a duplicate number after normalisation", did({ numbers: ["+1 202 555 0123", "(202) 555-0123"] }), "list it once"],
  ["no numbers", did({ numbers: [] }), "numbers must hold at least one number"],
  ["an address with a scheme", trunk({ address: "sip:pbx.acme.example" }), "address must not have a scheme"],
  [
    "an address with a port",
    trunk({ address: "pbx.acme.example:5060" }),
    "address must not have a port: set the port argument",
  ],
  [
    "an address with a user",
    trunk({ address: "1011@pbx.acme.example" }),
    "address must not hold a user, parameters or spaces",
  ],
  ["an address with parameters", trunk({ address: "pbx.acme.example;transport=tcp" }), "address must not hold a user"],
  ["an address with a space", trunk({ address: "pbx acme" }), "address must not hold a user, parameters or spaces"],
  ["a port out of range", trunk({ port: 70000 }), "port is not valid"],
  [
    "a misspelt argument",
    trunk({ adress: "pbx.acme.example" }),
    "adress is not an argument of SipTrunk: check its spelling",
  ],
  ["an unknown transport", trunk({ transport: "sctp" }), "transport is not valid"],
  [
    "a header that SIP depends on",
    trunk({ headers: { "Call-ID": "1" } }),
    'headers sets "Call-ID", which LiveKit does not let a trunk set',
  ],
  ["an invalid header name", trunk({ headers: { "X Account": "1" } }), 'headers has the header name "X Account"'],
  [
    "a header with a line break",
    trunk({ headers: { "X-A": `${CANARY}\r\nX-B: 2` } }),
    'headers gives "X-A" a value with a line break',
  ],
  [
    "a mapping to an invalid header name",
    trunk({ attributesToHeaders: { a: "X:B" } }),
    "attributesToHeaders maps to the header",
  ],
  ["metadata over its limit", trunk({ metadata: { $long: 600_000 } }), "metadata is larger than the 512 KiB"],
  [
    "metadata that uses the provider's key",
    trunk({ metadata: '{"pulumi-livekit-sip":1}' }),
    "metadata must not use the key",
  ],
  ["fixedIp without a proxy", trunk({ fixedIp: true }), "fixedIp needs the stack configuration livekit:outboundProxy"],
  ["two trunks with one number", { trunks: { a: office, b: office } }, "the number 1011 can only be on one trunk"],
  ["an empty allowlist", ip([]), "allowedAddresses is empty, which would let anyone in"],
  ["a malformed allowlist entry", ip(["203.0.113"]), "is not an IP address or CIDR range"],
  ["a host name in the allowlist", ip(["pbx.acme.example"]), "a host name would let in anyone who names it"],
  ["an allowlist for everyone", ip(["0.0.0.0/0"]), "together admit every address"],
  ["an allowlist whose union is everyone", ip(["0.0.0.0/1", "128.0.0.0/1"]), "together admit every address"],
  [
    "credentials of a trunk that has none",
    {
      trunks: { hotline: without(hotline, "username", "password") },
      auths: { hotline: { trunk: "hotline", method: "credentials" } },
    },
    'SipTrunk "hotline" has none',
  ],
  [
    "two auths for one trunk",
    {
      ...everything,
      auths: { one: { trunk: "office", method: "credentials" }, two: { trunk: "office", method: "credentials" } },
    },
    'trunk "office" can only have one InboundAuth',
  ],
  ["a rule without trunks", rule({ trunks: [] }), "trunks is empty, which LiveKit treats as every call of the project"],
  [
    "a rule for an unknown trunk",
    rule({ trunks: ["office-trunk"] }),
    "neither a SipTrunk nor the id of a LiveKit trunk",
  ],
  ["a direct rule without a room", rule({ rule: "direct" }), "roomName is missing"],
  [
    "a room for a rule that makes one for each call",
    rule({ roomName: "lobby" }),
    `roomName can't be used with rule: "individual"`,
  ],
  [
    "a prefix for a rule with one room",
    rule({ rule: "direct", roomName: "lobby", roomPrefix: "call-" }),
    `roomPrefix and randomize can't be used with rule: "direct"`,
  ],
  ["a pin that is not digits", rule({ pin: "12a4" }), "pin must be digits"],
  [
    "attributes over their limit",
    rule({ attributes: { a: { $long: 70_000 } } }),
    "attributes are in total larger than the 64 KiB",
  ],
  [
    "a room option that LiveKit does not have",
    rule({ roomConfig: { emptyTimeOut: 5 } }),
    "roomConfig does not match LiveKit's RoomConfiguration",
  ],
];

describeInWorlds((startWorld) => {
  test("refuses bad input in the preview with one sentence, and creates nothing", async () => {
    const it = await startWorld();
    await it.secret("office", password("office"));
    await it.secret("hotline", password("hotline"));
    await expectRefusals(it, someOf(REFUSED));
    expect(await it.count()).toBe(0);
    expectNoCanary(it.printed);
  }, 600_000);

  test.everywhere("refuses a number that another trunk of the project has, and names that trunk", async () => {
    const it = await startWorld();
    await it.secret("hotline", password("hotline"));
    const theirs = await it.outsider.createSipInboundTrunk("theirs", ["1 202 555 0123"], {
      authUsername: "u",
      authPassword: "p",
    });
    await it.declare({ trunks: { hotline } });
    const result = await it.preview();
    expect(result.succeeded).toBe(false);
    expect(said(result)).toContain(`+12025550123 is taken by the inbound trunk ${theirs.sipTrunkId}`);
    expect(said(result)).toContain("which this stack does not manage");
  });

  test("refuses a trunk that another stack has, and names that stack", async () => {
    const [one, two] = [await startWorld(), await startWorld()];
    for (const it of [one, two]) {
      await it.secret("hotline", password("hotline"));
      await it.declare({ trunks: { hotline } });
    }
    await one.upAndSettle();
    const result = await two.up();
    expect(result.succeeded).toBe(false);
    expect(said(result)).toMatch(
      /is taken by the inbound trunk ST_\w+ of this LiveKit project, which \S+\/hotline manages/,
    );
    expect(await one.count()).toBe(2);
  });

  test.everywhere(
    "reports a wrong secret in one sentence without the token, and treats nothing as deleted",
    async () => {
      const it = await startWorld();
      await it.secret("office", password("office"));
      await it.given({ trunks: { office } });
      await it.stack.setConfig("livekit:apiSecret", `wrong-${CANARY}-secret-0123456789`, { secret: true });
      const result = await it.preview();
      expect(result.succeeded).toBe(false);
      expect(said(result)).toMatch(
        /LiveKit refused the API key for .* \(401 .*\): check livekit:apiKey and livekit:apiSecret/,
      );
      expect(said(result)).not.toMatch(/eyJ/);
      expectNoCanary(it.printed);
      await it.stack.setConfig("livekit:apiSecret", it.platform.apiSecret, { secret: true });
      expectSuccess(await it.preview({ expectNoChanges: true }));
    },
  );

  test.each([
    [
      "livekit:url",
      "",
      "livekit:url is not configured: run `pulumi config set livekit:url <value>` or set LIVEKIT_URL",
    ],
    ["livekit:url", "ws://192.0.2.1:7880", "would send passwords in clear text"],
    ["livekit:url", "http://127.0.0.1:1", "LiveKit at http://127.0.0.1:1 did not answer"],
    ["livekit:apiKey", "APInobody", "LiveKit refused the API key for"],
  ])("reports a wrong %s (%p) in the preview", async (key, value, sentence) => {
    const it = await startWorld();
    await it.secret("office", password("office"));
    await it.declare({ trunks: { office } });
    await it.stack.setConfig(key, value);
    const result = await it.preview();
    expect(result.succeeded).toBe(false);
    expect(said(result)).toContain(sentence);
    await it.stack.setConfig("livekit:url", it.platform.url);
    await it.stack.setConfig("livekit:apiKey", it.platform.apiKey);
  });
});
