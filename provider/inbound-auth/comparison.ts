/** Compares the inbound trunk with what an InboundAuth applied, in values and words that a plan may show. Pure. */

import { z } from "zod";
import { MARKER_TO_WRITE } from "../lifecycle/adopted";
import { type Drift, shownChanges } from "../lifecycle/drift";
import { credentialFingerprint } from "../lifecycle/fingerprint";
import type { IsKnown, Observation, Wanted } from "../lifecycle/resource";
import { differences, type Props } from "../lifecycle/values";
import { sensitiveArguments } from "../livekit/fields";
import { INBOUND, type InboundTrunk } from "../livekit/messages";
import { nameOf } from "../livekit/ownership";
import * as trunks from "../livekit/trunks";
import type { InboundAuthInputs } from "./arguments";
import { authFields } from "./mapping";

/** The argument that stands for a LiveKit field in the plan, if its name differs. */
const ARGUMENT_OF: Readonly<Record<string, string>> = {
  authUsername: "username",
  authRealm: "realm",
};

/** The names of the arguments that change on an open inbound trunk when its SipTrunk and this take it over, as far as known. */
export function takeOverChanges(
  live: InboundTrunk,
  args: InboundAuthInputs,
  isKnown: IsKnown<InboundAuthInputs>,
): string[] {
  const changed = differences<Props>(authFields(args, undefined), { ...live });
  const hidden = args.method === "credentials" && trunks.hidesPassword(live) ? ["authPassword"] : [];
  const names = [...new Set([...changed, ...hidden])].map((field) => PASSWORD_TOO[field] ?? field);
  const isArgument = z.custom<keyof InboundAuthInputs>();
  return names.filter((name) => isKnown("method") && isKnown(isArgument.parse(name)));
}

const PASSWORD_TOO: Readonly<Record<string, string>> = { ...ARGUMENT_OF, authPassword: "password" };

/** The arguments whose values no plan or report shows. */
export const SENSITIVE = sensitiveArguments(INBOUND, ARGUMENT_OF);

export function compare(
  live: InboundTrunk,
  { owner, args }: Wanted<InboundAuthInputs>,
  id: string,
  apiSecret: string,
  /** Whether it was imported. Its SipTrunk then still has to write the marker. */
  isImported = false,
): Observation {
  const { marker } = trunks.metadataOf(live);
  const wanted: Props = authFields(args, marker);
  const view: Props = { ...live };
  const changed = differences<Props>(wanted, view).filter(
    (field) => field !== "authPassword" || !trunks.hidesPassword(live),
  );
  const shown = shownChanges(
    changed
      .filter((field) => field !== "authPassword")
      .map((field) => ({ argument: ARGUMENT_OF[field] ?? field, declared: wanted[field], live: view[field] })),
    { sensitive: SENSITIVE, apiSecret, subject: owner },
  );
  const values: Record<string, unknown> = { ...shown.values };
  if (changed.includes("authPassword") && args.method === "credentials") {
    values.credentialFingerprint = credentialFingerprint(apiSecret, args.trunk, live.authPassword);
  }
  const drift: Drift[] = [];
  const exposure = trunks.exposure(live);
  if (exposure !== "none") {
    drift.push(
      exposure === "anyone"
        ? `inbound trunk ${live.id} is OPEN TO ANYONE`
        : `inbound trunk ${live.id} is OPEN TO ANYONE who writes an allowed host into the From header`,
    );
  }
  if (!marker && isImported) {
    drift.push(MARKER_TO_WRITE);
  } else if (!marker) {
    // Its SipTrunk will close it, because it can no longer tell who opened it.
    drift.push(`the metadata of inbound trunk ${live.id} was overwritten outside Pulumi`);
  } else if (marker.openedBy?.id !== id) {
    const by = marker.openedBy;
    drift.push(
      by
        ? `inbound trunk ${live.id} has since been opened by InboundAuth "${nameOf(by.owner)}"`
        : `inbound trunk ${live.id} is closed`,
    );
  }
  if (changed.length > 0) {
    const names = [...shown.names, ...(changed.includes("authPassword") ? ["password"] : [])];
    drift.push({ names, digest: shown.digest });
  }
  const hidden = !marker && isImported ? trunks.hiddenTakeOver("inbound", live) : trunks.hiddenChange("inbound", live);
  if (hidden && args.method === "credentials") {
    values.credentialFingerprint = "hidden";
    drift.push(hidden);
  }
  return { values, drift };
}
