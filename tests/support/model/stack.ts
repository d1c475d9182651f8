/**
 * A stack of the model: the in-process engine without its processes. Planning, ordering, steps, partial failures and
 * state are the engine's own code (provider/testing/engine: Planner, Executor, Snapshot, planDeletes), which the CLI's
 * scenarios check against the real engine. Two parts are replaced. The program is a list of goals; each is registered
 * once its dependencies are done, as `@pulumi/pulumi`'s runtime registers a resource once its inputs are known. The
 * host is {@link ModelHost}. Values carry no secrets: the engine passes them to providers in plain text anyway, and no
 * test of the model looks at how they are shown. tests/model.test.ts runs the same programs through TestStack with all
 * its processes and compares states and platform.
 */

import { planDeletes, scheduleDeletes, transitiveDependencies } from "../../../provider/testing/engine/deletes";
import { Executor, isPartial } from "../../../provider/testing/engine/executor";
import { Bail, Planner } from "../../../provider/testing/engine/planner";
import type { Properties } from "../../../provider/testing/engine/property";
import { Queue } from "../../../provider/testing/engine/queue";
import { rebuild } from "../../../provider/testing/engine/rebuild";
import type { Registration } from "../../../provider/testing/engine/registration";
import { refreshStep, type StepContext } from "../../../provider/testing/engine/resource-steps";
import { Snapshot } from "../../../provider/testing/engine/snapshot";
import { copyState, dependenciesOf, type ResourceState } from "../../../provider/testing/engine/state";
import type { Step } from "../../../provider/testing/engine/steps";
import type { ModelHost } from "./host";
import type { ModelGoal } from "./program";

/** What an operation does, and how. */
export interface Asked {
  readonly kind: "update" | "destroy";
  readonly preview: boolean;
  readonly refresh: boolean;
  /** How many steps run at the same time. */
  readonly parallel: number;
}

/** The result of an operation. */
export interface Outcome {
  readonly succeeded: boolean;
  /** The steps that change something, as `op urn`. In a preview, the planned ones. */
  readonly changes: readonly string[];
  /** Why it failed. */
  readonly errors: readonly string[];
}

/** A stack's state, and the operations on it. */
export class ModelStack {
  resources: readonly ResourceState[] = [];

  constructor(
    public project: string,
    public name: string,
  ) {}

  /** `pulumi stack rename`, also to another project. */
  rename(project: string, name: string): void {
    const [before, after] = [`urn:pulumi:${this.name}::${this.project}::`, `urn:pulumi:${name}::${project}::`];
    this.resources = this.resources.map((state) => withUrns(state, (urn) => urn.replace(before, after)));
    Object.assign(this, { project, name });
  }

  /** `pulumi state delete --target-dependents`: removes resources and their dependents from the state. */
  forget(isMeant: (state: ResourceState) => boolean): void {
    const urns = new Set<string>();
    for (const state of this.resources) {
      if (isMeant(state) || [state.parent, ...dependenciesOf(state)].some((urn) => urns.has(urn))) {
        urns.add(state.urn);
      }
    }
    this.resources = this.resources.filter(({ urn }) => !urns.has(urn));
  }

  /** `pulumi state move`: moves resources to another stack's state, without references to what stays behind. */
  moveTo(other: ModelStack, moved: readonly ResourceState[]): void {
    const urns = new Set(moved.map(({ urn }) => urn));
    const untied = (states: readonly ResourceState[], isThere: (urn: string) => boolean) =>
      states.map((state) => withUrns(state, (urn) => (isThere(urn) ? urn : "")));
    const copy = new ModelStack(this.project, this.name);
    copy.resources = untied(moved, (urn) => urns.has(urn));
    copy.rename(other.project, other.name);
    other.resources = [...other.resources, ...copy.resources];
    this.resources = untied(
      this.resources.filter(({ urn }) => !urns.has(urn)),
      (urn) => !urns.has(urn),
    );
  }

  /** Runs one operation with its own host. */
  async operate(asked: Asked, goals: readonly ModelGoal[], host: ModelHost): Promise<Outcome> {
    const operation = new ModelOperation(this, asked, goals, host);
    return operation.run();
  }
}

/** A resource with its URNs replaced, including its references. A reference to an empty URN is dropped. */
function withUrns(state: ResourceState, now: (urn: string) => string): ResourceState {
  const each = (urns: readonly string[]) => urns.map(now).filter((urn) => urn !== "");
  const properties = Object.entries(state.propertyDependencies).map(([key, urns]) => [key, each(urns)]);
  return {
    ...copyState(state),
    urn: now(state.urn),
    parent: now(state.parent),
    deletedWith: now(state.deletedWith),
    dependencies: each(state.dependencies),
    propertyDependencies: Object.fromEntries(properties),
  };
}

