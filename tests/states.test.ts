/**
 * A state that any released version wrote can be read, refreshed, updated and destroyed, even after validation became
 * stricter.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Vault } from "../provider/testing/engine/vault";
import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { type OperationResult, TestStack } from "../provider/testing/test-stack";
import { CliStack, findPulumiCli, type Stack } from "./support/cli-stack";
import {
  readSample,
  record,
  restore,
  SAMPLE_KEY,
  SAMPLE_PASSPHRASE,
  SAMPLE_PASSWORDS,
  SAMPLE_PROJECT,
  SAMPLE_STACK,
  type Sample,
  sampleConfig,
  sampleNames,
  sealed,
  secret,
} from "./support/state-samples";
import { expectSuccess, type Program, said } from "./support/worlds";

const { RECORD_STATES } = process.env;

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});

type Restored = { stack: Stack; emulator: LiveKitEmulator };

/** A stack that continues from a sample, on a platform that holds the sample's objects. */
async function restored(engine: string, sample: Sample): Promise<Restored> {
  const emulator = await LiveKitEmulator.start({ projects: [SAMPLE_KEY], sip: true });
  closing.push(() => emulator.stop());
  const target = { url: emulator.url, sipHost: emulator.sipHost, ...SAMPLE_KEY };
  const { config, state } = await restore(sample, target);
  const options = {
    projectDir: SAMPLE_PROJECT,
    stack: SAMPLE_STACK,
    ...sampleConfig(JSON.parse(config["customer:program"] ?? "{}"), target),
  };
  if (engine === "Pulumi CLI") {
    const stack = await CliStack.create({ ...options, passphrase: SAMPLE_PASSPHRASE });
    closing.push(() => stack.dispose());
    stack.importState(state);
    return { stack, emulator };
  }
  const folder = mkdtempSync(join(tmpdir(), "state-sample-"));
  closing.push(async () => rmSync(folder, { recursive: true, force: true }));
  const stateFile = join(folder, "state.json");
  const vault = Vault.random();
  writeFileSync(`${stateFile}.key`, vault.export(), { mode: 0o600 });
  writeFileSync(stateFile, JSON.stringify(sealed(state, vault)));
  const stack = await TestStack.create({ ...options, stateFile });
  closing.push(() => stack.dispose());
  return { stack, emulator };
}

function expectPlainWords(result: OperationResult): void {
  expectSuccess(result);
  expect(said(result)).not.toMatch(/"code"|"path"|invalid_(?:value|type|format)|Zod/);
}

async function expectRefreshUpAndDestroy(engine: string, sample: Sample): Promise<void> {
  const { stack, emulator } = await restored(engine, sample);
  expectPlainWords(await stack.refresh());
  expectPlainWords(await stack.up());
  const after = await stack.preview({ expectNoChanges: true });
  expect([after.exitCode, after.exitCode === 0 ? "" : after.text]).toEqual([0, ""]);
  expectPlainWords(await stack.destroy());
  expect(objectsOn(emulator)).toEqual([]);
}

async function expectDestroy(engine: string, sample: Sample, options = {}): Promise<void> {
  const { stack, emulator } = await restored(engine, sample);
  expectPlainWords(await stack.destroy(options));
  expect(objectsOn(emulator)).toEqual([]);
  expect(stack.exportState().deployment.resources ?? []).toEqual([]);
}

function objectsOn(emulator: LiveKitEmulator): string[] {
  const project = emulator.project();
  return [...project.inboundTrunks(), ...project.outboundTrunks(), ...project.dispatchRules()].map(({ name }) => name);
}

type Properties = Record<string, unknown>;

/** A sample with changed properties, in inputs and outputs, for each resource of a type in its state. */
function withProperties(sample: Sample, type: string, change: (properties: Properties) => Properties): Sample {
  const { deployment, ...state } = sample.state;
  const resources = (deployment.resources ?? []).map((resource) =>
    resource.type.endsWith(`:${type}`)
      ? { ...resource, inputs: change(resource.inputs ?? {}), outputs: change(resource.outputs ?? {}) }
      : resource,
  );
  return { ...sample, state: { ...state, deployment: { ...deployment, resources } } };
}

function without(properties: Properties, field: string): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => key !== field));
}

