/** One operation on a stack from start to end: refresh, program, deletions, report. */

import { planDeletes, scheduleDeletes, transitiveDependencies } from "./deletes";
import { Executor, isPartial } from "./executor";
import { Hosts } from "./hosts";
import { Monitor } from "./monitor";
import { Bail, Planner } from "./planner";
import { type Program, startProgram } from "./program";
import type { ConfigValue, Project } from "./project";
import { type Properties, Secret } from "./property";
import { rebuild } from "./rebuild";
import { Registrar } from "./registrar";
import type { Goal, Registration } from "./registration";
import { Report } from "./report";
import { refreshStep } from "./resource-steps";
import type { Diagnostic, OperationResult } from "./results";
import { Scrubber } from "./scrubber";
import { Snapshot } from "./snapshot";
import { type ResourceState, stackType, typeOf } from "./state";
import type { Step } from "./steps";
import { textDecoder } from "./text";

/** The operation and its settings. */
export interface OperationRequest {
  kind: "update" | "refresh" | "destroy";
  preview: boolean;
  refresh: boolean;
  expectNoChanges: boolean;
  targets: string[] | undefined;
  parallel: number;
  project: Project;
  stack: string;
  organization: string;
  config: Map<string, ConfigValue>;
  env: NodeJS.ProcessEnv;
  color: boolean;
  /** The state to start from. It changes while the operation runs. */
  resources: ResourceState[];
  /** Called after every change of the state. */
  onState(resources: ResourceState[]): void;
}

/** Runs one operation. */
export class Operation {
  readonly #request: OperationRequest;
  readonly #report: Report;
  readonly #scrubber = new Scrubber();
  readonly #snapshot: Snapshot;
  readonly #registrar: Registrar;
  readonly #executor: Executor;
  /** The last step of each registered resource. */
  readonly #registered = new Map<string, Step>();
  readonly #deleting = new Set<string>();
  #resources: ResourceState[];
  #planner: Planner;
  #aborted = false;
  #hosts: Hosts | undefined;
  #stackOutputs: { urn: string; outputs: Properties } | undefined;

  constructor(request: OperationRequest) {
    this.#request = request;
    this.#resources = request.resources;
    this.#snapshot = new Snapshot(request.resources);
    this.#planner = this.#newPlanner();
    this.#registrar = new Registrar(this.#providerConfig(), (provider) => this.#hosts?.register(provider));
    this.#executor = new Executor(request.parallel, this.#observer, false, () => this.#registrar.close());
    const configScrubber = new Scrubber();
    for (const { value } of [...request.config.values()].filter(({ secret }) => secret)) {
      this.#scrubber.add(value);
      configScrubber.add(value);
    }
    for (const state of request.resources) {
      this.#learnSecrets(state);
    }
    const decodeText = textDecoder(request.project.sdk.parseYaml);
    this.#report = new Report({ ...request, scrubber: this.#scrubber, configScrubber, decodeText });
  }

