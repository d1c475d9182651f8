/**
 * Pulumi's resource options on this package's resources, with the CLI if it is installed: what users may expect of each
 * option.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isClosedCredential } from "../provider/livekit/closed-credential";
import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { expectNoCanary, password } from "./support/examples";
import {
  contentOf,
  ENGINES,
  type EngineName,
  empty,
  Field,
  idsOn,
  objectsOn,
  pairOn,
  proposals,
} from "./support/field";
import { type Platform, startEmulatorPlatform } from "./support/livekit-platform";
import { expectSuccess, said } from "./support/worlds";

let platform: Platform;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  platform = await startEmulatorPlatform();
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
  await empty(platform);
});

afterAll(async () => {
  await platform?.stop();
});

/** Expects that the trunk is open as declared and its rule leads to it. */
async function expectComplete(changed: boolean): Promise<void> {
  const { inbound, outbound } = await pairOn(platform);
  const { rules } = await objectsOn(platform);
  expect({
    credential: inbound.authPassword === password("field") && outbound.authPassword === password("field"),
    headers: [inbound.headers, outbound.headers],
    callers: inbound.allowedNumbers,
    rules: rules.map(({ trunkIds, rule }) => [trunkIds, rule?.rule.value?.toJson()]),
  }).toEqual({
    credential: true,
    headers: [{ "X-Account": changed ? "8" : "7" }, { "X-Account": changed ? "8" : "7" }],
    callers: changed ? ["2011", "2012"] : ["2011"],
    rules: [[[inbound.sipTrunkId], { roomPrefix: changed ? "changed-" : "call-" }]],
  });
}