/** Changes a sample's state into one that today's validation would refuse but that may exist. */
const tightened: Record<string, (sample: Sample) => Sample> = {
  "passwords that are too weak today": (sample) =>
    JSON.parse(JSON.stringify(sample).replaceAll(SAMPLE_PASSWORDS.office, "weak")),
  "enum values that are unknown today": (sample) => {
    const trunks = withProperties(sample, "SipTrunk", (it) => ({
      ...it,
      ...(it.numberFormat ? { numberFormat: "e164" } : {}),
      transport: "sctp",
      voipCheck: "ping",
    }));
    const auths = withProperties(trunks, "InboundAuth", (it) => ({
      ...it,
      ...(it.method === "ip" && { method: "acl" }),
    }));
    return withProperties(auths, "DispatchRule", (it) => ({
      ...it,
      ...(it.rule === "direct" && { rule: "conference" }),
    }));
  },
  "values that are refused today": (sample) => {
    const trunks = withProperties(sample, "SipTrunk", (it) => ({
      ...it,
      address: "sip:pbx.acme.example:5060",
      country: "XX",
      headers: { To: "sip:somebody@acme.example" },
    }));
    const auths = withProperties(trunks, "InboundAuth", (it) => ({
      ...it,
      ...(it.allowedAddresses ? { allowedAddresses: ["pbx.acme.example"] } : {}),
    }));
    return withProperties(auths, "DispatchRule", (it) => ({ ...it, ...(it.pin ? { pin: "secret words" } : {}) }));
  },
  "fields that no longer exist": (sample) =>
    ["SipTrunk", "InboundAuth", "DispatchRule", "TestCall"].reduce(
      (changed, type) => withProperties(changed, type, (it) => ({ ...it, colour: "red", mood: { tone: ["kind"] } })),
      withProperties(sample, "DispatchRule", (it) => ({
        ...it,
        ...(it.agents ? { agents: [{ agentName: "receptionist", avatar: "robot" }] } : {}),
      })),
    ),
  "missing fields that were added later": (sample) => {
    const trunks = withProperties(sample, "SipTrunk", (it) => without(without(it, "country"), "name"));
    return withProperties(trunks, "DispatchRule", (it) => without(it, "name"));
  },
};

/** The destination's country was changed on LiveKit, and a refresh recorded that as `country`, as 0.1.0 did. */
function withDriftOfCountry(sample: Sample): Sample {
  const { state } = withProperties(sample, "SipTrunk", ({ country, ...others }) => ({
    ...others,
    country: "CA",
    platformStatus: "country changed outside Pulumi",
    __lastApplied: secret(JSON.stringify({ country })),
  }));
  const outbound = sample.platform.outbound.map((trunk) => Object.assign({}, trunk, { destinationCountry: "CA" }));
  return { ...sample, state, platform: { ...sample.platform, outbound } };
}

if (RECORD_STATES) {
  test(`records the samples of ${RECORD_STATES}`, () => record(RECORD_STATES), 600_000);
} else {
  const engines = findPulumiCli() ? ["in-process engine", "Pulumi CLI"] : ["in-process engine"];

  describe.each(engines)("%s", (engine) => {
    test.each(sampleNames())("a state of %s (%s) is refreshed, updated and destroyed", (version, name) =>
      expectRefreshUpAndDestroy(engine, readSample(version, name)),
    );

    test("a state that breaks all of today's rules is destroyed", () =>
      expectDestroy(
        engine,
        Object.values(tightened).reduce((sample, tighten) => tighten(sample), readSample("0.1.0", "clean")),
      ));
  });

  test("the first plan of a clean state of 0.1.0 shows what docs/upgrade.md says, and nothing else", async () => {
    const { stack } = await restored("in-process engine", readSample("0.1.0", "clean"));
    const { steps, text } = await stack.preview();
    const changed = steps
      .filter(({ diff }) => Object.keys(diff).length > 0)
      .map(({ op, type, diff }) => [op, type.split(":").pop(), Object.keys(diff)]);
    expect(changed).toEqual([
      ["refresh", "DispatchRule", ["pin"]],
      ["update", "InboundAuth", ["country", "numberFormat"]],
    ]);
    expect(text).toContain("=> [secret]");
  });

  test("drift of the destination's country, which 0.1.0 recorded as country, is repaired", () =>
    expectRefreshUpAndDestroy("in-process engine", withDriftOfCountry(readSample("0.1.0", "clean"))));

  test.each(["clean", "drift-kept"])("a SipTrunk of 0.1.0 (%s) becomes one-way", async (name) => {
    const { stack, emulator } = await restored("in-process engine", readSample("0.1.0", name));
    const { trunks, auths, rules }: Program = JSON.parse(readSample("0.1.0", name).config["customer:program"] ?? "{}");
    const { address: _, voipCheck: __, ...office } = trunks?.office ?? {};
    const declared = { trunks: { ...trunks, office: { ...office, direction: "inbound" } }, auths, rules };
    await stack.setConfig("customer:program", JSON.stringify(declared));
    const ids = () =>
      emulator
        .project()
        .inboundTrunks()
        .map(({ sipTrunkId }) => sipTrunkId);
    const before = ids();
    expectPlainWords(await stack.up());
    expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
    expect(ids()).toEqual(before);
    expect(
      emulator
        .project()
        .outboundTrunks()
        .map((trunk) => trunk.name),
    ).toEqual(["hotline"]);
    expectPlainWords(await stack.destroy());
    expect(objectsOn(emulator)).toEqual([]);
  });

  describe.each(Object.entries(tightened))("%s", (_what, tighten) => {
    test.each(["clean", "drift-kept"])("are refreshed, updated and destroyed in a state of 0.1.0 (%s)", (name) =>
      expectRefreshUpAndDestroy("in-process engine", tighten(readSample("0.1.0", name))),
    );

    test("are destroyed without a refresh in a state of 0.1.0", () =>
      expectDestroy("in-process engine", tighten(readSample("0.1.0", "clean")), { refresh: false }));
  });
}
