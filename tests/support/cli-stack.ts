/** A stack of the real Pulumi CLI with the interface of TestStack. Each has its own state folder and home folder. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type {
  Diagnostic,
  OperationResult,
  PropertyChange,
  StackState,
  StepResult,
  TestStack,
  TestStackOptions,
} from "../../provider/testing/test-stack";
import { isKilled } from "./host-watch";
import { NativeProject, nativeKey, withDynamicKeys } from "./native-project";

/** What both engines offer. */
export type Stack = Pick<
  TestStack,
  "setConfig" | "removeConfig" | "preview" | "up" | "refresh" | "destroy" | "outputs" | "exportState" | "dispose"
>;

/** The path of the Pulumi CLI: from PATH, or from npm's `pulumi` package. */
export function findPulumiCli(): string | undefined {
  const home = process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
  const versions = join(home, "versions");
  const installed = existsSync(versions) ? readdirSync(versions).sort().reverse() : [];
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules")),
    join(home, "bin"),
    ...installed.map((version) => join(versions, version, "bin")),
  ];
  return folders.map((folder) => join(folder, "pulumi")).find((path) => existsSync(path));
}

/** Options for {@link CliStack.create}. */
export interface CliStackOptions extends TestStackOptions {
  /** The passphrase for the stack's secrets. Default: a random one. */
  passphrase?: string;
  /** Another stack whose backend and passphrase this one shares. Default: a backend of its own. */
  beside?: CliStack;
  /** Leaves out what the benchmark must not measure: the diffs and the event log, so results have no steps. */
  quiet?: boolean;
  /** Whether the program's resources are those of the native provider. Its configuration keeps the keys of the dynamic ones. */
  native?: boolean;
}

/** A policy pack that judges an operation. */
export interface UsedPack {
  /** The pack's folder. */
  pack: string;
  /** The file with its configuration. Default: the pack's own. */
  config?: string;
}

/** A stack of the Pulumi CLI. */
export class CliStack implements Stack {
  /** Everything that the CLI has printed so far. */
  allOutput = "";
  readonly #cli: string;
  readonly #options: CliStackOptions;
  readonly #home = mkdtempSync(join(tmpdir(), "pulumi-cli-"));
  readonly #backend: string;
  readonly #configFile = join(this.#home, "stack.yaml");
  readonly #planFile = join(this.#home, "plan.json");
  readonly #config = new Map<string, { value: string; secret: boolean }>();
  readonly #passphrase: string;
  #name: string;
  #unsaved = new Set<string>();
  #running: ChildProcess | undefined;
  readonly #native: NativeProject | undefined;

  private constructor(cli: string, options: CliStackOptions) {
    this.#cli = cli;
    this.#options = options;
    this.#native = options.native ? new NativeProject(options.projectDir) : undefined;
    this.#name = options.stack ?? "dev";
    const { beside } = options;
    this.#backend = beside ? beside.#backend : this.#home;
    this.#passphrase = options.passphrase ?? (beside ? beside.#passphrase : randomBytes(16).toString("hex"));
    for (const [key, value] of Object.entries(options.config ?? {})) {
      this.setConfig(key, value);
    }
    for (const [key, value] of Object.entries(options.secrets ?? {})) {
      this.setConfig(key, value, { secret: true });
    }
  }

  /** Creates a new stack in an empty state folder. */
  static async create(options: CliStackOptions): Promise<CliStack> {
    const cli = findPulumiCli();
    if (!cli) {
      throw new Error("no Pulumi CLI on this machine");
    }
    const stack = new CliStack(cli, options);
    stack.#initialize();
    return stack;
  }

  /** Whether the resources are those of the native provider. */
  get isNative(): boolean {
    return this.#native !== undefined;
  }

  setConfig(given: string, value: string, options: { secret?: boolean } = {}): void {
    const key = this.#keyOf(given);
    this.#config.set(key, { value, secret: options.secret ?? false });
    this.#unsaved.add(key);
  }

