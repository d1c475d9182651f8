/** The examples in other languages, with the SDKs that the Pulumi CLI generates, from `pulumi package add` to `pulumi destroy`. */

import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SipClient } from "livekit-server-sdk";
import type { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { findPulumiCli } from "./support/cli-stack";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { startEmulatorPlatform } from "./support/livekit-platform";
import { isWholeMatrix } from "./support/matrix";

const TIMEOUT_MS = 900_000;
const root = join(__dirname, "..");

const REFERENCE = join(root, "examples", "languages", "reference");

interface Language {
  readonly language: string;
  /** The programs that have to be on PATH. */
  readonly needs: readonly string[];
  /** How its examples are compiled: what they are called, and the command for all of them. */
  readonly compile?: { readonly file: string; readonly as: string; readonly command: string };
}

const TSC = `'${join(root, "node_modules", ".bin", "tsc")}' --noEmit --strict --skipLibCheck --module node16 --target es2022`;

/** The languages that can run here. Python's packages come from an index that not every machine reaches. */
const LANGUAGES: readonly Language[] = [
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
].filter(({ needs }) => needs.every((program) => spawnSync("which", [program]).status === 0));

const cli = isWholeMatrix && LANGUAGES.length > 0 ? findPulumiCli() : undefined;
/** Without the CLI there is one case, whose tests are skipped. */
const cases: readonly Language[] = cli ? LANGUAGES : [{ language: "any", needs: [] }];

/** A program that a test runs in an empty folder, with a state and a home of its own. */
class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "native-program-"));
  readonly program = join(this.folder, "program");
  /** Everything that was printed. */
  printed = "";

  constructor(language: string) {
    mkdirSync(join(this.folder, "state"));
    cpSync(join(root, "examples", "languages", language), this.program, { recursive: true });
  }

  /** Runs the Pulumi CLI and returns what it printed. Fails unless it ends with the expected code. */
  async pulumi(args: readonly string[], { expected = 0, input = "" } = {}): Promise<string> {
    const child = spawn(String(cli), [...args, "--non-interactive", "--color", "never"], {
      cwd: this.program,
      env: {
        ...process.env,
        PATH: `${join(String(cli), "..")}:${process.env.PATH}`,
        PULUMI_HOME: join(this.folder, "home"),
        PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_SKIP_UPDATE_CHECK: "true",
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
        await run("stack", "init", "dev");
        await run("config", "set", "livekit-sip:url", emulator.url);
        await run("config", "set", "livekit-sip:apiKey", emulator.apiKey);
        await project.pulumi(["config", "set", "--secret", "livekit-sip:apiSecret"], { input: emulator.apiSecret });
        await run("config", "set", "address", "pbx.acme.example");
        await project.pulumi(["config", "set", "--secret", "password"], { input: password("reception") });
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
});
