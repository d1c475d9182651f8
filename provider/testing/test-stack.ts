/** A Pulumi stack in this process: runs a Pulumi project without the Pulumi CLI. */

import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Operation, type OperationRequest } from "./engine/operation";
import { type ConfigValue, loadProject, type Project, qualifiedKey } from "./engine/project";
import { maskSecrets, type OperationResult, plain } from "./engine/results";
import { exportState, importState, type ResourceState, type StackState, stackType } from "./engine/state";
import { Vault } from "./engine/vault";

export type { Diagnostic, OperationResult, PropertyChange, StepResult } from "./engine/results";
export type { ExportedResource, StackState } from "./engine/state";

/** Options for {@link TestStack.create}. */
export interface TestStackOptions {
  /** The folder that holds the project's Pulumi.yaml. */
  projectDir: string;
  /** The stack's name. Default: `dev`. */
  stack?: string;
  /** The organization's name. Default: `organization`. */
  organization?: string;
  /** Configuration in plain text, by key: `livekit:url`, or `name` for `<project>:name`. */
  config?: Record<string, string>;
  /** Configuration that is secret. */
  secrets?: Record<string, string>;
  /** Environment variables for the program and the providers, on top of this process's own. Undefined removes one. */
  env?: Record<string, string | undefined>;
  /**
   * The file that keeps the state between processes. The key that encrypts its secrets is beside it, in `<file>.key`.
   * Default: in memory.
   */
  stateFile?: string;
  /** Whether output is coloured for a terminal. Default: depends on what standard output supports. */
  color?: boolean;
  /** How many resources are created, changed, read or deleted at the same time. Default: 16. */
  parallel?: number;
}

/** Options for {@link TestStack.preview}. */
export interface PreviewOptions {
  /** Reads every resource first. Default: what `options: {refresh: always}` in Pulumi.yaml says. */
  refresh?: boolean;
  /** Fails with exit code 7 if anything would change. */
  expectNoChanges?: boolean;
  /** The URNs to plan. All other resources are left as they are. */
  targets?: string[];
}

/** Options for {@link TestStack.up}. */
export interface UpOptions {
  /** Reads every resource first. Default: what `options: {refresh: always}` in Pulumi.yaml says. */
  refresh?: boolean;
  /** Makes the changes, then reports them as unexpected with exit code 7. */
  expectNoChanges?: boolean;
  /** The URNs to change. All other resources are left as they are. */
  targets?: string[];
}

/** Options for {@link TestStack.refresh}. */
export interface RefreshOptions {
  /** Only shows what would be written to the state. */
  previewOnly?: boolean;
  /** Fails with exit code 7 if anything differs from the state. */
  expectNoChanges?: boolean;
}

/** Options for {@link TestStack.destroy}. */
export interface DestroyOptions {
  /** Reads every resource first. Default: what `options: {refresh: always}` in Pulumi.yaml says. */
  refresh?: boolean;
  /** Only shows what would be deleted. */
  previewOnly?: boolean;
}

/**
 * A stack of a Pulumi project that needs neither the Pulumi CLI nor an account, for tests of programs and of dynamic
 * providers. The program and its providers run unchanged, in `@pulumi/pulumi`'s own processes. This class does the
 * planning, the ordering and the state, as the CLI does them.
 *
 * ```ts
 * const stack = await TestStack.create({ projectDir: "examples/quickstart" });
 * await stack.up();
 * const { changes, text } = await stack.preview({ expectNoChanges: true });
 * await stack.dispose();
 * ```
 *
 * It supports dynamic resources and components. It does not support other providers, provider functions, transforms,
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

  /** Opens a stack. With a state file, it continues from the saved state. */
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

  /** Shows what {@link up} would do, like `pulumi preview --diff`. */
  preview(options: PreviewOptions = {}): Promise<OperationResult> {
    return this.#run({ kind: "update", preview: true, ...options });
  }

  /**
   * Creates, updates and deletes resources until they match the program, like `pulumi up --diff --skip-preview --yes`.
   */
  up(options: UpOptions = {}): Promise<OperationResult> {
    return this.#run({ kind: "update", preview: false, ...options });
  }

  /** Updates the state to what the resources really are, like `pulumi refresh --diff --skip-preview --yes`. */
  refresh({ previewOnly = false, ...options }: RefreshOptions = {}): Promise<OperationResult> {
    return this.#run({ kind: "refresh", preview: previewOnly, ...options });
  }

  /** Deletes every resource, like `pulumi destroy --diff --skip-preview --yes`. */
  destroy({ previewOnly = false, ...options }: DestroyOptions = {}): Promise<OperationResult> {
    return this.#run({ kind: "destroy", preview: previewOnly, ...options });
  }

  /** The stack's outputs, with `[secret]` in place of secrets. */
  async outputs(): Promise<Record<string, unknown>> {
    const stack = this.#resources.find(({ type }) => type === stackType);
    return Object.fromEntries(
      Object.entries(maskSecrets(stack?.outputs ?? {})).map(([key, value]) => [key, plain(value)]),
    );
  }

  /** The state as `pulumi stack export` prints it, with secrets as ciphertext. */
  exportState(): StackState {
    return exportState(this.#resources, this.#vault);
  }

  /** Stops a running operation and all its processes. The resources stay; {@link destroy} deletes them. */
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
