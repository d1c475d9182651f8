/** A Pulumi stack within this process: it runs a Pulumi project without the Pulumi CLI. */

import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Operation, type OperationRequest } from "./engine/operation";
import { type ConfigValue, loadProject, type Project, qualifiedKey } from "./engine/project";
import { maskSecrets, type OperationResult, plain } from "./engine/results";
import { exportState, importState, type ResourceState, type StackState, stackType } from "./engine/state";
import { Vault } from "./engine/vault";

export type { Diagnostic, OperationResult, PropertyChange, StepResult } from "./engine/results";
export type { ExportedResource, StackState } from "./engine/state";

/** How a {@link TestStack} is made. */
export interface TestStackOptions {
  /** The folder that holds the project's Pulumi.yaml. */
  projectDir: string;
  /** The stack's name. Default: `dev`. */
  stack?: string;
  /** The organization's name. Default: `organization`. */
  organization?: string;
  /** Configuration in clear, by key: `livekit:url`, or `name` for `<project>:name`. */
  config?: Record<string, string>;
  /** Configuration that is secret. */
  secrets?: Record<string, string>;
  /** Environment variables of the program and the providers, on top of this process's own; undefined removes one. */
  env?: Record<string, string | undefined>;
  /** Where the state is kept between processes; beside it, in `<file>.key`, the key that encrypts its secrets. Default: in memory. */
  stateFile?: string;
  /** Whether texts are coloured for a terminal. Default: as standard output can show it. */
  color?: boolean;
  /** How many resources are created, changed, read or deleted at the same time. Default: 16. */
  parallel?: number;
}

/** What {@link TestStack.preview} may be asked. */
export interface PreviewOptions {
  /** Reads every resource first. Default: as `options: {refresh: always}` in Pulumi.yaml says. */
  refresh?: boolean;
  /** Fails, with exit code 7, when anything would change. */
  expectNoChanges?: boolean;
  /** The URNs to look at; all others are left as they are. */
  targets?: string[];
}

/** What {@link TestStack.up} may be asked. */
export interface UpOptions {
  /** Reads every resource first. Default: as `options: {refresh: always}` in Pulumi.yaml says. */
  refresh?: boolean;
  /** Reports changes as unexpected, with exit code 7, once they are made. */
  expectNoChanges?: boolean;
  /** The URNs to change; all others are left as they are. */
  targets?: string[];
}

/** What {@link TestStack.refresh} may be asked. */
export interface RefreshOptions {
  /** Only shows what would be written into the state. */
  previewOnly?: boolean;
  /** Fails, with exit code 7, when anything is not as the state says. */
  expectNoChanges?: boolean;
}

/** What {@link TestStack.destroy} may be asked. */
export interface DestroyOptions {
  /** Reads every resource first. Default: as `options: {refresh: always}` in Pulumi.yaml says. */
  refresh?: boolean;
  /** Only shows what would be deleted. */
  previewOnly?: boolean;
}

/**
 * A stack of a Pulumi project that needs neither the Pulumi CLI nor an account: for tests of programs and of dynamic
 * providers. The program and its providers run in processes of `@pulumi/pulumi`'s own, unchanged; plan, order and
 * state are this class's, and follow those of the CLI.
 *
 * ```ts
 * const stack = await TestStack.create({ projectDir: "examples/quickstart" });
 * await stack.up();
 * const { changes, text } = await stack.preview({ expectNoChanges: true });
 * await stack.dispose();
 * ```
 *
 * It runs dynamic resources and components. It does not run other providers, functions of providers, transforms,
 * hooks, policies, stack references or imports.
 */
export class TestStack {
  readonly #options: TestStackOptions;
  readonly #project: Project;
  readonly #config: Map<string, ConfigValue>;
  readonly #vault: Vault;
  #resources: ResourceState[];
  #running: Promise<unknown> = Promise.resolve();
  #operation: Operation | undefined;
  #disposed = false;

  private constructor(options: TestStackOptions) {
    this.#options = options;
    this.#project = loadProject(options.projectDir);
    this.#config = new Map(this.#project.config);
    for (const [key, value] of Object.entries(options.config ?? {})) {
      this.setConfig(key, value);
    }
    for (const [key, value] of Object.entries(options.secrets ?? {})) {
      this.setConfig(key, value, { secret: true });
    }
    this.#vault = openVault(options.stateFile);
    this.#resources = readState(options.stateFile, this.#vault);
  }

  /** Opens a stack; one with a state file goes on where it was left. */
  static async create(options: TestStackOptions): Promise<TestStack> {
    return new TestStack(options);
  }