  /** Runs the operation and returns its result. */
  async run(): Promise<OperationResult> {
    const { kind, refresh } = this.#request;
    const monitor = await Monitor.start(this.#request.project.sdk, this.#monitorEvents());
    const { project, env } = this.#request;
    this.#hosts = new Hosts(project, monitor.address, env, (line) => this.#says(line));
    let program: Program | undefined;
    let succeeded = false;
    try {
      this.#startHostEarly();
      program = kind === "update" ? this.#startProgram(monitor.address) : undefined;
      const refreshed = !(refresh || kind === "refresh") || (await this.#refresh());
      this.#report.release(!refreshed);
      succeeded = refreshed && (kind === "refresh" || (await this.#carryOut()));
    } finally {
      this.#registrar.close();
      await Promise.all([program?.stop(), this.#hosts.stop()]);
      monitor.stop();
    }
    return this.#report.finish(succeeded, this.#request.expectNoChanges);
  }

  /** Ends the operation as soon as possible: starts no more steps and kills the provider hosts. */
  async abort(): Promise<void> {
    this.#aborted = true;
    this.#executor.stop();
    await this.#hosts?.stop();
  }

  readonly #observer = {
    before: (step: Step): void => {
      this.#learnSecrets(step.new);
      this.#report.before(step);
    },
    after: (step: Step, error: Error | undefined): void => {
      this.#learnSecrets(step.new);
      if (!error && step.logical && step.new) {
        this.#registered.set(step.urn, step);
      }
      this.#report.after(step, error);
      if (step.op !== "refresh" && (!error || isPartial(error))) {
        this.#snapshot.record(step);
        this.#save();
      }
    },
  };

  /** Reads every resource. The result becomes the state that the rest of the operation starts from. */
  async #refresh(): Promise<boolean> {
    const { parallel, targets } = this.#request;
    const executor = new Executor(parallel, this.#observer, true);
    const targeted = this.#resources.filter((state) => !targets || targets.includes(state.urn));
    const steps = new Map(targeted.map((state) => [state, refreshStep(this.#stepContext(), state)]));
    await executor.runAll([...steps.values()]);
    this.#resources = rebuild(this.#resources, (state) => {
      const step = steps.get(state);
      return step ? step.new : state;
    });
    this.#snapshot.rebase(this.#resources);
    this.#planner = this.#newPlanner();
    this.#save();
    return executor.failed.length === 0 || this.#failed();
  }

  /** Handles the program's registrations, then the deletions. */
  async #carryOut(): Promise<boolean> {
    let bailed = false;
    try {
      if (this.#request.kind === "update") {
        await this.#followProgram();
        await this.#executor.idle();
      }
      if (!this.#executor.stopped) {
        await this.#delete();
      }
    } catch (error) {
      bailed = true;
      if (!(error instanceof Bail)) {
        this.#report.error(error instanceof Error ? error.message : String(error));
      }
      this.#executor.stop();
    }
    await this.#executor.idle();
    const failed = bailed || this.#aborted || this.#executor.failed.length > 0 || this.#planner.sawError;
    this.#finishStackOutputs(failed);
    return !failed || (bailed ? false : this.#failed());
  }

  async #followProgram(): Promise<void> {
    for (;;) {
      const event = await this.#registrar.next();
      if (!event || (event.is === "end" && event.outcome === "succeeded")) {
        return;
      }
      if (event.is === "end") {
        throw event.outcome === "failed" ? new Bail() : event.outcome;
      }
      if (event.is === "outputs") {
        this.#registerOutputs(event.urn, event.outputs);
        event.done();
      } else {
        const steps = await this.#plan(event.registration);
        void this.#executor.run(steps);
      }
    }
  }

  async #plan(registration: Registration): Promise<Step[]> {
    try {
      return await this.#planner.plan(registration);
    } catch (error) {
      if (!(error instanceof Bail)) {
        this.#report.error(error instanceof Error ? error.message : String(error), this.#planner.current);
      }
      throw new Bail();
    }
  }

  async #delete(): Promise<void> {
    const planner = this.#planner;
    const steps = planDeletes(
      this.#stepContext(),
      this.#resources,
      (urn) => planner.planned.has(urn),
      (state) => planner.pendingDeletes.has(state),
      (urn) => this.#request.targets?.includes(urn) ?? true,
    );
    for (const group of scheduleDeletes(steps, this.#resources)) {
      const blocked = this.#executor.failed.flatMap(({ old }) =>
        old ? [...transitiveDependencies(old, this.#resources)] : [],
      );
      await this.#executor.runAll(group.filter(({ old }) => !old || !blocked.includes(old)));
    }
  }

  #registerOutputs(urn: string, outputs: Properties): void {
    this.#scrubber.addProperties(outputs);
    if (typeOf(urn) === stackType) {
      this.#stackOutputs = { urn, outputs };
      return;
    }
    const step = this.#registered.get(urn);
    if (step?.new) {
      step.new.outputs = outputs;
      this.#report.outputs(step);
      this.#save();
    }
  }

  /**
   * Shows and saves the stack's outputs at the end. After a failure, old outputs that the program did not set are kept.
   */
  #finishStackOutputs(failed: boolean): void {
    const step = this.#stackOutputs && this.#registered.get(this.#stackOutputs.urn);
    if (!this.#stackOutputs || !step?.new) {
      return;
    }
    step.new.outputs = { ...(failed && step.old?.outputs), ...this.#stackOutputs.outputs };
    this.#report.outputs(step);
    this.#save();
  }

  #failed(): false {
    this.#report.error(`${this.#request.preview ? "preview" : "update"} ${this.#aborted ? "canceled" : "failed"}`);
    return false;
  }

  #monitorEvents() {
    return {
      defaultProvider: (packageName: string) => this.#registrar.defaultProvider(packageName),
      register: (goal: Goal) => {
        this.#scrubber.addProperties(goal.inputs);
        return this.#registrar.register(goal);
      },
      registerOutputs: (urn: string, outputs: Properties) => this.#registrar.registerOutputs(urn, outputs),
      diagnostic: (diagnostic: Diagnostic) => this.#report.programSays(diagnostic),
    };
  }

  #startProgram(address: string): Program {
    this.#report.hold();
    const program = startProgram(this.#request.project, { ...this.#request, address }, (line) =>
      this.#report.programSays({ severity: "info", message: line }),
    );
    void program.outcome.then((outcome) => this.#registrar.end(outcome));
    return program;
  }

  /** Starts the host together with the program, because both take equally long to start. */
  #startHostEarly(): void {
    const provider = this.#resources.find((state) => state.urn.includes("::pulumi:providers:pulumi-nodejs::"));
    const readsFirst = this.#request.refresh || this.#request.kind !== "update";
    if (readsFirst && provider) {
      this.#hosts?.start(provider.inputs);
    } else if (this.#request.kind === "update") {
      this.#hosts?.start(this.#providerConfig());
    }
  }

  #providerConfig(): Properties {
    return Object.fromEntries(
      [...this.#request.config].map(([key, { value, secret }]) => [key, secret ? new Secret(value) : value]),
    );
  }

  #newPlanner(): Planner {
    const { stack, project, targets } = this.#request;
    return new Planner({
      ...this.#stepContext(),
      stack,
      project: project.name,
      targets: targets && new Set(targets),
      resources: this.#resources,
      error: (message, urn) => this.#report.error(message, urn),
      info: (message, urn) => this.#report.diagnostic({ severity: "info", ...(urn && { urn }), message }),
    });
  }

  #stepContext() {
    return {
      preview: this.#request.preview,
      hostOf: (state: ResourceState) => this.#hosts?.find(state, this.#resources),
      deleting: this.#deleting,
    };
  }

  #learnSecrets(state: ResourceState | undefined): void {
    this.#scrubber.addProperties(state?.inputs);
    this.#scrubber.addProperties(state?.outputs);
  }

  #says(line: string): void {
    this.#report.diagnostic({ severity: "info", message: line });
  }

  #save(): void {
    if (!this.#request.preview) {
      this.#request.onState(this.#snapshot.resources(this.#planner.aliases.renamed));
    }
  }
}
