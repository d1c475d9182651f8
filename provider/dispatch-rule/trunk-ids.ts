/** Resolves a rule's trunks to LiveKit ids. */

import type { Session } from "../lifecycle/session";
import * as trunks from "../livekit/trunks";
import { isReference, type RuleInputs, takesEveryCall } from "./arguments";

/** The LiveKit ids of the trunks, and the references whose trunk does not exist. */
export async function trunkIds(
  { account, own }: Session,
  wanted: RuleInputs["trunks"],
): Promise<{ ids: string[]; missing: string[] }> {
  const ids: string[] = [];
  const missing: string[] = [];
  for (const trunk of takesEveryCall(wanted) ? [] : wanted) {
    const id = isReference(trunk) ? (await trunks.inboundOf(account, own.keyOf("SipTrunk", trunk)))?.id : trunk;
    if (id === undefined) {
      missing.push(trunk);
    } else {
      ids.push(id);
    }
  }
  return { ids, missing };
}
