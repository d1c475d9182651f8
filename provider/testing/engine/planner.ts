/** Decides which steps each registered resource needs. */

import { Aliases } from "./aliases";
import { ignoreChanges } from "./ignore-changes";
import { equalProperties, isObject, type Properties, Secret, Unknown, unknown, type Value } from "./property";
import type { ObjectDiff } from "./property-diff";
import type { CheckResult, Provider } from "./provider-host";
import { type Goal, type Registration, urnOf } from "./registration";
import {
  createStep,
  deleteStep,
  inputDifference,
  replaceStep,
  type StepContext,
  sameStep,
  updateStep,
} from "./resource-steps";
import { dependenciesOf, nameOf, type ResourceState, stackType } from "./state";
import type { Step } from "./steps";

/** Ends the plan. The reason has already been reported. */
export class Bail extends Error {}

/** What the planner needs from the operation. */
export interface PlanContext extends StepContext {
  stack: string;
  project: string;
  /** Undefined means that every resource is targeted. */
  targets: Set<string> | undefined;
  /** The state that the plan starts from, dependencies first. */
  resources: ResourceState[];
  error(message: string, urn?: string): void;
  info(message: string, urn?: string): void;
}

interface Comparison {
  changed: boolean;
  replaces: string[];
  deleteBeforeReplace: boolean;
  inputDiff?: ObjectDiff | undefined;
}

/** Plans registrations one at a time, in the order in which they arrive. */
export class Planner {
  readonly aliases: Aliases;
  /** The URNs that already have a step. */
  readonly planned = new Set<string>();
  /** Resources that are deleted before their replacement and not yet recreated. */
  readonly pendingDeletes = new Set<ResourceState>();
  readonly #replaced = new Set<string>();
  readonly #olds: Map<string, ResourceState>;
  /** Whether an error was reported that did not end the plan at once. */
  sawError = false;
  /** The resource being planned. */
  current: string | undefined;

  constructor(private readonly context: PlanContext) {
    this.aliases = new Aliases(context.stack, context.project);
    this.#olds = new Map(context.resources.filter((state) => !state.delete).map((state) => [state.urn, state]));
  }

  /** The steps for one registration. */
  async plan({ goal, done }: Registration): Promise<Step[]> {
    const { stack, project } = this.context;
    const urn = urnOf(stack, project, goal.parent, goal.type, goal.name);
    this.current = urn;
    if (this.planned.has(urn)) {
      this.context.error(`Duplicate resource URN '${urn}'; try giving it a unique name`, urn);
      throw new Bail();
    }
    this.planned.add(urn);
    const known = this.aliases.find(urn, goal, (candidate) => this.#olds.has(candidate));
    const old = known === undefined ? undefined : this.#olds.get(known);
    if (known !== undefined) {
      this.planned.add(known);
    }
    const next = newState(urn, goal, old);
    const complete = () => done(next);
    const recreating = old !== undefined && this.pendingDeletes.has(old);
    if (!this.#isTargeted(urn, goal)) {
      return this.#leaveAlone(old, next, complete);
    }
    await this.#check(old, next, goal, recreating);
    if (!old) {
      return [createStep(this.context, next, complete)];
    }
    if (recreating) {
      this.context.deleting.delete(old.urn);
      this.#replaced.add(urn);
      return [replaceStep(old, next), createStep(this.context, next, complete, { old, keepOld: false })];
    }
    return this.#change(old, next, goal, complete);
  }

  async #check(old: ResourceState | undefined, next: ResourceState, goal: Goal, afresh: boolean): Promise<void> {
    const kept = old ? this.#ignoreChanges(next.urn, next.inputs, old.inputs, goal.ignoreChanges) : next.inputs;
    const host = this.context.hostOf(next);
    if (!host) {
      next.inputs = kept;
      return;
    }
    const { preview } = this.context;
    const result =
      old && !afresh
        ? await host.check(next.urn, old.inputs, kept, preview)
        : await host.check(next.urn, {}, goal.inputs, preview);
    next.inputs = result.inputs;
    this.#refuse(next, result);
  }

