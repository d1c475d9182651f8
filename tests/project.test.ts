/** What depends on the LiveKit project behind the connection, and on platforms other than the open-source server. */

import { join } from "node:path";
import type { Message } from "@bufbuild/protobuf";
import {
  SIPMediaConfig,
  SIPMediaEncryption,
  UpdateSIPDispatchRuleRequest,
  UpdateSIPInboundTrunkRequest,
  UpdateSIPOutboundTrunkRequest,
} from "@livekit/protocol";
import { AccessToken, SipClient } from "livekit-server-sdk";
import { LiveKitEmulator, type LiveKitEmulatorOptions } from "../provider/testing/livekit-emulator";
import { TestStack } from "../provider/testing/test-stack";
import { everything, expectNoCanary, password } from "./support/examples";
import { scenario as test } from "./support/matrix";
import { futureFields, withFutureFields } from "./support/messages";
import { expectSuccess, type Program, said } from "./support/worlds";

let emulator: LiveKitEmulator;
let stack: TestStack;

async function start(options: LiveKitEmulatorOptions = {}): Promise<void> {
  emulator = await LiveKitEmulator.start(options);
  stack = await TestStack.create({
    projectDir: join(__dirname, "support", "programs", "customer"),
    config: {
      "livekit:url": emulator.url,
      "livekit:apiKey": emulator.apiKey,
      "customer:program": JSON.stringify(everything),
    },
    secrets: {
      "livekit:apiSecret": emulator.apiSecret,
      "customer:office": password("office"),
      "customer:hotline": password("hotline"),
    },
  });
}

async function settle(): Promise<void> {
  expectSuccess(await stack.up());
  expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
}

afterEach(async () => {
  await stack?.dispose();
  await emulator?.stop();
});

const ONE = { apiKey: "APIone", apiSecret: "one-secret-0123456789-0123456789-01", name: "one" };
const ONE_AGAIN = { apiKey: "APIonemore", apiSecret: "more-secret-0123456789-0123456789-1", name: "one" };
const TWO = { apiKey: "APItwo", apiSecret: "two-secret-0123456789-0123456789-02", name: "two" };

function configure({ apiKey, apiSecret }: typeof ONE): void {
  stack.setConfig("livekit:apiKey", apiKey);
  stack.setConfig("livekit:apiSecret", apiSecret, { secret: true });
}

test("another project's key gives an error that names both projects, and nothing is deleted or created", async () => {
  await start({ projects: [ONE, TWO] });
  await settle();
  configure(TWO);
  for (const result of [
    await stack.preview(),
    await stack.preview({ refresh: false }),
    await stack.up(),
    await stack.destroy(),
  ]) {
    expect(result.succeeded).toBe(false);
    expect(said(result)).toMatch(
      /was created in the LiveKit project .*\(key APIon….{4}\), and the configured project .*\(key APItw….{4}\) does not have it/,
    );
  }
  expect(emulator.project("APItwo").inboundTrunks()).toEqual([]);
  expect(emulator.project("APIone").inboundTrunks()).toHaveLength(2);
  configure(ONE);
  // Pulumi refreshes with the configuration of the last update, which was the wrong one.
  expectSuccess(await stack.up({ refresh: false }));
  expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
});

test("another key of the same project changes no plan", async () => {
  await start({ projects: [ONE, ONE_AGAIN] });
  await settle();
  configure(ONE_AGAIN);
  expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
});

test("a wrong clock is reported as the cause", async () => {
  let ahead = 0;
  await start({ clock: () => Date.now() + ahead });
  await settle();
  ahead = 10 * 60_000;
  const result = await stack.preview();
  expect(result.succeeded).toBe(false);
  expect(said(result)).toContain("this machine's clock is about 10 minutes behind the server's: set the clock.");
});

test("no inbound trunk is open at any moment, from the first up to destroy", async () => {
  await start();
  const seen: string[] = [];
  emulator.onCommit(({ method, project }) => {
    for (const trunk of project.inboundTrunks()) {
      const asksForPassword = trunk.authUsername !== "" && trunk.authPassword !== "";
      if (!asksForPassword && trunk.allowedAddresses.length === 0) {
        seen.push(`${trunk.name} after ${method}`);
      }
    }
  });
  await settle();
  const switched = { office: { trunk: "office", method: "ip", allowedAddresses: ["203.0.113.7"] } };
  stack.setConfig("program", JSON.stringify({ ...everything, auths: switched }));
  await settle();
  expectSuccess(await stack.destroy());
  expect(seen).toEqual([]);
});

test("a preview lists each kind of object once, however many resources there are", async () => {
  await start();
  await settle();
  emulator.requests.length = 0;
  expectSuccess(await stack.preview());
  expect(emulator.requests.map(({ method }) => method).sort()).toEqual([
    "ListSIPDispatchRule",
    "ListSIPInboundTrunk",
    "ListSIPOutboundTrunk",
  ]);
});

