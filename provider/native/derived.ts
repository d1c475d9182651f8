/** Outputs of the native provider's resources that follow from others. */

import { type Props, UNKNOWN } from "../lifecycle/values";
import type { Kind } from "../lifecycles";
import { verdictOf } from "../voip/status";

/** The outputs of a resource that follow from its other outputs. */
export function derivedOutputs(kind: Kind, { owner, voipStatus }: Props): Props {
  return kind === "SipTrunk"
    ? { reference: owner, voipVerdict: typeof voipStatus === "string" ? verdict(voipStatus) : "unknown" }
    : {};
}

function verdict(voipStatus: string): string {
  return voipStatus === UNKNOWN ? UNKNOWN : verdictOf(voipStatus);
}
