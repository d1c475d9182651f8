/**
 * The Pulumi templates, as `pulumi new` renders them outside this repository, with the packed package. Without the Pulumi CLI, the test
 * renders them itself.
 */

import { spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { parseDocument } from "yaml";
import { TestStack } from "../provider/testing/test-stack";
import { findPulumiCli } from "./support/cli-stack";
import { expectNoCanary, password } from "./support/examples";
import { objectsOn } from "./support/field";
import { type Platform, startEmulatorPlatform } from "./support/livekit-platform";
import { scenario } from "./support/matrix";
import { installPacked } from "./support/packed";
import { expectSuccess } from "./support/worlds";

const root = join(__dirname, "..");
const TEMPLATES = { quickstart: join(root, "templates", "quickstart"), fleet: join(root, "examples", "fleet") };
type Template = keyof typeof TEMPLATES;

interface Question {
  description: string;
  default?: string;
  secret?: boolean;
}

/** Pulumi.yaml as far as it says what `pulumi new` asks. */
function questionsOf(template: Template): Record<string, Question> {
  const file = readFileSync(join(TEMPLATES[template], "Pulumi.yaml"), "utf8");
  return parseDocument(file).toJS().template.config;
}

/** What somebody answers. Everything else is left at its default. */
interface Answers {
  readonly what: string;
  readonly template: Template;
  readonly stack: string;
  readonly given: Record<string, string>;
  /** What is on LiveKit afterwards. */
  readonly expected: { inbound: Record<string, unknown>; outbound: Record<string, unknown> };
}

const CASES: Answers[] = [
  {
    what: "quickstart for an extension",
    template: "quickstart",
    stack: "dev",
    given: { extension: "1011", address: "pbx.acme.example", country: "US" },
    expected: {
      inbound: { name: "phone", numbers: ["1011"], authUsername: "1011", authPassword: password("phone") },
      outbound: { address: "pbx.acme.example", authUsername: "1011", authPassword: password("phone") },
    },
  },
  {
    what: "quickstart for phone numbers",
    template: "quickstart",
    stack: "dev",
    given: {
      ...{ numbers: "+40741926265, +40741926266", username: "acme", address: "sip.provider.example", country: "RO" },
      ...{ numberFormat: "national", allowedAddresses: "203.0.113.7,198.51.100.0/24", agentName: "support" },
    },
    expected: {
      inbound: { allowedAddresses: ["203.0.113.7/32", "198.51.100.0/24"], authUsername: "" },
      outbound: { numbers: ["0741926265", "0741926266"], authUsername: "acme", destinationCountry: "RO" },
    },
  },
  {
    what: "fleet",
    template: "fleet",
    stack: "acme",
    given: {},
    expected: {
      inbound: { name: "acme", numbers: ["1011"], authPassword: password("phone") },
      outbound: { address: "pbx.acme.example", authPassword: password("phone") },
    },
  },
];

let platform: Platform;
let home: string;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "templates-"));
  installPacked(home);
}, 60_000);

beforeEach(async () => {
  platform = await startEmulatorPlatform();
});

afterEach(async () => {
  await platform.stop();
});

afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

/** A folder for a project. It finds the packed package in the folder above, as it would in its own node_modules. */
function emptyFolder(): string {
  return mkdtempSync(join(home, "project-"));
}

const connection = () => ({
  config: { "livekit:url": platform.url, "livekit:apiKey": platform.apiKey },
  secrets: { "livekit:apiSecret": platform.apiSecret, password: password("phone") },
});

async function expectDeployed({ expected }: Answers): Promise<void> {
  const { inbound, outbound, rules } = await objectsOn(platform);
  expect(inbound).toEqual([expect.objectContaining(expected.inbound)]);
  expect(outbound).toEqual([expect.objectContaining(expected.outbound)]);
  expect(rules).toEqual([expect.objectContaining({ trunkIds: [inbound[0]?.sipTrunkId] })]);
}

describe.each<Template>(["quickstart", "fleet"])("the template %s", (template) => {
  test("asks for every secret without showing it, and says of everything what it is", () => {
    for (const [key, { description, secret }] of Object.entries(questionsOf(template))) {
      expect([key, description]).toEqual([key, expect.stringMatching(/^.{10,}$/)]);
      expect([key, secret]).toEqual([key, /secret|password/i.test(key) ? true : undefined]);
    }
  });

  test("asks for what its program reads", () => {
    const program = readFileSync(join(TEMPLATES[template], "index.ts"), "utf8");
    const asked = Object.keys(questionsOf(template)).filter((key) => !key.includes(":"));
    const unread = asked.filter((key) => !program.includes(`"${key}"`));
    expect(unread).toEqual([]);
  });

  // Pulumi's own, 3.8, can't read the types.
  test("has the TypeScript that the package's types are tested with", () => {
    const own: { devDependencies: Record<string, string> } = require("../package.json");
    const { devDependencies } = require(join(TEMPLATES[template], "package.json"));
    expect(devDependencies).toEqual({ typescript: own.devDependencies.typescript });
  });

  test("depends on a range that this version of the package is in", () => {
    const { version }: { version: string } = require("../package.json");
    const { dependencies }: { dependencies: Record<string, string> } = require(
      join(TEMPLATES[template], "package.json"),
    );
    expect(dependencies["pulumi-livekit-sip"]).toBe(`^${version}`);
  });
});

