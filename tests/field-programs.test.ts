/** Programs that users write and that this package once handled wrongly. */

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { SIPInboundTrunkInfo } from "@livekit/protocol";
import { isClosedCredential } from "../provider/livekit/closed-credential";
import type { CliStack } from "./support/cli-stack";
import { findPulumiCli } from "./support/cli-stack";
import { expectNoCanary, password } from "./support/examples";
import {
  CLI_ENGINES,
  type CliEngineName,
  contentOf,
  copyOf,
  ENGINES,
  type EngineName,
  empty,
  Field,
  type FieldOptions,
  idsOn,
  objectsOn,
  PROGRAMS,
  pairOn,
  proposals,
} from "./support/field";
import { availablePlatforms, type Platform, startEmulatorPlatform } from "./support/livekit-platform";
import { describeOnPlatforms, scenario as test } from "./support/matrix";
import { expectSuccess, said } from "./support/worlds";

let platform: Platform;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
  await empty(platform);
});

async function field(engine: EngineName, program: string, options: Partial<FieldOptions> = {}): Promise<Field> {
  const started = await Field.start(engine, { program, platform, ...options });
  closing.push(() => started.stack.dispose());
  return started;
}

async function cliField(
  engine: CliEngineName,
  program: string,
  options: Partial<FieldOptions> = {},
): Promise<Field<CliStack>> {
  const started = await Field.startCli(engine, { program, platform, ...options });
  closing.push(() => started.stack.dispose());
  return started;
}

function temporary(program: string, leftOut?: readonly string[]): string {
  const { dir, remove } = copyOf(program, leftOut);
  closing.push(remove);
  return dir;
}

/** Whether nobody can call in: it asks for a random credential and allows no address. */
function isClosed(trunk: SIPInboundTrunkInfo): boolean {
  return isClosedCredential(trunk.authUsername, trunk.authPassword) && trunk.allowedAddresses.length === 0;
}

const withCli = CLI_ENGINES.length > 0 ? describe.each(CLI_ENGINES) : describe.skip.each(["Pulumi CLI"] as const);
const platforms = availablePlatforms().map(([name, start]) => ({ name, start }));

