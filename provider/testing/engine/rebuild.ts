/** The state after a refresh: without what is gone, and without references to it. */

import type { ResourceState } from "./state";

/** Replaces each resource by what was found of it; `found` answers undefined for what is gone. */
export function rebuild(
  resources: ResourceState[],
  found: (state: ResourceState) => ResourceState | undefined,
): ResourceState[] {
  const present = new Set<string>();
  const rebuilt: ResourceState[] = [];
  for (const resource of resources) {
    const state = found(resource);
    if (state) {
      dropMissing(state, present);
      present.add(state.urn);
      rebuilt.push(state);
    }
  }
  const parents = new Map(resources.map(({ urn, parent }) => [urn, parent]));
  for (const state of rebuilt) {
    while (state.parent !== "" && !present.has(state.parent)) {
      state.parent = parents.get(state.parent) ?? "";
    }
  }
  return rebuilt;
}

function dropMissing(state: ResourceState, present: Set<string>): void {
  const isPresent = (urn: string) => present.has(urn);
  state.dependencies = state.dependencies.filter(isPresent);
  state.replaceWith = state.replaceWith.filter(isPresent);
  state.propertyDependencies = Object.fromEntries(
    Object.entries(state.propertyDependencies)
      .map(([key, urns]): [string, string[]] => [key, urns.filter(isPresent)])
      .filter(([, urns]) => urns.length > 0),
  );
  state.deletedWith = isPresent(state.deletedWith) ? state.deletedWith : "";
}
