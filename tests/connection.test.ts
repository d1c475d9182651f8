import { explain } from "../provider/lifecycle/errors";
import { type ConfigReader, ConfigurationError, readConnection } from "../provider/livekit/connection";
import { LiveKitError, redact } from "../provider/livekit/errors";

const SECRET = "canary-api-secret-0123456789abcdef";

function read(config: Record<string, string>, env: NodeJS.ProcessEnv = {}) {
  const reader: ConfigReader = (key) => config[key];
  return readConnection(reader, env);
}

const complete = {
  "livekit:url": "wss://acme-x1.livekit.cloud",
  "livekit:apiKey": "APIabcdefgh",
  "livekit:apiSecret": SECRET,
};

describe("connection", () => {
  test.each([
    ["wss://acme-x1.livekit.cloud", "https://acme-x1.livekit.cloud"],
    ["https://acme-x1.livekit.cloud/", "https://acme-x1.livekit.cloud"],
    ["ws://localhost:7880", "http://localhost:7880"],
    ["http://127.0.0.1:7880", "http://127.0.0.1:7880"],
    ["http://[::1]:7880", "http://[::1]:7880"],
    ["https://sip.acme.com/livekit", "https://sip.acme.com/livekit"],
  ])("%s is called at %s", (url, called) => {
    expect(read({ ...complete, "livekit:url": url }).url).toBe(called);
  });

  test("falls back to the environment where the stack has no configuration", () => {
    const env = { LIVEKIT_URL: "ws://127.0.0.1:7880", LIVEKIT_API_KEY: "devkey", LIVEKIT_API_SECRET: SECRET };
    expect(read({}, env)).toMatchObject({ url: "http://127.0.0.1:7880", apiKey: "devkey" });
    expect(read(complete, env).apiKey).toBe("APIabcdefgh");
  });

  test.each([
    [
      "livekit:url",
      undefined,
      "livekit:url is not configured: run `pulumi config set livekit:url <value>` or set LIVEKIT_URL.",
    ],
    [
      "livekit:apiSecret",
      " ",
      "livekit:apiSecret is not configured: run `pulumi config set --secret livekit:apiSecret <value>` or set LIVEKIT_API_SECRET.",
    ],
    ["livekit:url", "acme", "livekit:url is not a URL"],
    ["livekit:url", "ftp://acme.livekit.cloud", "must begin with wss://"],
    ["livekit:url", "wss://user:pw@acme.livekit.cloud", "must not hold credentials"],
    ["livekit:url", "ws://10.0.0.1:7880", "would send passwords in clear text to 10.0.0.1:7880"],
    ["livekit:url", "http://127.0.0.1.evil.example", "would send passwords in clear text"],
    ["livekit:sipHost", "sip:acme;transport=tcp", "must be a plain host name"],
    ["livekit:outboundProxy", '{"address":"sip:proxy"}', "livekit:outboundProxy.address must be a host or IP"],
    ["livekit:outboundProxy", '{"address":"proxy;lr"}', "livekit:outboundProxy.address must be a host or IP"],
    ["livekit:outboundProxy", '{"address":"proxy","header":"To"}', "must be the name of an X-… header"],
    ["livekit:outboundProxy", "{broken", "is not valid JSON"],
    ["livekit:voipHosts", "[broken", "livekit:voipHosts is not valid JSON"],
    ["livekit:voipHosts", "[]", "livekit:voipHosts must be a list that is not empty"],
    ["livekit:voipHosts", '["sip:pbx.acme.com"]', 'livekit:voipHosts has "sip:pbx.acme.com", which is no host'],
    ["livekit:voipHosts", "[7]", "livekit:voipHosts has 7, which is no host"],
  ])("rejects %s = %p", (key, value, message) => {
    const config: Record<string, string> = { ...complete, ...(value === undefined ? {} : { [key]: value }) };
    if (value === undefined) {
      delete config[key];
    }
    expect(() => read(config)).toThrow(message);
  });

  test("takes the SIP host from the project ID or from sipHost", () => {
    expect(read({ ...complete, "livekit:projectId": "p_5wed79aeavr" }).sipHost).toBe("5wed79aeavr.sip.livekit.cloud");
    expect(read({ ...complete, "livekit:sipHost": "sip.acme.com" }).sipHost).toBe("sip.acme.com");
    expect(read(complete).sipHost).toBeUndefined();
  });

  test("identifies the project by host and key without revealing the key", () => {
    const { project } = read(complete);
    expect(project).toMatch(/^acme-x1\.livekit\.cloud \(key APIab….{4}\)$/);
    expect(read({ ...complete, "livekit:apiKey": "APIabcdefgX" }).project).not.toBe(project);
    expect(JSON.stringify(project)).not.toContain(SECRET);
  });

  test("accepts a list of hosts as JSON or separated by commas", () => {
    const hosts = ["pbx.acme.com", "*.voip.example", "192.0.2.0/24", "2001:db8::1"];
    expect(read({ ...complete, "livekit:voipHosts": JSON.stringify(hosts) }).voipHosts).toEqual(hosts);
    expect(read({ ...complete, "livekit:voipHosts": hosts.join(", ") }).voipHosts).toEqual(hosts);
    expect(read(complete).voipHosts).toBeUndefined();
  });

  test("accepts the proxy's address alone or with its header", () => {
    expect(read({ ...complete, "livekit:outboundProxy": "proxy.acme.com:5080" }).outboundProxy).toEqual({
      address: "proxy.acme.com:5080",
      header: "X-Outbound-Destination",
    });
    expect(
      read({ ...complete, "livekit:outboundProxy": '{"address":"proxy.acme.com","header":"X-To"}' }).outboundProxy,
    ).toEqual({ address: "proxy.acme.com", header: "X-To" });
  });
});

describe("redaction", () => {
  test("removes tokens and secrets from foreign text", () => {
    const token = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJkZXYifQ.c2lnbmF0dXJl";
    expect(redact(`invalid token: ${token}, error: ${SECRET} x ${SECRET}2`, [SECRET, `${SECRET}2`])).toBe(
      "invalid token: [token], error: [secret] x [secret]",
    );
  });

  test.each([
    ["JSON, and Go's %q", String.raw`"a\"b\\c d"`],
    ["HTML", "<b>a&#34;b\\c d</b>"],
    ["HTML with named entities", "<b>a&quot;b\\c d</b>"],
    ["a URL", "?p=a%22b%5Cc+d"],
  ])("removes a secret that is quoted as in %s", (_, text) => {
    expect(redact(text, ['a"b\\c d'])).toMatch(/^\W*(b|p=)?\W*\[secret\]/);
  });
});

test.each([
  ["a wrong configuration", new ConfigurationError("livekit:url is not configured.")],
  [
    "a refused API key",
    new LiveKitError("unauthenticated", "ListSIPInboundTrunk", "LiveKit refused the API key.", 401),
  ],
])("%s, which stops every resource, is told in full once, and without a stack", (_what, error) => {
  const told = new Set<string>();
  const explained = ["office", "hotline"].map((name) =>
    explain(error, "Reading", "SipTrunk", { owner: `acme/phones/prod/${name}` }, told),
  );
  expect(explained.map(({ message, stack }) => ({ message, stack }))).toEqual([
    { message: `Reading SipTrunk "office": ${error.message}`, stack: "" },
    { message: 'Reading SipTrunk "hotline": stopped by the same error as the others.', stack: "" },
  ]);
});