describeOnPlatforms("on the $name", platforms, ({ start }) => {
  beforeAll(async () => {
    platform = await start();
  });

  afterAll(async () => {
    await platform?.stop();
  });

  describe.each(ENGINES)("with the %s", (engine) => {
    test.each([
      ["into a nested component and out again", ["component", "top"]],
      ["below the trunk", ["trunk"]],
    ])("resources that move %s keep their objects", async (_what, places) => {
      const it = await field(engine, "component", { config: { place: "top" } });
      await it.settle();
      const [ids, { inbound }] = [await idsOn(platform), await pairOn(platform)];
      for (const place of places) {
        it.configure({ place });
        const plan = await it.preview();
        expectSuccess(plan);
        expect(Object.values(proposals(plan)).filter((op) => op !== "update")).toEqual([]);
        await it.settle();
        expect(await idsOn(platform)).toEqual(ids);
        const { authUsername, allowedAddresses, numbers } = (await pairOn(platform)).inbound;
        expect({ authUsername, allowedAddresses, numbers }).toEqual({
          authUsername: inbound.authUsername,
          allowedAddresses: inbound.allowedAddresses,
          numbers: inbound.numbers,
        });
      }
      expectSuccess(await it.destroy());
      expect(await idsOn(platform)).toEqual([]);
    });

    test.everywhere(
      "a trunk whose state was lost is not left open to its old callers when the program no longer opens it",
      async () => {
        const before = await field(engine, "orphan-open", { config: { auth: "true" } });
        await before.settle();
        const { inbound } = await pairOn(platform);
        const after = await field(engine, "orphan-open");
        const plan = await after.preview();
        const result = await after.up();
        const trunk = (await pairOn(platform)).inbound;
        const words = said(plan);
        // Either an `up` closes the trunk after its preview said so, or both are refused with an error that names the
        // cause.
        expect({
          plan: plan.succeeded,
          up: result.succeeded,
          closed: isClosed(trunk),
          named: words.includes(inbound.sipTrunkId),
        }).toEqual({
          plan: result.succeeded,
          up: result.succeeded,
          closed: result.succeeded,
          named: true,
        });
      },
    );

    test.everywhere.each([
      ["the same extension", "4301"],
      ["another extension", "4302"],
    ])(
      "of two people with separate states, the second with %s is refused and the first one's objects stay",
      async (_what, extension) => {
        const ann = await field(engine, "twobackends", { config: { who: "ann", extension: "4301" } });
        await ann.settle();
        const [content, ids] = [await contentOf(platform), await idsOn(platform)];
        const bob = await field(engine, "twobackends", { config: { who: "bob", extension } });
        const plan = await bob.preview();
        const result = await bob.up();
        expect([plan.succeeded, result.succeeded]).toEqual([false, false]);
        expect(ids.filter((id) => said(plan).includes(id))).not.toEqual([]);
        expect(await contentOf(platform)).toBe(content);
        expectSuccess(await bob.destroy());
        expect(await contentOf(platform)).toBe(content);
        await ann.expectNothingToDo();
      },
    );
  });

  withCli("a rename or move with the %s", (engine) => {
    test("keeps the objects of a stack", async () => {
      const it = await cliField(engine, "rename");
      await it.settle();
      const ids = await idsOn(platform);
      it.stack.rename("prod");
      await it.settle();
      expect(await idsOn(platform)).toEqual(ids);
      it.stack.rename("staging");
      expectSuccess(await it.destroy());
      expect(await idsOn(platform)).toEqual([]);
    });

    test("keeps the objects of a project", async () => {
      const dir = temporary("rename");
      const it = await cliField(engine, dir);
      await it.settle();
      const ids = await idsOn(platform);
      const file = join(dir, "Pulumi.yaml");
      it.stack.rename("organization/renamed/dev");
      writeFileSync(file, readFileSync(file, "utf8").replace("name: rename", "name: renamed"));
      it.stack.setConfig("renamed:password", password("field"), { secret: true });
      await it.settle();
      expect(await idsOn(platform)).toEqual(ids);
    });

    test("keeps the objects of a resource", async () => {
      const it = await cliField(engine, "rename");
      await it.settle();
      const ids = await idsOn(platform);
      for (const urn of it.urns()) {
        it.stack.renameResource(urn, "headquarters");
      }
      it.configure({ name: "headquarters" });
      await it.settle();
      expect(await idsOn(platform)).toEqual(ids);
      expect((await pairOn(platform)).inbound.name).toBe("headquarters");
    });

    test("transfers moved resources to the other stack", async () => {
      const from = await cliField(engine, "rename");
      await from.settle();
      const ids = await idsOn(platform);
      const to = await cliField(engine, "rename", { stack: "other", config: { empty: "true" }, beside: from.stack });
      expectSuccess(await to.up());
      from.stack.moveTo(to.stack, from.urns());
      from.configure({ empty: "true" });
      to.configure({ empty: "false" });
      await to.settle();
      await from.settle();
      expect(await idsOn(platform)).toEqual(ids);
      expectSuccess(await from.destroy());
      expect(await idsOn(platform)).toEqual(ids);
      expectSuccess(await to.destroy());
      expect(await idsOn(platform)).toEqual([]);
    });
  });
});

