/** A subject's stack on either engine: runs timed operations, and gives access to the state. */

import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { StackState } from "../provider/testing/test-stack";
import { TestStack } from "../provider/testing/test-stack";
import { findPulumiCli } from "../tests/support/cli-stack";
import { HostWatch } from "../tests/support/host-watch";
import type { Operation, Options, Subject } from "./options";

/** The platform that a subject talks to. */
export interface Endpoint {
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

/** How long an operation took, in milliseconds. */
export interface RunTime {
  readonly time: number;
  /** Of the engine, the program and the provider host together. Undefined if the system does not report it. */
  readonly processorTime: number | undefined;
}

/** A stack whose operations can be timed. */
export interface BenchStack {
  /**
   * @param savesOnce the engine writes its state only at the end, instead of after each step
   * @throws with everything that was printed, if the operation failed or did not do what was expected
   */
  run(operation: Operation, savesOnce?: boolean): Promise<RunTime>;
  state(): Promise<StackState>;
  /** The peak memory of the provider host in the last operation, in bytes. Undefined if no host was seen. */
  hostMemory(): number | undefined;
  dispose(): Promise<void>;
}

/** The CLI's arguments. Only the refresh operation refreshes. */
const ARGUMENTS: Readonly<Record<Operation, readonly string[]>> = {
  up: ["up", "--yes", "--skip-preview", "--refresh=false"],
  preview: ["preview", "--refresh=false", "--expect-no-changes"],
  refresh: ["preview", "--refresh=true", "--expect-no-changes"],
  "no-op": ["up", "--yes", "--skip-preview", "--refresh=false", "--expect-no-changes"],
  destroy: ["destroy", "--yes", "--skip-preview", "--refresh=false"],
};

const ROOT = resolve(__dirname, "..");

/** A copy of the programs in its own folder, because the CLI writes beside them. */
class Workspace {
  readonly dir = mkdtempSync(join(tmpdir(), "livekit-sip-bench-"));
  readonly hosts = new HostWatch();

  constructor() {
    cpSync(join(ROOT, "bench", "programs"), join(this.dir, "programs"), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(this.dir, "node_modules"));
    process.once("exit", this.remove);
  }

  get project(): string {
    return join(this.dir, "programs");
  }

  env(subject: Subject, endpoint: Endpoint, customers: number): Record<string, string> {
    return {
      BENCH_SUBJECT: subject,
      LIVEKIT_URL: endpoint.url,
      LIVEKIT_API_KEY: endpoint.apiKey,
      LIVEKIT_API_SECRET: endpoint.apiSecret,
      BENCH_CUSTOMERS: String(customers),
      ...this.hosts.env,
    };
  }

  readonly remove = (): void => {
    process.removeListener("exit", this.remove);
    rmSync(this.dir, { recursive: true, force: true });
    this.hosts.dispose();
  };
}

/** Creates an empty stack of a subject. */
export async function createStack(
  engine: Options["engine"],
  subject: Subject,
  endpoint: Endpoint,
  customers: number,
): Promise<BenchStack> {
  const workspace = new Workspace();
  const env = workspace.env(subject, endpoint, customers);
  return engine === "cli"
    ? new CliBenchStack(workspace, env)
    : new InProcessBenchStack(
        workspace,
        await TestStack.create({ projectDir: workspace.project, stack: "bench", env, color: false }),
      );
}

class CliBenchStack implements BenchStack {
  readonly #cli: string;
  readonly #cwd: string;
  readonly #env: NodeJS.ProcessEnv;

  constructor(
    private readonly workspace: Workspace,
    env: Record<string, string>,
  ) {
    const cli = findPulumiCli();
    if (!cli) {
      throw new Error("There is no Pulumi CLI on this machine: leave --engine cli out.");
    }
    const home = join(workspace.dir, "home");
    mkdirSync(home);
    this.#cli = cli;
    this.#cwd = workspace.project;
    this.#env = {
      ...process.env,
      ...env,
      PATH: [dirname(cli), process.env.PATH].join(delimiter),
      PULUMI_HOME: home,
      PULUMI_BACKEND_URL: `file://${home}`,
      PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
    this.#ask(["stack", "init", "bench"]);
  }

  async run(operation: Operation, savesOnce = false): Promise<RunTime> {
    this.workspace.hosts.forget();
    const env = savesOnce ? { ...this.#env, PULUMI_SKIP_CHECKPOINTS: "true" } : this.#env;
    const args = [...ARGUMENTS[operation], "--non-interactive", "--color", "never", "--stack", "bench"];
    const [start, before] = [performance.now(), childrensProcessorTime()];
    const child = spawn(this.#cli, args, { cwd: this.#cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        printed = (printed + data.toString()).slice(-8_000);
      });
    }
    const kill = () => child.kill();
    process.once("exit", kill);
    const code = await new Promise<number | null>((done, reject) => {
      child.once("error", reject);
      child.once("close", done);
    });
    process.removeListener("exit", kill);
    const [time, after] = [performance.now() - start, childrensProcessorTime()];
    if (code !== 0) {
      throw new Error(`pulumi ${ARGUMENTS[operation].join(" ")} ended with ${code}:\n${printed}`);
    }
    return { time, processorTime: after !== undefined && before !== undefined ? after - before : undefined };
  }

  async state(): Promise<StackState> {
    return JSON.parse(this.#ask(["stack", "export", "--stack", "bench"]));
  }

  hostMemory(): number | undefined {
    return this.workspace.hosts.peakMemory() || undefined;
  }

  async dispose(): Promise<void> {
    this.workspace.remove();
  }

  #ask(args: string[]): string {
    const options = { cwd: this.#cwd, env: this.#env, encoding: "utf8" as const, maxBuffer: 1 << 30 };
    const { status, stdout, stderr } = spawnSync(this.#cli, ["--non-interactive", ...args], options);
    if (status !== 0) {
      throw new Error(`pulumi ${args.join(" ")} ended with ${status}: ${stderr}`);
    }
    return stdout;
  }
}

class InProcessBenchStack implements BenchStack {
  constructor(
    private readonly workspace: Workspace,
    private readonly stack: TestStack,
  ) {}

  async run(operation: Operation): Promise<RunTime> {
    this.workspace.hosts.forget();
    const start = performance.now();
    const result = await this.#operate(operation);
    const time = performance.now() - start;
    if (result.exitCode !== 0) {
      throw new Error(`${operation} ended with ${result.exitCode}:\n${result.text}`);
    }
    // The engine shares this process with the server, so their times can't be told apart.
    return { time, processorTime: undefined };
  }

  async state(): Promise<StackState> {
    return this.stack.exportState();
  }

  hostMemory(): number | undefined {
    return this.workspace.hosts.peakMemory() || undefined;
  }

  async dispose(): Promise<void> {
    await this.stack.dispose();
    this.workspace.remove();
  }

  #operate(operation: Operation) {
    switch (operation) {
      case "up":
        return this.stack.up({ refresh: false });
      case "no-op":
        return this.stack.up({ refresh: false, expectNoChanges: true });
      case "preview":
        return this.stack.preview({ refresh: false, expectNoChanges: true });
      case "refresh":
        return this.stack.preview({ refresh: true, expectNoChanges: true });
      case "destroy":
        return this.stack.destroy({ refresh: false });
    }
  }
}

/** The processor time of all ended descendants of this process, in milliseconds. Only Linux reports it. */
function childrensProcessorTime(): number | undefined {
  try {
    // proc(5): after the command in parentheses, utime, stime, cutime and cstime are the 12th to 15th field, in ticks of 10 ms.
    const fields = readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return undefined;
  }
}
