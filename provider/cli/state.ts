/** Reads the state of a stack, as `pulumi stack export` writes it. Its secrets stay encrypted. */

import { z } from "zod";
import { CommandError } from "./command-error";
import type { Kind } from "./trial";

const exported = z.object({
  deployment: z
    .object({
      resources: z
        .array(
          z.object({
            urn: z.string(),
            type: z.string(),
            id: z.string().optional(),
            outputs: z.record(z.string(), z.unknown()).optional(),
          }),
        )
        .nullish(),
    })
    .nullish(),
});

/** A resource in a state. */
export type StateResource = NonNullable<
  NonNullable<NonNullable<z.output<typeof exported>["deployment"]>["resources"]>
>[number];

/**
 * The resources in an exported state.
 *
 * @param source where it comes from, for the error message
 * @throws CommandError if it is not the output of `pulumi stack export`
 */
export function readState(source: string, text: string): readonly StateResource[] {
  try {
    return exported.parse(JSON.parse(text)).deployment?.resources ?? [];
  } catch {
    throw new CommandError(`${source} is not a state: write it with \`pulumi stack export --file <file>\`.`);
  }
}

/** The type of a resource in a URN. */
export function typeOf(kind: Kind): string {
  return `pulumi-nodejs:dynamic/livekit:${kind}`;
}

/** The name of a resource in its URN. */
export function nameInUrn(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** The ids of a resource's own objects on LiveKit. */
export function idsOf({ type, id, outputs }: StateResource): string[] {
  const ids =
    type === typeOf("SipTrunk")
      ? [outputs?.inboundTrunkId, outputs?.outboundTrunkId]
      : type === typeOf("DispatchRule")
        ? [id]
        : [];
  return ids.filter((it) => typeof it === "string");
}

/** The ids of everything on LiveKit that a state manages. */
export function liveKitIds(resources: readonly StateResource[]): string[] {
  return resources.flatMap(idsOf);
}
