/** The examples in other languages, with the SDKs that the Pulumi CLI generates, from `pulumi package add` to `pulumi destroy`, and the sources of the plugin. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SipClient } from "livekit-server-sdk";
import type { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { findPulumiCli } from "./support/cli-stack";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { GitHost } from "./support/git-host";
import { GitRepository } from "./support/git-repository";
import { startEmulatorPlatform } from "./support/livekit-platform";
import { isWholeMatrix } from "./support/matrix";
import { copyRepository, makeArchive, pack, unpackTarball } from "./support/packed";

const TIMEOUT_MS = 900_000;
const root = join(__dirname, "..");
const { version }: { version: string } = require("../package.json");

const REFERENCE = join(root, "examples", "languages", "reference");

interface Language {
  readonly language: string;
  /** The programs that have to be on PATH. */
  readonly needs: readonly string[];
  /** How its examples of the reference are compiled: what the files are called, and the command for all of them. */
  readonly compile?: { readonly file: string; readonly as: string; readonly command: string };
}

const TSC = `'${join(root, "node_modules", ".bin", "tsc")}' --noEmit --strict --skipLibCheck --module node16 --target es2022`;

const ALL_LANGUAGES: readonly Language[] = [
  {
    language: "typescript",
    needs: ["pulumi-language-nodejs", "npm"],
    compile: { file: "program.ts", as: "index.ts", command: `${TSC} */index.ts` },
  },
  {
    language: "go",
    needs: ["pulumi-language-go", "go"],
    compile: { file: "program.go", as: "main.go", command: "go vet ./..." },
  },
  { language: "yaml", needs: ["pulumi-language-yaml"] },
  { language: "csharp", needs: ["pulumi-language-dotnet", "dotnet"] },
  // Python needs Pulumi's SDK too: not every machine reaches an index that has it.
  ...(succeeds("python3", "-c", "import pulumi") ? [{ language: "python", needs: ["pulumi-language-python"] }] : []),
];

/** The languages whose hosts and tools are on PATH. */
const LANGUAGES = ALL_LANGUAGES.filter(({ needs }) => needs.every((program) => succeeds("which", program)));

function succeeds(program: string, ...args: string[]): boolean {
  return spawnSync(program, args).status === 0;
}

const cli = isWholeMatrix && LANGUAGES.length > 0 ? findPulumiCli() : undefined;
/** Without the CLI there is one case, whose tests are skipped. */
const cases: readonly Language[] = cli ? LANGUAGES : [{ language: "any", needs: [] }];

/** A program that a test runs in an empty folder, with a state and a home of its own. */
class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "native-program-"));
  /** The folder with its Pulumi.yaml. */
  readonly program = join(this.folder, "program");
  /** Everything that was printed. */
  printed = "";

  constructor(
    language: string,
    private readonly env: Readonly<Record<string, string>> = {},
  ) {
    mkdirSync(join(this.folder, "state"));
    cpSync(join(root, "examples", "languages", language), this.program, { recursive: true });
  }

  /** Makes a stack that uses the emulator. */
  async configure({ url, apiKey, apiSecret }: LiveKitEmulator): Promise<void> {
    await this.pulumi(["stack", "init", "dev"]);
    await this.pulumi(["config", "set", "livekit-sip:url", url]);
    await this.pulumi(["config", "set", "livekit-sip:apiKey", apiKey]);
    await this.pulumi(["config", "set", "--secret", "livekit-sip:apiSecret"], { input: apiSecret });
    await this.pulumi(["config", "set", "address", "pbx.acme.example"]);
    await this.pulumi(["config", "set", "--secret", "password"], { input: password("reception") });
  }

  /** Runs the Pulumi CLI and returns what it printed. Fails unless it ends with the expected code. */
  async pulumi(args: readonly string[], { expected = 0, input = "" } = {}): Promise<string> {
    const child = spawn(String(cli), [...args, "--non-interactive", "--color", "never"], {
      cwd: this.program,
      env: {
        ...process.env,
        ...this.env,
        PATH: `${join(String(cli), "..")}:${process.env.PATH}`,
        PULUMI_HOME: join(this.folder, "home"),
        PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_SKIP_UPDATE_CHECK: "true",
        // CI runs the tests with npm's option to ignore scripts, which would be handed on.
        npm_config_ignore_scripts: "false",
      },
    });
    child.stdin.end(input);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        output += String(data);
      });
    }
    const code = await new Promise((resolve) => child.once("close", resolve));
    // At this level the engine itself logs every property that it sends or receives, secrets included (SECURITY.md).
    this.printed += output.replace(/^.*arshaling property for RPC.*$/gm, "");
    if (code !== expected) {
      expectNoCanary(output);
      throw new Error(`pulumi ${args[0]} ended with ${code}:\n${output.slice(-4000)}`);
    }
    return output;
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const describeHere = cli ? describe : describe.skip;

