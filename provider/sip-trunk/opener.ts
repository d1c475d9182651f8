/** Who has opened an inbound trunk, and whether it stays open while its SipTrunk writes it. Pure. */

import { adoptedIn } from "../lifecycle/adopted";
import type { Props } from "../lifecycle/values";
import type { InboundFields, InboundTrunk } from "../livekit/messages";
import type { Marker } from "../livekit/ownership";
import * as sip from "../livekit/sip-api";
import * as trunks from "../livekit/trunks";
import type { SipTrunkInputs } from "./arguments";

/** The InboundAuth that opened an inbound trunk: as its marker says, or if it was imported and has none, as the state says. */
export function openerOf(live: InboundTrunk, state: Props): Marker["openedBy"] {
  const { marker } = trunks.metadataOf(live);
  return marker || trunks.isClosed(live) ? marker?.openedBy : adoptedIn(state)?.openedBy;
}

/**
 * Whether a create that was interrupted left an inbound trunk open on purpose. It stays open until the InboundAuth of the same
 * `up` takes it over, so that no call is refused.
 */
export function isLeftOpen(live: InboundTrunk, state: Props): boolean {
  return adoptedIn(state)?.staysOpen === true && !trunks.isOpenToAnyone(live);
}

/**
 * Whether an open trunk can keep its credential through these changes. Replacing the whole trunk needs the password; if LiveKit
 * hides it, it must be the credential's own.
 */
export function keepsCredential(
  live: InboundTrunk,
  changes: Partial<InboundFields>,
  { username, password }: Partial<SipTrunkInputs>,
): boolean {
  return (
    sip.inbound.isFieldWise(changes) ||
    !trunks.hidesPassword(live) ||
    (live.authUsername === username && password !== undefined)
  );
}