  /** Sets a configuration value: `livekit:url`, or `name` for `<project>:name`. */
  setConfig(key: string, value: string, options: { secret?: boolean } = {}): void {
    this.#config.set(qualifiedKey(this.#project.name, key), { value, secret: options.secret ?? false });
  }

  /** Removes a configuration value. */
  removeConfig(key: string): void {
    this.#config.delete(qualifiedKey(this.#project.name, key));
  }

  /** Shows what {@link up} would do, as `pulumi preview --diff`. */
  preview(options: PreviewOptions = {}): Promise<OperationResult> {
    return this.#run({ kind: "update", preview: true, ...options });
  }

  /** Makes the resources as the program says, as `pulumi up --diff --skip-preview --yes`. */
  up(options: UpOptions = {}): Promise<OperationResult> {
    return this.#run({ kind: "update", preview: false, ...options });
  }

  /** Writes into the state what is really there, as `pulumi refresh --diff --skip-preview --yes`. */
  refresh({ previewOnly = false, ...options }: RefreshOptions = {}): Promise<OperationResult> {
    return this.#run({ kind: "refresh", preview: previewOnly, ...options });
  }

  /** Deletes every resource, as `pulumi destroy --diff --skip-preview --yes`. */
  destroy({ previewOnly = false, ...options }: DestroyOptions = {}): Promise<OperationResult> {
    return this.#run({ kind: "destroy", preview: previewOnly, ...options });
  }

  /** The stack's outputs, secrets as `[secret]`. */
  async outputs(): Promise<Record<string, unknown>> {
    const stack = this.#resources.find(({ type }) => type === stackType);
    return Object.fromEntries(
      Object.entries(maskSecrets(stack?.outputs ?? {})).map(([key, value]) => [key, plain(value)]),
    );
  }

  /** The state as `pulumi stack export` prints it: secrets are ciphertext. */
  exportState(): StackState {
    return exportState(this.#resources, this.#vault);
  }

  /** Ends what still runs, with all its processes. The resources stay as they are: {@link destroy} deletes them. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#operation?.abort();
    await this.#running.catch(() => undefined);
  }

  async #run(
    asked: Pick<OperationRequest, "kind" | "preview"> & {
      refresh?: boolean;
      expectNoChanges?: boolean;
      targets?: string[];
    },
  ): Promise<OperationResult> {
    if (this.#disposed) {
      throw new Error("the stack was disposed of");
    }
    const previous = this.#running;
    const operation = previous.catch(() => undefined).then(() => this.#operate(asked));
    this.#running = operation;
    return operation;
  }

  async #operate(asked: Parameters<TestStack["preview"]>[0] & Pick<OperationRequest, "kind" | "preview">) {
    const operation = new Operation({
      kind: asked.kind,
      preview: asked.preview,
      refresh: asked.refresh ?? this.#project.refreshAlways,
      expectNoChanges: asked.expectNoChanges ?? false,
      targets: asked.targets,
      parallel: this.#options.parallel ?? 16,
      project: this.#project,
      stack: this.#options.stack ?? "dev",
      organization: this.#options.organization ?? "organization",
      config: new Map(this.#config),
      env: { ...process.env, ...this.#options.env },
      color: this.#options.color ?? process.stdout.isTTY ?? false,
      resources: importState(this.exportState(), this.#vault),
      onState: (resources) => this.#keep(resources),
    });
    this.#operation = operation;
    if (this.#disposed) {
      await operation.abort();
    }
    return operation.run();
  }

  #keep(resources: ResourceState[]): void {
    this.#resources = resources;
    const { stateFile } = this.#options;
    if (stateFile) {
      writeFileSync(`${stateFile}.new`, JSON.stringify(this.exportState(), undefined, 4));
      renameSync(`${stateFile}.new`, stateFile);
    }
  }
}

function openVault(stateFile: string | undefined): Vault {
  if (!stateFile) {
    return Vault.random();
  }
  const keyFile = `${stateFile}.key`;
  if (existsSync(keyFile)) {
    return new Vault(Buffer.from(readFileSync(keyFile, "utf8"), "base64"));
  }
  const vault = Vault.random();
  mkdirSync(dirname(keyFile), { recursive: true });
  writeFileSync(keyFile, vault.export(), { mode: 0o600 });
  chmodSync(keyFile, 0o600);
  return vault;
}

function readState(stateFile: string | undefined, vault: Vault): ResourceState[] {
  if (!stateFile || !existsSync(stateFile)) {
    return [];
  }
  const state: StackState = JSON.parse(readFileSync(stateFile, "utf8"));
  return importState(state, vault);
}
