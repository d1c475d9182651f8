/** Tells "deleted" from "not visible with this key": another project's valid key lists nothing. */

import type { Connection } from "../livekit/connection";
import { nameOf } from "../livekit/ownership";
import { ResourceError } from "./errors";
import type { Props } from "./values";

/**
 * Accepts that a resource which can't be found is gone, if the project is the one in which it was last seen.
 *
 * @throws ResourceError naming both projects when it is another
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