  removeConfig(given: string): void {
    const key = this.#keyOf(given);
    this.#config.delete(key);
    this.#ask(["config", "rm", key, "--stack", this.#name, "--config-file", this.#configFile]);
  }

  /** @param options - `savePlan` saves the plan for an {@link up} with `plan` */
  preview({
    savePlan,
    policies,
    ...options
  }: Parameters<TestStack["preview"]>[0] & { savePlan?: boolean; policies?: UsedPack } = {}) {
    return this.#operate([
      "preview",
      ...(savePlan ? ["--save-plan", this.#planFile] : []),
      ...policyFlags(policies),
      ...flags(options),
    ]);
  }

  /** @param options - with `plan`, `up` fails if it would do anything that is not in the saved plan */
  up({
    plan,
    policies,
    ...options
  }: Parameters<TestStack["up"]>[0] & { plan?: boolean; policies?: UsedPack } = {}): Promise<OperationResult> {
    return this.#operate([
      "up",
      "--yes",
      "--skip-preview",
      ...(plan ? ["--plan", this.#planFile] : []),
      ...policyFlags(policies),
      ...flags(options),
    ]);
  }

  refresh({ previewOnly, ...options }: Parameters<TestStack["refresh"]>[0] = {}): Promise<OperationResult> {
    const mode = previewOnly ? ["--preview-only"] : ["--yes", "--skip-preview"];
    return this.#operate(["refresh", ...mode, ...flags(options)]);
  }

  destroy({ previewOnly, ...options }: Parameters<TestStack["destroy"]>[0] = {}): Promise<OperationResult> {
    const mode = previewOnly ? ["--preview-only"] : ["--yes", "--skip-preview"];
    return this.#operate(["destroy", ...mode, ...flags(options)]);
  }

  /** Kills the running CLI and all its processes, like a crash. Its lock stays until {@link cancel}. */
  kill(): void {
    for (const pid of this.#running?.pid ? [this.#running.pid, ...descendants(this.#running.pid)] : []) {
      isKilled(pid);
    }
  }

  /** Releases the lock of a killed operation, like `pulumi cancel`. */
  cancel(): void {
    this.#ask(["cancel", "--yes", "--stack", this.#name]);
  }

