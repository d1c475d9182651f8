/** `livekit-sip import --language`: programs for the native provider, which declare what the import found, in every language. */

import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { SipClient } from "livekit-server-sdk";
import { parse } from "yaml";
import { type Draft, TrunkReference } from "../provider/cli/languages/language";
import { LANGUAGES } from "../provider/cli/languages/languages";
import { LANGUAGE_NAMES, type LanguageName } from "../provider/cli/languages/names";
import { writeStacks } from "../provider/cli/program";
import { SecretReference } from "../provider/inference/secrets";
import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { findPulumiCli } from "./support/cli-stack";
import { type CommandResult, livekitSip } from "./support/command";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { planned } from "./support/imports";
import { declaredBy, missingTool, run } from "./support/language-runs";
import { createProject, environmentOf } from "./support/livekit-call";
import { startEmulatorPlatform } from "./support/livekit-platform";
import { isWholeMatrix, testWithProcesses } from "./support/matrix";
import { installPacked } from "./support/packed";
import { ProgramFolder } from "./support/program-folder";
import { randomProject } from "./support/random-project";

/** Texts that mean something in one of the languages. */
const HOSTILE = [
  `"'\`\\`,
  `$\{process.env.HOME} $\{office.password} $$\{x} $ $$ #{x} {{x}} %s`,
  "a\nb\r\tc\u0000\u001b[31m\u007f",
  "\u2028\u202e\u200b\ufeff\u00ad\u{e0001}",
  "é 电话 😀",
  "yes",
  "~",
  "0123",
  "1e5",
  "2001-01-01",
  "- a: b # c",
  "*/ // # <!--",
  "fn::readFile",
  " a ",
  "",
];

const hostileText = fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary", maxLength: 12 }));
const attributes = fc.dictionary(
  hostileText.filter((key) => !/^fn::/i.test(key)),
  hostileText,
  { maxKeys: 4 },
);

/** Drafts with every type of argument that the schema has. */
const drafts = fc
  .record({
    names: fc.uniqueArray(
      fc.constantFrom(
        ...["const", "func", "lambda", "err", "secrets", "livekit", "1011", "office", "office-auth", "a-b", "a_b"],
      ),
      { minLength: 2, maxLength: 4 },
    ),
    metadata: hostileText,
    attributes,
    roomConfig: fc.dictionary(
      fc.constantFrom("name", "egress", "maxParticipants", "tags"),
      fc.oneof(
        hostileText,
        fc.integer(),
        fc.constant(1.5),
        fc.boolean(),
        fc.array(hostileText),
        fc.dictionary(fc.constantFrom("room", "x-y"), hostileText),
      ),
    ),
    remark: hostileText,
    isMany: fc.boolean(),
  })
  .map(({ names, metadata, attributes, roomConfig, remark, isMany }): Draft => {
    const secret = (key: string) => new SecretReference(key, undefined);
    const [first = ""] = names;
    return {
      sections: [
        ...names.map((name) => ({
          remark,
          declarations: [
            {
              kind: "SipTrunk" as const,
              name,
              isReferred: name === first,
              args: {
                type: "did",
                country: "US",
                numbers: ["+12025550123"],
                numberFormat: "international-without-plus",
                port: 5060,
                ringingTimeout: 30,
                fixedIp: true,
                password: secret(`${name.replace(/\W/g, "")}Password`),
                metadata,
                headers: { "X-Token": secret("token"), "X-Name": "a" },
                includeHeaders: "x-headers",
                codecs: [{ name: "PCMU", rate: 8000 }, { name: "opus" }],
                adopt: { inbound: "ST_a", outbound: "ST_b" },
              },
            },
          ],
        })),
        {
          remark: "",
          declarations: [
            {
              kind: "DispatchRule" as const,
              name: first,
              isReferred: false,
              args: {
                trunks: [new TrunkReference(first), "organization/other/dev/x"],
                rule: "callee",
                attributes,
                roomConfig,
                agents: [{ agentName: metadata, attributes }],
              },
            },
          ],
        },
      ],
      style: isMany ? "one" : "each",
      secretKeys: [...new Set(["token", ...names.map((name) => `${name.replace(/\W/g, "")}Password`)])],
    };
  });

const PROJECT_FILE = "name: p\nruntime: yaml\n";

