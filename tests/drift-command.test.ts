/** The command `livekit-sip drift` as a process: what it finds, prints and exits with. */

import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { ListUpdate } from "@livekit/protocol";
import { runtime } from "@pulumi/pulumi";
import { Ajv } from "ajv";
import { SipClient } from "livekit-server-sdk";
import { type Report, reportSchema } from "../provider/cli/drift/report";
import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { SipRegistrar } from "../provider/testing/sip-registrar";
import { findPulumiCli } from "./support/cli-stack";
import { type CommandResult, livekitSip } from "./support/command";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { CloudServer, customer, deployed, type Exported, FleetFolder } from "./support/fleet";
import { environmentOf } from "./support/livekit-call";
import { availablePlatforms, type Platform } from "./support/livekit-platform";
import { ProgramFolder } from "./support/program-folder";

let folder: FleetFolder;
let emulator: LiveKitEmulator;
let outsider: SipClient;

beforeEach(async () => {
  folder = new FleetFolder();
  emulator = await LiveKitEmulator.start();
  outsider = new SipClient(emulator.url, emulator.apiKey, emulator.apiSecret);
});

afterEach(async () => {
  folder.dispose();
  await emulator.stop();
});

const NO_PULUMI = { PULUMI_BACKEND_URL: undefined, PULUMI_ACCESS_TOKEN: undefined, PULUMI_HOME: "/nonexistent" };

async function drift(args: readonly string[], env: Record<string, string | undefined> = {}): Promise<CommandResult> {
  const result = await livekitSip(["drift", ...args], { ...environmentOf(emulator), ...NO_PULUMI, ...env });
  expectNoCanary(result.output + result.errors);
  expect(result.output + result.errors).not.toContain(emulator.apiSecret);
  expect(result.errors).not.toMatch(/^ +at /m);
  return result;
}

async function reported(args: readonly string[], env: Record<string, string | undefined> = {}) {
  const { code, output, errors } = await drift([...args, "--format", "json"], env);
  expect(errors).toBe("");
  expect(isPublished(JSON.parse(output)) || isPublished.errors).toBe(true);
  return { code, report: reportSchema.parse(JSON.parse(output)) };
}

/** Whether a report is what the published schema says. */
const isPublished = new Ajv().compile(
  JSON.parse(readFileSync(join(__dirname, "..", "drift-report.schema.json"), "utf8")),
);

/** What a report says of each stack that is not in sync, in few words. */
function inShort({ stacks }: Report): string[] {
  return stacks
    .filter(({ status }) => status !== "in-sync")
    .flatMap(({ stack, status, reason, findings }) =>
      status === "drifted"
        ? findings.map(
            ({ side, severity, type, fields }) => `${stack}: ${severity}, ${side}, ${type}: ${fields.join(", ")}`,
          )
        : [`${stack}: ${status}: ${reason}`],
    )
    .map((line) => line.replace("organization/fleet/", "").replace(/ST_\w+/g, "ST_…"));
}

async function fleet(count: number): Promise<Record<string, Exported>> {
  const states: Record<string, Exported> = {};
  for (let index = 1; index <= count; index += 1) {
    const it = customer(index);
    states[it.name] = await deployed(emulator, it);
  }
  return states;
}

const inboundOf = async (name: string) => {
  const found = (await outsider.listSipInboundTrunk()).find((trunk) => trunk.name === name);
  return found?.sipTrunkId ?? "";
};

