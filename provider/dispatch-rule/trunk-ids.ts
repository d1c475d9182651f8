/** Resolves a rule's trunks to LiveKit ids. */

import type { Session } from "../lifecycle/session";
import * as trunks from "../livekit/trunks";
import { isReference, type RuleInputs } from "./arguments";

/** The LiveKit ids of the trunks, and the references whose trunk does not exist. */
export async function trunkIds(
  { account, own }: Session,
  wanted: RuleInputs["trunks"],
): Promise<{ ids: string[]; missing: string[] }> {
  const ids: string[] = [];
  const missing: string[] = [];
  for (const trunk of wanted === "all" ? [] : wanted) {
    const renamed = own.newOwner("SipTrunk", trunk);
    const names = isReference(trunk) ? [trunk, ...(renamed === undefined ? [] : [renamed])] : [];
    const found = await Promise.all(names.map((owner) => trunks.inboundOf(account, own.keyOf("SipTrunk", owner))));
    const live = found.find((it) => it !== undefined);
    if (isReference(trunk) && !live) {
      missing.push(trunk);
    } else {
      ids.push(live?.id ?? trunk);
    }
  }
  return { ids, missing };
}
