/**
 * What LiveKit's SIP API does. The same tests run against the emulator and the real server, so that what is tested on
 * the emulator is true of LiveKit. Expected messages and codes are literal.
 */

import { createHmac } from "node:crypto";
import { Duration, type Message, type MessageType, type PartialMessage, Timestamp } from "@bufbuild/protobuf";
import {
  CreateSIPDispatchRuleRequest,
  CreateSIPInboundTrunkRequest,
  CreateSIPOutboundTrunkRequest,
  DeleteSIPDispatchRuleRequest,
  DeleteSIPTrunkRequest,
  GetSIPInboundTrunkRequest,
  GetSIPInboundTrunkResponse,
  GetSIPOutboundTrunkRequest,
  GetSIPOutboundTrunkResponse,
  ListSIPDispatchRuleRequest,
  ListSIPDispatchRuleResponse,
  ListSIPInboundTrunkRequest,
  ListSIPInboundTrunkResponse,
  ListSIPOutboundTrunkRequest,
  ListSIPOutboundTrunkResponse,
  ListUpdate,
  SIPDispatchRuleInfo,
  type SIPDispatchRuleUpdate,
  SIPHeaderOptions,
  SIPInboundTrunkInfo,
  type SIPInboundTrunkUpdate,
  SIPMediaConfig,
  SIPMediaEncryption,
  SIPOutboundTrunkInfo,
  type SIPOutboundTrunkUpdate,
  SIPTransport,
  SIPTrunkInfo,
  UpdateSIPDispatchRuleRequest,
  UpdateSIPInboundTrunkRequest,
  UpdateSIPOutboundTrunkRequest,
} from "@livekit/protocol";
import { SipClient } from "livekit-server-sdk";
import { availablePlatforms, type Platform } from "./support/livekit-platform";
import { futureFields, withFutureFields } from "./support/messages";

const { SIP_MEDIA_ENCRYPT_DISABLE: DISABLE, SIP_MEDIA_ENCRYPT_ALLOW: ALLOW } = SIPMediaEncryption;
const REQUIRE = SIPMediaEncryption.SIP_MEDIA_ENCRYPT_REQUIRE;
const OPEN_TRUNK =
  "for security, one of the fields must be set: AuthUsername+AuthPassword, AllowedAddresses or Numbers";

interface Rpc<Request extends Message<Request>, Response extends Message<Response>> {
  method: string;
  request: MessageType<Request>;
  response: MessageType<Response>;
}

function rpc<Request extends Message<Request>, Response extends Message<Response>>(
  method: string,
  request: MessageType<Request>,
  response: MessageType<Response>,
): Rpc<Request, Response> {
  return { method, request, response };
}

const createInbound = rpc("CreateSIPInboundTrunk", CreateSIPInboundTrunkRequest, SIPInboundTrunkInfo);
const createOutbound = rpc("CreateSIPOutboundTrunk", CreateSIPOutboundTrunkRequest, SIPOutboundTrunkInfo);
const createRule = rpc("CreateSIPDispatchRule", CreateSIPDispatchRuleRequest, SIPDispatchRuleInfo);
const updateInbound = rpc("UpdateSIPInboundTrunk", UpdateSIPInboundTrunkRequest, SIPInboundTrunkInfo);
const updateOutbound = rpc("UpdateSIPOutboundTrunk", UpdateSIPOutboundTrunkRequest, SIPOutboundTrunkInfo);
const updateRule = rpc("UpdateSIPDispatchRule", UpdateSIPDispatchRuleRequest, SIPDispatchRuleInfo);
const getInbound = rpc("GetSIPInboundTrunk", GetSIPInboundTrunkRequest, GetSIPInboundTrunkResponse);
const getOutbound = rpc("GetSIPOutboundTrunk", GetSIPOutboundTrunkRequest, GetSIPOutboundTrunkResponse);
const listInbound = rpc("ListSIPInboundTrunk", ListSIPInboundTrunkRequest, ListSIPInboundTrunkResponse);
const listOutbound = rpc("ListSIPOutboundTrunk", ListSIPOutboundTrunkRequest, ListSIPOutboundTrunkResponse);
const listRules = rpc("ListSIPDispatchRule", ListSIPDispatchRuleRequest, ListSIPDispatchRuleResponse);
const deleteTrunk = rpc("DeleteSIPTrunk", DeleteSIPTrunkRequest, SIPTrunkInfo);
const deleteRule = rpc("DeleteSIPDispatchRule", DeleteSIPDispatchRuleRequest, SIPDispatchRuleInfo);

interface Refusal {
  status: number;
  code: string;
  msg: string;
}

function invalid(msg: string): Refusal {
  return { status: 400, code: "invalid_argument", msg };
}

/** Speaks Twirp without a client library, so that nothing hides what is on the wire. */
class Client {
  constructor(private readonly platform: Platform) {}

  post(path: string, contentType: string, body: Uint8Array | string, headers: Record<string, string> = {}) {
    return fetch(`${this.platform.url}${path}`, {
      method: "POST",
      headers: { "Content-Type": contentType, Authorization: `Bearer ${this.token()}`, ...headers },
      body: typeof body === "string" ? body : Buffer.from(body),
    });
  }

  async json(method: string, request: unknown): Promise<unknown> {
    const response = await this.post(`/twirp/livekit.SIP/${method}`, "application/json", JSON.stringify(request));
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/json"]);
    return response.json();
  }

  async call<Request extends Message<Request>, Response extends Message<Response>>(
    { method, request, response }: Rpc<Request, Response>,
    init: PartialMessage<Request>,
  ): Promise<Response> {
    const answer = await this.post(
      `/twirp/livekit.SIP/${method}`,
      "application/protobuf",
      new request(init).toBinary(),
    );
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (answer.status !== 200) {
      throw new Error(`${method}: ${answer.status} ${new TextDecoder().decode(bytes)}`);
    }
    expect(answer.headers.get("content-type")).toBe("application/protobuf");
    return response.fromBinary(bytes);
  }

  /** Sends the request in both encodings and expects the same error for both, always as JSON. */
  async refusal<Request extends Message<Request>, Response extends Message<Response>>(
    { method, request }: Rpc<Request, Response>,
    init: PartialMessage<Request>,
  ): Promise<Refusal> {
    const message = new request(init);
    const path = `/twirp/livekit.SIP/${method}`;
    const inProtobuf = await refusalOf(await this.post(path, "application/protobuf", message.toBinary()));
    const inJson = await refusalOf(await this.post(path, "application/json", message.toJsonString()));
    expect(inJson).toEqual(inProtobuf);
    return inJson;
  }

  token(change: TokenChange = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const { apiKey, apiSecret } = this.platform;
    const claims = { iss: apiKey, nbf: now - 10, exp: now + 60, sip: { admin: true }, ...change.claims };
    const header = { alg: "HS256", typ: "JWT", ...change.header };
    const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
    const hash = change.hash ?? "sha256";
    return `${signed}.${createHmac(hash, change.secret ?? apiSecret)
      .update(signed)
      .digest("base64url")}`;
  }
}

interface TokenChange {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  secret?: string;
  hash?: string;
}

async function refusalOf(response: Response): Promise<Refusal> {
  expect(response.headers.get("content-type")).toBe("application/json");
  const { code, msg }: Refusal = JSON.parse(await response.text());
  return { status: response.status, code, msg };
}

const inbound = (change: PartialMessage<SIPInboundTrunkInfo> = {}) =>
  new SIPInboundTrunkInfo({
    name: "in",
    numbers: ["+15550100"],
    authUsername: "user",
    authPassword: "Pass1",
    ...change,
  });
const outbound = (change: PartialMessage<SIPOutboundTrunkInfo> = {}) =>
  new SIPOutboundTrunkInfo({ name: "out", address: "sip.example.com", numbers: ["+15550100"], ...change });
const rule = (change: PartialMessage<SIPDispatchRuleInfo> = {}) =>
  new SIPDispatchRuleInfo({ name: "rule", rule: individual("call-"), ...change });
const individual = (roomPrefix: string, pin = "") => ({
  rule: { case: "dispatchRuleIndividual" as const, value: { roomPrefix, pin } },
});
const direct = (roomName: string, pin = "") => ({
  rule: { case: "dispatchRuleDirect" as const, value: { roomName, pin } },
});