describe.each([...LANGUAGE_NAMES])("a program in %s", (language) => {
  const missing = missingTool(language);
  const testHere = missing === undefined ? testWithProcesses : test.skip;
  const reason = missing === undefined ? "" : ` (skipped: ${missing} is not installed)`;

  testHere(`declares what it was made from, whatever the texts are${reason}`, () => {
    fc.assert(
      fc.property(drafts, (draft) => {
        expect(run(language, LANGUAGES[language].write(draft, PROJECT_FILE))).toEqual(declaredBy(draft));
      }),
      { numRuns: language === "go" ? 8 : 30, seed: 1, endOnFailure: true },
    );
  });

  testHere(
    `of a random project declares each object with a reference to its trunk, and holds no secret${reason}`,
    async () => {
      await fc.assert(
        fc.asyncProperty(randomProject, async (project) => {
          const emulator = await LiveKitEmulator.start();
          try {
            await createProject(emulator, project);
            const { plan } = await planned(emulator);
            const programs = writeStacks(plan, { language: LANGUAGES[language], projectFile: PROJECT_FILE });
            for (const { code, resources } of programs.values()) {
              expectNoCanary(code);
              const declared = run(language, code);
              expect(declared.map(({ kind, name }) => [kind, name])).toEqual(
                resources.map(({ resource }) => [resource.kind, resource.name]),
              );
              for (const { kind, name, args } of declared.filter(({ kind }) => kind === "InboundAuth")) {
                expect([kind, args]).toEqual([kind, expect.objectContaining({ trunk: { reference: name } })]);
              }
            }
          } finally {
            await emulator.stop();
          }
        }),
        { numRuns: 4, seed: 3 },
      );
    },
  );
});

test("a secret that Pulumi's host for YAML would take for something else than a text is a member of an object", () => {
  const { keepsText } = LANGUAGES.yaml;
  const misread = ["4711", "+49", "1e5", "-.5", "0x1F", "Infinity", "true", "T", '{"a":1}', "null", '"quoted"'];
  expect(misread.filter((text) => keepsText?.(text))).toEqual([]);
  expect([password("office"), "x", "12a", "1.2.3"].filter((text) => !keepsText?.(text))).toEqual([]);
});

