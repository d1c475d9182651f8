/** Distinguishes a deleted object from one that this API key can't see: a valid key of another project lists nothing. */

import type { Connection } from "../livekit/connection";
import { nameOf } from "../livekit/ownership";
import { ResourceError } from "./errors";
import type { Props } from "./values";

/**
 * Accepts that a missing resource was deleted, if the configured project is the one it was last seen in.
 *
 * @throws ResourceError naming both projects if they differ
 */
export function goneForGood(kind: string, owner: string, state: Props, { project }: Connection): void {
  if (typeof state.project === "string" && state.project !== project) {
    throw new ResourceError(
      `${kind} "${nameOf(owner)}" was created in the LiveKit project ${state.project}, and the configured project ${project} does not have it. ` +
        "Configure the first project again (livekit:url, livekit:apiKey, livekit:apiSecret) and run `pulumi up --refresh=false` once; " +
        "or, if it was deleted there, remove it from the state with `pulumi state delete`.",
    );
  }
}