describe.each(availablePlatforms())("LiveKit's SIP API, on %s:", (_name, start) => {
  let platform: Platform;
  let client: Client;
  let sdk: SipClient;

  beforeAll(async () => {
    platform = await start();
    client = new Client(platform);
    sdk = new SipClient(platform.url, platform.apiKey, platform.apiSecret, { failover: false });
  });

  afterAll(() => platform?.stop());

  beforeEach(async () => {
    const trunks = [...(await client.call(listInbound, {})).items, ...(await client.call(listOutbound, {})).items];
    const rules = (await client.call(listRules, {})).items;
    for (const { sipTrunkId } of trunks) {
      await client.call(deleteTrunk, { sipTrunkId });
    }
    for (const { sipDispatchRuleId } of rules) {
      await client.call(deleteRule, { sipDispatchRuleId });
    }
  });

  const newInbound = (change?: PartialMessage<SIPInboundTrunkInfo>) =>
    client.call(createInbound, { trunk: inbound(change) });
  const newOutbound = (change?: PartialMessage<SIPOutboundTrunkInfo>) =>
    client.call(createOutbound, { trunk: outbound(change) });
  const newRule = (change?: PartialMessage<SIPDispatchRuleInfo>) =>
    client.call(createRule, { dispatchRule: rule(change) });
  const fieldsOfInbound = (sipTrunkId: string, value: PartialMessage<SIPInboundTrunkUpdate>) => ({
    sipTrunkId,
    action: { case: "update" as const, value },
  });
  const fieldsOfOutbound = (sipTrunkId: string, value: PartialMessage<SIPOutboundTrunkUpdate>) => ({
    sipTrunkId,
    action: { case: "update" as const, value },
  });
  const fieldsOfRule = (sipDispatchRuleId: string, value: PartialMessage<SIPDispatchRuleUpdate>) => ({
    sipDispatchRuleId,
    action: { case: "update" as const, value },
  });

  describe("the wire format", () => {
    it("writes JSON with proto names, default values, and null for unset messages", async () => {
      expect(await client.json("CreateSIPInboundTrunk", { trunk: { numbers: ["+1"], krispEnabled: true } })).toEqual({
        sip_trunk_id: expect.stringMatching(/^ST_[2-9A-Za-z]{12}$/),
        name: "",
        metadata: "",
        numbers: ["+1"],
        allowed_addresses: [],
        allowed_numbers: [],
        auth_username: "",
        auth_password: "",
        auth_realm: "",
        headers: {},
        headers_to_attributes: {},
        attributes_to_headers: {},
        include_headers: "SIP_NO_HEADERS",
        ringing_timeout: null,
        max_call_duration: null,
        krisp_enabled: true,
        media_encryption: "SIP_MEDIA_ENCRYPT_DISABLE",
        media: null,
        created_at: null,
        updated_at: null,
      });
      const trunk = {
        address: "a.example.com",
        numbers: ["*"],
        media: { mediaTimeout: "1.5s", encryption: "SIP_MEDIA_ENCRYPT_ALLOW", codecs: [{ name: "PCMU" }] },
      };
      expect(await client.json("CreateSIPOutboundTrunk", { trunk })).toEqual({
        sip_trunk_id: expect.stringMatching(/^ST_/),
        name: "",
        metadata: "",
        address: "a.example.com",
        destination_country: "",
        transport: "SIP_TRANSPORT_AUTO",
        numbers: ["*"],
        auth_username: "",
        auth_password: "",
        headers: {},
        headers_to_attributes: {},
        attributes_to_headers: {},
        include_headers: "SIP_NO_HEADERS",
        media_encryption: "SIP_MEDIA_ENCRYPT_DISABLE",
        from_host: "",
        media: {
          only_listed_codecs: false,
          codecs: [{ name: "PCMU", rate: 0 }],
          encryption: "SIP_MEDIA_ENCRYPT_ALLOW",
          media_timeout: "1.500s",
        },
        created_at: null,
        updated_at: null,
      });
    });

    it("writes rules, lists and deleted objects the same way", async () => {
      const dispatchRule = {
        rule: { dispatchRuleDirect: { roomName: "room" } },
        roomConfig: { emptyTimeout: 5, agents: [{ agentName: "helper" }] },
      };
      const created = {
        sip_dispatch_rule_id: expect.stringMatching(/^SDR_[2-9A-Za-z]{12}$/),
        trunk_ids: [],
        name: "",
        metadata: "",
        rule: { dispatch_rule_direct: { room_name: "room", pin: "" } },
        hide_phone_number: false,
        inbound_numbers: [],
        numbers: [],
        attributes: {},
        room_preset: "",
        krisp_enabled: false,
        room_config: expect.objectContaining({
          name: "",
          empty_timeout: 5,
          egress: null,
          sync_streams: false,
          agents: [expect.objectContaining({ agent_name: "helper", metadata: "" })],
        }),
        media: { only_listed_codecs: false, codecs: [] },
        media_encryption: "SIP_MEDIA_ENCRYPT_DISABLE",
        created_at: null,
        updated_at: null,
      };
      expect(await client.json("CreateSIPDispatchRule", { dispatchRule })).toEqual(created);
      expect(await client.json("ListSIPDispatchRule", {})).toEqual({ items: [created] });
      expect(await client.json("ListSIPInboundTrunk", {})).toEqual({ items: [] });
      expect(await client.json("DeleteSIPTrunk", { sipTrunkId: "ST_gone" })).toEqual({
        sip_trunk_id: "ST_gone",
        kind: "TRUNK_LEGACY",
        inbound_addresses: [],
        outbound_address: "",
        outbound_number: "",
        transport: "SIP_TRANSPORT_AUTO",
        inbound_numbers_regex: [],
        inbound_numbers: [],
        inbound_username: "",
        inbound_password: "",
        outbound_username: "",
        outbound_password: "",
        name: "",
        metadata: "",
      });
    });

    it("has the same keys in a rule's room configuration on every server", async () => {
      const dispatchRule = { rule: { dispatchRuleCallee: {} }, roomConfig: { agents: [{}] } };
      const json = JSON.stringify(await client.json("CreateSIPDispatchRule", { dispatchRule }));
      const { room_config: config } = JSON.parse(json);
      expect(Object.keys(config).sort()).toEqual(
        "agents departure_timeout egress empty_timeout max_participants max_playout_delay metadata min_playout_delay name sync_streams tags".split(
          " ",
        ),
      );
    });

    it("reads JSON with either style of names, and ignores unknown fields and enum names", async () => {
      const trunk = {
        numbers: ["+1"],
        auth_username: "a",
        authPassword: "b",
        noSuchField: 1,
        includeHeaders: "NO_SUCH",
      };
      const created = await client.json("CreateSIPInboundTrunk", { trunk });
      expect(created).toMatchObject({ auth_username: "a", auth_password: "b", include_headers: "SIP_NO_HEADERS" });
    });

    it("accepts a Content-Type with parameters, in any case, and a doubled slash", async () => {
      const response = await client.post(
        "//twirp/livekit.SIP/ListSIPInboundTrunk",
        "Application/JSON; charset=utf-8",
        "{}",
      );
      expect([response.status, await response.json()]).toEqual([200, { items: [] }]);
    });

    it.each([
      ["application/json", "{", "the json request could not be decoded"],
      ["application/json", "", "the json request could not be decoded"],
      ["application/json", '{"trunk":{"name":5}}', "the json request could not be decoded"],
      ["application/protobuf", new Uint8Array([0x0a, 0x7f]), "the protobuf request could not be decoded"],
    ])("answers an unreadable %s body with malformed (%#)", async (type, body, msg) => {
      const response = await client.post("/twirp/livekit.SIP/CreateSIPInboundTrunk", type, body);
      expect(await refusalOf(response)).toEqual({ status: 400, code: "malformed", msg });
    });

    it("answers any other method, Content-Type or verb with bad_route", async () => {
      const path = "/twirp/livekit.SIP/CreateSIPTrunk";
      const notFound = { status: 404, code: "bad_route" };
      expect(await refusalOf(await client.post(path, "application/json", "{}"))).toEqual({
        ...notFound,
        msg: `no handler for path "${path}"`,
      });
      const list = "/twirp/livekit.SIP/ListSIPInboundTrunk";
      expect(await refusalOf(await client.post(list, "text/plain", "{}"))).toEqual({
        ...notFound,
        msg: 'unexpected Content-Type: "text/plain"',
      });
      expect(await refusalOf(await fetch(`${platform.url}${list}`))).toEqual({
        ...notFound,
        msg: 'unsupported method "GET" (only POST is allowed)',
      });
    });

    it("keeps unknown protobuf fields, even through field-wise updates", async () => {
      const unknown = new Uint8Array([0xfa, 0x3e, 0x03, 0x61, 0x62, 0x63]); // field 1007, "abc"
      const trunk = Buffer.concat([inbound().toBinary(), unknown]);
      const request = Buffer.concat([new Uint8Array([0x0a, trunk.length]), trunk]);
      const path = "/twirp/livekit.SIP/CreateSIPInboundTrunk";
      const response = await client.post(path, "application/protobuf", request);
      const created = SIPInboundTrunkInfo.fromBinary(new Uint8Array(await response.arrayBuffer()));
      await client.call(updateInbound, fieldsOfInbound(created.sipTrunkId, { name: "renamed" }));
      const { trunk: stored } = await client.call(getInbound, created);
      expect(stored?.name).toBe("renamed");
      expect(Buffer.from(stored?.toBinary() ?? []).includes(Buffer.from(unknown))).toBe(true);
    });

    it("keeps unknown fields in every nested message, even through replacement", async () => {
      const full = withFutureFields(
        rule({
          roomConfig: { egress: { tracks: { filepath: "t" } }, agents: [{ agentName: "a" }, { agentName: "b" }] },
          media: { codecs: [{ name: "PCMU", rate: 8000 }], mediaTimeout: new Duration({ seconds: 30n }) },
        }),
      );
      const { sipDispatchRuleId } = await client.call(createRule, { dispatchRule: full });
      const [created] = (await client.call(listRules, {})).items;
      expect(created && futureFields(created)).toEqual(futureFields(full));
      await client.call(updateRule, { sipDispatchRuleId, action: { case: "replace", value: full } });
      const [replaced] = (await client.call(listRules, {})).items;
      expect(replaced && futureFields(replaced)).toEqual(futureFields(full));
    });

    it("answers / without a token as a health check", async () => {
      const response = await fetch(platform.url);
      expect([response.status, await response.text()]).toEqual([200, "OK"]);
      expect(Math.abs(Date.now() - Date.parse(response.headers.get("date") ?? ""))).toBeLessThan(5_000);
    });
  });

  describe("tokens", () => {
    const list = async (headers: Record<string, string>, query = "") => {
      const path = `/twirp/livekit.SIP/ListSIPInboundTrunk${query}`;
      const response = await client.post(path, "application/json", "{}", headers);
      return { status: response.status, type: response.headers.get("content-type"), body: await response.text() };
    };
    const withToken = (change: TokenChange) => list({ Authorization: `Bearer ${client.token(change)}` });
    const now = () => Math.floor(Date.now() / 1000);
    const plain = (body: string) => ({ status: 401, type: "text/plain; charset=utf-8", body });
    const denied = {
      status: 401,
      type: "application/json",
      body: '{"code":"unauthenticated","msg":"permissions denied"}',
    };

    it("denies a call without a token, and one whose token has no SIP admin grant", async () => {
      expect(await list({ Authorization: "" })).toEqual(denied);
      expect(await withToken({ claims: { sip: undefined } })).toEqual(denied);
      expect(await withToken({ claims: { sip: { call: true } } })).toEqual(denied);
    });

    it("refuses in plain text a header without a bearer token, and a malformed token", async () => {
      const noBearer = plain("invalid authorization header. Must start with Bearer ");
      expect(await list({ Authorization: "Basic abc" })).toEqual(noBearer);
      expect(await list({ Authorization: `bearer ${client.token()}` })).toEqual(noBearer);
      const noToken = plain("invalid authorization token");
      expect(await list({ Authorization: "Bearer abc" })).toEqual(noToken);
      expect(await list({ Authorization: "Bearer a.b.c" })).toEqual(noToken);
      expect(await list({ Authorization: `Bearer ${client.token()}.d` })).toEqual(noToken);
      expect(await list({ Authorization: `Bearer ${client.token({ header: { alg: "nonsense" } })}` })).toEqual(noToken);
    });

    it("names an unknown API key", async () => {
      expect(await withToken({ claims: { iss: "APIother" } })).toEqual(plain("invalid API key: APIother"));
      expect(await withToken({ claims: { iss: undefined } })).toEqual(plain("invalid API key: "));
    });

    it.each<[title: string, change: () => TokenChange, why: string]>([
      ["a wrong secret", () => ({ secret: "x".repeat(40) }), "token signature is invalid: signature is invalid"],
      [
        "another algorithm",
        () => ({ header: { alg: "HS384" }, hash: "sha384" }),
        "token signature is invalid: signing method HS384 is invalid",
      ],
      [
        "no algorithm",
        () => ({ header: { alg: "none" } }),
        "token signature is invalid: signing method none is invalid",
      ],
      [
        "a validity that ended more than a minute ago",
        () => ({ claims: { nbf: now() - 200, exp: now() - 65 } }),
        "token has invalid claims: token is expired",
      ],
      [
        "a validity that begins more than a minute ahead",
        () => ({ claims: { nbf: now() + 65, exp: now() + 200 } }),
        "token has invalid claims: token is not valid yet",
      ],
      [
        "swapped times",
        () => ({ claims: { nbf: now() + 200, exp: now() - 200 } }),
        "token has invalid claims: token is expired, token is not valid yet",
      ],
    ])("refuses %s in plain text that quotes the whole token", async (_title, change, why) => {
      const token = client.token(change());
      expect(await list({ Authorization: `Bearer ${token}` })).toEqual(plain(`invalid token: ${token}, error: ${why}`));
    });

    it("tolerates a clock that is off by up to a minute, and requires neither exp nor nbf", async () => {
      expect(await withToken({ claims: { exp: now() - 50 } })).toMatchObject({ status: 200 });
      expect(await withToken({ claims: { nbf: now() + 50 } })).toMatchObject({ status: 200 });
      expect(await withToken({ claims: { nbf: undefined, exp: undefined } })).toMatchObject({ status: 200 });
    });

    it("accepts the token as a query parameter if there is no header", async () => {
      const query = `?access_token=${client.token()}`;
      expect(await list({ Authorization: "" }, query)).toMatchObject({ status: 200 });
      expect(await list({ Authorization: "" }, "?access_token=abc")).toEqual(plain("invalid authorization token"));
    });

    it("reads the body after checking the token, but before checking the grant", async () => {
      const path = "/twirp/livekit.SIP/ListSIPInboundTrunk";
      const noToken = await client.post(path, "application/json", "{", { Authorization: "" });
      expect(await refusalOf(noToken)).toMatchObject({ code: "malformed" });
      const badToken = await client.post(path, "application/json", "{", { Authorization: "Bearer abc" });
      expect([badToken.status, await badToken.text()]).toEqual([401, "invalid authorization token"]);
    });
  });

  describe("an inbound trunk", () => {
    it("is returned as created, with an ID, and is the same when read", async () => {
      const trunk = inbound({
        metadata: '{"a":1}',
        numbers: ["+1 (555) 010-0199", "0741926265"],
        allowedAddresses: ["192.0.2.0/24"],
        allowedNumbers: ["+15550111"],
        authRealm: "realm",
        headers: { "X-A": "1" },
        headersToAttributes: { "X-B": "b" },
        attributesToHeaders: { c: "X-C" },
        includeHeaders: SIPHeaderOptions.SIP_ALL_HEADERS,
        krispEnabled: true,
        mediaEncryption: REQUIRE,
        ringingTimeout: new Duration({ seconds: 30n }),
        maxCallDuration: new Duration({ seconds: 3600n }),
        media: new SIPMediaConfig({ onlyListedCodecs: true, codecs: [{ name: "PCMA", rate: 8000 }] }),
      });
      const created = await client.call(createInbound, { trunk });
      expect(created.sipTrunkId).toMatch(/^ST_[2-9A-Za-z]{12}$/);
      expect(created).toEqual(new SIPInboundTrunkInfo({ ...trunk, sipTrunkId: created.sipTrunkId }));
      expect((await client.call(getInbound, created)).trunk).toEqual(created);
      expect((await client.call(listInbound, {})).items).toEqual([created]);
    });

    it("keeps Unicode, and a megabyte of metadata", async () => {
      const name = "Réception 🕾 東京\u0007";
      const metadata = "ü".repeat(512 * 1024);
      const { sipTrunkId } = await newInbound({ name, metadata, headers: { "X-Name": "Grüße 🕾" } });
      const { trunk } = await client.call(getInbound, { sipTrunkId });
      expect([trunk?.name, trunk?.metadata === metadata, trunk?.headers]).toEqual([
        name,
        true,
        { "X-Name": "Grüße 🕾" },
      ]);
    });

    it("keeps times that the client set, and sets none of its own", async () => {
      const createdAt = Timestamp.fromDate(new Date("2020-01-02T03:04:05Z"));
      const { sipTrunkId } = await newInbound({ createdAt });
      const updated = await client.call(updateInbound, fieldsOfInbound(sipTrunkId, { name: "b" }));
      expect([updated.createdAt, updated.updatedAt]).toEqual([createdAt, undefined]);
    });

    it.each<[title: string, change: PartialMessage<SIPInboundTrunkInfo>]>([
      ["numbers alone, so open to anyone", { authUsername: "", authPassword: "" }],
      ["a username alone", { numbers: [], authPassword: "" }],
      ["a password alone", { numbers: [], authUsername: "" }],
      ["an invalid address", { numbers: [], authUsername: "", authPassword: "", allowedAddresses: ["not an ip"] }],
      ["an empty number and a duplicate one", { numbers: ["", "+1", "+1"] }],
    ])("may have %s", async (_title, change) => {
      await expect(newInbound(change)).resolves.toMatchObject(change);
    });

    it.each<[title: string, trunk: PartialMessage<SIPInboundTrunkInfo> | undefined, msg: string]>([
      ["that is missing", undefined, "missing trunk"],
      ["with an id", { numbers: ["+1"], sipTrunkId: "ST_mine" }, "trunk id must not be set"],
      ["with an id that is also open", { sipTrunkId: "ST_mine" }, "trunk id must not be set"],
      ["without auth, addresses and numbers", {}, OPEN_TRUNK],
      ["that is open and has invalid headers", { headers: { "": "" } }, OPEN_TRUNK],
    ])("is refused %s", async (_title, trunk, msg) => {
      expect(await client.refusal(createInbound, { trunk })).toEqual(invalid(msg));
    });

    it("is not found by an unknown or empty ID, or an outbound trunk's", async () => {
      const missing = { status: 404, code: "not_found", msg: "requested sip trunk does not exist" };
      const { sipTrunkId } = await newOutbound();
      expect(await client.refusal(getInbound, { sipTrunkId: "ST_none" })).toEqual(missing);
      expect(await client.refusal(getInbound, { sipTrunkId })).toEqual(missing);
      expect(await client.refusal(getInbound, {})).toEqual(invalid("trunk ID is required"));
      expect(await client.refusal(updateInbound, fieldsOfInbound("ST_none", { name: "x" }))).toEqual(missing);
      expect(await client.refusal(updateInbound, fieldsOfInbound(sipTrunkId, { name: "x" }))).toEqual(missing);
    });
  });

  describe("headers", () => {
    const refusedOn = async (change: {
      headers?: Record<string, string>;
      headersToAttributes?: Record<string, string>;
      attributesToHeaders?: Record<string, string>;
    }) => {
      const onInbound = await client.refusal(createInbound, { trunk: inbound(change) });
      expect(await client.refusal(createOutbound, { trunk: outbound(change) })).toEqual(onInbound);
      return onInbound;
    };

    it.each(
      [
        "Accept accept-encoding Accept-Language ALLOW Allow-Events Call-ID Contact Content-Encoding Content-Length Content-Type CSeq Event Expires",
        "From Max-Forwards Record-Route Refer-To Reply-To k l M o r t u v",
      ].flatMap((names) => names.split(" ")),
    )("may not set %s", async (name) => {
      expect(await refusedOn({ headers: { [name]: "x" } })).toEqual(
        invalid(`invalid header name: header name ${name} not supported`),
      );
    });

    it.each(["To", "Via", "Route", "Supported", "f", "X-Any", "P-Asserted-Identity", "a!%*_+`'~.-9"])(
      "may set %s",
      async (name) => {
        await expect(newInbound({ headers: { [name]: "anything at all" } })).resolves.toBeDefined();
      },
    );

    it.each([
      ["", "header name cannot be empty"],
      ["a b", "header name a b contains invalid characters: char 32 not allowed"],
      ["a:b", "header name a:b contains invalid characters: char 58 not allowed"],
      [
        "é",
        "header name é contains invalid characters: char 233 out of range, consider explicilty adding utf8 characters",
      ],
      ["x".repeat(256), "header name too long (max 255 characters)"],
      ["é".repeat(128), "header name too long (max 255 characters)"],
    ])("may not be named %j, also not in the maps", async (name, why) => {
      const refused = invalid(`invalid header name: ${why}`);
      expect(await refusedOn({ headers: { [name]: "x" } })).toEqual(refused);
      expect(await refusedOn({ headersToAttributes: { [name]: "x" } })).toEqual(refused);
      expect(await refusedOn({ attributesToHeaders: { x: name } })).toEqual(refused);
    });

    it("may be named in the maps even if they may not be set", async () => {
      const maps = {
        headersToAttributes: { From: "a", ["x".repeat(255)]: "b" },
        attributesToHeaders: { a: "Call-ID" },
      };
      await expect(newInbound(maps)).resolves.toMatchObject(maps);
      await expect(newOutbound(maps)).resolves.toMatchObject(maps);
    });

    it.each([
      ["line\nbreak", ": char 10 not allowed"],
      ["nul\u0000", ": char 0 not allowed"],
      ["del\u007f", ": char 127 not allowed"],
      ["x".repeat(1025), " too long (max 1024 characters)"],
      ["é".repeat(513), " too long (max 1024 characters)"],
    ])("may not have the value %j", async (value, why) => {
      expect(await refusedOn({ headers: { "X-A": value } })).toEqual(
        invalid(`invalid header value for X-A: header X-A: value${why}`),
      );
    });

    it.each(["", "tab\there", "é".repeat(512), "x".repeat(1024)])("may have the value %j", async (value) => {
      await expect(newInbound({ headers: { "X-A": value } })).resolves.toMatchObject({ headers: { "X-A": value } });
    });
  });

  describe("inbound trunks that answer the same number", () => {
    it.each<[first: string[], second: string[]]>([
      [["+15550100"], ["+15550100"]],
      [["+1 (555) 010-0"], ["15550100"]],
      [
        ["+15550100", "+15550101"],
        ["+15550102", "15550101"],
      ],
      [["1011"], ["+1011"]],
      [["abc"], ["abc"]],
    ])("conflict: %j and %j", async (first, second) => {
      const { sipTrunkId } = await newInbound({ numbers: first });
      expect(await client.refusal(createInbound, { trunk: inbound({ numbers: second }) })).toEqual(
        invalid(
          `Conflicting inbound SIP Trunks: "<new>" and "${sipTrunkId}", using the same number(s) [${second.map((number) => `"${number}"`).join(" ")}] without AllowedNumbers set`,
        ),
      );
    });

    it.each<[first: string[], second: string[]]>([
      [["+15550100"], ["+15550101"]],
      [["abc"], ["+abc"]],
      [["+15550100"], []],
      [["+1.555"], ["1.555"]],
    ])("do not conflict: %j and %j", async (first, second) => {
      await newInbound({ numbers: first });
      await expect(newInbound({ numbers: second })).resolves.toBeDefined();
    });

    it("conflict when neither has a number", async () => {
      const { sipTrunkId } = await newInbound({ numbers: [] });
      expect(await client.refusal(createInbound, { trunk: inbound({ numbers: [] }) })).toEqual(
        invalid(
          `Conflicting inbound SIP Trunks: "<new>" and "${sipTrunkId}", using the same number(s) <any> without AllowedNumbers set`,
        ),
      );
    });

    it("conflict on a common caller if both list callers, and not if only one does", async () => {
      await newInbound({ allowedNumbers: [] });
      await newInbound({ allowedNumbers: ["+15550113"] });
      const trunk = inbound({ allowedNumbers: ["+15550114", "1 (555) 0113"] });
      expect((await client.refusal(createInbound, { trunk })).msg).toMatch(
        /^Conflicting inbound SIP Trunks: "\S+" and "\S+", using the same number\(s\) \["\+15550100"\] and AllowedNumber "/,
      );
    });

    it("are named in order of comparison: the first stored one, the new one, the others", async () => {
      const stored = [
        await newInbound({ numbers: ["+1", "+8"] }),
        await newInbound({ numbers: ["+2", "+8"], allowedNumbers: ["+5"] }),
      ];
      const [first, second] = stored.sort((a, b) => (a.sipTrunkId < b.sipTrunkId ? -1 : 1));
      const withFirst = inbound({ numbers: ["+8"], allowedNumbers: first?.allowedNumbers ?? [] });
      const withSecond = inbound({ numbers: ["+8"], allowedNumbers: second?.allowedNumbers ?? [] });
      expect((await client.refusal(createInbound, { trunk: withFirst })).msg).toContain(
        `Conflicting inbound SIP Trunks: "<new>" and "${first?.sipTrunkId}", using the same number(s) ["+8"] `,
      );
      expect((await client.refusal(createInbound, { trunk: withSecond })).msg).toContain(
        `Conflicting inbound SIP Trunks: "${second?.sipTrunkId}" and "<new>", using the same number(s) ["${second?.numbers[0]}" "+8"] `,
      );
    });

    it("are quoted with Go's escapes", async () => {
      const numbers = ['a"b\\c\n\u0001\u200b🕾é'];
      const { sipTrunkId } = await newInbound({ numbers });
      expect(await client.refusal(createInbound, { trunk: inbound({ numbers }) })).toEqual(
        invalid(
          `Conflicting inbound SIP Trunks: "<new>" and "${sipTrunkId}", using the same number(s) ["a\\"b\\\\c\\n\\x01\\u200b🕾é"] without AllowedNumbers set`,
        ),
      );
    });
  });

  describe("a field-wise update of an inbound trunk", () => {
    const before = {
      name: "in",
      metadata: "m",
      numbers: ["+15550100"],
      allowedAddresses: ["192.0.2.1/32"],
      allowedNumbers: ["+15550111"],
      authUsername: "user",
      authPassword: "Pass1",
      authRealm: "realm",
      headers: { "X-A": "1" },
      krispEnabled: true,
      ringingTimeout: new Duration({ seconds: 20n }),
      includeHeaders: SIPHeaderOptions.SIP_X_HEADERS,
      attributesToHeaders: { a: "X-A" },
    };

    it.each<[PartialMessage<SIPInboundTrunkUpdate>, PartialMessage<SIPInboundTrunkInfo>]>([
      [{}, {}],
      [{ name: "new" }, { name: "new" }],
      [{ name: "" }, { name: "" }],
      [{ metadata: "new" }, { metadata: "new" }],
      [{ authUsername: "new" }, { authUsername: "new" }],
      [{ authPassword: "New2" }, { authPassword: "New2" }],
      [
        { authUsername: "", authPassword: "" },
        { authUsername: "", authPassword: "" },
      ],
      [{ authRealm: "" }, { authRealm: "" }],
      [{ numbers: { set: ["+1", "+2"] } }, { numbers: ["+1", "+2"] }],
      [{ numbers: { add: ["+1", "+15550100"] } }, { numbers: ["+15550100", "+1"] }],
      [{ numbers: { add: ["+2"], remove: ["+15550100", "+9"] } }, { numbers: ["+2"] }],
      [{ numbers: { clear: true } }, { numbers: [] }],
      [{ allowedAddresses: { clear: true } }, { allowedAddresses: [] }],
      [{ allowedAddresses: { set: ["203.0.113.0/24"] } }, { allowedAddresses: ["203.0.113.0/24"] }],
      [{ allowedNumbers: { remove: ["+15550111"] } }, { allowedNumbers: [] }],
    ])("%j changes only that, and adds an empty media", async (update, change) => {
      const { sipTrunkId } = await newInbound(before);
      const updated = await client.call(updateInbound, fieldsOfInbound(sipTrunkId, update));
      const media = new SIPMediaConfig();
      expect(updated).toEqual(new SIPInboundTrunkInfo({ ...before, ...change, media, sipTrunkId }));
      expect((await client.call(getInbound, { sipTrunkId })).trunk).toEqual(updated);
    });

    it.each<[PartialMessage<ListUpdate>, string]>([
      [{}, "unsupported list update operation"],
      [{ set: [] }, "unsupported list update operation"],
      [{ clear: true, set: ["a"] }, "cannot clear and change the list at the same time"],
      [{ clear: true, remove: ["a"] }, "cannot clear and change the list at the same time"],
      [{ set: ["a"], add: ["b"] }, "cannot set and change the list at the same time"],
      [{ set: [""] }, "empty element in the list"],
      [{ add: [""] }, "empty element in the list"],
      [{ remove: ["a", ""] }, "empty element in the list"],
    ])("is refused with the list change %j", async (init, msg) => {
      const { sipTrunkId } = await newInbound();
      for (const field of ["numbers", "allowedAddresses", "allowedNumbers"]) {
        const update = fieldsOfInbound(sipTrunkId, { [field]: new ListUpdate(init) });
        expect(await client.refusal(updateInbound, update)).toEqual(invalid(msg));
      }
    });

    it("is refused if it would leave the trunk open, with a prefix in the message", async () => {
      const { sipTrunkId } = await newInbound({ numbers: [] });
      const update = fieldsOfInbound(sipTrunkId, { authUsername: "", authPassword: "" });
      expect(await client.refusal(updateInbound, update)).toEqual(invalid(`twirp error unknown: ${OPEN_TRUNK}`));
      expect((await client.call(getInbound, { sipTrunkId })).trunk?.authPassword).toBe("Pass1");
    });

    it("is refused without an ID or a change, before the trunk is looked up", async () => {
      expect(await client.refusal(updateInbound, {})).toEqual(invalid("trunk id must be set"));
      const unsupported = invalid("missing or unsupported update action");
      expect(await client.refusal(updateInbound, { sipTrunkId: "ST_none" })).toEqual(unsupported);
    });

    it("conflicts with another trunk's number if it keeps a number of its own", async () => {
      const first = await newInbound({ numbers: ["+1", "+2"] });
      const second = await newInbound({ numbers: ["+3"] });
      const [low = "", high = ""] = [first.sipTrunkId, second.sipTrunkId].sort();
      const add = await client.refusal(
        updateInbound,
        fieldsOfInbound(second.sipTrunkId, { numbers: { set: ["+3", "+2"] } }),
      );
      const numbers = high === second.sipTrunkId ? '["+3" "+2"]' : '["+1" "+2"]';
      expect(add).toEqual(
        invalid(
          `Conflicting inbound SIP Trunks: "${high}" and "${low}", using the same number(s) ${numbers} without AllowedNumbers set`,
        ),
      );
    });

    it("does not detect a conflict if all numbers change, and then no trunk can be created with that number", async () => {
      const first = await newInbound({ numbers: ["+1"] });
      const second = await newInbound({ numbers: ["+2"] });
      await client.call(updateInbound, fieldsOfInbound(second.sipTrunkId, { numbers: { set: ["+1"] } }));
      const [low = "", high = ""] = [first.sipTrunkId, second.sipTrunkId].sort();
      const trunk = inbound({ numbers: ["+1"], allowedNumbers: ["+9"] });
      expect(await client.refusal(createInbound, { trunk })).toEqual(
        invalid(
          `Conflicting inbound SIP Trunks: "${high}" and "${low}", using the same number(s) ["+1"] without AllowedNumbers set`,
        ),
      );
    });

    it("does not conflict with itself", async () => {
      const { sipTrunkId } = await newInbound({ numbers: ["+1", "1"] });
      const update = fieldsOfInbound(sipTrunkId, { numbers: { set: ["+1", "+ 1"] } });
      await expect(client.call(updateInbound, update)).resolves.toMatchObject({ numbers: ["+1", "+ 1"] });
    });
  });

  describe("a full replacement of an inbound trunk", () => {
    it("clears omitted fields, including the password, and keeps the ID", async () => {
      const { sipTrunkId } = await newInbound({ metadata: "m", headers: { "X-A": "1" }, authRealm: "r" });
      const value = new SIPInboundTrunkInfo({ numbers: ["+1"] });
      const replaced = await client.call(updateInbound, { sipTrunkId, action: { case: "replace", value } });
      expect(replaced).toEqual(new SIPInboundTrunkInfo({ sipTrunkId, numbers: ["+1"] }));
      expect((await client.call(getInbound, { sipTrunkId })).trunk).toEqual(replaced);
    });

    it("is refused with another ID or if it is invalid, before the trunk is looked up", async () => {
      const replace = (value: PartialMessage<SIPInboundTrunkInfo>) => ({
        sipTrunkId: "ST_none",
        action: { case: "replace" as const, value },
      });
      expect(await client.refusal(updateInbound, replace({ sipTrunkId: "ST_other", numbers: ["+1"] }))).toEqual(
        invalid("trunk id in the info must be empty or match the id in the update"),
      );
      expect(await client.refusal(updateInbound, replace({}))).toEqual(invalid(OPEN_TRUNK));
      expect(await client.refusal(updateInbound, replace({ sipTrunkId: "ST_none", numbers: ["+1"] }))).toEqual({
        status: 404,
        code: "not_found",
        msg: "requested sip trunk does not exist",
      });
    });

    it("conflicts like an update", async () => {
      const first = await newInbound({ numbers: ["+1"] });
      const second = await newInbound({ numbers: ["+2"] });
      const [low = "", high = ""] = [first.sipTrunkId, second.sipTrunkId].sort();
      const value = inbound({ numbers: ["+1", "+2"] });
      const request = { sipTrunkId: second.sipTrunkId, action: { case: "replace" as const, value } };
      expect((await client.refusal(updateInbound, request)).msg).toContain(
        `Conflicting inbound SIP Trunks: "${high}" and "${low}"`,
      );
    });
  });

  describe("media", () => {
    it.each<[title: string, media: PartialMessage<SIPMediaConfig>, msg: string]>([
      ["a codec without a name", { codecs: [{ rate: 8000 }] }, "missing codec name"],
      ["a codec with a space", { codecs: [{ name: "PC MU" }] }, "invalid codec name"],
      ["a codec with a rate in its name", { codecs: [{ name: "PCMU/8000" }] }, "codec name must not contain '/'"],
      ["a negative timeout", { mediaTimeout: { seconds: -1n } }, "media_timeout must not be negative"],
      [
        "a timeout over 10 minutes",
        { mediaTimeout: { seconds: 600n, nanos: 1 } },
        "media_timeout must not exceed 10m0s",
      ],
    ])("is refused with %s, in every call", async (_title, init, msg) => {
      const media = new SIPMediaConfig(init);
      const refused = invalid(msg);
      expect(await client.refusal(createInbound, { trunk: inbound({ media }) })).toEqual(refused);
      expect(await client.refusal(createOutbound, { trunk: outbound({ media }) })).toEqual(refused);
      expect(await client.refusal(createRule, { dispatchRule: rule({ media }) })).toEqual(refused);
      expect(await client.refusal(updateInbound, fieldsOfInbound("ST_none", { media }))).toEqual(refused);
      expect(await client.refusal(updateOutbound, fieldsOfOutbound("ST_none", { media }))).toEqual(refused);
      expect(await client.refusal(updateRule, fieldsOfRule("SDR_none", { media }))).toEqual(refused);
    });

    it("is stored on a trunk as created, and synchronised with mediaEncryption by any update", async () => {
      const { sipTrunkId, ...created } = await newInbound({ mediaEncryption: REQUIRE });
      expect([created.media, created.mediaEncryption]).toEqual([undefined, REQUIRE]);
      const updated = await client.call(updateInbound, fieldsOfInbound(sipTrunkId, { name: "b" }));
      expect([updated.media, updated.mediaEncryption]).toEqual([new SIPMediaConfig({ encryption: REQUIRE }), REQUIRE]);
    });

    it.each<[title: string, update: PartialMessage<SIPOutboundTrunkUpdate>, media: PartialMessage<SIPMediaConfig>]>([
      ["its encryption sets mediaEncryption", { media: { encryption: REQUIRE } }, { encryption: REQUIRE }],
      ["encryption can be disabled explicitly", { media: { encryption: DISABLE } }, { encryption: DISABLE }],
      [
        "without encryption it keeps the stored one",
        { media: { codecs: [{ name: "G722" }] } },
        { codecs: [{ name: "G722" }], encryption: ALLOW },
      ],
      ["it is replaced as a whole, including the timeout", { media: {} }, { encryption: ALLOW }],
      [
        "mediaEncryption alone is ignored",
        { mediaEncryption: REQUIRE },
        { mediaTimeout: { seconds: 9n }, encryption: ALLOW },
      ],
      [
        "media wins over mediaEncryption",
        { media: { encryption: REQUIRE }, mediaEncryption: DISABLE },
        { encryption: REQUIRE },
      ],
    ])("in a field-wise update of a trunk that has media: %s", async (_title, update, init) => {
      const stored = { encryption: ALLOW, mediaTimeout: { seconds: 9n } };
      const { sipTrunkId } = await newOutbound({ media: stored, mediaEncryption: ALLOW });
      const media = new SIPMediaConfig(init);
      const updated = await client.call(updateOutbound, fieldsOfOutbound(sipTrunkId, update));
      expect([updated.media, updated.mediaEncryption]).toEqual([media, media.encryption]);
    });

    it("is filled in when a rule is created, but not by the deprecated fields", async () => {
      const created = await newRule({ mediaEncryption: ALLOW });
      expect([created.media, created.mediaEncryption]).toEqual([new SIPMediaConfig({ encryption: ALLOW }), ALLOW]);
      const flat = await client.call(createRule, { rule: individual("flat", "1") });
      expect(flat.media).toBeUndefined();
      const updated = await client.call(updateRule, fieldsOfRule(flat.sipDispatchRuleId, { mediaEncryption: REQUIRE }));
      expect([updated.media, updated.mediaEncryption]).toEqual([new SIPMediaConfig({ encryption: REQUIRE }), REQUIRE]);
    });
  });

  describe("an outbound trunk", () => {
    const whole = {
      name: "out",
      metadata: "m",
      address: "sip.example.com:5061",
      destinationCountry: "us",
      transport: SIPTransport.SIP_TRANSPORT_TLS,
      numbers: ["+15550100"],
      authUsername: "user",
      authPassword: "Pass1",
      headers: { "X-A": "1" },
      headersToAttributes: { "X-B": "b" },
      fromHost: "acme.example",
      attributesToHeaders: { c: "X-C" },
      includeHeaders: SIPHeaderOptions.SIP_X_HEADERS,
    };

    it("is returned as created, and an identical second one is created without an error", async () => {
      const [first, second] = [await newOutbound(whole), await newOutbound(whole)];
      expect(first).toEqual(new SIPOutboundTrunkInfo({ ...whole, sipTrunkId: first.sipTrunkId }));
      expect(second.sipTrunkId).not.toBe(first.sipTrunkId);
      expect((await client.call(getOutbound, first)).trunk).toEqual(first);
    });

    it.each<[title: string, change: PartialMessage<SIPOutboundTrunkInfo>, msg: string]>([
      ["an id", { sipTrunkId: "ST_mine" }, "trunk id must not be set"],
      ["no number", { numbers: [] }, "no trunk numbers specified"],
      ["no address", { address: "" }, "no outbound address specified"],
      ["a SIP URI", { address: "sip:a.example" }, "trunk address should be a hostname or IP, not SIP URI"],
      ["a SIPS URI", { address: "sips:a.example" }, "trunk address should be a hostname or IP, not SIP URI"],
      ["a user", { address: "u@a.example" }, "trunk address should be a hostname or IP, not SIP URI"],
      ["a parameter", { address: "a.example;x=1" }, "trunk address should be a hostname or IP, not SIP URI"],
      ["a transport", { address: "a.example;transport=tcp" }, "trunk address should not contain transport parameter"],
      ["a SIP URI in fromHost", { fromHost: "sip:a" }, "from_host should be a hostname or IP, not SIP URI"],
      ["a transport in fromHost", { fromHost: "a;transport=tls" }, "from_host should not contain transport parameter"],
    ])("is refused with %s", async (_title, change, msg) => {
      expect(await client.refusal(createOutbound, { trunk: outbound(change) })).toEqual(invalid(msg));
    });

    it("is refused when it is missing", async () => {
      expect(await client.refusal(createOutbound, {})).toEqual(invalid("missing trunk"));
    });

    it.each(["SIP:a.example", "a b", "https://a.example", "user:5060", "[2001:db8::1]:5060", "*"])(
      "may have the address %j, which is not checked further",
      async (address) => {
        await expect(newOutbound({ address, destinationCountry: "nowhere" })).resolves.toMatchObject({ address });
      },
    );

    it.each<[PartialMessage<SIPOutboundTrunkUpdate>, PartialMessage<SIPOutboundTrunkInfo>]>([
      [{}, {}],
      [{ name: "new" }, { name: "new" }],
      [{ metadata: "" }, { metadata: "" }],
      [{ address: "b.example" }, { address: "b.example" }],
      [{ destinationCountry: "de" }, { destinationCountry: "de" }],
      [{ transport: SIPTransport.SIP_TRANSPORT_AUTO }, { transport: SIPTransport.SIP_TRANSPORT_AUTO }],
      [{ numbers: { set: ["+2"] } }, { numbers: ["+2"] }],
      [{ numbers: { add: ["+2"] } }, { numbers: ["+15550100", "+2"] }],
      [
        { authUsername: "new", authPassword: "New2" },
        { authUsername: "new", authPassword: "New2" },
      ],
      [{ fromHost: "" }, { fromHost: "" }],
    ])("is changed field by field: %j", async (update, change) => {
      const { sipTrunkId } = await newOutbound(whole);
      const updated = await client.call(updateOutbound, fieldsOfOutbound(sipTrunkId, update));
      const media = new SIPMediaConfig();
      expect(updated).toEqual(new SIPOutboundTrunkInfo({ ...whole, ...change, media, sipTrunkId }));
      expect((await client.call(getOutbound, { sipTrunkId })).trunk).toEqual(updated);
    });

    it.each<[PartialMessage<SIPOutboundTrunkUpdate>, string]>([
      [{ numbers: { clear: true } }, "no trunk numbers specified"],
      [{ address: "" }, "no outbound address specified"],
      [{ address: "sip:a.example" }, "trunk address should be a hostname or IP, not SIP URI"],
      [{ fromHost: "u@a" }, "from_host should be a hostname or IP, not SIP URI"],
    ])("keeps its fields when an update would make it invalid, which is a 500: %j", async (update, msg) => {
      const { sipTrunkId } = await newOutbound(whole);
      const refused = { status: 500, code: "unknown", msg };
      expect(await client.refusal(updateOutbound, fieldsOfOutbound(sipTrunkId, update))).toEqual(refused);
      const { trunk } = await client.call(getOutbound, { sipTrunkId });
      expect(trunk).toEqual(new SIPOutboundTrunkInfo({ ...whole, sipTrunkId }));
    });

    it("can be replaced in full, and an invalid replacement is a 400", async () => {
      const { sipTrunkId } = await newOutbound(whole);
      const replace = (value: SIPOutboundTrunkInfo) => ({ sipTrunkId, action: { case: "replace" as const, value } });
      expect(await client.call(updateOutbound, replace(outbound({ name: "" })))).toEqual(
        outbound({ name: "", sipTrunkId }),
      );
      expect(await client.refusal(updateOutbound, replace(outbound({ numbers: [] })))).toEqual(
        invalid("no trunk numbers specified"),
      );
      expect(await client.refusal(updateOutbound, replace(outbound({ sipTrunkId: "ST_other" })))).toEqual(
        invalid("trunk id in the info must be empty or match the id in the update"),
      );
    });

    it("is refused or not found like an inbound one", async () => {
      const missing = { status: 404, code: "not_found", msg: "requested sip trunk does not exist" };
      const { sipTrunkId } = await newInbound();
      expect(await client.refusal(getOutbound, {})).toEqual(invalid("trunk ID is required"));
      expect(await client.refusal(getOutbound, { sipTrunkId })).toEqual(missing);
      expect(await client.refusal(updateOutbound, fieldsOfOutbound(sipTrunkId, { name: "x" }))).toEqual(missing);
      expect(await client.refusal(updateOutbound, {})).toEqual(invalid("trunk id must be set"));
      expect(await client.refusal(updateOutbound, { sipTrunkId })).toEqual(
        invalid("missing or unsupported update action"),
      );
      expect(await client.refusal(updateOutbound, fieldsOfOutbound(sipTrunkId, { numbers: {} }))).toEqual(
        invalid("unsupported list update operation"),
      );
    });
  });

  describe("deleting", () => {
    it("a trunk of either kind returns its ID and removes it, and repeating it is no error", async () => {
      for (const { sipTrunkId } of [await newInbound(), await newOutbound()]) {
        expect(await client.call(deleteTrunk, { sipTrunkId })).toEqual(new SIPTrunkInfo({ sipTrunkId }));
        expect(await client.call(deleteTrunk, { sipTrunkId })).toEqual(new SIPTrunkInfo({ sipTrunkId }));
      }
      expect((await client.call(listInbound, {})).items).toEqual([]);
      expect((await client.call(listOutbound, {})).items).toEqual([]);
    });

    it("a rule returns the rule, and repeating it is a 404", async () => {
      const created = await newRule();
      const { sipDispatchRuleId } = created;
      expect(await client.call(deleteRule, { sipDispatchRuleId })).toEqual(created);
      expect(await client.refusal(deleteRule, { sipDispatchRuleId })).toEqual({
        status: 404,
        code: "not_found",
        msg: "requested sip dispatch rule does not exist",
      });
    });

    it("a trunk keeps the rules that name it", async () => {
      const { sipTrunkId } = await newInbound();
      await newRule({ trunkIds: [sipTrunkId] });
      await client.call(deleteTrunk, { sipTrunkId });
      expect((await client.call(listRules, {})).items).toMatchObject([{ trunkIds: [sipTrunkId] }]);
    });

    it("without an ID is refused", async () => {
      expect(await client.refusal(deleteTrunk, {})).toEqual(invalid("trunk ID is required"));
      expect(await client.refusal(deleteRule, {})).toEqual(invalid("dispatch rule ID is required"));
    });
  });

  describe("a dispatch rule", () => {
    const media = new SIPMediaConfig();
    const whole = {
      name: "rule",
      metadata: "m",
      trunkIds: ["ST_a", "ST_b"],
      hidePhoneNumber: true,
      roomPreset: "p",
      inboundNumbers: ["+15550111"],
      numbers: ["+15550100"],
      attributes: { a: "1", b: "2" },
      krispEnabled: true,
      rule: direct("room", "1234"),
      roomConfig: { agents: [{ agentName: "helper", metadata: "x" }], emptyTimeout: 9 },
    };

    it("is returned as created, with an ID", async () => {
      const created = await newRule(whole);
      const { sipDispatchRuleId } = created;
      expect(sipDispatchRuleId).toMatch(/^SDR_[2-9A-Za-z]{12}$/);
      expect(created).toEqual(new SIPDispatchRuleInfo({ ...whole, media, sipDispatchRuleId }));
      expect((await client.call(listRules, {})).items).toEqual([created]);
    });

    it("can be created with the deprecated fields", async () => {
      const { numbers, krispEnabled, ...flat } = whole;
      const created = await client.call(createRule, flat);
      const { sipDispatchRuleId } = created;
      expect(created).toEqual(new SIPDispatchRuleInfo({ ...flat, sipDispatchRuleId }));
    });

    it("uses the new field and ignores the deprecated ones when both are set", async () => {
      const created = await client.call(createRule, { ...whole, dispatchRule: rule({ name: "new" }) });
      expect(created).toMatchObject({ name: "new", metadata: "", trunkIds: [] });
    });

    it("is refused without a rule, with an empty rule, and with an ID", async () => {
      const missing = invalid("missing rule");
      const noKind = invalid("twirp error unknown: unsupported SIP Dispatch Rule: <nil>");
      expect(await client.refusal(createRule, {})).toEqual(missing);
      expect(await client.refusal(createRule, { dispatchRule: {} })).toEqual(missing);
      expect(await client.refusal(createRule, { rule: {} })).toEqual(noKind);
      expect(await client.refusal(createRule, { dispatchRule: { rule: {} } })).toEqual(noKind);
      expect(await client.refusal(createRule, { dispatchRule: { sipDispatchRuleId: "SDR_mine" } })).toEqual(
        invalid("rule id must not be set"),
      );
    });

    const conflict = (id: string, name = "rule") =>
      invalid(
        `Dispatch rule for the same trunk, inbound number, number, and PIN combination already exists in dispatch rule "${id}" "${name}"`,
      );

    it.each<[title: string, first: PartialMessage<SIPDispatchRuleInfo>, second: PartialMessage<SIPDispatchRuleInfo>]>([
      ["both take every call", {}, {}],
      ["of different kinds", {}, { rule: direct("room") }],
      ["one trunk in common", { trunkIds: ["ST_a", "ST_b"] }, { trunkIds: ["ST_c", "ST_b"] }],
      ["one number in common", { numbers: ["+1 555", "+2"] }, { numbers: ["1555"] }],
      ["one caller in common", { inboundNumbers: ["(1) 555"] }, { inboundNumbers: ["+1555"] }],
      ["the same PIN", { rule: direct("a", "1") }, { rule: individual("b", "1") }],
    ])("conflicts with another: %s", async (_title, first, second) => {
      const { sipDispatchRuleId } = await newRule(first);
      expect(await client.refusal(createRule, { dispatchRule: rule(second) })).toEqual(conflict(sipDispatchRuleId));
    });

    it.each<[title: string, first: PartialMessage<SIPDispatchRuleInfo>, second: PartialMessage<SIPDispatchRuleInfo>]>([
      ["one takes every trunk", {}, { trunkIds: ["ST_a"] }],
      ["one takes every number", { numbers: ["+1"] }, {}],
      ["another PIN", { rule: direct("a", "1") }, { rule: direct("a", "2") }],
      ["a PIN and none", { rule: direct("a", "1") }, { rule: direct("a") }],
      ["other callers", { inboundNumbers: ["+1"] }, { inboundNumbers: ["+2"] }],
    ])("does not conflict with another: %s", async (_title, first, second) => {
      await newRule(first);
      await expect(newRule(second)).resolves.toBeDefined();
    });

    it("is itself named in a conflict with any stored rule but the first", async () => {
      const stored = [await newRule({ rule: direct("a", "1") }), await newRule({ rule: direct("a", "2") })];
      const [first, second] = stored.sort((a, b) => (a.sipDispatchRuleId < b.sipDispatchRuleId ? -1 : 1));
      const sameAs = (other: SIPDispatchRuleInfo | undefined) => rule({ name: "new", rule: other?.rule });
      expect(await client.refusal(createRule, { dispatchRule: sameAs(first) })).toEqual(
        conflict(first?.sipDispatchRuleId ?? ""),
      );
      expect(await client.refusal(createRule, { dispatchRule: sameAs(second) })).toEqual(conflict("<new>", "new"));
    });

    it("conflicts with itself if it lists a trunk or number twice", async () => {
      expect(await client.refusal(createRule, { dispatchRule: rule({ trunkIds: ["ST_a", "ST_a"] }) })).toEqual(
        conflict("<new>"),
      );
      expect(await client.refusal(createRule, { dispatchRule: rule({ name: "", numbers: ["+1", "1"] }) })).toEqual(
        conflict("<new>", "<blank name>"),
      );
    });

    it.each<[PartialMessage<SIPDispatchRuleUpdate>, PartialMessage<SIPDispatchRuleInfo>]>([
      [{}, {}],
      [{ name: "new" }, { name: "new" }],
      [{ metadata: "" }, { metadata: "" }],
      [{ trunkIds: { set: ["ST_c"] } }, { trunkIds: ["ST_c"] }],
      [{ trunkIds: { remove: ["ST_a"] } }, { trunkIds: ["ST_b"] }],
      [{ trunkIds: { clear: true } }, { trunkIds: [] }],
      [{ rule: individual("x") }, { rule: individual("x") }],
      [{ attributes: { b: "", c: "3" } }, { attributes: { a: "1", c: "3" } }],
      [{ attributes: { none: "" } }, {}],
    ])("is changed field by field: %j", async (update, change) => {
      const { sipDispatchRuleId } = await newRule(whole);
      const updated = await client.call(updateRule, fieldsOfRule(sipDispatchRuleId, update));
      expect(updated).toEqual(new SIPDispatchRuleInfo({ ...whole, ...change, media, sipDispatchRuleId }));
      expect((await client.call(listRules, {})).items).toEqual([updated]);
    });

    it("can be replaced in full, and then gets no empty media", async () => {
      const { sipDispatchRuleId } = await newRule(whole);
      const value = rule({ name: "" });
      const replaced = await client.call(updateRule, { sipDispatchRuleId, action: { case: "replace", value } });
      expect(replaced).toEqual(rule({ name: "", sipDispatchRuleId }));
    });

    it("is refused in an update without an ID, a change or a rule, with another ID, or if it does not exist", async () => {
      const { sipDispatchRuleId } = await newRule();
      const replace = (value: PartialMessage<SIPDispatchRuleInfo>) => ({
        sipDispatchRuleId,
        action: { case: "replace" as const, value },
      });
      const noKind = invalid("twirp error unknown: unsupported SIP Dispatch Rule: <nil>");
      expect(await client.refusal(updateRule, {})).toEqual(invalid("rule id must be set"));
      expect(await client.refusal(updateRule, { sipDispatchRuleId })).toEqual(
        invalid("missing or unsupported update action"),
      );
      expect(await client.refusal(updateRule, replace({}))).toEqual(invalid("missing rule"));
      expect(await client.refusal(updateRule, replace({ rule: {} }))).toEqual(noKind);
      expect(await client.refusal(updateRule, fieldsOfRule(sipDispatchRuleId, { rule: {} }))).toEqual(noKind);
      expect(
        await client.refusal(updateRule, replace({ sipDispatchRuleId: "SDR_other", rule: individual("a") })),
      ).toEqual(invalid("rule id in the info must be empty or match the id in the update"));
      expect(await client.refusal(updateRule, fieldsOfRule(sipDispatchRuleId, { trunkIds: {} }))).toEqual(
        invalid("unsupported list update operation"),
      );
      expect(await client.refusal(updateRule, fieldsOfRule("SDR_none", { name: "x" }))).toEqual({
        status: 404,
        code: "not_found",
        msg: "requested sip dispatch rule does not exist",
      });
    });

    it("conflicts in an update with a rule of its own trunks, but not of new trunks", async () => {
      const first = await newRule({ trunkIds: ["ST_a"], rule: direct("a", "1") });
      const second = await newRule({ trunkIds: ["ST_a"], rule: direct("a", "2") });
      const [low = ""] = [first.sipDispatchRuleId, second.sipDispatchRuleId].sort();
      const samePin = fieldsOfRule(second.sipDispatchRuleId, { rule: direct("a", "1") });
      expect(await client.refusal(updateRule, samePin)).toEqual(conflict(low));

      const third = await newRule({ trunkIds: ["ST_b"], rule: direct("a", "1") });
      const sameTrunk = fieldsOfRule(third.sipDispatchRuleId, { trunkIds: { set: ["ST_a"] } });
      await expect(client.call(updateRule, sameTrunk)).resolves.toMatchObject({ trunkIds: ["ST_a"] });
    });
  });

  describe("lists", () => {
    const ids = (items: { sipTrunkId: string }[]) => items.map(({ sipTrunkId }) => sipTrunkId);
    let sorted: string[];
    /** One trunk each for the numbers +1 to +5. */
    const fiveTrunks = async () => {
      const created: string[] = [];
      for (const number of ["+1", "+2", "+3", "+4", "+5"]) {
        created.push((await newInbound({ numbers: [number] })).sipTrunkId);
      }
      sorted = [...created].sort();
      return created;
    };

    it("are sorted by ID, whatever order is requested, and omit missing objects", async () => {
      await fiveTrunks();
      expect(ids((await client.call(listInbound, {})).items)).toEqual(sorted);
      const trunkIds = [sorted[3] ?? "", "ST_none", sorted[0] ?? "", sorted[3] ?? ""];
      expect(ids((await client.call(listInbound, { trunkIds })).items)).toEqual([sorted[0], sorted[3]]);
      expect((await client.call(listInbound, { trunkIds: ["ST_none"] })).items).toEqual([]);
    });

    it("of inbound trunks by number ignore its notation, and include trunks without numbers", async () => {
      const one = await newInbound({ numbers: ["+1 555", "+2"] });
      const any = await newInbound({ numbers: [] });
      await newInbound({ numbers: ["+3"] });
      const { items } = await client.call(listInbound, { numbers: ["1-555"] });
      expect(ids(items)).toEqual([one.sipTrunkId, any.sipTrunkId].sort());
      const both = await client.call(listInbound, { numbers: ["1555"], trunkIds: [any.sipTrunkId] });
      expect(ids(both.items)).toEqual([any.sipTrunkId]);
    });

    it("of outbound trunks by number match the exact text", async () => {
      const one = await newOutbound({ numbers: ["+1555"] });
      expect((await client.call(listOutbound, { numbers: ["1555"] })).items).toEqual([]);
      expect(ids((await client.call(listOutbound, { numbers: ["+9", "+1555"] })).items)).toEqual([one.sipTrunkId]);
      expect(ids((await client.call(listOutbound, { trunkIds: [one.sipTrunkId, "x"] })).items)).toEqual([
        one.sipTrunkId,
      ]);
    });

    it("of rules are filtered by ID and by trunk, and include rules for every trunk", async () => {
      const a = await newRule({ trunkIds: ["ST_a"] });
      const b = await newRule({ trunkIds: ["ST_b"] });
      const any = await newRule();
      const ruleIds = async (init: PartialMessage<ListSIPDispatchRuleRequest>) =>
        (await client.call(listRules, init)).items.map(({ sipDispatchRuleId }) => sipDispatchRuleId);
      const [idOfA, idOfB, idOfAny] = [a.sipDispatchRuleId, b.sipDispatchRuleId, any.sipDispatchRuleId];
      expect(await ruleIds({})).toEqual([idOfA, idOfB, idOfAny].sort());
      expect(await ruleIds({ trunkIds: ["ST_a"] })).toEqual([idOfA, idOfAny].sort());
      expect(await ruleIds({ dispatchRuleIds: [idOfB, "SDR_none"] })).toEqual([idOfB]);
      expect(await ruleIds({ page: { afterId: [idOfA, idOfB, idOfAny].sort()[0], limit: 1 } })).toHaveLength(2);
    });

    it("begin after a given ID, which need not exist, and do not stop at the limit", async () => {
      await fiveTrunks();
      const idsAfter = async (afterId: string, limit: number) =>
        ids((await client.call(listInbound, { page: { afterId, limit } })).items);
      expect(await idsAfter(sorted[1] ?? "", 0)).toEqual(sorted.slice(2));
      expect(await idsAfter(sorted[1] ?? "", 1)).toEqual(sorted.slice(2));
      expect(await idsAfter("", 2)).toEqual(sorted);
      expect(await idsAfter("", -1)).toEqual(sorted);
      expect(await idsAfter(`${sorted[1]}0`, 2)).toEqual(sorted.slice(2));
      expect(await idsAfter("zzz", 2)).toEqual([]);
    });

    it("with page and filter end at the first page that the filter leaves empty", async () => {
      await fiveTrunks();
      const filtered = async (trunkIds: string[], limit: number) =>
        ids((await client.call(listInbound, { trunkIds, page: { limit } })).items);
      const [first = "", second = "", , , fifth = ""] = sorted;
      expect(await filtered([first, second, fifth], 1)).toEqual([first, second]);
      expect(await filtered([first, second, fifth], 3)).toEqual([first, second, fifth]);
      expect(await filtered([fifth], 4)).toEqual([]);
      expect(await filtered([fifth], 5)).toEqual([fifth]);
    });
  });

  describe("livekit-server-sdk's SipClient", () => {
    it("creates, lists, updates and deletes trunks", async () => {
      const trunk = await sdk.createSipInboundTrunk("in", ["+1"], {
        authUsername: "u",
        authPassword: "Pass1",
        metadata: "m",
      });
      const updated = await sdk.updateSipInboundTrunkFields(trunk.sipTrunkId, {
        authPassword: "Pass2",
        numbers: new ListUpdate({ add: ["+2"] }),
      });
      expect(updated).toMatchObject({ authUsername: "u", authPassword: "Pass2", numbers: ["+1", "+2"], metadata: "m" });
      expect(await sdk.listSipInboundTrunk()).toEqual([updated]);
      expect(await sdk.listSipInboundTrunk({ numbers: ["+3"] })).toEqual([]);

      const other = await sdk.createSipOutboundTrunk("out", "a.example", ["+1"], {
        transport: SIPTransport.SIP_TRANSPORT_TCP,
        authUsername: "u",
        authPassword: "Pass1",
      });
      expect(await sdk.updateSipOutboundTrunk(other.sipTrunkId, outbound())).toEqual(
        outbound({ sipTrunkId: other.sipTrunkId }),
      );
      expect(await sdk.listSipOutboundTrunk()).toHaveLength(1);
      await sdk.deleteSipTrunk(trunk.sipTrunkId);
      await sdk.deleteSipTrunk(other.sipTrunkId);
      expect([...(await sdk.listSipInboundTrunk()), ...(await sdk.listSipOutboundTrunk())]).toEqual([]);
    });

    it("creates, lists, updates and deletes rules", async () => {
      const created = await sdk.createSipDispatchRule({ type: "individual", roomPrefix: "call-" }, { name: "r" });
      const id = created.sipDispatchRuleId;
      const updated = await sdk.updateSipDispatchRuleFields(id, { attributes: { a: "1" } });
      expect(updated).toMatchObject({ name: "r", attributes: { a: "1" } });
      expect(await sdk.listSipDispatchRule()).toEqual([updated]);
      await sdk.deleteSipDispatchRule(id);
      await expect(sdk.deleteSipDispatchRule(id)).rejects.toMatchObject({ status: 404, code: "not_found" });
    });

    it("throws the server's refusals as errors with status, code and message", async () => {
      await expect(sdk.createSipInboundTrunk("in", [])).rejects.toMatchObject({
        status: 400,
        code: "invalid_argument",
        message: OPEN_TRUNK,
      });
    });
  });
});