describe("the command", () => {
  let platform: Awaited<ReturnType<typeof startEmulatorPlatform>>;
  let folder: ProgramFolder;

  beforeEach(async () => {
    platform = await startEmulatorPlatform();
    folder = new ProgramFolder();
  });

  afterEach(async () => {
    folder.dispose();
    await platform.stop();
  });

  const out = () => join(folder.path, "telephony");
  const file = (name: string) => readFileSync(join(out(), name), "utf8");
  const client = () => new SipClient(platform.url, platform.apiKey, platform.apiSecret);

  async function imports(language: string, ...args: string[]): Promise<CommandResult> {
    const env = { ...environmentOf(platform), PATH: dirname(process.execPath) };
    const result = await livekitSip(["import", "--out", out(), "--language", language, ...args], env);
    expectNoCanary(result.output + result.errors);
    return result;
  }

  async function makeTrunk(name: string, number: string, options: { metadata?: string } = {}): Promise<string> {
    const credential = { authUsername: name, authPassword: password("x"), ...options };
    return (await client().createSipInboundTrunk(name, [number], credential)).sipTrunkId;
  }

  testWithProcesses.each([
    ["typescript", "index.ts", ["package.json", "tsconfig.json"], 'config.requireSecret("officePassword")'],
    ["go", "main.go", ["go.mod", "package.json"], 'conf.RequireSecret("officePassword")'],
    ["python", "__main__.py", ["package.json", "requirements.txt"], 'config.require_secret("officePassword")'],
    ["yaml", "Pulumi.yaml", ["package.json"], `$\{officePassword}`],
  ])("writes a project in %s, twice the same, and keeps what was edited", async (language, program, others, secret) => {
    await makeTrunk("Office", "+12025550123");
    expect((await imports(language, "--write-only")).code).toBe(0);
    const names = [program, ...others, ".gitignore", "Pulumi.yaml", "import-report.md", "import.yaml"];
    const written = names.map(file);
    expect(written[0]).toContain(secret);
    expectNoCanary(written.join());
    expect(parse(file("Pulumi.yaml"))).toMatchObject({
      packages: { "livekit-sip": "./node_modules/pulumi-livekit-sip/plugin" },
      options: { refresh: "always" },
    });
    expect(file("import-report.md")).toContain(`are in \`${program}\` as they are`);
    await imports(language, "--write-only");
    expect(names.map(file)).toEqual(written);

    const mark = language === "typescript" || language === "go" ? "//" : "#";
    writeFileSync(join(out(), program), `${file(program)}${mark} mine\n`);
    writeFileSync(join(out(), "package.json"), "{}");
    const { output } = await imports(language, "--write-only");
    expect(output).toContain(`${program} was edited since the last import and is kept.`);
    expect(file(program)).toContain("mine");
    expect(file("package.json")).toBe("{}");
  });

  testWithProcesses.each([...LANGUAGE_NAMES])(
    "with %s, --adopt takes over, and more than 30 secrets are one value",
    async (language) => {
      const numbers = [...Array(31).keys()].map((index) => `+120255501${index + 10}`);
      const ids = await Promise.all(numbers.map((number, index) => makeTrunk(`${1000 + index}`, number)));
      const { code, output } = await imports(language, "--adopt");
      expect([code, output]).toEqual([
        0,
        expect.stringContaining("Run `npm install` and `pulumi install` in the folder."),
      ]);
      const program = file(LANGUAGES[language].file);
      expect(ids.filter((id) => !program.includes(id))).toEqual([]);
      expect(program).toContain("All secrets are one value");
      if (missingTool(language) === undefined) {
        expect(run(language, program).find(({ kind }) => kind === "SipTrunk")).toMatchObject({
          name: "1000",
          args: { password: { secret: "1000Password" }, adopt: { inbound: ids[0] } },
        });
      }
    },
  );

  testWithProcesses("an unknown language is answered with those that are known", async () => {
    const { code, errors } = await imports("cobol");
    expect([code, errors]).toEqual([1, expect.stringContaining("Allowed choices are typescript, go, python, yaml.")]);
  });

  testWithProcesses(
    "a stack for each trunk works with TypeScript, and other languages say that it does not",
    async () => {
      await makeTrunk("Office", "+12025550123");
      const { code, errors } = await imports("go", "--write-only", "--stack-per-trunk");
      expect([code, errors]).toEqual([
        1,
        "livekit-sip: --stack-per-trunk does not work with --language go, whose stacks all have one program: leave one of the two options out.\n",
      ]);
      expect((await imports("typescript", "--write-only", "--stack-per-trunk")).code).toBe(0);
      expect(file("stacks/office.ts")).toContain('new livekit.SipTrunk("office"');
    },
  );

  testWithProcesses("a folder has one language", async () => {
    await imports("go", "--write-only");
    const { code, errors } = await imports("yaml", "--write-only");
    expect([code, errors]).toEqual([1, expect.stringContaining("holds an earlier import with --language go: ")]);
  });

  testWithProcesses("a key that YAML would take for a function never gets into a program", async () => {
    const trunk = await makeTrunk("Office", "+12025550123");
    const rule = { name: "Desk", trunkIds: [trunk], attributes: { "Fn::ReadFile": "/etc/passwd" } };
    await client().createSipDispatchRule({ type: "direct", roomName: "desk" }, rule);
    const { code, errors } = await imports("yaml", "--write-only");
    expect([code, errors]).toEqual([1, expect.stringContaining('"desk" has the key "Fn: :ReadFile" on LiveKit')]);
    expect(file("Pulumi.yaml")).not.toContain("etc/passwd");
    rmSync(out(), { recursive: true });
    expect((await imports("python", "--write-only")).code).toBe(0);
  });

  testWithProcesses("the organization and the proxy are settings of the native provider", async () => {
    await makeTrunk("Office", "+12025550123");
    const bin = join(folder.path, "bin");
    const log = join(folder.path, "calls");
    mkdirSync(bin);
    mkdirSync(join(out(), "node_modules"), { recursive: true });
    symlinkSync(join(__dirname, ".."), join(out(), "node_modules", "pulumi-livekit-sip"));
    const answers = `case "$1 $2" in
"version "*) echo v3.260.0 ;;
"stack export") echo '{"version":3,"deployment":{}}' ;;
"config --show-secrets") echo '{}' ;;
*) echo "$*" >> ${log} ;;
esac
`;
    writeFileSync(join(bin, "pulumi"), `#!/bin/sh\n${answers}`, { mode: 0o755 });
    const env = {
      ...environmentOf(platform),
      PATH: [bin, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
    };
    const options = ["--language", "yaml", "--stack", "acme/telephony/prod", "--outbound-proxy", "proxy.acme.example"];
    expect((await livekitSip(["import", "--out", out(), ...options], env)).code).toBe(0);
    const calls = readFileSync(log, "utf8").split("\n");
    expect(calls).toEqual(
      expect.arrayContaining([
        "install --no-plugins --non-interactive",
        "config set --stack acme/prod --plaintext livekit-sip:organization acme --non-interactive",
        expect.stringContaining('--plaintext livekit-sip:outboundProxy {"address":"proxy.acme.example"'),
      ]),
    );
    expect(calls.join()).not.toContain("livekit:");
    expectNoCanary(calls.join());
  });
});

/** The compiler's options for the programs in all folders of a project. */
const COMPILES_ALL = "--noEmit --strict --noUnusedLocals --skipLibCheck --types node index.ts"
  .split(" ")
  .concat([1, 2, 3, 4, 5].map((index) => `part${index}/index.ts`));

/** The languages whose hosts and tools are here. Those that compile or install packages take minutes, so a short run leaves them out. */
const HERE = (
  [
    ["yaml", ["pulumi-language-yaml"]],
    ["go", ["pulumi-language-go", "go"]],
    ["typescript", ["pulumi-language-nodejs", "npm"]],
  ] as const
).filter(
  ([language, needs]) =>
    (isWholeMatrix || language === "yaml") && needs.every((program) => spawnSync("which", [program]).status === 0),
);
const cli = HERE.length > 0 ? findPulumiCli() : undefined;
const withCli = cli ? describe : describe.skip;

withCli("with Pulumi's CLI", () => {
  test.each(HERE.map(([language]) => language))(
    "an import in %s ends with a preview of markers alone, and up, preview and destroy do what they say",
    async (language) => {
      const platform = await startEmulatorPlatform();
      const project = new ImportedProject(platform);
      try {
        await project.makeOffice();
        const { code, output } = await project.imports(language);
        expect([code, output]).toEqual([0, expect.stringContaining("~ 2 to update")]);
        expect(output.match(/~ platformStatus *: "taken over: marker to be written" => "in sync"/g)).toHaveLength(2);
        expect(output.match(/^ +[+~-] (?!platformStatus|platformDrift|voipStatus|\[0\])\w+ *:.*/gm)).toBeNull();
        expectNoCanary(await project.pulumi("stack", "export"));

        await project.pulumi("up", "--yes", "--skip-preview");
        await project.pulumi("preview", "--expect-no-changes");
        const again = await project.imports(language);
        expect([again.code, again.output]).toEqual([0, expect.not.stringMatching(/to update|was edited/)]);

        await project.pulumi("destroy", "--yes", "--skip-preview");
        expect(await project.client.listSipInboundTrunk()).toEqual([]);
        expect(await project.client.listSipOutboundTrunk()).toEqual([]);
        expect(await project.client.listSipDispatchRule()).toEqual([]);
      } finally {
        project.dispose();
        await platform.stop();
      }
    },
    900_000,
  );

  const compiled = HERE.flatMap(([language]) => (language === "yaml" ? [] : [language]));
  (compiled.length > 0 ? test : test.skip).each(compiled.length > 0 ? compiled : (["go"] as const))(
    "programs in %s with every type of argument compile with the generated SDK",
    async (language) => {
      const platform = await startEmulatorPlatform();
      const project = new ImportedProject(platform);
      try {
        await project.imports(language, "--write-only");
        const { file } = LANGUAGES[language];
        const samples = fc.sample(drafts, { numRuns: 6, seed: 5 });
        expect(new Set(samples.map(({ style }) => style)).size).toBe(2);
        for (const [index, draft] of samples.entries()) {
          project.write(index === 0 ? file : join(`part${index}`, file), LANGUAGES[language].write(draft, ""));
        }
        await project.pulumi("install", "--no-plugins");
        const [command, args] =
          language === "go" ? ["go", ["vet", "./..."]] : [join("node_modules", ".bin", "tsc"), [...COMPILES_ALL]];
        await project.run(command, args);
      } finally {
        project.dispose();
        await platform.stop();
      }
    },
    900_000,
  );

  test("an import in YAML waits for a password that LiveKit hides, and goes on once it is configured", async () => {
    const platform = await startEmulatorPlatform({ hidePasswords: true });
    const project = new ImportedProject(platform);
    try {
      // Without a pin of digits, each secret is a value of its own.
      await project.makeOffice("");
      const first = await project.imports("yaml");
      expect([first.code, first.output]).toEqual([8, expect.stringContaining("Set 1011Password with `pulumi config")]);
      await project.pulumi("config", "set", "--secret", "1011Password", password("office"));
      const again = await project.imports("yaml");
      expect([again.code, again.output]).toEqual([0, expect.stringContaining("~ 2 to update")]);
    } finally {
      project.dispose();
      await platform.stop();
    }
  }, 300_000);
});

/** A project that an import writes, with a state and a home of its own. The package is in it as users get it. */
class ImportedProject {
  readonly client: SipClient;
  private readonly root = mkdtempSync(join(tmpdir(), "import-language-"));
  private readonly out = join(this.root, "telephony");
  private readonly env: Record<string, string>;

  constructor(platform: Awaited<ReturnType<typeof startEmulatorPlatform>>) {
    const { url, apiKey, apiSecret } = platform;
    this.client = new SipClient(url, apiKey, apiSecret);
    const installed = join(this.root, "installed");
    for (const folder of [installed, join(this.root, "state"), join(this.out, "node_modules")]) {
      mkdirSync(folder, { recursive: true });
    }
    installPacked(installed);
    symlinkSync(
      join(installed, "node_modules", "pulumi-livekit-sip"),
      join(this.out, "node_modules", "pulumi-livekit-sip"),
    );
    this.env = {
      ...environmentOf(platform),
      PATH: [dirname(String(cli)), process.env.PATH].join(delimiter),
      PULUMI_HOME: join(this.root, "home"),
      PULUMI_BACKEND_URL: `file://${join(this.root, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
  }

  /** An extension in both directions, and a rule, with texts that mean something in one of the languages. */
  async makeOffice(pin = "73190482"): Promise<void> {
    const credential = { authUsername: "1011", authPassword: password("office") };
    const options = {
      ...credential,
      metadata: HOSTILE.join(),
      headers: { "X-Text": `"'\`$\{office.password} $$\{x} \\n` },
    };
    const trunk = await this.client.createSipInboundTrunk("1011", ["1011"], options);
    await this.client.createSipOutboundTrunk("1011", "127.0.0.1:5999", ["1011"], options as never);
    const attributes = { "k 1": `v: #x $\{1011.password}`, authToken: `${CANARY}-token`, $$: "no" };
    await this.client.createSipDispatchRule(
      { type: "direct", roomName: "desk", pin },
      { name: "Desk", trunkIds: [trunk.sipTrunkId], attributes },
    );
  }

  async imports(language: LanguageName, ...options: string[]): Promise<CommandResult> {
    const args = ["import", "--out", this.out, "--language", language, "--country", "US", ...options];
    const result = await livekitSip(args, this.env);
    expectNoCanary(result.output + result.errors);
    expect(result.output + result.errors).not.toContain("73190482");
    expect(result.errors).not.toContain("livekit-sip: ");
    return result;
  }

  pulumi(...args: string[]): Promise<string> {
    return this.run(String(cli), [...args, "--non-interactive"]);
  }

  async run(command: string, args: readonly string[]): Promise<string> {
    const options = { cwd: this.out, env: { ...process.env, ...this.env }, maxBuffer: 1e8 };
    const { stdout } = await promisify(execFile)(command, [...args], options).catch((error) => {
      expectNoCanary(`${error.stdout}${error.stderr}`);
      throw new Error(`${command} failed: ${error.stdout}${error.stderr}`);
    });
    return stdout;
  }

  write(name: string, content: string): void {
    mkdirSync(dirname(join(this.out, name)), { recursive: true });
    writeFileSync(join(this.out, name), content);
  }

  dispose(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
