/** Reads the state of a stack, as `pulumi stack export` writes it or as a file backend stores it. Its secrets stay encrypted. */

import { z } from "zod";
import { isOfKind } from "../resource-types";
import { CommandError } from "./command-error";

const resource = z.object({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  outputs: z.record(z.string(), z.unknown()).optional(),
  delete: z.boolean().optional(),
});

const deployment = z.object({
  manifest: z.object({ time: z.string() }).optional(),
  resources: z.array(resource).nullish(),
  pending_operations: z.array(z.unknown()).nullish(),
});

/** `pulumi stack export` and Pulumi Cloud call it the deployment; a file backend, the latest checkpoint. */
const stored = z.union([
  z.object({ version: z.number().optional(), deployment: deployment.nullable() }),
  z.object({ version: z.number(), checkpoint: z.object({ latest: deployment.nullish() }) }),
]);

/** The newest format of a state that is known. */
const NEWEST_VERSION = 4;

/** A resource in a state. */
export type StateResource = z.output<typeof resource>;

/** The last state of a stack. */
export interface Deployment {
  /** Without those that only wait to be deleted after a replacement. */
  readonly resources: readonly StateResource[];
  /** Those that wait to be deleted. */
  readonly replaced: readonly StateResource[];
  /** When the stack was last updated (ISO 8601). Undefined if it never was. */
  readonly updatedAt?: string;
  /** Whether an update was interrupted: then a resource may exist that is in no state. */
  readonly isInterrupted: boolean;
}

/**
 * The last state of a stack.
 *
 * @param source where it comes from, for the error message
 * @throws CommandError if it is no state, is incomplete, or is in a format that is not known
 */
export function readDeployment(source: string, text: string): Deployment {
  const { success, data } = stored.safeParse(jsonIn(text));
  if (!success) {
    throw new CommandError(
      `${source} is not a state, or only half of one: write it with \`pulumi stack export --file <file>\`.`,
    );
  }
  if (data.version !== undefined && data.version > NEWEST_VERSION) {
    throw new CommandError(
      `${source} is a state of version ${data.version}, and this command reads versions up to ${NEWEST_VERSION}: update pulumi-livekit-sip.`,
    );
  }
  const latest = "deployment" in data ? data.deployment : data.checkpoint.latest;
  const { manifest, resources, pending_operations: pending } = latest ?? {};
  return {
    resources: (resources ?? []).filter((it) => !it.delete),
    replaced: (resources ?? []).filter((it) => it.delete),
    ...(manifest && isTime(manifest.time) && { updatedAt: new Date(manifest.time).toISOString() }),
    isInterrupted: (pending ?? []).length > 0,
  };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A stack that was never updated has the year 1. */
function isTime(text: string): boolean {
  return new Date(text).getFullYear() > 1;
}

/** The ids of a resource's own objects on LiveKit. */
export function idsOf({ type, id, outputs }: StateResource): string[] {
  const ids = isOfKind(type, "SipTrunk")
    ? [outputs?.inboundTrunkId, outputs?.outboundTrunkId]
    : isOfKind(type, "DispatchRule")
      ? [id]
      : [];
  return ids.filter((it) => typeof it === "string");
}

/** The ids of everything on LiveKit that a state manages. */
export function liveKitIds({ resources }: Pick<Deployment, "resources">): string[] {
  return resources.flatMap(idsOf);
}