describe.each(ENGINES)("with the %s", (engine: EngineName) => {
  const isCli = engine !== "in-process engine";

  async function started(config: Record<string, string>): Promise<Field> {
    const it = await Field.start(engine, { program: "options", platform, config });
    closing.push(() => it.stack.dispose());
    return it;
  }

  const table: [what: string, config: Record<string, unknown>, cliOnly?: boolean][] = [
    ["no option", {}],
    ["dependsOn", { special: "dependsOn" }],
    ["protect: false", { with: { protect: false } }],
    ["aliases that match nothing", { with: { aliases: [{ name: "never-was" }] } }],
    ["replaceOnChanges", { with: { replaceOnChanges: ["headers", "allowedNumbers", "roomPrefix"] } }],
    ["replaceOnChanges on everything", { with: { replaceOnChanges: ["*"] } }],
    [
      "deleteBeforeReplace",
      { with: { deleteBeforeReplace: true, replaceOnChanges: ["headers", "allowedNumbers", "roomPrefix"] } },
    ],
    ["deletedWith", { special: "deletedWith" }],
    ["replaceWith", { special: "replaceWith" }],
    ["replacementTrigger", { special: "replacementTrigger" }, true],
    ["additionalSecretOutputs", { with: { additionalSecretOutputs: ["headers", "roomPrefix"] } }],
    ["customTimeouts", { with: { customTimeouts: { create: "5m", update: "5m", delete: "5m" } } }],
    ["hooks", { special: "hooks" }, true],
    ["hideDiffs", { with: { hideDiffs: ["headers", "allowedNumbers", "roomPrefix"] } }],
    ["version", { with: { version: "1.2.3" } }, true],
    ["pluginDownloadURL", { with: { pluginDownloadURL: "https://plugins.acme.example" } }, true],
  ];

  test.each(table.filter(([, , cliOnly]) => isCli || !cliOnly))(
    "%s: comes up, is changed and destroyed",
    async (what, config) => {
      const folder = mkdtempSync(join(tmpdir(), "options-"));
      closing.push(() => rmSync(folder, { recursive: true, force: true }));
      const notes = join(folder, "notes");
      const texts = Object.entries(config).map(([key, value]) => [
        key,
        typeof value === "string" ? value : JSON.stringify(value),
      ]);
      const it = await started({ ...Object.fromEntries(texts), notes });
      await it.settle();
      await expectComplete(false);
      it.configure({ changed: "true" });
      const plan = await it.preview();
      const result = await it.up();
      expectSuccess(result);
      expect(proposals(plan)).toEqual(proposals(result));
      await it.expectNothingToDo();
      await expectComplete(true);
      if (what === "hooks") {
        expect(readFileSync(notes, "utf8").split("\n").sort()).toEqual([
          "",
          "auth",
          "auth",
          "rule",
          "rule",
          "trunk",
          "trunk",
        ]);
      }
      expectSuccess(await it.destroy());
      expect(await idsOn(platform)).toEqual([]);
      expectNoCanary(it.printed);
    },
  );

  if (isCli) {
    test("an explicit provider connects to the LiveKit project that it names", async () => {
      const { apiKey, apiSecret } = platform;
      const other = await LiveKitEmulator.start({ projects: [{ apiKey, apiSecret }] });
      closing.push(() => other.stop());
      const it = await started({ special: "provider", url: other.url });
      await it.settle();
      expect(await idsOn(platform)).toEqual([]);
      expect(other.project().inboundTrunks()).toHaveLength(1);
      expectSuccess(await it.destroy());
      expect(other.project().inboundTrunks()).toEqual([]);
      expect(it.printed).not.toContain(apiSecret);
      expect(JSON.stringify(it.stack.exportState())).not.toContain(apiSecret);
    });
  }

  test.each([["transformations"], ...(isCli ? [["transforms"]] : [])])(
    "%s of a resource are applied",
    async (special) => {
      const it = await started({ special });
      await it.settle();
      expect((await pairOn(platform)).inbound.ringingTimeout?.seconds).toBe(12n);
      expectNoCanary(it.printed);
      expectNoCanary(JSON.stringify(it.stack.exportState()));
    },
  );

  test("protect keeps everything until it is removed", async () => {
    const it = await started({ with: JSON.stringify({ protect: true }) });
    await it.settle();
    const content = await contentOf(platform);
    expect((await it.destroy()).succeeded).toBe(false);
    it.configure({ without: JSON.stringify(["rule"]) });
    expect((await it.up()).succeeded).toBe(false);
    expect(await contentOf(platform)).toBe(content);
    it.configure({ without: "[]", with: "{}" });
    await it.settle();
    expectSuccess(await it.destroy());
    expect(await idsOn(platform)).toEqual([]);
  });

  test("aliases keep the objects of a renamed trunk, InboundAuth and rule", async () => {
    const it = await Field.start(engine, { program: "rename", platform });
    closing.push(() => it.stack.dispose());
    await it.settle();
    const ids = await idsOn(platform);
    it.configure({ name: "headquarters", alias: "office" });
    const plan = await it.preview();
    expect(Object.values(proposals(plan)).filter((op) => op !== "update")).toEqual([]);
    await it.settle();
    expect(await idsOn(platform)).toEqual(ids);
  });

  test("retainOnDelete keeps removed resources on LiveKit", async () => {
    const it = await started({ with: JSON.stringify({ retainOnDelete: true }) });
    await it.settle();
    const content = await contentOf(platform);
    it.configure({ without: JSON.stringify(["trunk"]) });
    await it.settle();
    expect(await contentOf(platform)).toBe(content);
  });

  test("retainOnDelete of an InboundAuth leaves the trunk open, and the next preview is empty", async () => {
    const it = await started({ of: JSON.stringify({ auth: { retainOnDelete: true } }) });
    await it.settle();
    it.configure({ without: JSON.stringify(["auth"]) });
    await it.settle();
    const { inbound } = await pairOn(platform);
    expect(isClosedCredential(inbound.authUsername, inbound.authPassword)).toBe(false);
  });

  const isNative = engine === "native provider";
  type RefusedOption = [option: string, value: string, sentence: RegExp];
  const refusedOptions: RefusedOption[] = [
    [
      "import",
      "ST_123456789012",
      isNative
        ? /Importing (SipTrunk|InboundAuth|DispatchRule) "\w+": LiveKit has no .* ST_123456789012: write/
        : /(SipTrunk|InboundAuth|DispatchRule) "\w+".* import/,
    ],
    [
      "id",
      "ST_123456789012",
      isNative ? /resource 'ST_123456789012' does not exist/ : /(SipTrunk|InboundAuth|DispatchRule) "\w+".* id/,
    ],
    // On the native provider, Pulumi's own SDK refuses it.
    ...(isNative
      ? []
      : ([
          [
            "urn",
            "urn:pulumi:dev::options::pulumi-nodejs:dynamic/livekit:SipTrunk::elsewhere",
            /(SipTrunk|InboundAuth|DispatchRule) "\w+".* urn/,
          ],
        ] satisfies RefusedOption[])),
  ];

  describe.each(refusedOptions)("%s of something that is not on LiveKit", (option, value, sentence) => {
    test.each(["trunk", "auth", "rule"])("is refused in one sentence, in the preview: %s", async (name) => {
      const it = await started({ of: JSON.stringify({ [name]: { [option]: value } }) });
      const plan = await it.preview();
      expect(plan.succeeded).toBe(false);
      expect(said(plan)).toMatch(sentence);
      expect(said(plan)).not.toMatch(/^\s+at /m);
      expect(await idsOn(platform)).toEqual([]);
    });
  });
});
