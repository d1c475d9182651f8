/** Compares a rule with what was applied, in values and words that a plan may show. */

import { type Change, type Drift, shownChanges } from "../lifecycle/drift";
import type { Observation, Wanted } from "../lifecycle/resource";
import type { Session } from "../lifecycle/session";
import { differences } from "../lifecycle/values";
import type { Account } from "../livekit/account";
import { sensitiveArguments } from "../livekit/fields";
import { RULE, type Rule, type RuleFields } from "../livekit/messages";
import { nameOf } from "../livekit/ownership";
import * as trunks from "../livekit/trunks";
import { isPrintable } from "../printable";
import type { RuleInputs } from "./arguments";
import { ruleFields } from "./mapping";
import { trunkIds } from "./trunk-ids";

/** A rule's trunks as the program refers to them. An id stays an id if the trunk's owner is unknown or not printable. */
async function trunkReferences(account: Account, ids: readonly string[], wanted: RuleInputs["trunks"]) {
  if (ids.length === 0) {
    return "all";
  }
  const references = ids.map(async (id) => {
    const live = await account.inbound.get(id);
    const owner = live && trunks.metadataOf(live).marker?.owner;
    return owner !== undefined && isPrintable(owner) && !wanted.includes(id) ? owner : id;
  });
  return Promise.all(references);
}

/** The arguments whose values no plan or report shows. */
export const SENSITIVE = sensitiveArguments(RULE);

/** The argument that stands for a LiveKit field in the plan, if its name differs. */
function argumentOf(field: Exclude<keyof RuleFields, "trunkIds">, live: Pick<RuleFields, "rule">): keyof RuleInputs {
  return field === "room" ? (live.rule === "direct" ? "roomName" : "roomPrefix") : field;
}

/** The names of the arguments in which a rule differs from the wanted one. */
export function changedArguments(wanted: RuleFields, live: Rule): (keyof RuleInputs)[] {
  return differences<RuleFields>(wanted, live).map((field) =>
    field === "trunkIds" ? "trunks" : argumentOf(field, wanted),
  );
}

export async function compare(session: Session, live: Rule, { owner, args }: Wanted<RuleInputs>): Promise<Observation> {
  const { ids, missing } = await trunkIds(session, args.trunks);
  const wanted = ruleFields(args, [...ids, ...missing]);
  const values: Record<string, unknown> = {};
  const drift: Drift[] = [];
  const changed: string[] = [];
  const changes: Change[] = [];
  for (const field of differences<RuleFields>(wanted, live)) {
    if (field === "trunkIds") {
      values.trunks = await trunkReferences(session.account, live.trunkIds, args.trunks);
      if (live.trunkIds.length === 0) {
        drift.push("takes the calls of EVERY TRUNK");
      }
      if (missing.length > 0) {
        drift.push(
          `can't find the inbound trunk of SipTrunk ${missing.map((trunk) => `"${nameOf(trunk)}"`).join(", ")}`,
        );
      } else {
        changed.push("trunks");
      }
    } else {
      changes.push({ argument: argumentOf(field, live), declared: wanted[field], live: live[field] });
    }
  }
  const { apiSecret } = session.account.connection;
  const shown = shownChanges(changes, { sensitive: SENSITIVE, apiSecret, subject: owner });
  changed.push(...shown.names);
  if (changed.length > 0) {
    drift.push({ names: changed, digest: shown.digest });
  }
  return { values: { ...values, ...shown.values }, drift };
}
