/**
 * States that released versions wrote, with what was on the platform at the time: `tests/states/<version>/<name>.json`.
 * They are never changed, because today's code must still be able to refresh and destroy a stack that was created years
 * ago.
 *
 * `RECORD_STATES=<version> npx jest tests/states.test.ts` records samples of the current code before a release.
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  CreateSIPDispatchRuleRequest,
  CreateSIPInboundTrunkRequest,
  CreateSIPOutboundTrunkRequest,
  ListUpdate,
  SIPDispatchRuleInfo,
  SIPInboundTrunkInfo,
  SIPOutboundTrunkInfo,
} from "@livekit/protocol";
import { SipClient } from "livekit-server-sdk";
import { Vault } from "../../provider/testing/engine/vault";
import { LiveKitEmulator } from "../../provider/testing/livekit-emulator";
import { type StackState, TestStack } from "../../provider/testing/test-stack";
import { CliStack, findPulumiCli } from "./cli-stack";
import { hotline, office } from "./examples";
import { callLiveKit } from "./livekit-call";
import { expectSuccess, type Program } from "./worlds";

const FOLDER = join(__dirname, "..", "states");

/** The stack's name in every sample. It is part of the markers on the platform's objects. */
export const SAMPLE_STACK = "sample";

/** The passphrase that the samples were recorded with. They contain no real secrets. */
export const SAMPLE_PASSPHRASE = "sample";

/** The passwords in the samples, by the configuration key that holds them. */
export const SAMPLE_PASSWORDS = { office: "Sample-Office-2025-x!", hotline: "Sample-Hotline-2025-y!" };

/** The project of the samples' stack. */
export const SAMPLE_PROJECT = join(__dirname, "programs", "customer");
/** The LiveKit key that the samples were recorded with. The LiveKit project id in them is derived from it. */
export const SAMPLE_KEY = { apiKey: "APIsample", apiSecret: "sample-api-secret-0123456789-0123456789" };

/** One sample. Its secrets are in plain text, as `pulumi stack export --show-secrets` prints them. */
export interface Sample {
  /** The stack's configuration in plain text. The connection is replaced when the sample is restored. */
  readonly config: Record<string, string>;
  /** What was on the platform, as LiveKit's own JSON. */
  readonly platform: { readonly inbound: unknown[]; readonly outbound: unknown[]; readonly rules: unknown[] };
  readonly state: StackState;
}

/** The existing samples, by version and name. */
export function sampleNames(): [version: string, name: string][] {
  return readdirSync(FOLDER).flatMap((version) =>
    readdirSync(join(FOLDER, version)).map((file): [string, string] => [version, file.replace(/\.json$/, "")]),
  );
}

/** Reads a sample. */
export function readSample(version: string, name: string): Sample {
  return JSON.parse(readFileSync(join(FOLDER, version, `${name}.json`), "utf8"));
}

/** Where a sample is restored. */
export interface Target {
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  readonly sipHost?: string;
}

/**
 * Creates a sample's objects on another platform, and returns the sample with that platform's ids and connection. If a
 * test changes the sample's texts, it must do so before this, so that the platform gets the changes too.
 */
export async function restore(sample: Sample, target: Target): Promise<Sample> {
  const ids = new Map<string, string>();
  const renamed = (value: unknown) => JSON.stringify(value).replace(/\bS(?:T|DR)_\w+/g, (id) => ids.get(id) ?? id);
  for (const json of sample.platform.inbound) {
    const trunk = SIPInboundTrunkInfo.fromJsonString(JSON.stringify(json));
    const old = trunk.sipTrunkId;
    trunk.sipTrunkId = "";
    const made = await callLiveKit(target, "CreateSIPInboundTrunk", new CreateSIPInboundTrunkRequest({ trunk }));
    ids.set(old, SIPInboundTrunkInfo.fromBinary(made).sipTrunkId);
  }
  for (const json of sample.platform.outbound) {
    const trunk = SIPOutboundTrunkInfo.fromJsonString(JSON.stringify(json));
    const old = trunk.sipTrunkId;
    trunk.sipTrunkId = "";
    const made = await callLiveKit(target, "CreateSIPOutboundTrunk", new CreateSIPOutboundTrunkRequest({ trunk }));
    ids.set(old, SIPOutboundTrunkInfo.fromBinary(made).sipTrunkId);
  }
  for (const json of sample.platform.rules) {
    const dispatchRule = SIPDispatchRuleInfo.fromJsonString(renamed(json));
    const old = dispatchRule.sipDispatchRuleId;
    dispatchRule.sipDispatchRuleId = "";
    const made = await callLiveKit(target, "CreateSIPDispatchRule", new CreateSIPDispatchRuleRequest({ dispatchRule }));
    ids.set(old, SIPDispatchRuleInfo.fromBinary(made).sipDispatchRuleId);
  }
  const { url, apiKey, apiSecret, sipHost = "127.0.0.1:5060" } = target;
  const here = { url, apiKey, sipHost, host: new URL(url).host };
  const text = Object.entries({ ...here, apiSecret }).reduce(
    (all, [name, value]) => all.replaceAll(`<${name}>`, value),
    renamed(sample),
  );
  return JSON.parse(text);
}

