/** The native provider over Pulumi's protocol, as the engine calls it. The scenarios run on it, too, with the Pulumi CLI (support/worlds.ts). */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SIPTransport } from "@livekit/protocol";
import { SipClient } from "livekit-server-sdk";
import type { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { startEmulatorPlatform } from "./support/livekit-platform";
import {
  EngineLog,
  failureOf,
  NativePlugin,
  type Properties,
  SIGNATURE,
  secret,
  UNKNOWN,
  urnOf,
} from "./support/native-plugin";

const TRUNK = urnOf("SipTrunk", "office");
const AUTH = urnOf("InboundAuth", "office");
const RULE = urnOf("DispatchRule", "office");
const OWNER = "organization/acme/prod/office";
const REMARK_TIMEOUT_MS = 5000;

const office = {
  type: "extension",
  extension: "1011",
  address: "pbx.acme.example",
  password: secret(password("office")),
  country: "US",
  voipCheck: "off",
};

let emulator: LiveKitEmulator;
let client: SipClient;
let plugin: NativePlugin;

function config(): Properties {
  return { url: emulator.url, apiKey: emulator.apiKey, apiSecret: secret(emulator.apiSecret) };
}

beforeEach(async () => {
  ({ emulator } = await startEmulatorPlatform());
  client = new SipClient(emulator.url, emulator.apiKey, emulator.apiSecret);
  plugin = await NativePlugin.start(config());
});

afterEach(async () => {
  await plugin.stop();
  await emulator.stop();
});

/** Checks and creates a resource. */
async function created(urn: string, args: Properties) {
  const { inputs, failures } = await plugin.check(urn, args);
  expect(failures).toEqual([]);
  return { inputs, ...(await plugin.create(urn, inputs)) };
}

/** The values of a resource without those that are secret. */
function clear(props: Properties): string {
  return JSON.stringify(props, (_, value) => (isSecret(value) ? "[secret]" : value));
}

function isSecret(value: unknown): boolean {
  return typeof value === "object" && value !== null && SIGNATURE in value;
}

describe("a resource", () => {
  test("is created, previewed, read, updated and deleted, with its secrets in envelopes", async () => {
    const { id, inputs, outputs } = await created(TRUNK, { ...office, headers: { "X-A": "1", "X-B": secret(CANARY) } });
    expect(outputs).toMatchObject({
      owner: OWNER,
      reference: OWNER,
      name: "office",
      username: "1011",
      password: secret(password("office")),
      headers: { "X-A": "1", "X-B": secret(CANARY) },
      inboundTrunkId: expect.stringMatching(/^ST_/),
      voipVerdict: "unknown",
    });
    expectNoCanary(clear(inputs) + clear(outputs));

    const read = await plugin.read(TRUNK, id, outputs);
    expectNoCanary(clear(read.inputs) + clear(read.outputs));
    expect(await plugin.diff(TRUNK, id, read.outputs, inputs)).toMatchObject({ changes: false, details: {} });

    const changed = await plugin.check(TRUNK, { ...office, port: 5080 }, inputs);
    const plan = await plugin.diff(TRUNK, id, outputs, changed.inputs);
    expect(plan).toMatchObject({ changes: true, replaces: [], details: { port: "ADD", headers: "DELETE" } });
    expect(Object.keys(plan.details)).toHaveLength(2);
    expect(plan.stables).toEqual(expect.arrayContaining(["inboundTrunkId", "outboundTrunkId", "reference"]));
    const preview = await plugin.update(TRUNK, id, outputs, changed.inputs, true);
    expect(preview).toMatchObject({ port: 5080, outboundTrunkId: outputs.outboundTrunkId, reference: OWNER });
    expect(await client.listSipOutboundTrunk()).toMatchObject([{ address: "pbx.acme.example" }]);
    const updated = await plugin.update(TRUNK, id, outputs, changed.inputs);
    expect(await client.listSipOutboundTrunk()).toMatchObject([{ address: "pbx.acme.example:5080", headers: {} }]);

    await plugin.delete(TRUNK, id, updated);
    expect(await client.listSipOutboundTrunk()).toEqual([]);
    expect(await plugin.read(TRUNK, id, updated)).toMatchObject({ id: "" });
  });

  test("has a known reference in the first preview, and unknown ids", async () => {
    const { inputs } = await plugin.check(TRUNK, office);
    const { outputs } = await plugin.create(TRUNK, inputs, true);
    expect(outputs).toMatchObject({ reference: OWNER, inboundTrunkId: UNKNOWN, outboundTrunkId: UNKNOWN, port: null });
    expect(await client.listSipInboundTrunk()).toEqual([]);
  });

  test("has its parents in its owner, and the configured organization", async () => {
    await plugin.configure({ ...config(), organization: "acme-corp" });
    const { inputs } = await plugin.check(urnOf("SipTrunk", "office", "my:index:Pbx$"), office);
    expect(inputs.owner).toBe("acme-corp/acme/prod/my:index:Pbx$office");
  });

  test("is refused with a sentence that names no property and no secret", async () => {
    const { failures, properties } = await plugin.check(TRUNK, {
      ...office,
      password: secret(CANARY.toLowerCase()),
      colour: "red",
    });
    expect(properties).toEqual(["", ""]);
    expect(failures.join(" ")).toMatch(/password is too weak.*colour is not an argument of SipTrunk/);
    expect(failures.join(" ").toLowerCase()).not.toContain(CANARY.toLowerCase());
  });

  test("that is made in part is recorded, and finished by the next update", async () => {
    const { inputs } = await plugin.check(TRUNK, office);
    emulator.inject({ method: "CreateSIPOutboundTrunk", status: 400 });
    const { message, partial } = await failureOf(plugin.create(TRUNK, inputs));
    expect(message).toMatch(/^Creating SipTrunk "office": [^\n]*$/);
    expect(partial).toMatchObject({ properties: { inboundTrunkId: expect.stringMatching(/^ST_/), reference: OWNER } });
    expectNoCanary(message + clear(partial?.properties ?? {}));
    const { id = "", properties = {} } = partial ?? {};
    await plugin.update(TRUNK, id, properties, inputs);
    expect(await client.listSipOutboundTrunk()).toHaveLength(1);
    expect(await client.listSipInboundTrunk()).toMatchObject([{ sipTrunkId: properties.inboundTrunkId }]);
  });
});

describe("a reference", () => {
  test("gives an InboundAuth the trunk's credential, and a DispatchRule its calls", async () => {
    const trunk = await created(TRUNK, office);
    const { reference } = trunk.outputs;
    const auth = await created(AUTH, { trunk: reference, method: "credentials" });
    expect(auth.outputs).toMatchObject({ username: "1011", password: secret(password("office")) });
    await created(RULE, { trunks: [reference], rule: "individual" });
    const [inbound] = await client.listSipInboundTrunk();
    expect(inbound).toMatchObject({ authUsername: "1011", authPassword: password("office") });
    expect(await client.listSipDispatchRule()).toMatchObject([{ trunkIds: [inbound?.sipTrunkId], name: "office" }]);
  });

  test("to a trunk outside an operation with targets keeps what the resource has", async () => {
    const trunk = await created(TRUNK, office);
    const auth = await created(AUTH, { trunk: trunk.outputs.reference, method: "credentials" });
    const another = await NativePlugin.start(config());
    try {
      const again = await another.check(AUTH, { trunk: OWNER, method: "credentials", realm: "acme" }, auth.inputs);
      expect(again).toMatchObject({ failures: [], inputs: { username: "1011", realm: "acme" } });
      const fresh = await another.check(AUTH, { trunk: OWNER, method: "credentials" });
      expect(fresh.failures.join()).toContain(
        'SipTrunk "office" is not part of this operation: run it without --target',
      );
    } finally {
      await another.stop();
    }
  });

  test("to a trunk of another stack needs the credential", async () => {
    const other = "organization/phones/prod/office";
    const { failures } = await plugin.check(AUTH, { trunk: other, method: "credentials" });
    expect(failures.join()).toContain('method "credentials" needs a trunk with a password');
    const given = { trunk: other, method: "credentials", username: "1011", password: secret(password("office")) };
    expect((await plugin.check(AUTH, given)).failures.join()).toContain("run `pulumi up` there first");
  });

  test("is neither an id nor a name", async () => {
    for (const trunk of ["ST_abc", "office"]) {
      const { failures } = await plugin.check(AUTH, { trunk, method: "credentials" });
      expect(failures).toContain("trunk is not the reference of a SipTrunk: pass its output reference.");
    }
  });
});

describe("a credential from a reader", () => {
  test("is the trunk's", async () => {
    const credential = secret({ username: "1011", password: password("office") });
    const { password: _, ...rest } = office;
    const { inputs } = await plugin.check(TRUNK, { ...rest, credential });
    expect(inputs).toMatchObject({ username: "1011", password: secret(password("office")) });
    expect(inputs).not.toHaveProperty("credential");
    const both = await plugin.check(TRUNK, { ...office, credential });
    expect(both.failures.join()).toContain("SipTrunk has both credential");
  });

  test("is returned as a secret", async () => {
    const args = { file: join(__dirname, "native-provider.test.ts"), section: "1011" };
    const { message } = await failureOf(plugin.invoke("asteriskConfigCredential", args));
    expect(message).toContain("asteriskConfigCredential");
    const { failures } = await plugin.invoke("oracleCredential", {});
    expect(failures).toEqual(["livekit-sip:index:oracleCredential is not a function of livekit-sip: check its name."]);
  });

  test("and the number format are functions", async () => {
    const args = { number: "+40 741 926 265", country: "RO", numberFormat: "national" };
    expect(await plugin.invoke("formatDialedNumber", args)).toMatchObject({ value: { number: "0741926265" } });
    const { failures } = await plugin.invoke("formatDialedNumber", { ...args, numberFormat: "roman" });
    expect(failures).toEqual([expect.stringContaining("numberFormat is not valid")]);
  });
});

describe("an import", () => {
  const byHand = { authUsername: "acme", authPassword: password("by-hand"), headers: { "X-Token": CANARY } };

  async function madeByHand(): Promise<string> {
    const numbers = ["+12025550123"];
    const inbound = await client.createSipInboundTrunk("acme", numbers, byHand);
    const outbound = await client.createSipOutboundTrunk("acme", "sip.provider.example", numbers, {
      ...byHand,
      transport: SIPTransport.SIP_TRANSPORT_AUTO,
    });
    return `${inbound.sipTrunkId}/${outbound.sipTrunkId}`;
  }

  test("describes trunks exactly, without their secrets, which the CLI would print", async () => {
    const id = await madeByHand();
    const { inputs, outputs } = await plugin.read(TRUNK, id);
    expect(inputs).toEqual({
      type: "did",
      numbers: ["+12025550123"],
      address: "sip.provider.example",
      country: "US",
      destinationCountry: "",
      name: "acme",
      username: "acme",
      headers: {},
    });
    expectNoCanary(clear(outputs));
    const declared = { ...inputs, headers: { "X-Token": secret(CANARY) }, password: secret(password("by-hand")) };
    const checked = await plugin.check(TRUNK, declared, inputs);
    expect(checked.failures).toEqual([]);
    const { details } = await plugin.diff(TRUNK, id, outputs, checked.inputs);
    expect(Object.keys(details)).toEqual(["platformStatus"]);
    const read = await plugin.read(TRUNK, id, outputs);
    expect(read.outputs.platformStatus).toBe("taken over: marker to be written");
  });

  test("of an InboundAuth follows its trunk", async () => {
    const { outputs } = await created(TRUNK, office);
    await created(AUTH, { trunk: OWNER, method: "credentials" });
    const { inputs } = await plugin.read(AUTH, String(outputs.inboundTrunkId));
    expect(inputs).toEqual({ trunk: OWNER, method: "credentials", username: "1011" });
  });

  test("of a DispatchRule refers to its trunks", async () => {
    await created(TRUNK, office);
    const rule = await created(RULE, { trunks: [OWNER], rule: "direct", roomName: "lobby", pin: secret("4711") });
    const { inputs } = await plugin.read(RULE, rule.id);
    expect(inputs).toEqual({ trunks: [OWNER], rule: "direct", roomName: "lobby", name: "office" });
    // A refresh compares with what was imported, which lacks the pin.
    expect(await plugin.diff(RULE, rule.id, rule.outputs, inputs)).toMatchObject({ changes: false });
  });

  test("of a DispatchRule for every call gives a list, as its type is in every language", async () => {
    const rule = await created(RULE, { trunks: ["all"], rule: "direct", roomName: "lobby" });
    expect(rule.outputs.trunks).toEqual(["all"]);
    expect(await client.listSipDispatchRule()).toMatchObject([{ trunkIds: [] }]);
    const read = await plugin.read(RULE, rule.id);
    expect([read.inputs.trunks, read.outputs.trunks]).toEqual([["all"], ["all"]]);
    const { inputs } = await plugin.check(RULE, { trunks: ["all"], rule: "direct", roomName: "lobby" }, rule.outputs);
    expect(inputs.trunks).toEqual(["all"]);
    expect(await plugin.diff(RULE, rule.id, rule.outputs, inputs)).toMatchObject({ changes: false });
  });

  test.each([
    ["SipTrunk", "ST_gone", "LiveKit has no trunk ST_gone: write it as ST_inbound/ST_outbound"],
    ["SipTrunk", "office", "the id is not that of trunks"],
    ["InboundAuth", "ST_gone", "LiveKit has no inbound trunk ST_gone"],
    ["DispatchRule", "SDR_gone", "LiveKit has no dispatch rule SDR_gone"],
    ["TestCall", "x", "a TestCall leaves nothing on LiveKit"],
  ])("of a %s %s is refused", async (kind, id, sentence) => {
    const { message } = await failureOf(plugin.read(urnOf(kind, "office"), id));
    expect(message).toContain(`Importing ${kind} "office": `);
    expect(message.toLowerCase()).toContain(sentence.toLowerCase());
  });
});

describe("the configuration", () => {
  test("is checked once, under the keys of this package", async () => {
    const wrong = await plugin.checkConfig({ ...config(), url: "pbx" });
    expect(wrong.failures).toEqual([
      expect.stringContaining("livekit-sip:url is not a URL: run `pulumi config set livekit-sip:url"),
    ]);
    const stray = await plugin.checkConfig({ ...config(), api_key: "key" });
    expect(stray.failures).toEqual([expect.stringContaining("livekit-sip:api_key is not a setting")]);
    const unknown = await plugin.checkConfig({ ...config(), url: UNKNOWN });
    expect(unknown.failures).toEqual([]);
  });

  test("may be missing, until a resource needs it", async () => {
    const bare = await NativePlugin.start({});
    try {
      expect((await bare.checkConfig({})).failures).toEqual([]);
      expect((await bare.check(TRUNK, office)).failures.join()).toContain("livekit-sip:url is not configured");
    } finally {
      await bare.stop();
    }
  });

  test("keeps the API secret secret, however it is passed", async () => {
    const { inputs } = await plugin.checkConfig({ ...config(), apiSecret: CANARY });
    expect(inputs.apiSecret).toEqual(secret(CANARY));
  });
});

describe("the process", () => {
  test("sends its remarks to the engine that it is attached to", async () => {
    const { sipTrunkId } = await client.createSipInboundTrunk("acme", ["+12025550123"], {
      authUsername: "acme",
      authPassword: password("by-hand"),
    });
    const log = new EngineLog();
    try {
      await plugin.attach(await log.start());
      await plugin.read(TRUNK, sipTrunkId);
      const line = await Promise.race([log.line, delay(REMARK_TIMEOUT_MS, "nothing", { ref: false })]);
      expect(line).toMatch(new RegExp(`^${TRUNK} .*is imported without password`));
      expectNoCanary(line);
    } finally {
      log.stop();
    }
  });

  test("serves the schema of the package", async () => {
    expect(await plugin.schema()).toBe(readFileSync(join(__dirname, "..", "schema.json"), "utf8"));
  });

  test("begins no operation after a cancel, and survives Ctrl-C", async () => {
    plugin.process.kill("SIGINT");
    const { inputs } = await plugin.check(TRUNK, office);
    await plugin.cancel();
    expect(await failureOf(plugin.create(TRUNK, inputs))).toEqual({ message: "the operation was cancelled." });
    expect(await client.listSipInboundTrunk()).toEqual([]);
  });
});
