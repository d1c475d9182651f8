/** A step of a plan, and how it is described while it runs. */

import type { Op } from "./operations";
import type { Properties } from "./property";
import type { ObjectDiff } from "./property-diff";
import { maskSecrets } from "./results";
import type { ResourceState } from "./state";

/** Something to be done to one resource. */
export interface Step {
  readonly op: Op;
  readonly urn: string;
  /** Whether it counts: a replacement counts once, not as its create and its delete too. */
  readonly logical: boolean;
  /** Whether it concerns the engine's own affairs, such as the default provider. */
  readonly internal: boolean;
  readonly old: ResourceState | undefined;
  readonly new: ResourceState | undefined;
  /** The inputs that change, where the provider leaves the comparison to the engine. */
  readonly inputDiff?: ObjectDiff | undefined;
  /** What a refresh found. */
  readonly refreshed?: "same" | "update" | "delete";
  /** Carries the step out; answers what to do once it is recorded. */
  apply(): Promise<(() => void) | undefined>;
}

/** A resource as it was when an event happened, secrets masked. */
export interface ShownState {
  urn: string;
  type: string;
  custom: boolean;
  id: string;
  parent: string;
  protect: boolean;
  retainOnDelete: boolean;
  inputs: Properties;
  outputs: Properties | undefined;
  initErrors: string[];
}

/** A step as it was when an event happened. */
export interface ShownStep {
  op: Op;
  urn: string;
  type: string;
  logical: boolean;
  old: ShownState | undefined;
  new: ShownState | undefined;
  inputDiff: ObjectDiff | undefined;
}

/**
 * Describes a step as it is now.
 * @param conceal - takes the secrets of the configuration out of a text
 * @param op - what came of it, for a refresh
 */
export function showStep(step: Step, conceal: (text: string) => string, op: Op = step.op): ShownStep {
  const shown = step.new ?? step.old;
  return {
    op,
    urn: step.urn,
    type: shown?.type ?? "",
    logical: step.logical,
    old: step.old && showState(step.old, conceal),
    new: step.new && showState(step.new, conceal),
    inputDiff: step.inputDiff,
  };
}

function showState(state: ResourceState, conceal: (text: string) => string): ShownState {
  return {
    urn: state.urn,
    type: state.type,
    custom: state.custom,
    id: state.id,
    parent: state.parent,
    protect: state.protect,
    retainOnDelete: state.retainOnDelete,
    inputs: maskSecrets(state.inputs, conceal),
    outputs: state.outputs && maskSecrets(state.outputs, conceal),
    initErrors: [...state.initErrors],
  };
}