const SECRET_KEY = "4dabf18193072939515e22adb298388d";

/** A text as a secret in a state whose secrets are in plain text. */
export function secret(text: string) {
  return { [SECRET_KEY]: "1b47061264138c4ac30d75fd1eb44270", plaintext: JSON.stringify(text) };
}

/** A state with its secrets encrypted by a vault. */
export function sealed(state: StackState, vault: Vault): StackState {
  return replaceSecrets(state, ({ plaintext, ...rest }) => ({
    ...rest,
    ciphertext: vault.encrypt(String(plaintext)),
  }));
}

/** A state with its secrets in plain text. */
function unsealed(state: StackState, vault: Vault): StackState {
  return replaceSecrets(state, ({ ciphertext, ...rest }) => ({
    ...rest,
    plaintext: vault.decrypt(String(ciphertext)),
  }));
}

function replaceSecrets(
  state: StackState,
  replace: (secret: Record<string, unknown>) => Record<string, unknown>,
): StackState {
  return JSON.parse(JSON.stringify(state), (_key, value) =>
    typeof value === "object" &&
    value !== null &&
    SECRET_KEY in value &&
    ("plaintext" in value || "ciphertext" in value)
      ? replace(value)
      : value,
  );
}

const program: Program = {
  trunks: {
    office: {
      ...office,
      voipCheck: "off",
      headers: { "X-Account": "7" },
      metadata: '{"team":"sales"}',
      codecs: [{ name: "PCMU", rate: 8000 }],
      onlyListedCodecs: true,
      ringingTimeout: 20,
    },
    hotline: {
      ...hotline,
      numbers: ["+40741926265", "+40741926266"],
      country: "RO",
      numberFormat: "national",
      transport: "tls",
      mediaEncryption: "require",
      headersToAttributes: { "X-Customer": "customer" },
      voipCheck: "off",
    },
  },
  auths: {
    office: { trunk: "office", method: "credentials", realm: "acme" },
    hotline: {
      trunk: "hotline",
      method: "ip",
      allowedAddresses: ["203.0.113.7", "198.51.100.0/24"],
      allowedNumbers: ["0741926299"],
    },
  },
  rules: {
    office: {
      trunks: ["office"],
      rule: "individual",
      roomPrefix: "call-",
      agents: [{ agentName: "receptionist", metadata: '{"language":"en"}', attributes: { tone: "kind" } }],
    },
    hotline: {
      trunks: ["hotline"],
      rule: "direct",
      roomName: "hotline",
      pin: "4711",
      attributes: { tier: "gold" },
      metadata: "from the hotline",
      roomConfig: { emptyTimeout: 300, maxParticipants: 5, metadata: "room" },
    },
  },
};

const calls: Program["calls"] = { office: { trunk: "office", direction: "inbound" } };

/** Records samples of the current code: with the CLI if it is installed, otherwise with the in-process engine. */
export async function record(version: string): Promise<void> {
  mkdirSync(join(FOLDER, version), { recursive: true });
  const keep = (name: string, sample: Sample) =>
    writeFileSync(join(FOLDER, version, `${name}.json`), `${JSON.stringify(sample, undefined, 2)}\n`);

  keep("clean", await recordOne({ ...program, calls }, async () => undefined));
  keep(
    "drift-kept",
    await recordOne(program, async (emulator, stack) => {
      await changeByHand(emulator);
      expectSuccess(await stack.refresh());
    }),
  );
  keep(
    "half-created",
    await recordOne({ trunks: { office: program.trunks?.office ?? {} } }, async () => undefined, {
      method: "CreateSIPOutboundTrunk",
      status: 400,
      msg: "not today",
    }),
  );
}