test("a customer takes four calls to create and four to destroy, besides the shared listings", async () => {
  await start();
  const customers = 2; // `everything` declares two trunks, their InboundAuth and the rule of each.
  const callsOf = async (operation: () => ReturnType<TestStack["up"]>) => {
    emulator.requests.length = 0;
    expectSuccess(await operation());
    return emulator.requests.map(({ method }) => method);
  };
  const up = await callsOf(() => stack.up());
  expect(up.filter((method) => !method.startsWith("List")).length).toBeLessThanOrEqual(4 * customers);
  expect(up.filter((method) => method.startsWith("List"))).toHaveLength(3);
  const destroy = await callsOf(() => stack.destroy());
  expect(destroy.filter((method) => !method.startsWith("List")).length).toBeLessThanOrEqual(4 * customers);
  expect(destroy.filter((method) => method.startsWith("List"))).toHaveLength(3);
});

test("a field added outside Pulumi is still shown as drift after a separate refresh", async () => {
  await start();
  await settle();
  const outsider = new SipClient(emulator.url, emulator.apiKey, emulator.apiSecret);
  const [trunk] = (await outsider.listSipOutboundTrunk()).filter(({ name }) => name === "office");
  await outsider.updateSipOutboundTrunkFields(trunk?.sipTrunkId ?? "", {
    media: new SIPMediaConfig({ encryption: SIPMediaEncryption.SIP_MEDIA_ENCRYPT_ALLOW }),
  });
  expectSuccess(await stack.refresh());
  const plan = await stack.preview();
  expect(said(plan)).toMatch(/- mediaEncryption *: "allow"/);
  expect(said(plan)).toMatch(/~ platformStatus *: "mediaEncryption changed outside Pulumi" => "in sync"/);
  await settle();
});