  #refuse(next: ResourceState, { failures }: CheckResult): void {
    const about = `${next.type} resource '${nameOf(next.urn)}'`;
    for (const { property, reason } of failures) {
      const value = property ? `: property ${property} value ${goValue(next.inputs[property])}` : "";
      this.context.error(`${about}${value} has a problem: ${reason}`, next.urn);
    }
    if (failures.length > 0) {
      throw new Bail();
    }
  }

  async #change(old: ResourceState, next: ResourceState, goal: Goal, complete: () => void): Promise<Step[]> {
    const comparison = await this.#compare(old, next, goal);
    const replace = (comparison.changed && comparison.replaces.length > 0) || old.pendingReplacement;
    if (replace) {
      return this.#replace(old, next, goal, complete, comparison);
    }
    if (comparison.changed || old.initErrors.length > 0) {
      return [updateStep(this.context, old, next, complete, comparison.inputDiff)];
    }
    return [sameStep(old, next, complete)];
  }

  async #compare(old: ResourceState, next: ResourceState, goal: Goal): Promise<Comparison> {
    const follows = goal.replaceWith.some((urn) => this.#replaced.has(urn)) || this.#replaced.has(goal.deletedWith);
    if (follows) {
      return { changed: true, replaces: ["deletedWith"], deleteBeforeReplace: false };
    }
    const host = this.context.hostOf(next);
    if (!host) {
      return { changed: !equalProperties(old.inputs, next.inputs), replaces: [], deleteBeforeReplace: false };
    }
    return this.#ask(host, old, next.inputs, goal.ignoreChanges, goal.replaceOnChanges, this.context.preview);
  }

  async #ask(
    host: Provider,
    old: ResourceState,
    news: Properties,
    ignoreChanges: string[],
    replaceOnChanges: string[],
    preview: boolean,
  ): Promise<Comparison> {
    const diff = await host.diff({ ...old, ignoreChanges }, news, preview);
    const { replaces, deleteBeforeReplace } = diff;
    if (diff.changes !== "unknown") {
      return { changed: diff.changes === "some", replaces, deleteBeforeReplace };
    }
    const inputDiff = inputDifference(old.inputs, this.#ignoreChanges(old.urn, news, old.inputs, ignoreChanges));
    const changed = inputDiff
      ? [...inputDiff.adds, ...inputDiff.deletes, ...inputDiff.updates].map(([key]) => key)
      : [];
    const forced = changed.filter((key) => replaceOnChanges.includes(key) || replaceOnChanges.includes("*"));
    return { changed: inputDiff !== undefined, replaces: [...replaces, ...forced], deleteBeforeReplace, inputDiff };
  }

  async #replace(
    old: ResourceState,
    next: ResourceState,
    goal: Goal,
    complete: () => void,
    comparison: Comparison,
  ): Promise<Step[]> {
    if (next.protect && old.protect) {
      this.sawError = true;
      this.context.error(
        `unable to replace resource "${next.urn}"\nas it is currently marked for protection. To unprotect the resource, ` +
          "remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`",
        next.urn,
      );
      if (!this.context.preview) {
        throw new Bail();
      }
    }
    this.#replaced.add(next.urn);
    await this.#check(undefined, next, goal, true);
    const { inputDiff } = comparison;
    if (!(goal.deleteBeforeReplace ?? comparison.deleteBeforeReplace)) {
      const create = createStep(this.context, next, complete, { old, keepOld: true, inputDiff });
      return [create, replaceStep(old, next, inputDiff)];
    }
    return [
      ...(await this.#deleteWithDependents(old)),
      replaceStep(old, next, inputDiff),
      createStep(this.context, next, complete, { old, keepOld: false, inputDiff }),
    ];
  }

  /** Deletes a resource before it is replaced, and before that its dependents that must be replaced too. */
  async #deleteWithDependents(old: ResourceState): Promise<Step[]> {
    const dependents = await this.#dependentReplacements(old);
    const steps: Step[] = [];
    for (const state of dependents.reverse()) {
      if (this.pendingDeletes.has(state)) {
        continue;
      }
      if (state.protect && !state.delete) {
        this.context.error(
          `unable to replace resource "${state.urn}" as part of replacing "${old.urn}" as it is currently marked for ` +
            "protection. To unprotect the resource, remove the `protect` flag from the resource in your Pulumi program " +
            `and run \`pulumi up\`, or use the command:\n\`pulumi state unprotect '${state.urn}'\``,
          state.urn,
        );
        throw new Bail();
      }
      steps.push(state.delete ? deleteStep(this.context, state) : deleteStep(this.context, state, "to-come"));
      this.context.deleting.add(state.urn);
      this.pendingDeletes.add(state);
    }
    if (!old.pendingReplacement) {
      this.context.deleting.add(old.urn);
      steps.push(deleteStep(this.context, old, "to-come"));
    }
    return steps;
  }

  /** The dependents of a resource that would have to be replaced if the resource's outputs were unknown. */
  async #dependentReplacements(root: ResourceState): Promise<ResourceState[]> {
    const replaced = new Set([root.urn]);
    const reachable = new Set([root.urn]);
    const found: ResourceState[] = [];
    const start = this.context.resources.indexOf(root) + 1;
    for (const state of this.context.resources.slice(start)) {
      if (this.planned.has(state.urn) || !dependenciesOf(state).some((urn) => reachable.has(urn))) {
        continue;
      }
      reachable.add(state.urn);
      if (await this.#mustFollow(state, replaced)) {
        replaced.add(state.urn);
        found.push(state);
      }
    }
    return found;
  }

  async #mustFollow(state: ResourceState, replaced: Set<string>): Promise<boolean> {
    const host = state.custom ? this.context.hostOf(state) : undefined;
    if (!host || replaced.has(state.deletedWith)) {
      return host !== undefined;
    }
    const depends = (key: string) => state.propertyDependencies[key]?.some((urn) => replaced.has(urn)) ?? false;
    if (!Object.keys(state.inputs).some(depends)) {
      return false;
    }
    const inputs = Object.fromEntries(
      Object.entries(state.inputs).map(([key, value]): [string, Value] => [key, depends(key) ? unknown : value]),
    );
    const { ignoreChanges, replaceOnChanges } = state;
    const comparison = await this.#ask(host, state, inputs, ignoreChanges, replaceOnChanges, true);
    return comparison.changed && comparison.replaces.length > 0;
  }

  #isTargeted(urn: string, goal: Goal): boolean {
    return !this.context.targets || goal.type === stackType || isProvider(urn) || this.context.targets.has(urn);
  }

  #leaveAlone(old: ResourceState | undefined, next: ResourceState, complete: () => void): Step[] {
    if (!old) {
      complete();
      return [];
    }
    Object.assign(next, { ...old, urn: next.urn });
    return [sameStep(old, next, complete)];
  }

  /** Puts the old values back at the paths in `ignoreChanges`. */
  #ignoreChanges(urn: string, news: Properties, olds: Properties, paths: string[]): Properties {
    const { inputs, missed } = ignoreChanges(news, olds, paths);
    if (missed.length > 0) {
      this.context.info(`cannot ignore changes in added or removed elements of the path: "${missed.join(", ")}"`, urn);
    }
    return inputs;
  }
}