async function recordOne(
  declared: Program,
  afterUp: (emulator: LiveKitEmulator, stack: Pick<TestStack, "refresh">) => Promise<void>,
  fault?: Parameters<LiveKitEmulator["inject"]>[0],
): Promise<Sample> {
  const emulator = await LiveKitEmulator.start({ projects: [SAMPLE_KEY], sip: true });
  const keyed = sampleConfig(declared, { url: emulator.url, sipHost: emulator.sipHost, ...SAMPLE_KEY });
  const options = { projectDir: SAMPLE_PROJECT, stack: SAMPLE_STACK, ...keyed };
  const stateFile = join(mkdtempSync(join(tmpdir(), "state-sample-")), "state.json");
  const stack = findPulumiCli()
    ? await CliStack.create({ ...options, passphrase: SAMPLE_PASSPHRASE })
    : await TestStack.create({ ...options, stateFile });
  try {
    if (fault) {
      emulator.inject(fault);
    }
    const result = await stack.up();
    if (result.succeeded === (fault !== undefined)) {
      throw new Error(`up ended with ${result.exitCode}: ${result.text}`);
    }
    await afterUp(emulator, stack);
    const state =
      stack instanceof CliStack
        ? stack.exportState({ showSecrets: true })
        : unsealed(stack.exportState(), new Vault(Buffer.from(readFileSync(`${stateFile}.key`, "utf8"), "base64")));
    const project = emulator.project();
    const sample: Sample = {
      config: keyed.config,
      platform: {
        inbound: project.inboundTrunks().map((trunk) => trunk.toJson()),
        outbound: project.outboundTrunks().map((trunk) => trunk.toJson()),
        rules: project.dispatchRules().map((rule) => rule.toJson()),
      },
      state,
    };
    return withoutPlace(sample, { url: emulator.url, sipHost: emulator.sipHost, ...SAMPLE_KEY });
  } finally {
    await stack.dispose();
    await emulator.stop();
    rmSync(dirname(stateFile), { recursive: true, force: true });
  }
}

/** The configuration of a stack with a program. */
export function sampleConfig(declared: Program, { url, apiKey, apiSecret, sipHost }: Target) {
  return {
    config: {
      "livekit:url": url,
      "livekit:apiKey": apiKey,
      ...(sipHost && { "livekit:sipHost": sipHost }),
      "customer:program": JSON.stringify(declared),
    },
    secrets: {
      "livekit:apiSecret": apiSecret,
      ...Object.fromEntries(Object.entries(SAMPLE_PASSWORDS).map(([key, value]) => [`customer:${key}`, value])),
    },
  };
}

/** Changes every kind of object by hand on LiveKit. */
async function changeByHand({ url, apiKey, apiSecret }: LiveKitEmulator): Promise<void> {
  const outsider = new SipClient(url, apiKey, apiSecret);
  for (const { name, sipTrunkId } of await outsider.listSipOutboundTrunk()) {
    await outsider.updateSipOutboundTrunkFields(
      sipTrunkId,
      name === "office"
        ? { authPassword: "Sample-Changed-2025-z!" }
        : { numbers: new ListUpdate({ add: ["0741926277"] }) },
    );
  }
  for (const { name, sipTrunkId } of await outsider.listSipInboundTrunk()) {
    await outsider.updateSipInboundTrunkFields(
      sipTrunkId,
      name === "office"
        ? { numbers: new ListUpdate({ add: ["1099"] }) }
        : { allowedAddresses: new ListUpdate({ set: ["192.0.2.0/24"] }) },
    );
  }
  for (const { name, sipDispatchRuleId } of await outsider.listSipDispatchRule()) {
    await outsider.updateSipDispatchRuleFields(
      sipDispatchRuleId,
      name === "office" ? { metadata: "by hand" } : { attributes: { tier: "none" } },
    );
  }
}

/** A sample without what depends on the recording machine: addresses, keys, source positions. */
function withoutPlace(sample: Sample, target: Target): Sample {
  const places = new Set(["sourcePosition", "stackTrace"]);
  const text = JSON.stringify(sample, (key, value) => (places.has(key) ? undefined : value));
  return JSON.parse(
    Object.entries({ ...target, host: new URL(target.url).host }).reduce(
      (all, [name, value]) => all.replaceAll(value, `<${name}>`),
      text,
    ),
  );
}