describeHere("a program with a generated SDK", () => {
  let emulator: LiveKitEmulator;
  let client: SipClient;

  beforeEach(async () => {
    ({ emulator } = await startEmulatorPlatform());
    client = new SipClient(emulator.url, emulator.apiKey, emulator.apiSecret);
  });

  afterEach(() => emulator.stop());

  test.each(cases)(
    "in $language comes up, shows drift, repairs it, imports and is destroyed, without printing a secret",
    async ({ language }) => {
      const project = new Project(language);
      try {
        const run = (...args: string[]) => project.pulumi(args);
        await run("package", "add", join(root, "plugin"));
        await project.configure(emulator);
        await run("up", "--yes", "--skip-preview");
        const [outbound] = await client.listSipOutboundTrunk();
        expect(outbound).toMatchObject({ authPassword: password("reception"), numbers: ["1011"] });
        await run("preview", "--expect-no-changes");

        await client.updateSipOutboundTrunkFields(String(outbound?.sipTrunkId), { authPassword: password("by-hand") });
        const debug = ["--debug", "-v=9", "--logtostderr"];
        const plan = await project.pulumi(["preview", "--diff", "--expect-no-changes", ...debug], { expected: 7 });
        expect(plan).toMatch(/~ credentialFingerprint *: "[0-9a-f]{8}" => "[0-9a-f]{8}"/);
        expect(plan).toMatch(/~ platformStatus *: "password changed outside Pulumi" => "in sync"/);
        await run("up", "--yes", "--skip-preview", ...debug);
        expect(await client.listSipOutboundTrunk()).toMatchObject([{ authPassword: password("reception") }]);
        await run("preview", "--expect-no-changes");

        const [inbound] = await client.listSipInboundTrunk();
        const rule = await client.createSipDispatchRule(
          { type: "direct", roomName: "lobby", pin: "4711" },
          { name: "night", trunkIds: [String(inbound?.sipTrunkId)] },
        );
        const imported = await run(
          ...["import", "--yes", "--protect=false", "livekit-sip:index:DispatchRule", "night", rule.sipDispatchRuleId],
        );
        expect(imported).toContain("lobby");
        expect(imported).not.toContain("4711");

        await run("destroy", "--yes", "--skip-preview");
        expect(await client.listSipOutboundTrunk()).toEqual([]);
        expect(await client.listSipDispatchRule()).toEqual([]);
        expectNoCanary(project.printed);
        expect(project.printed).not.toContain(emulator.apiSecret);
        expect(project.printed).not.toContain(CANARY);
        expectNoCanary(await run("stack", "export"));
      } finally {
        project.dispose();
      }
    },
    TIMEOUT_MS,
  );

  test.each(cases.filter(({ compile }) => compile || !cli))(
    "in $language compiles, if it is an example of the reference",
    async ({ language, compile = { file: "", as: "", command: "" } }) => {
      const project = new Project(language);
      try {
        await project.pulumi(["package", "add", join(root, "plugin")]);
        for (const topic of readdirSync(REFERENCE)) {
          const folder = join(project.program, topic);
          mkdirSync(folder);
          cpSync(join(REFERENCE, topic, compile.file), join(folder, compile.as));
        }
        const { status, stdout, stderr } = spawnSync(compile.command, {
          cwd: project.program,
          encoding: "utf8",
          shell: true,
        });
        expect([status, stdout, stderr]).toEqual([0, "", ""]);
      } finally {
        project.dispose();
      }
    },
    TIMEOUT_MS,
  );

  /** Where else the plugin may come from: what `pulumi package add` gets for it. */
  const sources: readonly {
    readonly source: string;
    readonly address: (project: Project) => string | Promise<string>;
  }[] = [
    {
      source: "a tarball that npm installed",
      address: ({ folder, program }) => {
        writeFileSync(join(program, "package.json"), '{ "private": true }');
        execFileSync("npm", ["install", "--silent", pack(folder).tarball], { cwd: program });
        return "./node_modules/pulumi-livekit-sip/plugin";
      },
    },
    { source: "an unpacked tarball", address: ({ folder }) => join(unpackTarball(folder), "plugin") },
    {
      source: "the archive of a release",
      address: async (project) => {
        const archive = makeArchive(join(project.folder, "archives"));
        await project.pulumi(["plugin", "install", "resource", "livekit-sip", version, "--file", archive]);
        return "livekit-sip";
      },
    },
    { source: "a Git address", address: () => `${gitHost.address}/plugin@${version}` },
  ];
  const yaml = cases.filter(({ language }) => language === "yaml");

  (yaml.length > 0 && succeeds("which", "pulumi-language-dotnet") ? test : test.skip)(
    "in C# is the one that Pulumi's converter makes of the one in YAML",
    async () => {
      const project = new Project("yaml");
      try {
        await project.pulumi(["package", "add", join(root, "plugin")]);
        const out = join(project.folder, "converted");
        await project.pulumi(["convert", "--from", "yaml", "--language", "csharp", "--generate-only", "--out", out]);
        const [example, converted] = [join(root, "examples", "languages", "csharp"), out].map((folder) =>
          readFileSync(join(folder, "Program.cs"), "utf8").trim(),
        );
        expect(example).toBe(converted);
      } finally {
        project.dispose();
      }
    },
    TIMEOUT_MS,
  );

  let repository: GitRepository;
  let gitHost: GitHost;

  beforeAll(async () => {
    repository = new GitRepository();
    copyRepository(repository.path);
    repository.commit({});
    repository.git("tag", `v${version}`);
    gitHost = await GitHost.start(repository.path);
  });

  afterAll(async () => {
    await gitHost.stop();
    repository.dispose();
  });

  (yaml.length > 0 ? test : test.skip).each(sources)(
    "comes up with the plugin from $source",
    async ({ address }) => {
      // npm asks its registry, not the code host's proxy.
      const registry = execFileSync("npm", ["config", "get", "registry"], { cwd: root, encoding: "utf8" });
      const project = new Project("yaml", { ...gitHost.env, npm_config_noproxy: new URL(registry).hostname });
      try {
        await project.pulumi(["package", "add", await address(project)]);
        await project.configure(emulator);
        await project.pulumi(["up", "--yes", "--skip-preview"]);
        expect(await client.listSipOutboundTrunk()).toMatchObject([{ authPassword: password("reception") }]);
        await project.pulumi(["destroy", "--yes", "--skip-preview"]);
        expect(await client.listSipOutboundTrunk()).toEqual([]);
      } finally {
        project.dispose();
      }
    },
    TIMEOUT_MS,
  );
});