describe("one stack per customer", () => {
  test("names who was tampered with, where and how badly, and exits with 7", async () => {
    const states = await fleet(6);
    const outbound = (await outsider.listSipOutboundTrunk()).find(({ name }) => name === "customer-0001");
    await outsider.updateSipOutboundTrunkFields(outbound?.sipTrunkId ?? "", { authPassword: "Changed-by-Hand-1" });
    await outsider.updateSipInboundTrunkFields(await inboundOf("customer-0002"), {
      authUsername: "",
      authPassword: "",
      numbers: new ListUpdate({ set: ["+12025550002"] }),
    });
    const rule = (await outsider.listSipDispatchRule()).find(({ name }) => name === "customer-0003");
    await outsider.deleteSipDispatchRule(rule?.sipDispatchRuleId ?? "");
    await outsider.deleteSipTrunk(await inboundOf("customer-0004"));
    await outsider.createSipInboundTrunk("by hand", ["+12025559999"], {
      authUsername: "u",
      authPassword: "Pass-word-12",
    });

    const { code, report } = await reported(["--state", folder.exported(states)]);
    expect(code).toBe(7);
    expect(inShort(report)).toEqual([
      "customer-0002: open, platform, InboundAuth: inbound trunk ST_… is OPEN TO ANYONE, username, password",
      "customer-0001: credential, platform, SipTrunk: password",
      "customer-0003: routing, platform, DispatchRule: gone from LiveKit",
      "customer-0004: routing, platform, SipTrunk: inbound trunk ST_… is gone",
      "customer-0004: routing, platform, InboundAuth: gone from LiveKit",
      expect.stringMatching(/^customer-0004: routing, platform, DispatchRule: can't find the inbound trunk/),
    ]);
    expect(report.counts).toEqual({ stacks: 6, inSync: 2, drifted: 4, failed: 0, notChecked: 0, ignored: 0 });
    expect(report.unmanaged).toEqual([expect.objectContaining({ kind: "inbound trunk", name: "by hand" })]);
    expect(report.stacks.map(({ repair }) => repair)[0]).toBe("pulumi up --stack organization/fleet/customer-0002");
  });

  test("a fleet in sync exits with 0, and costs three calls, whatever its size", async () => {
    const states = folder.exported(await fleet(5));
    emulator.requests.length = 0;
    const { code, report } = await reported(["--state", states]);
    expect([code, inShort(report), report.unmanaged]).toEqual([0, [], []]);
    expect(emulator.requests.map(({ method }) => method).sort()).toEqual([
      "ListSIPDispatchRule",
      "ListSIPInboundTrunk",
      "ListSIPOutboundTrunk",
    ]);
  });

  test("the phone systems are asked with --voip, and one that rejects a credential is the broken side", async () => {
    const registrar = await SipRegistrar.start({
      users: { "customer-0001": password("customer-0001"), "customer-0002": "Rotated-in-the-PBX-1" },
    });
    try {
      const trunk = { address: "127.0.0.1", port: registrar.port, voipCheck: "register" };
      const states = {
        a: await deployed(emulator, customer(1, { trunk })),
        b: await deployed(emulator, { ...customer(2), trunk: { ...customer(2).trunk, ...trunk, voipCheck: "off" } }),
      };
      // What the phone system holds has changed since the stack was applied.
      const [, , office] = states.b.deployment.resources;
      for (const part of ["inputs", "outputs"] as const) {
        Object.assign(office?.[part] as object, { voipCheck: "register" });
      }
      const quiet = await reported(["--state", folder.exported(states)]);
      expect([quiet.code, registrar.attempts.length]).toEqual([0, registrar.attempts.length]);
      const { code, report } = await reported(["--state", folder.exported(states), "--voip"]);
      expect(code).toBe(7);
      expect(inShort(report)).toEqual(["customer-0002: rejected, phone-system, SipTrunk: voipStatus"]);
      expect(report.stacks.map(({ phoneSystems }) => phoneSystems[0]?.status)).toEqual([
        "127.0.0.1 rejects the credential (401)",
        "accepts the credential",
      ]);
      expect(report.stacks[0]).not.toHaveProperty("repair");
    } finally {
      await registrar.stop();
    }
  });
});

describe("a phone system that many customers share", () => {
  test("is not asked so often that it would ban this address", async () => {
    const names = [1, 2, 3, 4, 5, 6].map((index) => customer(index).name);
    const registrar = await SipRegistrar.start({
      users: Object.fromEntries(names.map((name) => [name, password(name)])),
    });
    try {
      const states: Record<string, Exported> = {};
      for (const [index, name] of names.entries()) {
        const trunk = { address: "127.0.0.1", port: registrar.port, voipCheck: "register" };
        states[name] = await deployed(emulator, customer(index + 1, { trunk }));
        registrar.setPassword(name, "Rotated-in-the-PBX-1");
      }
      const before = registrar.attempts.length;
      const { report } = await reported(["--state", folder.exported(states), "--voip"]);
      expect(report.counts).toMatchObject({ drifted: 4, inSync: 2 });
      expect(registrar.attempts.slice(before).filter(({ accepted }) => !accepted)).toHaveLength(4);
      expect(report.stacks.flatMap(({ remarks }) => remarks)).toEqual(
        Array(2).fill(expect.stringContaining("not checked: its phone system rejected others before")),
      );
    } finally {
      await registrar.stop();
    }
  });
});

describe("states", () => {
  test.each(["scoped", "legacy", "compressed"] as const)("in a file backend, %s", async (layout) => {
    const { dir, env } = folder.project(await fleet(2), layout);
    const { code, report } = await reported(["--dir", dir], env);
    expect([code, report.stacks.map(({ stack }) => stack)]).toEqual([
      0,
      ["organization/fleet/customer-0001", "organization/fleet/customer-0002"],
    ]);
  });

  test("in Pulumi Cloud, page by page, with the token of the login", async () => {
    const cloud = await CloudServer.start(await fleet(3), `${CANARY}-token`);
    try {
      const { dir } = folder.project({});
      const credentials = { current: cloud.url, accounts: { [cloud.url]: { accessToken: `${CANARY}-token` } } };
      folder.write("home/credentials.json", JSON.stringify(credentials));
      const { code, report } = await reported(["--dir", dir], { PULUMI_HOME: `${folder.path}/home` });
      expect([code, report.counts.inSync]).toEqual([0, 3]);
      const refused = await drift(["--dir", dir], {
        PULUMI_BACKEND_URL: cloud.url,
        PULUMI_ACCESS_TOKEN: `${CANARY}-x`,
      });
      expect([refused.code, refused.errors]).toEqual([1, expect.stringContaining("refused the access token")]);
    } finally {
      await cloud.stop();
    }
  });

  test("of stacks that --stacks selects, by their own names", async () => {
    const { report } = await reported(["--state", folder.exported(await fleet(3)), "--stacks", "*-0002"]);
    expect(report.stacks.map(({ stack }) => stack)).toEqual(["organization/fleet/customer-0002"]);
    expect(report.unmanaged).toEqual([]);
  });

  test("that are broken, foreign or empty do not hide the others", async () => {
    const [[, state]] = Object.entries(await fleet(1)) as [[string, Exported]];
    const elsewhere = JSON.stringify(state).replaceAll("customer-0001", "customer-0007");
    const { code, report } = await reported([
      "--state",
      folder.exported({
        drifted: JSON.stringify(state).replaceAll('"roomPrefix":"customer-0001-"', '"roomPrefix":"other-"'),
        half: JSON.stringify(state).slice(0, 900),
        newer: JSON.stringify({ ...state, version: 99 }),
        empty: JSON.stringify({ version: 3, deployment: { manifest: { time: "0001-01-01T00:00:00Z" } } }),
        never: JSON.stringify({ version: 3, deployment: null }),
        other: "[]",
        elsewhere: elsewhere.replace('"inputs":{},"outputs":{}', '"inputs":{"livekit:url":"wss://other.example"}'),
      }),
    ]);
    expect(code).toBe(7);
    expect(inShort(report)).toEqual([
      expect.stringContaining("customer-0001: routing, platform, DispatchRule: roomPrefix"),
      expect.stringMatching(/^half: failed: .* is not a state, or only half of one/),
      expect.stringMatching(/^newer: failed: .* version 99/),
      expect.stringMatching(/^other: failed: .* is not a state/),
      "empty: not-checked: It has no SipTrunk, InboundAuth or DispatchRule.",
      "never: not-checked: It has no SipTrunk, InboundAuth or DispatchRule.",
      expect.stringMatching(/^customer-0007: not-checked: It uses another LiveKit server, wss:\/\/other.example/),
    ]);
  });

  test("that can't be read do not hide the others", async () => {
    const states = folder.exported(await fleet(1));
    symlinkSync("/nonexistent", join(states, "lost.json"));
    mkdirSync(join(states, "archive.json"));
    const { code, report } = await reported(["--state", states]);
    expect([code, report.counts.inSync]).toEqual([1, 1]);
    expect(inShort(report)).toEqual([expect.stringMatching(/^lost: failed: --state: .*lost\.json can't be read/)]);
  });

  test("of a renamed stack are reported under its present name", async () => {
    const [[name, state]] = Object.entries(await fleet(1)) as [[string, Exported]];
    await outsider.updateSipInboundTrunkFields(await inboundOf(name), { name: "by hand" });
    // The CLI renames the URNs alone.
    const renamed = JSON.parse(JSON.stringify(state).replaceAll(`urn:pulumi:${name}::`, "urn:pulumi:acme::"));
    for (const layout of ["scoped", "legacy"] as const) {
      const { dir, env } = folder.project({ acme: renamed }, layout);
      const { report } = await reported(["--dir", dir], env);
      expect(report.stacks.map(({ repair }) => repair)).toEqual(["pulumi up --stack organization/fleet/acme"]);
      folder.dispose();
    }
    const { report } = await reported(["--state", folder.exported({ file: renamed })]);
    expect(report.stacks.map(({ stack }) => stack)).toEqual(["organization/fleet/acme"]);
  });

  test("of the native provider are read as those of dynamic resources are", async () => {
    const states = await fleet(2);
    const [[name]] = Object.entries(states) as [[string, Exported]];
    await outsider.updateSipInboundTrunkFields(await inboundOf(name), {
      numbers: new ListUpdate({ add: ["+12025550199"] }),
    });
    const native = JSON.stringify(states)
      .replaceAll("pulumi-nodejs:dynamic/livekit:", "livekit-sip:index:")
      .replaceAll("pulumi:providers:pulumi-nodejs", "pulumi:providers:livekit-sip");
    const [dynamic, alike] = [
      await reported(["--state", folder.exported(states)]),
      await reported(["--state", folder.exported(JSON.parse(native))]),
    ];
    expect(inShort(alike.report)).toEqual([expect.stringContaining(`${name}: `)]);
    expect([alike.code, inShort(alike.report), alike.report.unmanaged]).toEqual([7, inShort(dynamic.report), []]);
  });

  test("of a refresh that was saved do not pass for what is declared", async () => {
    const [[name, state]] = Object.entries(await fleet(1)) as [[string, Exported]];
    await outsider.updateSipInboundTrunkFields(await inboundOf(name), { name: "by hand" });
    // What it found is in the place of what was applied, which is encrypted.
    const refreshed = JSON.parse(JSON.stringify(state));
    const platformStatus = "name changed outside Pulumi";
    const saved = { name: "by hand", credentialFingerprint: "00000000", platformStatus, platformDrift: ["name"] };
    Object.assign(refreshed.deployment.resources[2].outputs, saved);
    const { report } = await reported(["--state", folder.exported({ a: refreshed })]);
    const [found] = report.stacks[0]?.findings ?? [];
    expect([found?.problem, found?.plan]).toEqual([`${platformStatus}, when the stack was last refreshed`, []]);
    expect(found).not.toHaveProperty("fingerprint");
  });

  test("know what waits to be deleted, and what an older export of the stack has", async () => {
    const [[name, state]] = Object.entries(await fleet(1)) as [[string, Exported]];
    const { version, deployment } = state;
    const replaced = deployment.resources.map((it) =>
      String(it.type).endsWith(":SipTrunk") ? { ...it, delete: true } : it,
    );
    const waiting = { version, deployment: { ...deployment, resources: replaced } };
    const { report } = await reported(["--state", folder.exported({ [name]: waiting })]);
    expect(report.unmanaged).toEqual([]);
    const later = JSON.parse(JSON.stringify(state).replace(/"inboundTrunkId":"\w+"/g, '"inboundTrunkId":"ST_later"'));
    const twice = await reported(["--state", folder.exported({ [name]: state, later })]);
    expect(twice.report.unmanaged).toEqual([]);
  });

  test("of which 20 in 300 are broken", async () => {
    const states: Record<string, Exported | string> = await fleet(300);
    for (let index = 1; index <= 20; index += 1) {
      states[`customer-${String(index * 15).padStart(4, "0")}`] = '{"version":3,"deployment":{"resou';
    }
    const { code, report } = await reported(["--state", folder.exported(states)]);
    expect([code, report.counts]).toEqual([1, expect.objectContaining({ stacks: 300, inSync: 280, failed: 20 })]);
  });

  test("of a stack that is being updated or was interrupted are compared, and the report says so", async () => {
    const [[name, state]] = Object.entries(await fleet(1)) as [[string, Exported]];
    const interrupted = { ...state, deployment: { ...state.deployment, pending_operations: [{ type: "creating" }] } };
    const { dir, env } = folder.project({ [name]: interrupted });
    const lock = { username: "ci", hostname: "runner", timestamp: "2026-11-01T08:00:00Z" };
    folder.write(`backend/.pulumi/locks/organization/fleet/${name}/1.json`, JSON.stringify(lock));
    const { report } = await reported(["--dir", dir], env);
    expect(report.stacks[0]?.remarks).toEqual([
      expect.stringContaining("being updated by ci on runner"),
      expect.stringContaining("was interrupted"),
    ]);
  });

  test("whose passwords were fingerprinted with another API secret are not said to be in sync", async () => {
    const other = await LiveKitEmulator.start();
    try {
      const it = customer(1);
      const strange = await deployed(other, it);
      const own = await deployed(emulator, it);
      const [, , , , ...rest] = own.deployment.resources;
      expect(rest).toHaveLength(1);
      const foreign =
        JSON.stringify(strange.deployment.resources[2]).match(/"credentialFingerprint":"(\w+)"/)?.[1] ?? "";
      const mixed = JSON.stringify(own).replace(
        /"credentialFingerprint":"\w+"/g,
        `"credentialFingerprint":"${foreign}"`,
      );
      const { code, report } = await reported(["--state", folder.exported({ a: mixed })]);
      expect(code).toBe(0);
      expect(inShort(report)).toEqual([
        expect.stringMatching(/not-checked: SipTrunk "phones": the password was not compared, .* another API secret/),
      ]);
    } finally {
      await other.stop();
    }
  });
});

describe("what can't be decrypted", () => {
  test("is reported as not compared, and its removal is found", async () => {
    const it = customer(1, { rule: { pin: "73190482" } });
    const state = { a: await deployed(emulator, it) };
    const before = await reported(["--state", folder.exported(state)]);
    expect([before.code, before.report.stacks[0]?.remarks]).toEqual([0, ['DispatchRule "phones": pin not compared.']]);
    const [rule] = await outsider.listSipDispatchRule();
    await outsider.updateSipDispatchRule(rule?.sipDispatchRuleId ?? "", {
      ...rule,
      rule: { rule: { case: "dispatchRuleIndividual", value: { roomPrefix: "customer-0001-", pin: "" } } },
    } as never);
    const after = await reported(["--state", folder.exported(state)]);
    expect(inShort(after.report)).toEqual(["customer-0001: credential, platform, DispatchRule: pin"]);
  });
});

describe("what is secret", () => {
  const SECRET = "203.0.113.9/32";
  const addresses = ["198.51.100.7/32", SECRET];
  const encrypted = { [runtime.specialSigKey]: runtime.specialSecretSig, ciphertext: "v1:AAAA:AAAA" };

  test.each([
    ["as a whole", encrypted],
    ["in part", ["198.51.100.7/32", encrypted]],
  ])("%s, is in no format, and is no difference in another order", async (_, allowedAddresses) => {
    const auth = { method: "ip", allowedAddresses: addresses, username: undefined, password: undefined };
    const state = await deployed(emulator, customer(1, { auth }));
    const states = folder.exported({
      a: JSON.parse(JSON.stringify(state).replaceAll(JSON.stringify(addresses), JSON.stringify(allowedAddresses))),
    });
    const set = (...values: string[]) =>
      outsider.listSipInboundTrunk().then(([trunk]) =>
        outsider.updateSipInboundTrunkFields(trunk?.sipTrunkId ?? "", {
          name: "by hand",
          allowedAddresses: new ListUpdate(values.length > 0 ? { set: values } : { clear: true }),
        }),
      );
    await set(...addresses.toReversed());
    const { report } = await reported(["--state", states]);
    expect(inShort(report)).toEqual(["customer-0001: other, platform, SipTrunk: name"]);
    await set("192.0.2.1/32", SECRET);
    for (const format of ["json", "html"]) {
      expect((await drift(["--state", states, "--format", format])).output).not.toContain(SECRET);
    }
    await set();
    expect(inShort((await reported(["--state", states])).report)).toContainEqual(
      expect.stringMatching(/InboundAuth: .*allowedAddresses/),
    );
  });
});

describe("over time", () => {
  test("what a run could not check is not resolved, and keeps its time", async () => {
    const registrar = await SipRegistrar.start({ users: { "customer-0001": password("customer-0001") } });
    const trunk = { address: "127.0.0.1", port: registrar.port, voipCheck: "register" };
    const states = folder.exported({ a: await deployed(emulator, customer(1, { trunk })) });
    registrar.setPassword("customer-0001", "Rotated-in-the-PBX-1");
    const file = `${folder.path}/report.json`;
    const next = async (...args: string[]) => {
      await drift(["--state", states, ...args, "--format", "json", "--output", file]);
      return reportSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    };
    const since = (await next("--voip")).stacks[0]?.findings[0]?.firstSeen;
    const unasked = await next("--previous", file);
    await registrar.stop();
    const unanswered = await next("--voip", "--previous", file);
    for (const { stacks, resolved } of [unasked, unanswered]) {
      expect([stacks[0]?.before?.map(({ firstSeen }) => firstSeen), resolved]).toEqual([[since], []]);
      expect(stacks[0]?.remarks).toContainEqual(expect.stringContaining("127.0.0.1 rejects the credential (401)"));
    }
  });

  test("a stack of which a part could not be compared has resolved nothing", async () => {
    const state = await deployed(emulator, customer(1));
    const [trunk] = await outsider.listSipOutboundTrunk();
    await outsider.updateSipOutboundTrunkFields(trunk?.sipTrunkId ?? "", { authPassword: "Changed-by-Hand-1" });
    const file = `${folder.path}/report.json`;
    await drift(["--state", folder.exported({ a: state }), "--format", "json", "--output", file]);
    // The API secret has been rotated, and the rule was changed.
    const later = JSON.stringify(state)
      .replace(/"credentialFingerprint":"(.)/g, (_, digit) => `"credentialFingerprint":"${digit === "0" ? 1 : 0}`)
      .replaceAll('"roomPrefix":"customer-0001-"', '"roomPrefix":"other-"');
    const { report } = await reported(["--state", folder.exported({ a: later }), "--previous", file]);
    expect(inShort(report)).toEqual([expect.stringContaining("DispatchRule: roomPrefix")]);
    expect([report.resolved, report.stacks[0]?.before?.map(({ type }) => type)]).toEqual([[], ["SipTrunk"]]);
  });

  test("a difference keeps the time when it was first seen, and its end is reported once", async () => {
    const states = folder.exported(await fleet(2));
    const [trunk] = await outsider.listSipOutboundTrunk();
    const rename = (name: string) => outsider.updateSipOutboundTrunkFields(trunk?.sipTrunkId ?? "", { name });
    await rename("by hand");
    const file = `${folder.path}/report.json`;
    const args = ["--state", states, "--format", "json", "--output", file];
    expect((await drift(args)).code).toBe(7);
    const first = await reported(["--state", states]);
    const second = await reported(["--state", states, "--previous", file]);
    const [found, again] = [first, second].map(({ report }) => report.stacks[0]?.findings[0]);
    expect([found?.isNew, again?.isNew]).toEqual([true, false]);
    expect(Date.parse(again?.firstSeen ?? "")).toBeLessThan(Date.parse(found?.firstSeen ?? ""));
    await outsider.updateSipOutboundTrunkFields(trunk?.sipTrunkId ?? "", {
      numbers: new ListUpdate({ set: ["+12025550177"] }),
    });
    const worse = await reported(["--state", states, "--previous", file]);
    expect(worse.report.stacks[0]?.findings[0]).toMatchObject({ severity: "routing", isNew: true });
    await outsider.updateSipOutboundTrunkFields(trunk?.sipTrunkId ?? "", {
      numbers: new ListUpdate({ set: trunk?.numbers ?? [] }),
    });
    await rename(trunk?.name ?? "");
    const third = await reported(["--state", states, "--previous", file]);
    expect([third.code, third.report.resolved]).toEqual([
      0,
      [
        expect.objectContaining({
          stack: expect.stringContaining("customer-"),
          problem: "name changed outside Pulumi",
        }),
      ],
    ]);
  });

  test("what is ignored is counted, until the entry expires", async () => {
    const states = folder.exported(await fleet(2));
    for (const { sipTrunkId } of await outsider.listSipOutboundTrunk()) {
      await outsider.updateSipOutboundTrunkFields(sipTrunkId, { name: "by hand" });
    }
    const entry = (expires: string) =>
      `- {stack: customer-*, resource: phones, field: name, reason: renamed, expires: ${expires}}\n`;
    const current = folder.write("ignore.yaml", entry("2999-01-01"));
    const { code, report } = await reported(["--state", states, "--ignore", current]);
    expect([code, report.counts.ignored, report.counts.inSync]).toEqual([0, 2, 2]);
    const expired = folder.write("expired.yaml", entry("2020-01-01"));
    const { code: after, errors } = await drift(["--state", states, "--ignore", expired]);
    expect([after, errors]).toEqual([7, expect.stringContaining("expired on 2020-01-01")]);
  });

  test("the same cause in many stacks is one group", async () => {
    const states = folder.exported(await fleet(3));
    for (const { sipTrunkId } of (await outsider.listSipOutboundTrunk()).slice(1)) {
      await outsider.updateSipOutboundTrunkFields(sipTrunkId, {
        numbers: new ListUpdate({ set: ["+12025550177"] }),
      });
    }
    const { report } = await reported(["--state", states]);
    expect(report.groups).toEqual([
      expect.objectContaining({
        cause: "SipTrunk: numbers changed outside Pulumi",
        severity: "routing",
        stacks: [expect.any(String), expect.any(String)],
      }),
    ]);
  });
});

describe("bad input is a sentence", () => {
  test.each([
    ["no backend", ["--dir", "."], {}, "No Pulumi backend is configured"],
    ["no project", ["--dir", "/"], {}, "has no Pulumi.yaml"],
    ["a backend that is missing", ["--dir", "."], { PULUMI_BACKEND_URL: "file:///nonexistent" }, "holds no states"],
    [
      "an object store without the CLI",
      ["--dir", "."],
      { PULUMI_BACKEND_URL: "s3://states", PATH: "/nonexistent" },
      "needs the Pulumi CLI",
    ],
    [
      "a database with a password",
      ["--dir", "."],
      { PULUMI_BACKEND_URL: `postgres://u:${CANARY}@h/db`, PATH: "/x" },
      "a postgres backend",
    ],
    [
      "a server that is no Pulumi Cloud",
      ["--dir", "."],
      { PULUMI_BACKEND_URL: "http://127.0.0.1:1", PULUMI_ACCESS_TOKEN: "t" },
      "did not answer",
    ],
    [
      "a login without a token",
      ["--dir", "."],
      { PULUMI_BACKEND_URL: "https://cloud.example" },
      "There is no access token",
    ],
    ["a folder without states", ["--state", "."], {}, "has no .json file"],
    ["a folder that is missing", ["--state", "/nonexistent"], {}, "can't be read"],
    ["a pattern that matches nothing", ["--state", "states", "--stacks", "x*"], {}, 'no stack matches "x*"'],
    ["a previous report that is none", ["--state", "states", "--previous", "Pulumi.yaml"], {}, "is not a report"],
    ["an ignore file with a wrong key", ["--state", "states", "--ignore", "ignore.yaml"], {}, "--ignore: "],
    ["a wrong API secret", ["--state", "states"], { LIVEKIT_API_SECRET: "wrong" }, "refused the API key"],
    ["an unreachable server", ["--state", "states"], { LIVEKIT_URL: "http://127.0.0.1:1" }, "did not answer"],
  ])("%s", async (_, args, env, sentence) => {
    folder.write("ignore.yaml", "- {stack: a, why: b}\n");
    folder.write("Pulumi.yaml", "name: fleet\nruntime: nodejs\n");
    folder.write("states/a.json", JSON.stringify({ version: 3, deployment: null }));
    const paths = args.map((it) => (/^(\.|states|\w+\.yaml)$/.test(it) ? `${folder.path}/${it}` : it));
    const { code, errors } = await drift(paths, env);
    expect([code, errors]).toEqual([1, expect.stringContaining(sentence)]);
    expect(errors.trim().split("\n")).toHaveLength(1);
  });
});

const cli = findPulumiCli();
const withCli = cli ? describe : describe.skip;

withCli.each([...availablePlatforms()])("with Pulumi's CLI, on %s", (_, start) => {
  let platform: Platform;
  let program: ProgramFolder;
  let env: Record<string, string>;

  beforeAll(async () => {
    platform = await start();
    program = new ProgramFolder();
    mkdirSync(join(program.path, "state"));
    env = {
      ...environmentOf(platform),
      PATH: [dirname(cli ?? ""), process.env.PATH].join(delimiter),
      PULUMI_BACKEND_URL: `file://${join(program.path, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "drift",
      PULUMI_HOME: join(program.path, "home"),
    };
    program.write({
      "Pulumi.yaml": "name: fleet\nruntime: nodejs\nmain: index.ts\noptions:\n  refresh: always\n",
      "index.ts": PROGRAM,
    });
    for (const name of ["acme", "globex", "initech"]) {
      await pulumi("stack", "init", name);
      await pulumi(
        "config",
        "set",
        "--stack",
        name,
        "extension",
        name === "acme" ? "1001" : name === "globex" ? "1002" : "1003",
      );
      await pulumi("config", "set", "--stack", name, "--secret", "password", password(name));
      await pulumi("up", "--yes", "--skip-preview", "--stack", name);
    }
  });

  afterAll(async () => {
    await platform.stop();
    program.dispose();
  });

  const pulumi = (...args: string[]) =>
    promisify(execFile)("pulumi", [...args, "--non-interactive"], {
      cwd: program.path,
      env: { ...process.env, ...env },
    });

  /** A report without what differs between two ways of checking. */
  async function found(...args: string[]) {
    const { code, report } = await reported(["--dir", program.path, ...args], env);
    const stacks = report.stacks.map(({ phoneSystems, remarks, findings, ...stack }) => ({
      ...stack,
      findings: findings.map(({ firstSeen, ...finding }) => finding),
    }));
    return { code, stacks, unmanaged: report.unmanaged };
  }

  test("states read directly, states from the CLI and previews say the same", async () => {
    expect(await found()).toMatchObject({ code: 0, stacks: [{}, {}, {}] });
    const client = new SipClient(platform.url, platform.apiKey, platform.apiSecret);
    const [trunk] = (await client.listSipOutboundTrunk()).filter(({ numbers }) => numbers.includes("1001"));
    await client.updateSipOutboundTrunkFields(trunk?.sipTrunkId ?? "", { authPassword: "Changed-by-Hand-1" });
    const [inbound] = (await client.listSipInboundTrunk()).filter(({ numbers }) => numbers.includes("1002"));
    await client.deleteSipTrunk(inbound?.sipTrunkId ?? "");
    const direct = await found();
    expect(direct.code).toBe(7);
    expect(direct.stacks.map(({ status }) => status)).toEqual(["drifted", "drifted", "in-sync"]);
    expect(await found("--via-cli")).toEqual(direct);
    expect(await found("--preview")).toEqual(direct);
  });

  test("a preview also finds what is declared and not applied, and one that fails does not hide the others", async () => {
    await pulumi("up", "--yes", "--skip-preview", "--stack", "acme");
    await pulumi("up", "--yes", "--skip-preview", "--stack", "globex");
    await pulumi("config", "set", "--stack", "acme", "extension", "1009");
    await pulumi("config", "set", "--stack", "globex", "extension", "not an extension");
    const { report, code } = await reported(["--dir", program.path, "--preview"], env);
    expect([code, inShort(report)]).toEqual([
      7,
      [
        "acme: credential, declared, SipTrunk: extension, username",
        "acme: credential, declared, InboundAuth: username",
        expect.stringMatching(/^globex: failed: .*extension must be an extension/),
      ],
    ]);
    expect((await reported(["--dir", program.path], env)).code).toBe(0);
  });

  test("without the passphrase, states are compared, and previews fail with the CLI's own words", async () => {
    const without = { ...env, PULUMI_CONFIG_PASSPHRASE: undefined };
    const quick = await reported(["--dir", program.path, "--stacks", "initech"], without);
    expect([quick.code, quick.report.counts.inSync]).toEqual([0, 1]);
    const { code, report } = await reported(["--dir", program.path, "--stacks", "initech", "--preview"], without);
    expect([code, report.stacks[0]?.reason]).toEqual([1, expect.stringContaining("passphrase")]);
  });

  test("a preview that takes too long is stopped", async () => {
    const late = await reported(["--dir", program.path, "--stacks", "initech", "--preview", "--timeout", "1"], env);
    expect([late.code, late.report.stacks[0]?.reason]).toEqual([1, expect.stringContaining("longer than 1 s")]);
  });

  test("a stack that was renamed is previewed under its present name, and no password is reported as changed", async () => {
    // The program calls its resources like the stack.
    await pulumi("config", "set", "--stack", "initech", "name", "initech");
    await pulumi("stack", "rename", "hooli", "--stack", "initech");
    const client = new SipClient(platform.url, platform.apiKey, platform.apiSecret);
    const [trunk] = (await client.listSipOutboundTrunk()).filter(({ numbers }) => numbers.includes("1003"));
    await client.updateSipOutboundTrunkFields(trunk?.sipTrunkId ?? "", { name: "by hand" });
    const { report } = await reported(["--dir", program.path, "--stacks", "hooli", "--preview"], env);
    expect(inShort(report)).toContain("hooli: other, platform, SipTrunk: name");
    expect(report.stacks.flatMap(({ findings }) => findings.flatMap(({ fields }) => fields))).not.toContain("password");
  });
});

const PROGRAM = `import * as pulumi from "@pulumi/pulumi";
import { DispatchRule, InboundAuth, SipTrunk } from "pulumi-livekit-sip";

const config = new pulumi.Config();
const name = config.get("name") ?? pulumi.getStack();
const trunk = new SipTrunk(name, {
  type: "extension",
  extension: config.require("extension"),
  address: "pbx.acme.example",
  password: config.requireSecret("password"),
  country: "US",
  voipCheck: "off",
});
new InboundAuth(name, { trunk, method: "credentials" });
new DispatchRule(name, { trunks: [trunk], rule: "individual" });
`;
