/**
 * The example of a fleet with many customers, some of whom were tampered with: `livekit-sip drift` names exactly those. With the Pulumi CLI,
 * the stacks are the CLI's and LiveKit is the real server. `FLEET_CUSTOMERS=100 npx jest tests/fleet-drift.test.ts` runs it at full size.
 */

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { ListUpdate } from "@livekit/protocol";
import { bulkhead } from "cockatiel";
import { SipClient } from "livekit-server-sdk";
import { type Report, reportSchema } from "../provider/cli/drift/report";
import { SipRegistrar } from "../provider/testing/sip-registrar";
import { TestStack } from "../provider/testing/test-stack";
import { findPulumiCli } from "./support/cli-stack";
import { livekitSip } from "./support/command";
import { expectNoCanary, password } from "./support/examples";
import { environmentOf } from "./support/livekit-call";
import { availablePlatforms, type Platform } from "./support/livekit-platform";
import { ProgramFolder } from "./support/program-folder";
import { expectSuccess } from "./support/worlds";

const COUNT = Number(process.env.FLEET_CUSTOMERS ?? 9);
const TIMEOUT_MS = 3_600_000;

const extensionOf = (index: number) => String(5000 + index);
const CUSTOMERS = Array.from({ length: COUNT }, (_, index) => `customer-${String(index + 1).padStart(3, "0")}`);

/** What was done to whom, and what the report must say of it. */
const TAMPERED = {
  "customer-001": "credential, platform, SipTrunk: password",
  "customer-002": "credential, platform, SipTrunk: password",
  "customer-003": "credential, platform, InboundAuth: password",
  "customer-004": "rejected, phone-system, SipTrunk: voipStatus",
  "customer-005": "rejected, phone-system, SipTrunk: voipStatus",
  "customer-006": "open, platform, InboundAuth: inbound trunk ST_… is OPEN TO ANYONE, allowedAddresses",
  "customer-007": "routing, platform, DispatchRule: gone from LiveKit",
  "customer-008": "routing, platform, SipTrunk: outbound trunk ST_… is gone",
} as const;

/** The stacks of the fleet. */
interface Stacks {
  up(name: string): Promise<void>;
  /** Where `drift` finds the states, and the environment that it needs for that. */
  states(): Promise<{ args: string[]; env: Record<string, string | undefined> }>;
  /** The states as exported files. */
  exported(): Promise<string>;
  dispose(): Promise<void>;
}

const cli = findPulumiCli();
const FLEET = join(__dirname, "..", "examples", "fleet");

let platform: Platform;
let registrar: SipRegistrar;
let program: ProgramFolder;
let stacks: Stacks;

beforeAll(async () => {
  const [name, start] = availablePlatforms().at(cli ? -1 : 0) ?? [];
  platform = await (start?.() ?? Promise.reject(new Error(`no platform ${name}`)));
  registrar = await SipRegistrar.start({
    users: Object.fromEntries(CUSTOMERS.map((customer, index) => [extensionOf(index), password(customer)])),
  });
  program = new ProgramFolder();
  for (const file of ["Pulumi.yaml", "index.ts"]) {
    cpSync(join(FLEET, file), join(program.path, file));
  }
  mkdirSync(join(program.path, "customers"));
  for (const [index, customer] of CUSTOMERS.entries()) {
    writeFileSync(join(program.path, "customers", `${customer}.yaml`), customerFile(index));
  }
  stacks = cli ? await cliStacks() : inProcessStacks();
  const places = bulkhead(cli ? 2 : 1, Number.POSITIVE_INFINITY);
  await Promise.all(CUSTOMERS.map((customer) => places.execute(() => stacks.up(customer))));
}, TIMEOUT_MS);

afterAll(async () => {
  await stacks?.dispose();
  await registrar?.stop();
  await platform?.stop();
  program?.dispose();
});

function customerFile(index: number): string {
  return [
    `type: extension\nextension: "${extensionOf(index)}"\naddress: 127.0.0.1\nport: ${registrar.port}\ncountry: US\n`,
    index === 5
      ? `inbound:\n  method: ip\n  allowedAddresses: ["203.0.113.7/32"]\n`
      : "inbound:\n  method: credentials\n",
    `calls:\n  rule: individual\n  roomPrefix: ${CUSTOMERS[index]}-\n`,
  ].join("");
}

/** Stacks of the CLI, with their states in a folder. */
async function cliStacks(): Promise<Stacks> {
  const folder = join(program.path, "state");
  mkdirSync(folder);
  const env = {
    ...environmentOf(platform),
    PATH: [dirname(cli ?? ""), process.env.PATH].join(delimiter),
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "fleet",
    PULUMI_HOME: join(program.path, "home"),
  };
  const pulumi = async (...args: string[]) => {
    const options = { cwd: program.path, env: { ...process.env, ...env } };
    const { stdout } = await promisify(execFile)("pulumi", [...args, "--non-interactive"], options);
    expectNoCanary(stdout);
  };
  const known = new Set<string>();
  return {
    async up(name) {
      if (!known.has(name)) {
        known.add(name);
        await pulumi("stack", "init", name);
        await pulumi("config", "set", "--stack", name, "--secret", "password", password(name));
      }
      await pulumi("up", "--yes", "--skip-preview", "--stack", name);
    },
    states: async () => ({ args: ["--dir", program.path], env: { PULUMI_BACKEND_URL: env.PULUMI_BACKEND_URL } }),
    async exported() {
      const target = join(program.path, "exported");
      rmSync(target, { recursive: true, force: true });
      mkdirSync(target);
      for (const name of CUSTOMERS) {
        await pulumi("stack", "export", "--stack", name, "--file", join(target, `${name}.json`));
      }
      return target;
    },
    dispose: async () => undefined,
  };
}

