/** Takes over trunks that exist on LiveKit without a marker. */

import { adoptedIn } from "../lifecycle/adopted";
import type { Props } from "../lifecycle/values";
import type { InboundTrunk } from "../livekit/messages";
import type { Marker } from "../livekit/ownership";
import * as trunks from "../livekit/trunks";

/** The InboundAuth that opened an inbound trunk: as its marker says, or if it was imported and has none, as the state says. */
export function openerOf(live: InboundTrunk, state: Props): Marker["openedBy"] {
  const { marker } = trunks.metadataOf(live);
  return marker || trunks.isClosed(live) ? marker?.openedBy : adoptedIn(state)?.openedBy;
}
