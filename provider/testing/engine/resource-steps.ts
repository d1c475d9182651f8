/** The steps that can be run on a resource. */

import { randomUUID } from "node:crypto";
import { ProtectedError } from "./executor";
import { equalProperties, openSecrets, type Properties } from "./property";
import { changesOnly, diffProperties, type ObjectDiff } from "./property-diff";
import { type Provider, ProviderError } from "./provider-host";
import { copyState, type ResourceState } from "./state";
import type { Step } from "./steps";

/** What steps need from their operation. */
export interface StepContext {
  preview: boolean;
  /** The provider host of a resource. Undefined for the engine's own resources. */
  hostOf(state: ResourceState): Provider | undefined;
  /** The URNs that this operation deletes. */
  deleting: Set<string>;
}

const now = (): string => new Date().toISOString();

/** Keeps a resource as it is. */
export function sameStep(old: ResourceState, next: ResourceState, complete: () => void): Step {
  return {
    ...base("same", next.urn, old, next),
    apply: async () => {
      next.id = old.id;
      next.outputs = old.outputs && { ...old.outputs };
      return complete;
    },
  };
}

/** Creates a resource or its replacement. */
export function createStep(
  context: StepContext,
  next: ResourceState,
  complete: () => void,
  replaced?: { old: ResourceState; keepOld: boolean; inputDiff?: ObjectDiff | undefined },
): Step {
  return {
    ...base(replaced ? "create-replacement" : "create", next.urn, replaced?.old, next),
    logical: !replaced,
    inputDiff: replaced?.inputDiff,
    apply: async () => {
      const failure = await create(context, next);
      next.created = next.modified = now();
      if (replaced?.keepOld) {
        replaced.old.delete = true;
      }
      if (failure) {
        throw failure;
      }
      return complete;
    },
  };
}

/** Represents a replacement as a whole. Its create and its delete are steps of their own. */
export function replaceStep(old: ResourceState, next: ResourceState, inputDiff?: ObjectDiff): Step {
  return { ...base("replace", next.urn, old, next), inputDiff, apply: async () => undefined };
}

/** Updates a resource in place. */
export function updateStep(
  context: StepContext,
  old: ResourceState,
  next: ResourceState,
  complete: () => void,
  inputDiff?: ObjectDiff,
): Step {
  return {
    ...base("update", next.urn, old, next),
    inputDiff,
    apply: async () => {
      next.id = old.id;
      next.created = old.created;
      const failure = await update(context, old, next);
      next.modified = now();
      if (failure) {
        // Keep the old inputs, so that the next plan finds the difference again.
        next.inputs = { ...old.inputs };
        throw failure;
      }
      return complete;
    },
  };
}

/** Deletes a resource. `replacement` says whether its replacement exists already or is to come; unset, there is none. */
export function deleteStep(context: StepContext, old: ResourceState, replacement?: "exists" | "to-come"): Step {
  return {
    ...base(replacement ? "delete-replaced" : "delete", old.urn, old, undefined),
    logical: !replacement,
    apply: async () => {
      if (!replacement && old.protect) {
        throw new ProtectedError(
          `resource "${old.urn}" cannot be deleted\n` +
            "because it is protected. To unprotect the resource, either remove the `protect` flag from the resource in " +
            "your Pulumi program and run `pulumi up`, or use the command:\n" +
            `\`pulumi state unprotect '${old.urn}'\``,
        );
      }
      const goesAlong = old.deletedWith !== "" && context.deleting.has(old.deletedWith);
      if (!context.preview && !old.retainOnDelete && !goesAlong) {
        await context.hostOf(old)?.delete(old);
      }
      if (replacement === "to-come") {
        old.pendingReplacement = true;
      }
      return undefined;
    },
  };
}

/** Forgets a resource that was deleted for a replacement that was never created. */
export function forgetStep(old: ResourceState): Step {
  return {
    ...base("remove-pending-replace", old.urn, old, undefined),
    logical: false,
    internal: true,
    apply: async () => undefined,
  };
}