/** Stacks of the in-process engine. */
function inProcessStacks(): Stacks {
  const known = new Map<string, TestStack>();
  const exported = async () => {
    const target = join(program.path, "exported");
    mkdirSync(target, { recursive: true });
    for (const [name, stack] of known) {
      writeFileSync(join(target, `${name}.json`), JSON.stringify(stack.exportState()));
    }
    return target;
  };
  return {
    async up(name) {
      const stack =
        known.get(name) ??
        (await TestStack.create({
          projectDir: program.path,
          stack: name,
          secrets: { "fleet:password": password(name) },
          env: environmentOf(platform),
        }));
      known.set(name, stack);
      expectSuccess(await stack.up());
    },
    states: async () => ({ args: ["--state", await exported()], env: {} }),
    exported,
    dispose: async () => {
      await Promise.all([...known.values()].map((stack) => stack.dispose()));
    },
  };
}

async function drift(args: readonly string[], env: Record<string, string | undefined> = {}) {
  const result = await livekitSip(["drift", ...args, "--format", "json"], { ...environmentOf(platform), ...env });
  expectNoCanary(result.output + result.errors);
  expect(result.errors).toBe("");
  return { code: result.code, report: reportSchema.parse(JSON.parse(result.output)) };
}

/** What a report says of each stack that is not in sync. */
function inShort({ stacks }: Report): Record<string, string> {
  return Object.fromEntries(
    stacks
      .filter(({ status }) => status !== "in-sync")
      .map(({ stack, status, reason, findings: [first] }) => [
        stack.split("/").at(-1),
        first
          ? `${first.severity}, ${first.side}, ${first.type}: ${first.fields.join(", ")}`.replace(/ST_\w+/g, "ST_…")
          : `${status}: ${reason}`,
      ]),
  );
}

async function tamper(): Promise<void> {
  const client = new SipClient(platform.url, platform.apiKey, platform.apiSecret);
  const one = <Item extends { readonly name: string }>(items: Item[], name: string): Item => {
    const found = items.find((item) => item.name === name);
    return found ?? (Promise.reject(new Error(`nothing is called ${name}`)) as never);
  };
  const [inbound, outbound, rules] = await Promise.all([
    client.listSipInboundTrunk(),
    client.listSipOutboundTrunk(),
    client.listSipDispatchRule(),
  ]);
  const byHand = { authPassword: password("by-hand") };
  for (const name of ["customer-001", "customer-002"]) {
    await client.updateSipOutboundTrunkFields(one(outbound, name).sipTrunkId, byHand);
  }
  await client.updateSipInboundTrunkFields(one(inbound, "customer-003").sipTrunkId, byHand);
  for (const index of [3, 4]) {
    registrar.setPassword(extensionOf(index), password("in-the-pbx"));
  }
  await client.updateSipInboundTrunkFields(one(inbound, "customer-006").sipTrunkId, {
    allowedAddresses: new ListUpdate({ clear: true }),
  });
  await client.deleteSipDispatchRule(one(rules, "customer-007").sipDispatchRuleId);
  await client.deleteSipTrunk(one(outbound, "customer-008").sipTrunkId);
  await client.createSipInboundTrunk("by hand", ["+12025559999"], { authUsername: "u", ...byHand });
  await client.createSipOutboundTrunk("by hand", "198.51.100.9", ["+12025559999"], {
    ...byHand,
    authUsername: "u",
  } as never);
}

test(
  `names exactly the 8 of ${COUNT} customers that were tampered with, and none after their repair`,
  async () => {
    const { args, env } = await stacks.states();
    expect(await drift([...args, "--voip"], env)).toMatchObject({ code: 0, report: { unmanaged: [] } });
    await tamper();
    const before = await stacks.states();
    const { code, report } = await drift([...before.args, "--voip"], before.env);
    expect([code, inShort(report)]).toEqual([7, TAMPERED]);
    expect(report.counts).toMatchObject({ stacks: COUNT, drifted: 8, inSync: COUNT - 8, failed: 0 });
    expect(report.unmanaged.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "inbound trunk by hand",
      "outbound trunk by hand",
    ]);

    const files = ["--state", await stacks.exported(), "--voip"];
    const exported = await drift(files, { PATH: dirname(process.execPath), PULUMI_HOME: "/nonexistent" });
    expect([exported.code, inShort(exported.report)]).toEqual([7, TAMPERED]);

    for (const index of [3, 4]) {
      registrar.setPassword(extensionOf(index), password(CUSTOMERS[index] ?? ""));
    }
    for (const name of Object.keys(TAMPERED)) {
      await stacks.up(name);
    }
    const after = await stacks.states();
    expect(await drift([...after.args, "--voip"], after.env)).toMatchObject({
      code: 0,
      report: { counts: { inSync: COUNT } },
    });
  },
  TIMEOUT_MS,
);
