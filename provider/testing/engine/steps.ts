/** A step of a plan, and how it is described while it runs. */

import type { Op } from "./operations";
import type { Properties } from "./property";
import type { ObjectDiff } from "./property-diff";
import { maskSecrets } from "./results";
import type { ResourceState } from "./state";

/** An operation on one resource. */
export interface Step {
  readonly op: Op;
  readonly urn: string;
  /** Whether the summary counts it. A replacement counts once, without its create and its delete. */
  readonly logical: boolean;
  /** Whether it concerns the engine itself, such as the default provider. */
  readonly internal: boolean;
  readonly old: ResourceState | undefined;
  readonly new: ResourceState | undefined;
  /** The inputs that change, if the provider leaves the comparison to the engine. */
  readonly inputDiff?: ObjectDiff | undefined;
  /** What a refresh found. */
  readonly refreshed?: "same" | "update" | "delete";
  /** Runs the step. Returns what to do once it is recorded. */
  apply(): Promise<(() => void) | undefined>;
}

/** A resource as it was at an event, with secrets masked. */
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

/** A step as it was at an event. */
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
 *
 * @param conceal - removes the configuration's secrets from a text
 * @param op - the outcome, for a refresh
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
