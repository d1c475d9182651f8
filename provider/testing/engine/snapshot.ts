/** The state while an operation runs: what the steps have done so far, and what they have not touched yet. */

import { copyState, type ResourceState } from "./state";
import type { Step } from "./steps";

/** The state of a stack, updated step by step. */
export class Snapshot {
  readonly #made: ResourceState[] = [];
  readonly #done = new Set<ResourceState>();

  constructor(private base: ResourceState[]) {}

  /** Starts again from the result of a refresh. */
  rebase(base: ResourceState[]): void {
    this.base = base;
  }

  /** Applies the result of a step. */
  record(step: Step): void {
    switch (step.op) {
      case "replace":
      case "refresh":
        return;
      case "delete":
      case "delete-replaced":
      case "remove-pending-replace":
        if (step.old && (!step.old.pendingReplacement || step.op === "remove-pending-replace")) {
          this.#done.add(step.old);
        }
        return;
      case "create-replacement":
        if (step.old?.pendingReplacement) {
          this.#done.add(step.old);
        }
        break;
      default:
        if (step.old) {
          this.#done.add(step.old);
        }
    }
    if (step.new) {
      this.#made.push(step.new);
    }
  }

  /** All resources, dependencies first. `renamed` maps earlier URNs to current ones. */
  resources(renamed: Map<string, string>): ResourceState[] {
    const all = [...this.#made, ...this.base].filter((state) => !this.#done.has(state));
    return renamed.size === 0 ? all : all.map((state) => rename(state, renamed));
  }
}

function rename(state: ResourceState, renamed: Map<string, string>): ResourceState {
  const now = (urn: string) => renamed.get(urn) ?? urn;
  const properties = Object.entries(state.propertyDependencies).map(([key, urns]) => [key, urns.map(now)]);
  return {
    ...copyState(state),
    parent: now(state.parent),
    dependencies: state.dependencies.map(now),
    propertyDependencies: Object.fromEntries(properties),
    deletedWith: now(state.deletedWith),
    replaceWith: state.replaceWith.map(now),
  };
}
