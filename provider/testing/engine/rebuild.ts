/** The state after a refresh, without the resources that are gone and without references to them. */

import type { ResourceState } from "./state";

/** Replaces each resource by what the refresh found. `found` returns undefined for a resource that is gone. */
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
