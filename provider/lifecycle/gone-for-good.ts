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
      `${kind} "${nameOf(owner)}" was made in the LiveKit project ${state.project}, and the configured project ${project} does not have it: ` +
        "configure the project that the stack was made in (livekit:url, livekit:apiKey, livekit:apiSecret), with `pulumi up --refresh=false` after a change; " +
        "or, if it was deleted there, take it out of the state with `pulumi state delete`.",
    );
  }
}