test("the quickstart asks for each step of the product description's form", () => {
  const keys = Object.keys(questionsOf("quickstart"));
  const steps = {
    3: ["extension", "numbers", "username", "password"],
    4: ["address", "fixedIp"],
    5: ["numberFormat"],
    6: ["allowedAddresses"],
    7: ["country"],
  };
  expect(keys).toEqual(expect.arrayContaining(Object.values(steps).flat()));
});

describe("rendered without the CLI", () => {
  /** What `pulumi new` makes of a template. */
  function render({ template }: Answers): string {
    const folder = emptyFolder();
    cpSync(TEMPLATES[template], folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
    const file = join(folder, "Pulumi.yaml");
    const project = parseDocument(readFileSync(file, "utf8"));
    project.set("name", "phone");
    project.delete("template");
    writeFileSync(file, project.toString());
    return folder;
  }

  scenario.each(CASES)("$what comes up, and has an empty second preview", async (answers) => {
    const { config, secrets } = connection();
    const defaults = Object.entries(questionsOf(answers.template)).flatMap(([key, question]) =>
      question.default === undefined ? [] : [[key, question.default]],
    );
    const stack = await TestStack.create({
      projectDir: render(answers),
      stack: answers.stack,
      config: { ...Object.fromEntries(defaults), ...config, ...answers.given },
      secrets,
      env: { LIVEKIT_URL: undefined, LIVEKIT_API_KEY: undefined, LIVEKIT_API_SECRET: undefined },
    });
    try {
      const up = await stack.up();
      expectSuccess(up);
      await expectDeployed(answers);
      expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
      expectNoCanary(up.text + JSON.stringify(stack.exportState()));
    } finally {
      await stack.dispose();
    }
  });
});

const cli = findPulumiCli();
(cli ? describe : describe.skip)("with the CLI", () => {
  interface Run {
    readonly code: number | null;
    readonly text: string;
  }

  /** Runs the CLI in a project, with `npm install` replaced by what it would do if the package were published. */
  function pulumi(folder: string, args: readonly string[], input = ""): Promise<Run> {
    const bin = join(home, "bin");
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, "npm"), "#!/bin/sh\nln -sfn ../node_modules node_modules\n");
    chmodSync(join(bin, "npm"), 0o755);
    const env = {
      ...process.env,
      PATH: [bin, dirname(cli ?? ""), process.env.PATH].join(delimiter),
      PULUMI_HOME: join(folder, "..", "pulumi"),
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: "templates",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      LIVEKIT_URL: "",
      LIVEKIT_API_KEY: "",
      LIVEKIT_API_SECRET: "",
    };
    return new Promise((resolve, reject) => {
      const child = spawn(cli ?? "", args, { cwd: folder, env, stdio: "pipe" });
      let text = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (part: Buffer) => {
          text += part;
        });
      }
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, text }));
      child.stdin.end(input);
    });
  }

  async function succeed(folder: string, args: readonly string[], input?: string): Promise<string> {
    const { code, text } = await pulumi(folder, args, input);
    if (code !== 0) {
      throw new Error(`pulumi ${args[0]} ended with ${code}: ${text}`);
    }
    return text;
  }

  scenario.each(CASES)("pulumi new of $what ends in a stack that comes up", async (answers) => {
    const folder = emptyFolder();
    const { config, secrets } = connection();
    const given = Object.entries({ ...config, ...answers.given }).flatMap(([key, value]) => [
      "--config",
      `${key}=${value}`,
    ]);
    const address = TEMPLATES[answers.template];
    let text = await succeed(folder, ["new", address, "--yes", "--name", "phone", "--stack", answers.stack, ...given]);
    for (const [key, value] of Object.entries(secrets)) {
      text += await succeed(folder, ["config", "set", "--secret", key, "--stack", answers.stack], value);
    }
    text += await succeed(folder, ["up", "--yes", "--skip-preview", "--stack", answers.stack]);
    await expectDeployed(answers);
    text += await succeed(folder, ["preview", "--expect-no-changes", "--stack", answers.stack]);
    text += await succeed(folder, ["stack", "export", "--stack", answers.stack]);
    expectNoCanary(text + readFileSync(join(folder, `Pulumi.${answers.stack}.yaml`), "utf8"));
    expect(readFileSync(join(folder, "Pulumi.yaml"), "utf8")).not.toContain("template:\n");
  });

  test.each<Template>(["quickstart", "fleet"])(
    "pulumi new --generate-only of %s writes all files",
    async (template) => {
      const folder = emptyFolder();
      await succeed(folder, ["new", TEMPLATES[template], "--yes", "--generate-only", "--name", "phone"]);
      const project = parseDocument(readFileSync(join(folder, "Pulumi.yaml"), "utf8")).toJS();
      expect(project).toMatchObject({ name: "phone", main: "index.ts", options: { refresh: "always" } });
      expect(readFileSync(join(folder, "index.ts"))).toEqual(readFileSync(join(TEMPLATES[template], "index.ts")));
    },
  );
});