/** Reads a resource. `new` is what was found; undefined when it is gone. */
export function refreshStep(context: StepContext, old: ResourceState): Step {
  const step: { -readonly [Key in keyof Step]: Step[Key] } = {
    ...base("refresh", old.urn, old, old),
    logical: false,
    refreshed: "same",
    apply: async () => {
      const host = old.custom && !old.pendingReplacement ? context.hostOf(old) : undefined;
      if (host) {
        Object.assign(step, await refresh(host, old, context.preview));
      }
      return undefined;
    },
  };
  return step;
}

async function create(context: StepContext, next: ResourceState): Promise<ProviderError | undefined> {
  const host = context.hostOf(next);
  if (context.preview || !host) {
    next.outputs = next.custom ? { ...next.inputs } : next.outputs;
    next.id = next.custom && !host ? randomUUID() : "";
    return undefined;
  }
  try {
    Object.assign(next, await host.create(next.urn, next.inputs));
    return undefined;
  } catch (error) {
    return keepPartial(next, error);
  }
}

async function update(
  context: StepContext,
  old: ResourceState,
  next: ResourceState,
): Promise<ProviderError | undefined> {
  const host = context.hostOf(next);
  if (context.preview || !host) {
    next.outputs = next.custom ? { ...next.inputs } : next.outputs;
    return undefined;
  }
  try {
    next.outputs = await host.update(old, next.inputs);
    return undefined;
  } catch (error) {
    return keepPartial(next, error);
  }
}

function keepPartial(next: ResourceState, error: unknown): ProviderError {
  if (!(error instanceof ProviderError) || !error.partial) {
    throw error;
  }
  next.id = error.partial.id;
  next.outputs = error.partial.outputs;
  next.initErrors = error.partial.reasons;
  return error;
}

type Found = Pick<Step, "new" | "refreshed" | "inputDiff">;

async function refresh(host: Provider, old: ResourceState, preview: boolean): Promise<Found> {
  const read = await readAnyway(host, old);
  if (!read.id) {
    return { new: undefined, refreshed: "delete" };
  }
  const found: ResourceState = {
    ...copyState(old),
    id: read.id,
    inputs: read.inputs ?? old.inputs,
    outputs: read.outputs,
    initErrors: read.reasons,
  };
  if (!equalProperties(found.inputs, old.inputs) || !equalProperties(found.outputs ?? {}, old.outputs ?? {})) {
    found.modified = now();
  }
  // The engine asks which update would lead from the real state back to the recorded one.
  const diff = await host.diff(found, old.inputs, preview);
  if (diff.changes !== "unknown") {
    return { new: found, refreshed: diff.changes === "some" ? "update" : "same" };
  }
  const inputDiff = inputDifference(old.inputs, found.inputs);
  return { new: found, refreshed: inputDiff ? "update" : "same", inputDiff };
}

/** The answer of read(), even if read() reports that the resource is in a bad state. */
async function readAnyway(host: Provider, old: ResourceState) {
  try {
    return { ...(await host.read(old)), reasons: [] };
  } catch (error) {
    if (error instanceof ProviderError && error.partial) {
      const { id, outputs, reasons } = error.partial;
      return { id, outputs, inputs: undefined, reasons };
    }
    throw error;
  }
}

/** How inputs differ when the engine compares them itself. Only the result hides secrets. */
export function inputDifference(olds: Properties, news: Properties): ObjectDiff | undefined {
  const diff = diffProperties(openSecrets(olds), openSecrets(news));
  const masked = diff && diffProperties(olds, news);
  return masked && changesOnly(masked);
}

function base(op: Step["op"], urn: string, old: ResourceState | undefined, next: ResourceState | undefined) {
  return { op, urn, logical: true, internal: urn.includes("::pulumi:providers:"), old, new: next };
}