function isProvider(urn: string): boolean {
  return urn.includes("::pulumi:providers:");
}

function newState(urn: string, goal: Goal, old: ResourceState | undefined): ResourceState {
  const keys = isProvider(urn) ? [] : Object.keys(goal.inputs);
  const propertyDependencies = keys.map((key): [string, string[]] => [key, goal.propertyDependencies[key] ?? []]);
  return {
    urn,
    type: goal.type,
    custom: goal.custom,
    id: "",
    inputs: { ...goal.inputs },
    outputs: undefined,
    parent: goal.parent,
    protect: goal.protect ?? false,
    retainOnDelete: goal.retainOnDelete ?? false,
    delete: false,
    pendingReplacement: false,
    dependencies: goal.dependencies,
    propertyDependencies: Object.fromEntries(propertyDependencies),
    provider: goal.provider,
    additionalSecretOutputs: goal.additionalSecretOutputs,
    initErrors: [],
    ignoreChanges: goal.ignoreChanges,
    replaceOnChanges: goal.replaceOnChanges,
    deletedWith: goal.deletedWith,
    replaceWith: goal.replaceWith,
    created: old?.created,
    modified: old?.modified,
  };
}

/** A value as the CLI prints it in a check failure. */
function goValue(value: Value | undefined): string {
  if (value instanceof Secret) {
    return `{&{${goValue(value.element)}}}`;
  }
  if (value instanceof Unknown) {
    return "output<string>{}";
  }
  if (Array.isArray(value)) {
    return `{[${value.map(goValue).join(" ")}]}`;
  }
  if (isObject(value)) {
    const fields = Object.keys(value)
      .sort()
      .map((key) => `${key}:${goValue(value[key])}`);
    return `{map[${fields.join(" ")}]}`;
  }
  return `{${value === null || value === undefined ? "<nil>" : String(value)}}`;
}
