/** The policy pack as users get it: from the packed tarball, run by the Pulumi CLI or, where that is missing, as the CLI would run it. */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OperationResult } from "../provider/testing/test-stack";
import { CliStack, findPulumiCli, type UsedPack } from "./support/cli-stack";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { empty, idsOn, objectsOn } from "./support/field";
import { type Platform, startEmulatorPlatform } from "./support/livekit-platform";
import { codeBlocks, readPage } from "./support/markdown";
import { scenario, testWithProcesses as test } from "./support/matrix";
import { installPacked } from "./support/packed";
import { PolicyPackProcess } from "./support/policy-pack";
import { expectSuccess } from "./support/worlds";

let home: string;
let pack: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "policies-"));
  installPacked(home);
  pack = join(home, "node_modules", "pulumi-livekit-sip", "policies");
}, 60_000);

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

const typeOf = (kind: string) => `pulumi-nodejs:dynamic/livekit:${kind}`;

describe("the pack in its own process", () => {
  const rule = { owner: "organization/customer/dev/office", trunks: "all", rule: "individual", pin: password("pin") };

  async function withPack(folder: string, work: (running: PolicyPackProcess) => Promise<void>): Promise<void> {
    const running = await PolicyPackProcess.start(folder);
    try {
      await work(running);
    } finally {
      await running.stop();
    }
  }

  test("has the package's version, and says what each policy is for, how severe it is and what its settings mean", async () => {
    const { version }: { version: string } = require("../package.json");
    await withPack(pack, async (running) => {
      const info = await running.info();
      expect(info).toMatchObject({ name: "pulumi-livekit-sip", version, supportsconfig: true });
      for (const { name, description, configschema } of info.policiesList) {
        expect(name).toMatch(/^sip(-[a-z]+)+$/);
        expect(description).toMatch(/^.{20,}\.$/);
        for (const [, setting] of configschema?.properties?.fieldsMap ?? []) {
          const [, meaning] = setting.structValue?.fieldsMap.find(([field]) => field === "description") ?? [];
          expect([name, meaning?.stringValue]).toEqual([name, expect.stringMatching(/^.{20,}\.$/)]);
        }
      }
    });
  });

  test("can be switched off, to advice and to a refusal", async () => {
    await withPack(pack, async (running) => {
      const judged = async (level: "advisory" | "mandatory" | "disabled") => {
        await running.configure({ "sip-no-catch-all-rule": { level }, "sip-media-encryption": { level: "disabled" } });
        return running.analyze(typeOf("DispatchRule"), "office", rule);
      };
      const said = { policy: "sip-no-catch-all-rule", message: expect.stringContaining('"office": trunks is "all"') };
      expect(await judged("advisory")).toEqual([{ ...said, isMandatory: false }]);
      expect(await judged("mandatory")).toEqual([{ ...said, isMandatory: true }]);
      expect(await judged("disabled")).toEqual([]);
      expectNoCanary(running.printed);
    });
  });

  test("fails with a sentence, without a stack, if a setting is misspelt", async () => {
    await withPack(pack, async (running) => {
      await running.configure({ "sip-media-encryption": { level: "mandatory", properties: { atleast: "allow" } } });
      const error: unknown = await running.analyze(typeOf("DispatchRule"), "office", rule).catch((it) => it);
      expect(String(error)).toMatch(
        /The configuration of the policy sip-media-encryption is wrong: Unrecognized key: "atleast"\.$/,
      );
    });
  });

  test("says which package is missing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "policies-"));
    try {
      installPacked(folder);
      rmSync(join(folder, "node_modules", "@pulumi", "policy"));
      const starting = PolicyPackProcess.start(join(folder, "node_modules", "pulumi-livekit-sip", "policies"));
      await expect(starting).rejects.toThrow(
        "The policy pack needs the package @pulumi/policy: run `npm install --save-dev @pulumi/policy`.",
      );
      // Programs do not need it.
      expect(readFileSync(join(folder, "node_modules/pulumi-livekit-sip/dist/index.js"), "utf8")).not.toMatch(
        /policies|@pulumi\/policy/,
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("brings its policies into a company's own pack", async () => {
    await withPack(ownPack(), async (running) => {
      const { policiesList } = await running.info();
      expect(policiesList.map(({ name }) => name)).toEqual(expect.arrayContaining(["acme-names", "sip-no-open-trunk"]));
    });
  });
});

/** The only block of a language in docs/policies.md. */
function documented(language: "ts" | "json"): string {
  const blocks = codeBlocks(readPage("docs/policies.md")).filter((block) => block.language === language);
  const [block] = blocks;
  if (blocks.length !== 1 || !block) {
    throw new Error(`docs/policies.md has ${blocks.length} blocks of ${language} instead of one.`);
  }
  return block.text;
}

/** The folder of a company's pack in TypeScript, as docs/policies.md has it. */
function ownPack(): string {
  const folder = join(home, "acme-policies");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "PulumiPolicy.yaml"), "runtime: nodejs\n");
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "acme-policies", version: "1.2.3" }));
  writeFileSync(join(folder, "index.ts"), documented("ts"));
  return folder;
}