describe("on the emulator alone", () => {
  beforeAll(async () => {
    platform = await startEmulatorPlatform();
  });

  afterAll(async () => {
    await platform?.stop();
  });

  test("a stack that is renamed in its state file keeps its objects", async () => {
    const folder = mkdtempSync(join(tmpdir(), "field-state-"));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const stateFile = join(folder, "state.json");
    await (await field("in-process engine", "rename", { stateFile })).settle();
    const ids = await idsOn(platform);
    const renamed = readFileSync(stateFile, "utf8")
      .replaceAll("urn:pulumi:dev::", "urn:pulumi:prod::")
      .replaceAll("rename-dev", "rename-prod");
    writeFileSync(stateFile, renamed);
    const after = await field("in-process engine", "rename", { stateFile, stack: "prod" });
    await after.settle();
    expect(await idsOn(platform)).toEqual(ids);
  });

  describe("children of components come up", () => {
    const limitMs = 90_000;

    async function expectUpInTime(engine: EngineName, v: string): Promise<void> {
      const it = await field(engine, "hang", { config: { v } });
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`up has not ended within ${limitMs / 1000} s`)), limitMs);
      });
      try {
        await Promise.race([it.settle(), late]);
      } finally {
        clearTimeout(timer);
      }
    }

    test.each([
      "two-trunks",
      "trunk-auth",
      "trunk-rule",
      "trunk-auth-rule",
      "outputs-registered-first",
      "outputs-registered-last",
      "auth-outside",
      "auth-and-rule-inside",
      "trunk-as-parent",
      "component-in-component",
      "two-components",
      "depends-on-component",
    ])("%s", (v) => expectUpInTime("in-process engine", v));

    test.each(ENGINES)("all together, with the %s", (engine) => expectUpInTime(engine, "all"));
  });

  describe.each(ENGINES)("with the %s", (engine) => {
    test.each([[["*"]], [["password"]], [["numbers"]], [["numbers", "password", "voipStatus"]]])(
      "changes covered by ignoreChanges %j are ignored, and both halves share one password",
      async (ignored) => {
        const it = await field(engine, "ignore", {
          config: { ignored: JSON.stringify(ignored), number: "+12025550130" },
        });
        await it.settle();
        const content = await contentOf(platform);
        it.configure({ number: "+12025550131" });
        it.stack.setConfig("password", password("second"), { secret: true });
        await it.settle();
        const { inbound, outbound } = await pairOn(platform);
        const all = ignored.includes("*");
        const keeps = (name: string) => all || ignored.includes(name);
        expect(inbound.numbers).toEqual([keeps("numbers") ? "+12025550130" : "+12025550131"]);
        expect(inbound.authPassword === outbound.authPassword).toBe(true);
        expect(outbound.authPassword === password(keeps("password") ? "field" : "second")).toBe(true);
        if (keeps("password") && keeps("numbers")) {
          expect(await contentOf(platform)).toBe(content);
        }
      },
    );

    test("a program is valid when all changes of all resources are ignored", async () => {
      const config = { ignored: JSON.stringify(["*"]), everywhere: "true", number: "+12025550130" };
      const it = await field(engine, "ignore", { config });
      await it.settle();
      const content = await contentOf(platform);
      it.configure({ number: "+12025550131" });
      it.stack.setConfig("password", password("second"), { secret: true });
      await it.settle();
      expect(await contentOf(platform)).toBe(content);
    });

    test.each(["transformation:password", ...(engine !== "in-process engine" ? ["transform:password"] : [])])(
      "a password set by a %s is kept secret and reaches both halves, or is refused",
      async (v) => {
        const it = await field(engine, "transforms", { config: { v } });
        it.stack.setConfig("other", password("transformed"), { secret: true });
        const plan = await it.preview();
        const result = await it.up();
        expect(result.succeeded).toBe(plan.succeeded);
        expectNoCanary(it.printed);
        expectNoCanary(JSON.stringify(it.stack.exportState()));
        const { inbound, outbound } = await objectsOn(platform);
        expect(inbound.map(({ authPassword }) => authPassword === password("transformed"))).toEqual(
          result.succeeded ? [true] : [],
        );
        expect(outbound.map(({ authPassword }) => authPassword === password("transformed"))).toEqual(
          result.succeeded ? [true] : [],
        );
        if (result.succeeded) {
          await it.expectNothingToDo();
        } else {
          expect(said(plan)).toMatch(/SipTrunk "transformed".*password/);
        }
      },
    );

    test.each(["transformation:tags", ...(engine !== "in-process engine" ? ["transform:tags"] : [])])(
      "an argument added by a %s is refused in one sentence",
      async (v) => {
        const it = await field(engine, "transforms", { config: { v } });
        const plan = await it.preview();
        expect(plan.succeeded).toBe(false);
        expect(said(plan)).toContain("tags is not an argument of SipTrunk: check its spelling.");
        expect(said(plan)).not.toMatch(/^\s+at /m);
      },
    );

    test.each(["transformation:secret", ...(engine !== "in-process engine" ? ["transform:secret"] : [])])(
      "an output made secret by a %s is secret",
      async (v) => {
        const it = await field(engine, "transforms", { config: { v } });
        await it.settle();
        const { resources = [] } = it.stack.exportState().deployment;
        const trunk = resources.find(({ type }) => type.endsWith(":SipTrunk"));
        const sealed = expect.objectContaining({ ciphertext: expect.any(String) });
        expect(trunk?.outputs).toMatchObject({ address: sealed, password: sealed });
      },
    );

    test.each([
      ["the number format", { format: "international" }],
      ["the country", { country: "RU" }],
    ])("a change of %s also shows the InboundAuth's update", async (_what, change) => {
      const it = await field(engine, "format", { config: { format: "national", country: "KZ" } });
      await it.settle();
      it.configure(change);
      const plan = await it.preview();
      const result = await it.up();
      expectSuccess(result);
      expect(proposals(plan)).toEqual(proposals(result));
      await it.expectNothingToDo();
      expectSuccess(await it.refresh());
      expect(it.printed).not.toContain("outside Pulumi");
    });

    test.each([
      ["a number", { numbers: ["+12025550140", "12025550140"] }, "numbers"],
      ["a caller", { inboundNumbers: ["+12025550141", "+1 (202) 555-0141"] }, "inboundNumbers"],
      ["a trunk", { trunks: 2 }, "trunks"],
    ])("a rule that lists %s twice is refused in the preview", async (_what, rule, argument) => {
      const it = await field(engine, "selfconflict", { config: { rule: JSON.stringify(rule) } });
      const plan = await it.preview();
      expect(plan.succeeded).toBe(false);
      expect(said(plan)).toMatch(new RegExp(`${argument}.*list it once`));
    });

    test("callers that another trunk with the same number admits are refused in the preview", async () => {
      const it = await field(engine, "selfconflict", { config: { callers: '["+12025550150"]' } });
      await it.settle();
      const { client } = await objectsOn(platform);
      const other = await client.createSipInboundTrunk("other", ["+12025550140"], {
        allowedNumbers: ["+12025550151"],
        authUsername: "other",
        authPassword: password("other"),
      });
      const content = await contentOf(platform);
      it.configure({ callers: '["+12025550150", "+12025550151"]' });
      const plan = await it.preview();
      expect(plan.succeeded).toBe(false);
      expect(said(plan)).toMatch(new RegExp(`InboundAuth "twice".*allowedNumbers.*${other.sipTrunkId}`));
      expect((await it.up()).succeeded).toBe(false);
      expect(await contentOf(platform)).toBe(content);
    });

    test("PBX callers are allowed by the extensions as declared", async () => {
      const it = await field(engine, "ext-de");
      await it.settle();
      const { inbound } = await pairOn(platform);
      expect([...inbound.allowedNumbers].sort()).toEqual(["1011", "1012", "2011"]);
    });
  });

  describe("a trunk of another stack", () => {
    const THERE = "organization/another-stack/network";
    const reference = (changes = {}) =>
      JSON.stringify({
        owner: `${THERE}/office`,
        username: "3001",
        password: password("field"),
        country: "US",
        numberFormat: "international",
        ...changes,
      });
    const network = (config?: Record<string, string>) =>
      field("in-process engine", "another-stack", { stack: "network", ...(config && { config }) });
    const callers = async (value = reference()) => {
      const it = await field("in-process engine", "another-stack", { stack: "callers" });
      it.stack.setConfig("reference", value, { secret: true });
      return it;
    };

    test("is opened by its reference, follows its password, and is closed again after destroy", async () => {
      const there = await network();
      await there.settle();
      const here = await callers();
      expect(said(await here.preview())).toContain(`${THERE}/office`);
      await here.settle();
      await there.expectNothingToDo();
      const opened = (await pairOn(platform)).inbound;
      expect(opened).toMatchObject({ authUsername: "3001", allowedNumbers: ["+12025550188", "1012"] });
      expect(opened.authPassword === password("field")).toBe(true);
      expect((await objectsOn(platform)).rules.map(({ trunkIds }) => trunkIds)).toEqual([[opened.sipTrunkId]]);

      there.stack.setConfig("password", password("second"), { secret: true });
      await there.settle();
      here.stack.setConfig("reference", reference({ password: password("second") }), { secret: true });
      expect(said(await here.preview())).toMatch(/~ credentialFingerprint/);
      await here.settle();
      expect((await pairOn(platform)).inbound.authPassword === password("second")).toBe(true);

      expectSuccess(await here.destroy());
      expect(isClosed((await pairOn(platform)).inbound)).toBe(true);
      await there.expectNothingToDo();
      expectNoCanary(there.printed + here.printed);
      expectNoCanary(JSON.stringify([there.stack.exportState(), here.stack.exportState()]));
    });

    test("is refused in the preview while it does not exist", async () => {
      const it = await callers();
      const plan = await it.preview();
      expect(plan.succeeded).toBe(false);
      expect(said(plan)).toContain(
        `LiveKit has no inbound trunk of SipTrunk "office" of stack ${THERE}: run \`pulumi up\` there first, with the same LiveKit project and a direction other than "outbound".`,
      );
    });

    test("is refused in the preview if its own stack has an InboundAuth for it", async () => {
      await (await network({ opened: "true" })).settle();
      const before = await pairOn(platform);
      const it = await callers();
      const plan = await it.preview();
      expect(plan.succeeded).toBe(false);
      expect(said(plan)).toContain(`was opened by ${THERE}/office of another stack: remove that InboundAuth first.`);
      expect((await it.up()).succeeded).toBe(false);
      expect(await pairOn(platform)).toEqual(before);
    });

    test.each([
      ["an id", '"ST_123"'],
      ["something else", '{"inboundTrunkId": "ST_123"}'],
    ])("is refused in one sentence if the reference is %s", async (_what, value) => {
      const plan = await (await callers(value)).preview();
      expect(plan.succeeded).toBe(false);
      expect(said(plan)).toContain('InboundAuth "office": trunk is neither a SipTrunk nor a reference to one');
      expect(said(plan)).not.toMatch(/^\s+at /m);
    });

    test.each<[string, Parameters<typeof reference>[0]]>([
      ["no credential", { username: undefined, password: undefined }],
      ["an empty password", { password: "" }],
      ["an empty user name", { username: "" }],
    ])(`is refused for method "credentials" if the reference has %s`, async (_what, changes) => {
      await (await network()).settle();
      const it = await callers(reference(changes));
      const plan = await it.preview();
      expect(plan.succeeded).toBe(false);
      expect(said(plan)).toContain('method "credentials" needs a trunk with a password');
    });

    (findPulumiCli() ? test : test.skip)("is passed in a stack reference with the CLI", async () => {
      const there = await cliField("Pulumi CLI", "another-stack", { stack: "network" });
      await there.settle();
      const config = { network: THERE };
      const here = await cliField("Pulumi CLI", "another-stack", { stack: "callers", config, beside: there.stack });
      await here.settle();
      there.stack.setConfig("password", password("second"), { secret: true });
      await there.settle();
      await here.settle();
      const { inbound, outbound } = await pairOn(platform);
      expect([inbound, outbound].map(({ authPassword }) => authPassword === password("second"))).toEqual([true, true]);
      expectSuccess(await here.destroy());
      expect(isClosed((await pairOn(platform)).inbound)).toBe(true);
      await there.expectNothingToDo();
      expectNoCanary(there.printed + here.printed);
    });
  });

  withCli("a saved plan with the %s", (engine) => {
    test.each([
      ["the number format", { format: "international" }],
      ["the country", { country: "RU" }],
    ])("with a change of %s is applied unchanged", async (_what, change) => {
      const it = await cliField(engine, "format", { config: { format: "national", country: "KZ" } });
      await it.settle();
      it.configure(change);
      expectSuccess(await it.preview({ savePlan: true }));
      expectSuccess(await it.up({ plan: true }));
      await it.expectNothingToDo();
    });
  });

  const withDynamicResources = ENGINES.filter((name) => name !== "native provider");
  describe.each(withDynamicResources)("two copies of the package, with the %s", (engine) => {
    const root = resolve(__dirname, "..");

    function projectWithLibrary(leftOut?: readonly string[]): string {
      const dir = temporary("twocopies", leftOut);
      const copy = join(dir, "lib", "node_modules", "pulumi-livekit-sip");
      mkdirSync(copy, { recursive: true });
      cpSync(join(root, "package.json"), join(copy, "package.json"));
      cpSync(join(root, "dist"), join(copy, "dist"), { recursive: true });
      return dir;
    }

    test("a trunk from the library's own copy is recognised as a SipTrunk", async () => {
      const it = await field(engine, projectWithLibrary());
      await it.settle();
      const { inbound, rules } = await objectsOn(platform);
      expect(rules.map(({ trunkIds }) => trunkIds)).toEqual([inbound.map(({ sipTrunkId }) => sipTrunkId)]);
      expect(inbound.map(({ authPassword }) => authPassword === password("field"))).toEqual([true]);
      expectNoCanary(it.printed);
      expectNoCanary(JSON.stringify(it.stack.exportState()));
      expectSuccess(await it.destroy());
    });

    test("a package that only the library has is found, or the error names the package.json to add it to", async () => {
      const dir = projectWithLibrary(["pulumi-livekit-sip"]);
      writeFileSync(
        join(dir, "Pulumi.yaml"),
        readFileSync(join(dir, "Pulumi.yaml"), "utf8").replace("index.js", "nested.js"),
      );
      writeFileSync(join(dir, "package.json"), "{}");
      const it = await field(engine, dir);
      const result = await it.up();
      if (result.succeeded) {
        await it.expectNothingToDo();
        expectSuccess(await it.destroy());
        expect(await idsOn(platform)).toEqual([]);
      } else {
        expect(said(result)).toContain("pulumi-livekit-sip");
        expect(said(result)).toContain(join(dir, "package.json"));
        expect(said(result)).not.toMatch(/^\s+at /m);
      }
    });
  });

  test.each([
    ["without an organization", [], "organization"],
    ["with an organization", ["acme"], "acme"],
  ])(
    "a program %s runs under Pulumi's mocks, with children of a local and a remote component",
    async (_what, args, organization) => {
      // The emulator answers from this process, so it must not wait.
      const { stdout } = await promisify(execFile)(process.execPath, [join(PROGRAMS, "mocks", "index.js"), ...args]);
      expect(JSON.parse(stdout)).toEqual({
        username: "1011",
        rule: "top-id",
        inComponent: "1011",
        auth: "below-id",
        inRemoteComponent: `${organization}/project/dev/acme:index:RemoteLine$remote`,
        isSecret: true,
      });
    },
  );
});
