/** Which resources are deleted, and in which order: dependents before what they depend on. */

import { deleteStep, forgetStep, type StepContext } from "./resource-steps";
import { dependenciesOf, type ResourceState } from "./state";
import type { Step } from "./steps";

/** The deletions at the end of an operation. */
export function planDeletes(
  context: StepContext,
  resources: ResourceState[],
  isPlanned: (urn: string) => boolean,
  isGone: (state: ResourceState) => boolean,
  isTargeted: (urn: string) => boolean,
): Step[] {
  const steps: Step[] = [];
  for (const state of resources) {
    if (!isTargeted(state.urn) || isGone(state)) {
      continue;
    }
    if (state.delete) {
      context.deleting.add(state.urn);
      steps.push(deleteStep(context, state, "exists"));
    } else if (!isPlanned(state.urn)) {
      context.deleting.add(state.urn);
      steps.push(state.pendingReplacement ? forgetStep(state) : deleteStep(context, state));
    }
  }
  return steps;
}

/** Groups deletions. The deletions of one group run at the same time, after the groups before it. */
export function scheduleDeletes(steps: Step[], resources: ResourceState[]): Step[][] {
  const condemned = new Map(steps.flatMap((step) => (step.old ? [[step.old, step] as const] : [])));
  const needs = new Map([...condemned.keys()].map((state) => [state, directDependencies(state, resources)]));
  const groups: Step[][] = [];
  while (condemned.size > 0) {
    const free = [...condemned].filter(
      ([state]) => ![...(needs.get(state) ?? [])].some((other) => condemned.has(other)),
    );
    if (free.length === 0) {
      throw new Error("the resources of the state depend on each other in a circle");
    }
    for (const [state] of free) {
      condemned.delete(state);
    }
    groups.push(free.map(([, step]) => step));
  }
  return groups.reverse();
}

/** Everything that a resource needs, directly or indirectly. */
export function transitiveDependencies(root: ResourceState, resources: ResourceState[]): Set<ResourceState> {
  const found = new Set<ResourceState>();
  const visit = (state: ResourceState) => {
    for (const needed of directDependencies(state, resources)) {
      if (!found.has(needed)) {
        found.add(needed);
        visit(needed);
      }
    }
  };
  visit(root);
  return found;
}

/**
 * What a resource needs: its dependencies (with their children, if they are components), its provider and its parent.
 */
function directDependencies(state: ResourceState, resources: ResourceState[]): Set<ResourceState> {
  const urns = new Set(dependenciesOf(state));
  const earlier = resources.slice(0, Math.max(0, resources.indexOf(state)));
  const needed = new Set(earlier.filter((other) => urns.has(other.urn) || other.urn === state.parent));
  const components = new Set(earlier.filter((other) => urns.has(other.urn) && !other.custom).map(({ urn }) => urn));
  for (const other of earlier) {
    if (components.has(other.parent)) {
      needed.add(other);
      if (!other.custom) {
        components.add(other.urn);
      }
    }
  }
  return needed;
}