class ModelOperation {
  readonly #errors: string[] = [];
  readonly #changes: string[] = [];
  readonly #queue = new Queue<Registration | "end">();
  readonly #executor: Executor;
  readonly #snapshot: Snapshot;
  readonly #deleting = new Set<string>();
  #resources: ResourceState[];
  #planner: Planner;

  constructor(
    private readonly stack: ModelStack,
    private readonly asked: Asked,
    private readonly goals: readonly ModelGoal[],
    private readonly host: ModelHost,
  ) {
    this.#resources = stack.resources.map((state) => structuredClone(state));
    this.#snapshot = new Snapshot(this.#resources);
    this.#planner = this.#newPlanner();
    this.#executor = new Executor(asked.parallel, this.#observer, false, () => this.#queue.close());
  }

  async run(): Promise<Outcome> {
    const succeeded = (!this.asked.refresh || (await this.#refresh())) && (await this.#carryOut());
    return { succeeded, changes: this.#changes, errors: this.#errors };
  }

  readonly #observer = {
    before: (): void => undefined,
    after: (step: Step, error: Error | undefined): void => {
      if (error) {
        this.#errors.push(error.message);
      }
      if (step.op !== "same" && step.op !== "refresh") {
        this.#changes.push(`${step.op} ${step.urn}`);
      }
      if (step.op !== "refresh" && (!error || isPartial(error))) {
        this.#snapshot.record(step);
        this.#save();
      }
    },
  };

  async #refresh(): Promise<boolean> {
    const executor = new Executor(this.asked.parallel, this.#observer, true);
    const steps = new Map(this.#resources.map((state) => [state, refreshStep(this.#context(), state)]));
    await executor.runAll([...steps.values()]);
    this.#resources = rebuild(this.#resources, (state) => steps.get(state)?.new);
    this.#snapshot.rebase(this.#resources);
    this.#planner = this.#newPlanner();
    this.#save();
    return executor.failed.length === 0;
  }

  async #carryOut(): Promise<boolean> {
    let bailed = false;
    try {
      if (this.asked.kind === "update") {
        await this.#followProgram();
        await this.#executor.idle();
      }
      if (!this.#executor.stopped) {
        await this.#delete();
      }
    } catch (error) {
      bailed = true;
      if (!(error instanceof Bail)) {
        this.#errors.push(error instanceof Error ? error.message : String(error));
      }
      this.#executor.stop();
    }
    await this.#executor.idle();
    return !bailed && this.#executor.failed.length === 0 && !this.#planner.sawError;
  }

  async #followProgram(): Promise<void> {
    void this.#runProgram();
    for (;;) {
      const event = await this.#queue.next();
      if (event === undefined || event === "end") {
        return;
      }
      void this.#executor.run(await this.#planner.plan(event));
    }
  }

  /** Registers each goal once its dependencies exist. */
  async #runProgram(): Promise<void> {
    const registered = new Map<string, Promise<void>>();
    const outputs = new Map<string, Properties>();
    for (const goal of this.goals) {
      const needed = [goal.parent, ...goal.dependencies].map((urn) => registered.get(urn));
      const inputs = () => ({ ...goal.inputs, ...goal.later((urn) => outputs.get(urn) ?? {}) });
      const done = Promise.all(needed).then(
        () =>
          new Promise<void>((resolve) =>
            this.#queue.push({
              goal: { ...goal, inputs: inputs() },
              done: (state) => {
                outputs.set(goal.urn, state.outputs ?? {});
                resolve();
              },
            }),
          ),
      );
      registered.set(goal.urn, done);
    }
    await Promise.all(registered.values());
    this.#queue.push("end");
  }

  async #delete(): Promise<void> {
    const planner = this.#planner;
    const steps = planDeletes(
      this.#context(),
      this.#resources,
      (urn) => planner.planned.has(urn),
      (state) => planner.pendingDeletes.has(state),
      () => true,
    );
    for (const group of scheduleDeletes(steps, this.#resources)) {
      const blocked = this.#executor.failed.flatMap(({ old }) =>
        old ? [...transitiveDependencies(old, this.#resources)] : [],
      );
      await this.#executor.runAll(group.filter(({ old }) => !old || !blocked.includes(old)));
    }
  }

  #newPlanner(): Planner {
    return new Planner({
      ...this.#context(),
      stack: this.stack.name,
      project: this.stack.project,
      targets: undefined,
      resources: this.#resources,
      error: (message) => this.#errors.push(message),
      info: () => undefined,
    });
  }

  #context(): StepContext {
    return {
      preview: this.asked.preview,
      hostOf: ({ custom }) => (custom ? this.host : undefined),
      deleting: this.#deleting,
    };
  }

  #save(): void {
    if (!this.asked.preview) {
      this.stack.resources = this.#snapshot.resources(this.#planner.aliases.renamed).map(copyState);
    }
  }
}
