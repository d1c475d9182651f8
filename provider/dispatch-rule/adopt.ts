/** What the argument `adopt` names, and whether the DispatchRule may take it over. */

import { aliasOf } from "../lifecycle/alias";
import type { Session } from "../lifecycle/session";
import type { Rule } from "../livekit/messages";
import { nameOf, stackOf } from "../livekit/ownership";
import * as sip from "../livekit/sip-api";
import * as trunks from "../livekit/trunks";

/** The rule that a DispatchRule adopts. */
export interface Adoption {
  readonly rule?: Rule;
  /** The id of `adopt`, if LiveKit does not have it. */
  readonly missing?: string;
  /** Why it may not be adopted, and how to continue. */
  readonly refusal?: string;
}

/** Looks for the rule that `adopt` names. */
export async function adoptionOf(session: Session, owner: string, adopt: string | undefined): Promise<Adoption> {
  const { account, own } = session;
  const rule = adopt === undefined ? undefined : await account.rules.get(adopt);
  if (!rule) {
    return adopt === undefined ? {} : { missing: adopt };
  }
  const holder = own.ownerOf("DispatchRule", rule.id);
  if (holder !== undefined && ![owner, own.formerOwner("DispatchRule", owner)].includes(holder)) {
    return {
      refusal: `adopt: ${rule.id} belongs to DispatchRule "${nameOf(holder)}" of this stack. If this is the same rule under a new name, give it the option ${aliasOf(holder, owner)} instead of adopt.`,
    };
  }
  const refusal = await refusalOf(session, owner, rule);
  return refusal === undefined ? { rule } : { refusal };
}

/** Why a rule may not be adopted: it takes the calls of another stack's trunk. */
export async function refusalOf({ account, own }: Session, owner: string, rule: Rule): Promise<string | undefined> {
  const listed = await Promise.all(rule.trunkIds.map((id) => account.inbound.get(id)));
  for (const trunk of listed.filter((it) => it !== undefined)) {
    const { marker } = trunks.metadataOf(trunk);
    if (marker && !own.has(marker.id) && stackOf(marker.owner) !== stackOf(owner)) {
      return `adopt: ${rule.id} takes the calls of ${trunk.id}, which carries the marker of ${marker.owner}: remove that trunk from the rule first.`;
    }
  }
  return undefined;
}

/** Reads the rule that `adopt` names again, right before it is changed. */
export async function readAdopted({ account }: Session, adopt: string | undefined): Promise<void> {
  if (adopt !== undefined) {
    const [rule] = await sip.rules.list(account.connection, [adopt]);
    await (rule ? account.rules.put(rule) : account.rules.remove(adopt));
  }
}