const cli = findPulumiCli();
(cli ? describe : describe.skip)("with the Pulumi CLI", () => {
  const PROGRAM = join(__dirname, "support", "programs", "policies");
  const PIN = "4711471147";

  /** What each policy says of the program, on which resource, and the settings that make it say so. */
  const REFUSALS: readonly Refusal[] = [
    { policy: "sip-no-open-trunk", on: "InboundAuth: office", said: "so LiveKit lets everybody in" },
    { policy: "sip-no-catch-all-rule", on: "DispatchRule: office", said: 'trunks is "all"' },
    { policy: "sip-allowlist-width", on: "InboundAuth: acme", said: "allowedAddresses[0] is a /16", isKnownLate: true },
    {
      policy: "sip-phone-systems",
      on: "SipTrunk: office",
      said: "address is not one of the phone systems in hosts",
      settings: { hosts: ["pbx.acme.com"] },
    },
    { policy: "sip-signalling-tls", on: "SipTrunk: office", said: 'transport is "auto"' },
    { policy: "sip-media-encryption", on: "SipTrunk: office", said: 'mediaEncryption is "disabled"' },
    {
      policy: "sip-credential-age",
      on: "SipTrunk: office",
      said: "credentialChangedAt is 2020-01-01",
      isKnownLate: true,
    },
  ];

  interface Refusal {
    readonly policy: string;
    /** The resource, as the CLI names it. */
    readonly on: string;
    readonly said: string;
    readonly settings?: object;
    /** Whether a first preview can't know it. */
    readonly isKnownLate?: boolean;
  }

  let platform: Platform;
  const stacks: CliStack[] = [];

  beforeAll(async () => {
    platform = await startEmulatorPlatform();
  });

  afterEach(async () => {
    const used = stacks.splice(0);
    const said = used.map(({ allOutput }) => allOutput.replaceAll(CANARY.toLowerCase(), CANARY)).join("\n");
    for (const stack of used) {
      await stack.dispose();
    }
    await empty(platform);
    expectNoCanary(said);
    expect(said).not.toContain(PIN);
  });

  afterAll(async () => {
    await platform.stop();
  });

  async function stackOf(program: "bad" | "good"): Promise<CliStack> {
    const projectDir = mkdtempSync(join(home, "project-"));
    cpSync(PROGRAM, projectDir, { recursive: true });
    const stack = await CliStack.create({
      projectDir,
      config: { "livekit:url": platform.url, "livekit:apiKey": platform.apiKey, bad: String(program === "bad") },
      secrets: {
        ...{ "livekit:apiSecret": platform.apiSecret, password: password("office"), pin: PIN },
        ...(program === "bad" && { address: `${CANARY.toLowerCase()}.acme.example` }),
      },
      env: { LIVEKIT_URL: undefined, LIVEKIT_API_KEY: undefined, LIVEKIT_API_SECRET: undefined },
    });
    stacks.push(stack);
    return stack;
  }

  /** The pack, with a configuration. */
  function configured(config: object): UsedPack {
    const file = join(mkdtempSync(join(home, "config-")), "policies.json");
    writeFileSync(file, JSON.stringify(config));
    return { pack, config: file };
  }

  /** The policies that were violated, by level. */
  function violated({ text }: OperationResult, level: "advisory" | "mandatory"): string[] {
    const lines = text.matchAll(new RegExp(`\\[${level}\\]\\s+(?:\\[severity: \\w+\\]\\s+)?(\\S+)`, "g"));
    return [...new Set([...lines].map(([, name = ""]) => name))].sort();
  }

  scenario("by default, what lets strangers in is refused and the rest is advice", async () => {
    const stack = await stackOf("bad");
    expectSuccess(await stack.up());
    age(stack);
    const result = await stack.preview({ policies: { pack } });
    expect(result.succeeded).toBe(false);
    expect(violated(result, "mandatory")).toEqual([
      "sip-allowlist-width",
      "sip-no-catch-all-rule",
      "sip-no-open-trunk",
    ]);
    expect(violated(result, "advisory")).toEqual(["sip-credential-age", "sip-media-encryption", "sip-signalling-tls"]);
    const off = await stack.preview({ policies: configured({ all: "disabled" }) });
    expectSuccess(off);
    expect(off.text).not.toMatch(/\[(mandatory|advisory)\]/);
  });

  scenario(
    "each policy that is switched on refuses its violation, and only that",
    async () => {
      const stack = await stackOf("bad");
      expectSuccess(await stack.up());
      age(stack);
      for (const { policy, on, said, settings } of REFUSALS) {
        const policies = configured({ all: "disabled", [policy]: { enforcementLevel: "mandatory", ...settings } });
        const result = await stack.preview({ policies });
        expect([policy, result.succeeded, violated(result, "mandatory")]).toEqual([policy, false, [policy]]);
        expect(result.text).toContain(on);
        expect(result.text.replace(/\s+/g, " ")).toContain(said);
      }
    },
    400_000,
  );

  scenario("a first preview refuses what it knows, and up refuses the rest before it creates it", async () => {
    const stack = await stackOf("bad");
    const hosts = REFUSALS.find(({ policy }) => policy === "sip-phone-systems")?.settings;
    const all = configured({ all: "mandatory", "sip-phone-systems": { enforcementLevel: "mandatory", ...hosts } });
    const preview = await stack.preview({ policies: all });
    const early = REFUSALS.filter(({ isKnownLate }) => !isKnownLate).map(({ policy }) => policy);
    expect([preview.succeeded, violated(preview, "mandatory")]).toEqual([false, early.sort()]);
    expect(preview.text).not.toContain("can't run policy");
    expect((await stack.up({ policies: all })).succeeded).toBe(false);
    expect(await idsOn(platform)).toEqual([]);

    const width = configured({ all: "disabled", "sip-allowlist-width": "mandatory" });
    expectSuccess(await stack.preview({ policies: width }));
    const up = await stack.up({ policies: width });
    expect([up.succeeded, violated(up, "mandatory")]).toEqual([false, ["sip-allowlist-width"]]);
    const { inbound } = await objectsOn(platform);
    expect(inbound.flatMap(({ allowedAddresses }) => allowedAddresses)).toEqual([]);
  });

  scenario("a program that violates nothing goes through, with the configuration in the docs", async () => {
    const stack = await stackOf("good");
    const policies = configured(JSON.parse(documented("json")));
    const up = await stack.up({ policies });
    expectSuccess(up);
    const preview = await stack.preview({ policies, expectNoChanges: true });
    expectSuccess(preview);
    expect([up, preview].map(({ text }) => text).join()).not.toMatch(/\[(mandatory|advisory)\]/);
  });

  scenario("a misspelt setting fails the preview with a sentence", async () => {
    const stack = await stackOf("bad");
    const result = await stack.preview({ policies: configured({ "sip-allowlist-width": { minIPv4PrefixLength: 8 } }) });
    expect(result.succeeded).toBe(false);
    expect(result.text).toContain('is wrong: Unrecognized key: "minIPv4PrefixLength".');
    expect(result.text).not.toMatch(/\n\s+at /);
  });

  scenario("a company's own pack refuses with these policies, too", async () => {
    const stack = await stackOf("bad");
    const result = await stack.preview({ policies: { pack: ownPack() } });
    expect(result.succeeded).toBe(false);
    expect(violated(result, "mandatory")).toEqual(["sip-no-catch-all-rule", "sip-no-open-trunk"]);
    expect(violated(result, "advisory")).toContain("acme-names");
  });

  /** Makes the credentials of a stack old. */
  function age(stack: CliStack): void {
    const state = stack.exportState();
    for (const { inputs, outputs } of state.deployment.resources ?? []) {
      for (const properties of [inputs, outputs]) {
        if (properties && "credentialChangedAt" in properties) {
          Object.assign(properties, { credentialChangedAt: "2020-01-01" });
        }
      }
    }
    stack.importState(state);
  }
});