  async outputs(): Promise<Record<string, unknown>> {
    return JSON.parse(this.#ask(["stack", "output", "--json", "--stack", this.#name]));
  }

  exportState({ showSecrets = false }: { showSecrets?: boolean } = {}): StackState {
    const args = ["stack", "export", "--stack", this.#name, ...(showSecrets ? ["--show-secrets"] : [])];
    return JSON.parse(showSecrets ? this.#run(args).stdout : this.#ask(args));
  }

  /** Replaces the stack's state, like `pulumi stack import`. */
  importState(state: StackState): void {
    const file = join(this.#home, "import.json");
    writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
    this.#ask(["stack", "import", "--stack", this.#name, "--file", file]);
  }

  /**
   * Renames the stack, or with `organization/<project>/<stack>` moves it to another project, like `pulumi stack
   * rename`.
   */
  rename(name: string): void {
    this.#ask(["stack", "rename", name, "--stack", this.#name]);
    this.#name = name.split("/").pop() ?? name;
  }

  /** Renames a resource in the state, like `pulumi state rename`. */
  renameResource(urn: string, name: string): void {
    this.#ask(["state", "rename", urn, name, "--yes", "--stack", this.#name]);
  }

  /** Moves resources to another stack of the same backend, like `pulumi state move`. */
  moveTo(other: CliStack, urns: readonly string[]): void {
    this.#ask(["state", "move", "--yes", "--source", this.#name, "--dest", other.#name, ...urns]);
  }

  async dispose(): Promise<void> {
    rmSync(this.#home, { recursive: true, force: true });
    this.#native?.dispose();
  }

  get #projectDir(): string {
    return this.#native?.dir ?? this.#options.projectDir;
  }

  #keyOf(key: string): string {
    return this.#native ? nativeKey(key) : key;
  }

  get #env(): NodeJS.ProcessEnv {
    const given = { ...process.env, ...this.#options.env };
    return {
      ...(this.#native?.env(given) ?? given),
      PATH: [join(this.#cli, ".."), process.env.PATH].join(delimiter),
      PULUMI_HOME: this.#home,
      PULUMI_BACKEND_URL: `file://${this.#backend}`,
      PULUMI_CONFIG_PASSPHRASE: this.#passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_DEBUG_COMMANDS: "true",
    };
  }

  /** `stack init` writes its salt beside Pulumi.yaml, so the file is moved out of the project at once. */
  #initialize(): void {
    const written = join(this.#projectDir, `Pulumi.${this.#name}.yaml`);
    const before = existsSync(written) ? readFileSync(written) : undefined;
    mkdirSync(this.#home, { recursive: true });
    this.#ask(["stack", "init", this.#name, "--no-select"]);
    writeFileSync(this.#configFile, readFileSync(written));
    if (before) {
      writeFileSync(written, before);
    } else {
      rmSync(written);
    }
  }

  #saveConfig(): void {
    const pairs = [...this.#unsaved].flatMap((key) => {
      const entry = this.#config.get(key);
      return entry ? [entry.secret ? "--secret" : "--plaintext", `${key}=${entry.value}`] : [];
    });
    this.#unsaved = new Set();
    if (pairs.length > 0) {
      this.#ask(["config", "set-all", ...pairs, "--stack", this.#name, "--config-file", this.#configFile]);
    }
  }

  #ask(args: string[]): string {
    const { stdout, stderr } = this.#run(args);
    this.allOutput += stdout + stderr;
    return stdout;
  }

  #run(args: string[]): { stdout: string; stderr: string } {
    const options = { cwd: this.#projectDir, env: this.#env, encoding: "utf8" as const, maxBuffer: 1 << 28 };
    const { status, stdout, stderr } = spawnSync(this.#cli, ["--non-interactive", ...args], options);
    if (status !== 0) {
      throw new Error(`pulumi ${args[0]} ${args[1]} ended with ${status}: ${stderr}`);
    }
    return { stdout, stderr };
  }

  async #operate(args: string[]): Promise<OperationResult> {
    this.#native?.update();
    this.#saveConfig();
    const [log, printed] = [join(this.#home, "events.json"), join(this.#home, "printed.txt")];
    rmSync(log, { force: true });
    const output = openSync(printed, "w");
    const color = this.#options.color ? "always" : "never";
    const common = [
      "--non-interactive",
      ...(this.#options.quiet ? [] : ["--diff", "--event-log", log]),
      "--color",
      color,
      "--stack",
      this.#name,
      "--config-file",
      this.#configFile,
    ];
    const child = spawn(this.#cli, [...args, ...common], {
      cwd: this.#projectDir,
      env: this.#env,
      stdio: ["ignore", output, output],
    });
    this.#running = child;
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? -1));
    });
    closeSync(output);
    const text = readFileSync(printed, "utf8");
    this.allOutput += text;
    const events = existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : [];
    const result = {
      ...readEvents(
        events.map((line): EngineEvent => JSON.parse(line)),
        args[0] === "refresh",
      ),
      exitCode,
      text,
      succeeded: exitCode === 0,
    };
    return this.#native ? withDynamicKeys(result) : result;
  }
}

/** All descendants of a process. */
function descendants(pid: number): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const processes = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  const startedBy = (parent: number): number[] =>
    processes.flatMap(([child = 0, starter]) => (starter === parent ? [child, ...startedBy(child)] : []));
  return startedBy(pid);
}

function flags(options: { refresh?: boolean; expectNoChanges?: boolean; targets?: string[] }): string[] {
  return [
    ...(options.refresh === undefined ? [] : [`--refresh=${options.refresh}`]),
    ...(options.expectNoChanges ? ["--expect-no-changes"] : []),
    ...(options.targets ?? []).flatMap((urn) => ["--target", urn]),
  ];
}

function policyFlags(used: UsedPack | undefined): string[] {
  return [
    ...(used ? ["--policy-pack", used.pack] : []),
    ...(used?.config === undefined ? [] : ["--policy-pack-config", used.config]),
  ];
}

interface EventState {
  id: string;
  inputs: Record<string, unknown>;
  outputs: Record<string, unknown>;
}

interface EventStep {
  op: StepResult["op"];
  urn: string;
  type: string;
  old: EventState | null;
  new: EventState | null;
}

/** The fields of the CLI's event log that are used here. */
interface EngineEvent {
  resourcePreEvent?: { metadata: EventStep };
  resOutputsEvent?: { metadata: EventStep };
  diagnosticEvent?: { urn?: string; message: string; severity: string };
  summaryEvent?: { resourceChanges: Record<string, number> };
}

function readEvents(
  events: EngineEvent[],
  refreshOnly: boolean,
): Pick<OperationResult, "steps" | "changes" | "diagnostics"> {
  const steps: StepResult[] = [];
  const refreshing = new Set<string>();
  for (const { resourcePreEvent, resOutputsEvent } of events) {
    const before = resourcePreEvent?.metadata;
    if (before && !isInternal(before)) {
      if (before.op === "refresh") {
        refreshing.add(before.urn);
      } else {
        steps.push(stepOf(before, "inputs"));
      }
    }
    const after = resOutputsEvent?.metadata;
    if (after && !isInternal(after) && refreshing.delete(after.urn)) {
      steps.push(stepOf(refreshOnly ? after : { ...after, op: "refresh" }, "outputs"));
    }
  }
  return {
    steps,
    changes: events.find(({ summaryEvent }) => summaryEvent)?.summaryEvent?.resourceChanges ?? {},
    diagnostics: events.flatMap(({ diagnosticEvent }) => (diagnosticEvent ? diagnosticOf(diagnosticEvent) : [])),
  };
}

function isInternal(step: EventStep): boolean {
  return step.type.startsWith("pulumi:providers:") || step.op === "remove-pending-replace";
}

function diagnosticOf(event: NonNullable<EngineEvent["diagnosticEvent"]>): Diagnostic[] {
  const severity = (["info", "warning", "error"] as const).find((known) => event.severity.startsWith(known));
  // The CLI ends each message with an extra line break.
  const message = event.message.replace(/\n$/, "");
  return severity ? [{ severity, ...(event.urn && { urn: event.urn }), message }] : [];
}

function stepOf(step: EventStep, side: "inputs" | "outputs"): StepResult {
  const id = step.old?.id || step.new?.id;
  return {
    op: step.op,
    urn: step.urn,
    type: step.type,
    name: step.urn.split("::").slice(3).join("::"),
    ...(id && { id }),
    diff: step.op === "same" ? {} : changesBetween(step.old?.[side] ?? {}, step.new?.[side] ?? {}),
  };
}

function changesBetween(olds: Record<string, unknown>, news: Record<string, unknown>): Record<string, PropertyChange> {
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter((key) => !key.startsWith("__")).sort();
  const changes = keys.flatMap((key): [string, PropertyChange][] => {
    const [from, to] = [plain(olds[key]), plain(news[key])];
    if (JSON.stringify(from) === JSON.stringify(to)) {
      return [];
    }
    if (from === null) {
      return [[key, { kind: "add", to }]];
    }
    return [[key, to === null ? { kind: "delete", from } : { kind: "update", from, to }]];
  });
  return Object.fromEntries(changes);
}

function plain(value: unknown): unknown {
  if (value === undefined || value === null) {
    return null;
  }
  if (value === "04da6b54-80e4-46f7-96ec-b56ff0331ba9") {
    return "[unknown]";
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  if (typeof value !== "object") {
    return value;
  }
  const fields = Object.entries(value);
  const isSecret = fields.some(([key]) => key === "4dabf18193072939515e22adb298388d");
  return isSecret ? "[secret]" : Object.fromEntries(fields.map(([key, item]) => [key, plain(item)]));
}