describe("a platform that hides passwords", () => {
  test("has an empty second preview, explains a later outside change, and is repaired by one up", async () => {
    let later = 0;
    await start({ hidePasswords: true, clock: () => Date.now() + later });
    await settle();
    const outsider = new SipClient(emulator.url, emulator.apiKey, emulator.apiSecret);
    const [trunk] = (await outsider.listSipOutboundTrunk()).filter(({ name }) => name === "office");
    // The provider allows for clocks that differ by a minute, as LiveKit does for tokens. It only notices a later
    // change.
    later = 100_000;
    await changePassword(trunk?.sipTrunkId ?? "");
    later = 0;
    const plan = await stack.preview();
    expect(said(plan)).toMatch(/~ credentialFingerprint *: "hidden" => "[0-9a-f]{8}"/);
    expect(said(plan)).toMatch(
      /outbound trunk ST_\w+ was written outside Pulumi at .*; LiveKit hides its password, so it may have changed too/,
    );
    await settle();
    expect(
      emulator
        .project()
        .outboundTrunks()
        .find(({ name }) => name === "office")?.authPassword,
    ).toBe(password("office"));
  });

  test("keeps the password through a change that requires replacing the whole trunk", async () => {
    await start({ hidePasswords: true });
    await settle();
    const headers = { "X-Account": "7" };
    const trunks = { ...everything.trunks, office: { ...everything.trunks?.office, headers } };
    stack.setConfig("program", JSON.stringify({ ...everything, trunks }));
    await settle();
    const [inbound] = emulator
      .project()
      .inboundTrunks()
      .filter(({ name }) => name === "office");
    const [outbound] = emulator
      .project()
      .outboundTrunks()
      .filter(({ name }) => name === "office");
    expect(inbound).toMatchObject({ headers, authUsername: "1011", authPassword: password("office") });
    expect(outbound).toMatchObject({ headers, authPassword: password("office") });
  });

  async function changePassword(sipTrunkId: string): Promise<void> {
    const { apiKey, apiSecret, url } = emulator;
    const token = new AccessToken(apiKey, apiSecret, { ttl: "10m" });
    token.addSIPGrant({ admin: true });
    const request = new UpdateSIPOutboundTrunkRequest({
      sipTrunkId,
      action: { case: "update", value: { authPassword: password("changed-by-hand") } },
    });
    const response = await fetch(`${url}/twirp/livekit.SIP/UpdateSIPOutboundTrunk`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${await token.toJwt()}` },
      body: request.toJsonString(),
    });
    expect(response.status).toBe(200);
  }
});

describe("unknown fields of a newer LiveKit", () => {
  const [codec, otherRate] = [8000, 16000].map((rate) => ({ codecs: [{ name: "PCMU", rate }], mediaTimeout: 30 }));
  const trunk = { ...everything.trunks?.office, ...codec, ringingTimeout: 20, maxCallDuration: 600 };
  const egress = { room: { fileOutputs: [{ filepath: "recordings" }] }, tracks: { filepath: "tracks" } };
  const rule = {
    trunks: ["office"],
    rule: "callee",
    ...codec,
    roomConfig: { emptyTimeout: 5, egress },
    agents: [{ agentName: "receptionist" }, { agentName: "recorder" }],
  };
  const program: Program = {
    trunks: { office: trunk },
    auths: { office: { trunk: "office", method: "credentials" } },
    rules: { office: rule },
  };

  const objects = () => {
    const project = emulator.project();
    return { in: project.inboundTrunks(), out: project.outboundTrunks(), rules: project.dispatchRules() };
  };
  const futureOf = ({ in: inbound, out, rules }: ReturnType<typeof objects>) =>
    [inbound, out, rules].map((items) => items.flatMap((item: Message) => futureFields(item)));

  /** Adds a field to each object and to each nested message, like somebody with a newer tool. */
  async function addFutureFields(): Promise<void> {
    const { in: inbound, out, rules } = objects();
    for (const value of inbound.map(withFutureFields)) {
      const { sipTrunkId } = value;
      const request = new UpdateSIPInboundTrunkRequest({ sipTrunkId, action: { case: "replace", value } });
      await call("UpdateSIPInboundTrunk", request);
    }
    for (const value of out.map(withFutureFields)) {
      const { sipTrunkId } = value;
      const request = new UpdateSIPOutboundTrunkRequest({ sipTrunkId, action: { case: "replace", value } });
      await call("UpdateSIPOutboundTrunk", request);
    }
    for (const value of rules.map(withFutureFields)) {
      const { sipDispatchRuleId } = value;
      const request = new UpdateSIPDispatchRuleRequest({ sipDispatchRuleId, action: { case: "replace", value } });
      await call("UpdateSIPDispatchRule", request);
    }
  }

  async function call(method: string, request: Message): Promise<void> {
    const token = new AccessToken(emulator.apiKey, emulator.apiSecret);
    token.addSIPGrant({ admin: true });
    const response = await fetch(`${emulator.url}/twirp/livekit.SIP/${method}`, {
      method: "POST",
      headers: { "Content-Type": "application/protobuf", Authorization: `Bearer ${await token.toJwt()}` },
      body: Buffer.from(request.toBinary()),
    });
    expect(response.status).toBe(200);
  }

  const updates = () =>
    emulator.requests.flatMap(({ method, message }) =>
      message && "action" in message ? [`${method} by ${message.action.case}`] : [],
    );

  test("survive every write, at every depth", async () => {
    await start();
    stack.setConfig("program", JSON.stringify(program));
    expectSuccess(await stack.up());
    await addFutureFields();
    const added = futureOf(objects());
    // One in each object itself, and one in each nested message.
    expect(added.map((fields) => fields.length)).toEqual([6, 4, 13]);

    const upKeepsThem = async (change: Program, writes: string[]) => {
      stack.setConfig("program", JSON.stringify({ ...program, ...change }));
      emulator.requests.length = 0;
      expectSuccess(await stack.up());
      expect([...new Set(updates())].sort()).toEqual(writes);
      expect(futureOf(objects())).toEqual(added);
    };
    const changedRule = {
      ...rule,
      ...otherRate,
      pin: "123",
      roomConfig: { emptyTimeout: 7, egress: { ...egress, tracks: { filepath: "elsewhere" } } },
      agents: [{ agentName: "receptionist", metadata: "polite" }, { agentName: "recorder" }],
    };
    const changed: Program = {
      trunks: { office: { ...trunk, ...otherRate } },
      auths: { office: { trunk: "office", method: "credentials", realm: "acme" } },
      rules: { office: changedRule },
    };
    await upKeepsThem(changed, [
      "UpdateSIPDispatchRule by replace",
      "UpdateSIPInboundTrunk by update",
      "UpdateSIPOutboundTrunk by update",
    ]);
    const whole = { ...trunk, ...otherRate, headers: { "X-Account": "7" }, ringingTimeout: 25 };
    await upKeepsThem({ ...changed, trunks: { office: whole } }, [
      "UpdateSIPInboundTrunk by replace",
      "UpdateSIPOutboundTrunk by replace",
    ]);
    expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
  });
});

test("secrets appear only encrypted in the state: not in output, errors or the rest of the state", async () => {
  await start();
  const secretProgram = {
    ...everything,
    trunks: {
      ...everything.trunks,
      office: {
        ...everything.trunks?.office,
        headers: { "X-Token": { $secret: "office" } },
        metadata: { $secret: "hotline" },
      },
    },
  };
  stack.setConfig("program", JSON.stringify(secretProgram));
  let printed = said(await stack.up());
  const outsider = new SipClient(emulator.url, emulator.apiKey, emulator.apiSecret);
  const [trunk] = (await outsider.listSipOutboundTrunk()).filter(({ name }) => name === "office");
  await outsider.updateSipOutboundTrunkFields(trunk?.sipTrunkId ?? "", {
    authPassword: password("changed-by-hand"),
    metadata: "",
  });
  printed += said(await stack.preview()) + said(await stack.refresh());
  const states = JSON.stringify(await stack.exportState());
  // A server that quotes what it was sent.
  emulator.inject({
    method: /^Update/,
    times: 10,
    status: 400,
    msg: `cannot take ${password("office")} in ${password("hotline")}`,
  });
  const failed = await stack.up();
  expect(failed.succeeded).toBe(false);
  printed += said(failed) + said(await stack.up()) + JSON.stringify(await stack.exportState()) + states;
  expectNoCanary(printed);
});
