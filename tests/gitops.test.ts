/**
 * The pipelines in examples/gitops: their steps run as they are in a repository with the fleet, on the Pulumi CLI and LiveKit, against
 * stand-ins for GitHub and GitLab. The files themselves are checked by the linters of their tools.
 */

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { ListUpdate } from "@livekit/protocol";
import { SipClient } from "livekit-server-sdk";
import type { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { findPulumiCli } from "./support/cli-stack";
import { GitHubStandIn, GitLabStandIn } from "./support/code-hosts";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { objectsOn } from "./support/field";
import { GitRepository } from "./support/git-repository";
import { bash, readWorkflow, runWorkflow } from "./support/github-actions";
import { findActionlint } from "./support/linters";
import { environmentOf } from "./support/livekit-call";
import { type Platform, startEmulatorPlatform } from "./support/livekit-platform";

const ROOT = join(__dirname, "..");
const GITOPS = join(ROOT, "examples", "gitops");
const WORKFLOWS = join(GITOPS, "github", ".github", "workflows");
const FILES = readdirSync(WORKFLOWS);

const cli = findPulumiCli();
const withCli = cli ? test : test.skip;
const TIMEOUT_MS = 900_000;

describe("the workflows for GitHub", () => {
  test.each(FILES)("%s gives jobs what they need and nothing else", (file) => {
    const { permissions, jobs, concurrency, on } = readWorkflow(join(WORKFLOWS, file));
    expect(permissions).toEqual({});
    expect(concurrency.group).toEqual(expect.any(String));
    expect(JSON.stringify(on)).not.toMatch(/pull_request_target|workflow_run/);
    for (const job of Object.values(jobs)) {
      expect(job.permissions).toMatchObject({ contents: "read" });
      const secrets = /secrets\./.test(JSON.stringify(job));
      // What writes to GitHub in a pull request does not hold LiveKit's key, and a job without an environment holds no secret.
      expect(secrets ? job.environment : "none").toEqual(expect.any(String));
      if (file === "preview.yml") {
        expect(secrets && Object.values(job.permissions ?? {}).filter((it) => it === "write").length > 1).toBe(false);
        expect(secrets && job.permissions?.["pull-requests"] !== undefined).toBe(false);
      }
    }
  });

  test.each(FILES)("%s names every action by its commit, and puts no expression into a script", (file) => {
    const text = readFileSync(join(WORKFLOWS, file), "utf8");
    for (const [, action] of text.matchAll(/uses: (.*)/g)) {
      expect(action).toMatch(/^[\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+/);
    }
    for (const { steps } of Object.values(readWorkflow(join(WORKFLOWS, file)).jobs)) {
      expect(steps.map(({ run = "" }) => run).join("\n")).not.toContain("${" + "{");
    }
  });

  const actionlint = findActionlint();
  (actionlint ? test : test.skip)("pass actionlint, like those of this repository", () => {
    const own = join(ROOT, ".github", "workflows");
    const files = [...FILES.map((it) => join(WORKFLOWS, it)), ...readdirSync(own).map((it) => join(own, it))];
    const { status, stdout } = spawnSync(actionlint ?? "", ["-no-color", ...files], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });
});

/** A repository with the fleet, and what its pipelines have: LiveKit, a backend with stacks, and a runner's tools. */
class Pipelines {
  readonly repository = new GitRepository();
  readonly home = mkdtempSync(join(tmpdir(), "gitops-"));
  readonly passphrase = `${CANARY}-${randomBytes(8).toString("hex")}`;

  constructor(readonly platform: Platform) {
    const { path } = this.repository;
    cpSync(join(ROOT, "examples", "fleet"), path, { recursive: true, filter: (it) => !it.includes("node_modules") });
    this.tool(
      "npm",
      `mkdir -p node_modules/@pulumi && ln -sfn "${ROOT}" node_modules/pulumi-livekit-sip
      for name in pulumi; do ln -sfn "${ROOT}/node_modules/@pulumi/$name" "node_modules/@pulumi/$name"; done
      ln -sfn "${ROOT}/node_modules/@types" node_modules/@types`,
    );
    this.tool("npx", `shift; exec "${process.execPath}" "${join(ROOT, "dist", "cli", "main.js")}" "$@"`);
    mkdirSync(join(this.home, "backend"));
    mkdirSync(join(this.home, "cache"));
    this.repository.commit({ "package-lock.json": "{}" });
  }

  /** A command on the runner's PATH. */
  private tool(name: string, script: string): void {
    mkdirSync(join(this.home, "bin"), { recursive: true });
    writeFileSync(join(this.home, "bin", name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(this.home, "bin", name), 0o755);
  }

  /** The environment of a runner's processes, without any credential. */
  get env(): NodeJS.ProcessEnv {
    const { PATH, HOME, TMPDIR, NODE_OPTIONS, NODE_COMPILE_CACHE } = process.env;
    return {
      ...{ HOME, TMPDIR, NODE_OPTIONS, NODE_COMPILE_CACHE },
      PATH: [join(this.home, "bin"), dirname(cli ?? ""), PATH].join(delimiter),
      PULUMI_HOME: join(this.home, "pulumi"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
  }

  get vars() {
    return { LIVEKIT_URL: this.platform.url, PULUMI_BACKEND_URL: `file://${join(this.home, "backend")}` };
  }

  get secrets() {
    const { LIVEKIT_API_KEY = "", LIVEKIT_API_SECRET = "" } = environmentOf(this.platform) as Record<string, string>;
    return { LIVEKIT_API_KEY, LIVEKIT_API_SECRET, PULUMI_CONFIG_PASSPHRASE: this.passphrase };
  }

  /** Leaves only the customers of the tests, and makes their stacks. */
  async stacks(): Promise<void> {
    this.repository.commit({ "customers/initech.yaml": undefined });
    if (cli) {
      for (const name of CUSTOMERS) {
        await this.stack(name);
      }
      this.repository.commit({});
    }
  }

  /** Makes a customer's stack, as the guide says. */
  private async stack(name: string): Promise<void> {
    const env = { ...this.env, ...this.vars, PULUMI_CONFIG_PASSPHRASE: this.passphrase, PASSWORD: password(name) };
    const script = `pulumi stack init --non-interactive --no-select ${name}
      printf %s "$PASSWORD" | pulumi config set --secret password --stack ${name} --non-interactive`;
    const { code, text } = await bash(script, this.repository.path, env);
    expect([code, code === 0 ? "" : text]).toEqual([0, ""]);
    expectNoCanary(readFileSync(join(this.repository.path, `Pulumi.${name}.yaml`), "utf8"));
  }

  dispose(): void {
    this.repository.dispose();
    rmSync(this.home, { recursive: true, force: true });
  }
}

const CUSTOMERS = ["acme", "globex"];

describe("on GitHub", () => {
  let platform: Platform & { emulator: LiveKitEmulator };
  let host: GitHubStandIn;
  let pipelines: Pipelines;
  let event: string;

  beforeAll(async () => {
    platform = await startEmulatorPlatform();
    host = await new GitHubStandIn().start();
    pipelines = new Pipelines(platform);
    event = join(pipelines.home, "event.json");
    writeFileSync(event, JSON.stringify({ pull_request: { number: 7 } }));
    await pipelines.stacks();
  }, TIMEOUT_MS);

  afterAll(async () => {
    pipelines?.dispose();
    await host?.stop();
    await platform?.stop();
  });

  const run = (file: string, besides: { fork?: boolean; secrets?: Record<string, string> } = {}) => {
    const { GITHUB_TOKEN, ...env } = host.env;
    return runWorkflow({
      file: join(WORKFLOWS, file),
      repository: pipelines.repository.path,
      commit: "HEAD",
      github: {
        ref: "refs/heads/main",
        repository: "acme/fleet",
        run_id: 1,
        run_attempt: 1,
        token: GITHUB_TOKEN,
        event: {
          pull_request: { number: 7, head: { repo: { full_name: besides.fork ? "stranger/fleet" : "acme/fleet" } } },
        },
      },
      secrets: besides.secrets ?? pipelines.secrets,
      vars: pipelines.vars,
      env: { ...pipelines.env, ...env, GITHUB_EVENT_PATH: event },
      cache: join(pipelines.home, "cache"),
    });
  };

  /** Commits a change on a branch, and checks out its merge as GitHub does for a pull request. */
  function pullRequest(files: Record<string, string | undefined>): void {
    const { repository } = pipelines;
    repository.git("checkout", "--quiet", "-b", `change-${randomBytes(4).toString("hex")}`, "main");
    repository.commit(files);
    const branch = repository.git("rev-parse", "HEAD");
    repository.git("checkout", "--quiet", "--detach", "main");
    repository.git("merge", "--quiet", "--no-ff", "--message", "merge", branch);
  }

  const fileOf = (name: string) => readFileSync(join(pipelines.repository.path, "customers", `${name}.yaml`), "utf8");

  test(
    "a stranger's pull request is checked, and reaches no secret and no token",
    async () => {
      pullRequest({ "customers/acme.yaml": fileOf("acme").replace("country: US", "country: Narnia") });
      const before = host.requests.length;
      const { jobs, log, secretsOf } = await run("preview.yml", { fork: true, secrets: {} });
      expect(jobs).toEqual({ check: "failure", changed: "success", preview: "skipped", comment: "skipped" });
      expect(log).toContain('customers/acme.yaml:6:10: country: "Narnia" is not a country code');
      expect(Object.values(secretsOf).flat()).toEqual([]);
      expect(host.requests.slice(before)).toEqual([]);
      pipelines.repository.git("checkout", "--quiet", "main");
    },
    TIMEOUT_MS,
  );

  withCli(
    "the first push to main applies everyone, and the next one only who has changed",
    async () => {
      const first = await run("up.yml");
      expect([first.jobs, first.log]).toEqual([
        { changed: "success", up: "success" },
        expect.not.stringContaining(CANARY),
      ]);
      expect((await objectsOn(platform)).outbound.map(({ name }) => name).sort()).toEqual(CUSTOMERS);
      host.lastSuccess = pipelines.repository.git("rev-parse", "HEAD");
      pipelines.repository.commit({ "README.md": "# Our fleet" });
      expect((await run("up.yml")).jobs).toEqual({ changed: "success", up: "skipped" });
      pipelines.repository.commit({ "customers/acme.yaml": fileOf("acme").replace("acme-", "reception-") });
      const { jobs, log } = await run("up.yml");
      expect(jobs).toEqual({ changed: "success", up: "success" });
      expect(log).toContain('"reception-"');
      expect(log).not.toContain("Updating (globex)");
      host.lastSuccess = pipelines.repository.git("rev-parse", "HEAD");
    },
    TIMEOUT_MS,
  );

  withCli(
    "a pull request gets one comment with the plans, which the next push updates",
    async () => {
      pullRequest({ "customers/globex.yaml": fileOf("globex").replace("926 266", "926 267") });
      const { jobs, log, secretsOf } = await run("preview.yml");
      expect(jobs).toEqual({ check: "success", changed: "success", preview: "success", comment: "success" });
      expect(host.comments).toHaveLength(1);
      const [first] = host.comments.map(({ body }) => body);
      expect(first).toContain("## SIP plan: changes for 1 of 1 customer");
      expect(first).toMatch(/\| <code>globex<\/code> \| \d to update/);
      expect(first).toContain("0741926267");
      expectNoCanary(log + first);
      expect(secretsOf.comment).toEqual([]);
      expect(secretsOf.changed).toEqual([]);
      pullRequest({ "index.ts": `${readFileSync(join(pipelines.repository.path, "index.ts"), "utf8")}\n// changed\n` });
      await run("preview.yml");
      expect(host.comments).toHaveLength(1);
      expect(host.comments[0]?.body).toContain("## SIP plan: no changes for 2 customers");
      pipelines.repository.git("checkout", "--quiet", "main");
    },
    TIMEOUT_MS,
  );

  withCli(
    "a preview that fails is in the comment with its reason, and the job is red",
    async () => {
      pullRequest({ "customers/hooli.yaml": fileOf("acme").replace('"1011"', '"3003"') });
      const { jobs } = await run("preview.yml");
      expect(jobs).toMatchObject({ preview: "failure", comment: "success" });
      expect(host.comments).toHaveLength(1);
      expect(host.comments[0]?.body).toContain("| <code>hooli</code> | **failed** |");
      expect(host.comments[0]?.body).toContain("no stack named 'hooli' found");
      pipelines.repository.git("checkout", "--quiet", "main");
    },
    TIMEOUT_MS,
  );

  withCli(
    "the nightly run opens, keeps, closes and reopens one issue for each drifted customer",
    async () => {
      const drift = async () => {
        const result = await run("drift.yml");
        expect([result.jobs, result.log]).toEqual([{ drift: "success" }, expect.not.stringContaining(CANARY)]);
        expect(result.secretsOf.drift).not.toContain("PULUMI_CONFIG_PASSPHRASE");
        return host.issues.map(({ title, isOpen, comments }) => [title, isOpen, comments.length]);
      };
      expect(await drift()).toEqual([]);
      const trunk = inboundTrunkOf("globex", platform);
      const allowed = trunk?.allowedAddresses ?? [];
      await changeTrunk(platform, trunk?.sipTrunkId ?? "", []);
      expect(await drift()).toEqual([["SIP drift of globex: open to anyone", true, 0]]);
      expect(await drift()).toEqual([["SIP drift of globex: open to anyone", true, 0]]);
      expect(host.issues[0]?.body).toContain("pulumi up --stack organization/fleet/globex");
      await changeTrunk(platform, trunk?.sipTrunkId ?? "", allowed);
      expect(await drift()).toEqual([["SIP drift of globex: open to anyone", false, 1]]);
      await changeTrunk(platform, trunk?.sipTrunkId ?? "", []);
      expect(await drift()).toEqual([["SIP drift of globex: open to anyone", true, 2]]);
      await changeTrunk(platform, trunk?.sipTrunkId ?? "", allowed);
    },
    TIMEOUT_MS,
  );
});

function inboundTrunkOf(customer: string, { emulator }: { emulator: LiveKitEmulator }) {
  return emulator
    .project()
    .inboundTrunks()
    .find(({ name }) => name === customer);
}

async function changeTrunk({ url, apiKey, apiSecret }: Platform, id: string, addresses: string[]): Promise<void> {
  const client = new SipClient(url, apiKey, apiSecret);
  await client.updateSipInboundTrunkFields(id, {
    allowedAddresses: addresses.length > 0 ? new ListUpdate({ set: addresses }) : new ListUpdate({ clear: true }),
  });
}

describe("on GitLab", () => {
  let platform: Platform & { emulator: LiveKitEmulator };
  let host: GitLabStandIn;
  let pipelines: Pipelines;

  beforeAll(async () => {
    platform = await startEmulatorPlatform();
    host = await new GitLabStandIn().start();
    pipelines = new Pipelines(platform);
    cpSync(join(GITOPS, "gitlab"), pipelines.repository.path, { recursive: true });
    // What gitlab-ci-local writes is no part of a change.
    writeFileSync(join(pipelines.repository.path, ".git", "info", "exclude"), ".gitlab-ci-local/\n");
    await pipelines.stacks();
  }, TIMEOUT_MS);

  afterAll(async () => {
    pipelines?.dispose();
    await host?.stop();
    await platform?.stop();
  });

  /** Runs gitlab-ci-local, which checks files with GitLab's schema and runs jobs as a runner does. */
  async function gitlab(
    file: string,
    args: readonly string[],
    variables: Readonly<Record<string, string | undefined>> = {},
  ): Promise<{ code: number; text: string }> {
    const given = Object.entries(variables).flatMap(([key, value]) =>
      value === undefined ? [] : [`--variable ${key}='${value}'`],
    );
    const tool = join(ROOT, "node_modules", ".bin", "gitlab-ci-local");
    const script = `"${tool}" --file ${file} --force-shell-executor ${given.join(" ")} ${args.join(" ")}`;
    // The linter in the editor's schema, and the jobs' shells, get nothing of this machine's environment but what a runner has.
    const result = await bash(script, pipelines.repository.path, pipelines.env);
    expectNoCanary(result.text);
    return result;
  }

  const preview = () => ({ ...host.env, CI_PIPELINE_SOURCE: "merge_request_event", CI_MERGE_REQUEST_IID: "7" });

  test.each([
    [".gitlab-ci.yml", ""],
    [
      ".gitlab/preview.gitlab-ci.yml",
      '.changed: {rules: [{when: on_success}], parallel: {matrix: [{STACKS: ["a b", "c"]}]}}',
    ],
    [".gitlab/up.gitlab-ci.yml", '.changed: {rules: [{when: never}]}\nunchanged: {script: ["true"]}'],
  ])("%s passes GitLab's schema, also as a child pipeline", async (file, changed) => {
    const child = "child.yml";
    writeFileSync(join(pipelines.repository.path, child), `include: {local: ${file}}\n${changed}\n`);
    expect(await gitlab(child, ["--list"])).toMatchObject({ code: 0 });
    writeFileSync(
      join(pipelines.repository.path, child),
      `include: {local: ${file}}\n${changed}\nwrong: {scripts: []}\n`,
    );
    expect((await gitlab(child, ["--list"])).code).not.toBe(0);
    rmSync(join(pipelines.repository.path, child));
  });

  withCli(
    "a merge request gets one comment with the plans, a merge applies them, and the night finds drift",
    async () => {
      const { repository, secrets, vars } = pipelines;
      const base = repository.git("rev-parse", "HEAD");
      const acme = readFileSync(join(repository.path, "customers", "acme.yaml"), "utf8");
      repository.commit({ "customers/acme.yaml": acme.replace("acme-", "reception-") });

      const changed = await gitlab(".gitlab-ci.yml", ["changed"], {
        ...preview(),
        CI_MERGE_REQUEST_DIFF_BASE_SHA: base,
      });
      expect([changed.code, changed.code === 0 ? "" : changed.text]).toEqual([0, ""]);
      expect(readFileSync(join(repository.path, "customers.yml"), "utf8")).toContain('"STACKS":["acme"]');
      const previewed = await gitlab("customers.yml", [], { ...preview(), ...secrets, ...vars });
      expect([previewed.code, previewed.code === 0 ? "" : previewed.text]).toEqual([0, ""]);
      expect(host.comments.map(({ body }) => body)).toEqual([expect.stringContaining("changes for 1 of 1 customer")]);

      const push = { ...host.env, CI_PIPELINE_SOURCE: "push", CI_COMMIT_BRANCH: "main", CI_DEFAULT_BRANCH: "main" };
      const merged = await gitlab(".gitlab-ci.yml", ["merged"], push);
      expect([merged.code, merged.code === 0 ? "" : merged.text]).toEqual([0, ""]);
      const up = await gitlab("customers.yml", [], { ...push, ...secrets, ...vars });
      expect([up.code, up.code === 0 ? "" : up.text]).toEqual([0, ""]);
      expect((await objectsOn(platform)).outbound.map(({ name }) => name).sort()).toEqual(CUSTOMERS);

      const trunk = inboundTrunkOf("globex", platform);
      await changeTrunk(platform, trunk?.sipTrunkId ?? "", []);
      const { LIVEKIT_API_KEY, LIVEKIT_API_SECRET } = secrets;
      const nightly = { ...push, CI_PIPELINE_SOURCE: "schedule", ...vars, LIVEKIT_API_KEY, LIVEKIT_API_SECRET };
      const drift = await gitlab(".gitlab-ci.yml", ["drift"], nightly);
      expect([drift.code, drift.code === 0 ? "" : drift.text]).toEqual([0, ""]);
      expect(host.issues.map(({ title, isOpen }) => [title, isOpen])).toEqual([
        ["SIP drift of globex: open to anyone", true],
      ]);
      await changeTrunk(platform, trunk?.sipTrunkId ?? "", trunk?.allowedAddresses ?? []);
      await gitlab(".gitlab-ci.yml", ["drift"], nightly);
      expect(host.issues.map(({ isOpen }) => isOpen)).toEqual([false]);
    },
    TIMEOUT_MS,
  );
});
