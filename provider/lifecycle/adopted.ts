/**
 * What the state holds about trunks that exist on LiveKit without a marker, until `pulumi up` has written it: after
 * `livekit-sip import`, and after a create that was interrupted while it took trunks over.
 */

import type { Marker } from "../livekit/ownership";
import type { Props } from "./values";

/** The output that holds it. Pulumi does not show names that begin with `__`. */
export const ADOPTED = "__adopted";

/** The drift of a trunk that has no marker yet. */
export const MARKER_TO_WRITE = "taken over: marker to be written";

/** The drift of trunks that an interrupted create has begun to take over. */
export const INTERRUPTED = "taken over only in part";

/** What a trunk can't say of itself. */
export interface Adopted {
  /** In the state of a SipTrunk: the imported InboundAuth that has opened the inbound trunk. */
  readonly openedBy?: NonNullable<Marker["openedBy"]>;
  /** In the state that an interrupted create leaves: the inbound trunk is open, and an InboundAuth is about to take it over. */
  readonly staysOpen?: boolean;
}

/** The output to put into the state of a SipTrunk or an InboundAuth. */
export function adoptedOutput(adopted: Adopted = {}): Readonly<Record<typeof ADOPTED, string>> {
  return { [ADOPTED]: JSON.stringify(adopted) };
}

/** What the state holds, or undefined if the resource was created by `pulumi up`. Never throws, whatever the state is. */
export function adoptedIn({ [ADOPTED]: text }: Props): Adopted | undefined {
  if (typeof text !== "string") {
    return undefined;
  }
  try {
    const { openedBy, staysOpen } = JSON.parse(text);
    return {
      ...(typeof openedBy?.owner === "string" &&
        typeof openedBy.id === "string" && { openedBy: { owner: openedBy.owner, id: openedBy.id } }),
      ...(staysOpen === true && { staysOpen }),
    };
  } catch {
    return {};
  }
}
