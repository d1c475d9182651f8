/** The lifecycle of a DispatchRule. */

import { aliasOf } from "../lifecycle/alias";
import { adoptionClaim } from "../lifecycle/claims";
import { ResourceError } from "../lifecycle/errors";
import { goneForGood } from "../lifecycle/gone-for-good";
import type { Own } from "../lifecycle/own";
import { changesThere } from "../lifecycle/remarks";
import { type IsKnown, NO_CONFLICTS, type Resource, type Wanted } from "../lifecycle/resource";
import type { Session } from "../lifecycle/session";
import { differences, keysOf } from "../lifecycle/values";
import { type Account, DELETION_TTL_MS } from "../livekit/account";
import type { Rule, RuleFields } from "../livekit/messages";
import { nameOf } from "../livekit/ownership";
import * as sip from "../livekit/sip-api";
import * as trunks from "../livekit/trunks";
import { cannotUse } from "../sip-trunk/direction";
import { type Adoption, adoptionOf, readAdopted, refusalOf } from "./adopt";
import { problemsAcross, type RuleInputs, type Schema, schema, takesEveryCall } from "./arguments";
import { changedArguments, compare } from "./comparison";
import { ruleFields, ruleKeys } from "./mapping";
import { trunkIds } from "./trunk-ids";

/** The existing rules that LiveKit would not accept together with this one. */
async function rulesInTheWay(account: Account, rule: Parameters<typeof ruleKeys>[0], id?: string): Promise<Rule[]> {
  const others = await Promise.all(ruleKeys(rule).map((key) => account.rules.having(ruleKeys, key)));
  return others.flat().filter((other) => other.id !== id);
}

async function wantedFields(session: Session, { owner, args }: Wanted<RuleInputs>): Promise<RuleFields> {
  const { ids, missing } = await trunkIds(session, args.trunks);
  if (missing.length > 0) {
    throw new ResourceError(
      `DispatchRule "${nameOf(owner)}": the inbound trunk of SipTrunk ${missing.map((trunk) => `"${nameOf(trunk)}"`).join(", ")} does not exist: run \`pulumi up\` without --target, so that the trunk is created first.`,
    );
  }
  return ruleFields(args, ids);
}

/**
 * Whether an existing rule may be taken over as the leftover of an interrupted create. Rules carry no marker, so only a rule that
 * uses this stack's own trunks and is identical in every field can be recognised as ours.
 */
async function isLeftover(account: Account, own: Own, rule: Rule, fields: RuleFields): Promise<boolean> {
  const leadsTo = await Promise.all(fields.trunkIds.map((id) => account.inbound.get(id)));
  const onlyOwnTrunks = leadsTo.every(
    (trunk) => trunk && (own.willHave(trunk.id) || own.has(trunks.metadataOf(trunk).marker?.id)),
  );
  return fields.trunkIds.length > 0 && onlyOwnTrunks && !own.has(rule.id) && sameDefinition(rule, fields);
}

/** Makes a rule match the declaration. */
async function updated({ connection }: Account, live: Rule, fields: RuleFields): Promise<Rule> {
  return sameDefinition(live, fields) ? live : sip.rules.update(connection, live, fields);
}

/** What a preview says of the rule that a DispatchRule adopts. */
function adoptionRemarks(
  own: Own,
  { rule, missing }: Adoption,
  fields: RuleFields,
  isKnown: IsKnown<RuleInputs>,
): string[] {
  if (missing !== undefined) {
    return [`names ${missing} in adopt, but LiveKit has no rule ${missing}: a new one is created.`];
  }
  if (!rule || own.has(rule.id)) {
    return [];
  }
  const changes = changedArguments(fields, rule).filter(isKnown);
  const unknown = keysOf(schema.shape).filter((field) => !isKnown(field));
  return [`takes over the dispatch rule ${rule.id} on LiveKit${changesThere(changes, unknown)}.`];
}

function sameDefinition(rule: Rule, fields: RuleFields): boolean {
  return differences<RuleFields>(fields, rule).length === 0;
}

export const dispatchRule: Resource<Schema> = {
  kind: "DispatchRule",
  schema,
  goneNeedsNewId: true,
  // LiveKit rejects a second rule with the same trunk, pin and number while the first exists.
  deleteBeforeReplace: true,

  rules: problemsAcross,

  claims({ trunks: wanted, pin = "", numbers = [], inboundNumbers = [], adopt }) {
    if (wanted === undefined) {
      return adoptionClaim(adopt);
    }
    const keys = ruleKeys({ trunkIds: takesEveryCall(wanted) ? [] : wanted, pin, numbers, inboundNumbers });
    const unique = keys.map((key) => ({
      key,
      words: "LiveKit allows only one rule for a combination of trunk, pin and number",
    }));
    return [...unique, ...adoptionClaim(adopt)];
  },

  async conflicts(session, owner, args, existing, isKnown) {
    const { account, own } = session;
    const adoption = existing ? {} : await adoptionOf(session, owner, args.adopt);
    if (adoption.refusal !== undefined) {
      return { problems: [adoption.refusal] };
    }
    if (!isKnown("adopt")) {
      return NO_CONFLICTS;
    }
    // Unknown fields count as omitted. If a required one is unknown, there is nothing to compare.
    const { data: known } = schema.safeParse(args);
    if (!known) {
      return NO_CONFLICTS;
    }
    const refusals = [known.trunks].flat().flatMap((trunk) => cannotUse(session, trunk, "inbound") ?? []);
    if (refusals.length > 0) {
      return {
        problems: refusals.map((it) => `trunks: ${it}: remove it from trunks, or set its direction to "both".`),
      };
    }
    const { ids, missing } = await trunkIds(session, known.trunks);
    const { rule } = adoption;
    const remarks = adoptionRemarks(own, adoption, ruleFields(known, [...ids, ...missing]), isKnown);
    if (ids.length === 0 && missing.length > 0) {
      return { problems: [], remarks };
    }
    const doubled = ids.find((id, index) => ids.indexOf(id) !== index);
    if (doubled !== undefined) {
      return { problems: [`trunks has the trunk ${doubled} twice, as a SipTrunk and by its id: list it once.`] };
    }
    const fields = ruleFields(known, ids);
    const others = await rulesInTheWay(account, fields, existing?.id ?? rule?.id);
    for (const other of others) {
      const otherOwner = own.ownerOf("DispatchRule", other.id);
      // If some of its trunks don't exist yet, no existing rule can be its leftover.
      if (
        otherOwner === undefined &&
        !rule &&
        missing.length === 0 &&
        (await isLeftover(account, own, other, fields))
      ) {
        remarks.push(`takes over the dispatch rule ${other.id}, which already matches the declaration.`);
      } else if (otherOwner === undefined) {
        const mayAdopt = !existing && !rule && (await refusalOf(session, owner, other)) === undefined;
        const remedy = mayAdopt ? `take that rule over with adopt: "${other.id}"` : "delete that rule";
        return {
          problems: [
            `trunks: the dispatch rule ${other.id} already takes the calls with the same trunk, pin and number, and LiveKit allows only one: change pin or numbers, or ${remedy}.`,
          ],
        };
      } else if (otherOwner !== owner && !own.isDeclared("DispatchRule", otherOwner)) {
        return {
          problems: [
            `DispatchRule "${nameOf(otherOwner)}" of this stack still takes the calls with the same trunk, pin and number. If this is the same rule under a new name, give it the option ${aliasOf(otherOwner, owner)}. Otherwise remove the other one first, in a separate \`pulumi up\`.`,
          ],
        };
      }
    }
    return { problems: [], remarks };
  },

  async observe(session, id, applied, state) {
    const { account } = session;
    const live = await account.rules.get(id);
    if (!live) {
      goneForGood("DispatchRule", applied.owner, state, account.connection);
      return undefined;
    }
    return compare(session, live, applied);
  },

  async create(session, wanted) {
    const { account, own } = session;
    const fields = await wantedFields(session, wanted);
    await readAdopted(session, wanted.args.adopt);
    const { rule, refusal } = await adoptionOf(session, wanted.owner, wanted.args.adopt);
    if (refusal !== undefined) {
      throw new ResourceError(`Creating DispatchRule "${nameOf(wanted.owner)}": ${refusal}`);
    }
    if (rule) {
      await account.rules.put(await updated(account, rule, fields));
      return { id: rule.id, outputs: { project: account.connection.project } };
    }
    const before = await rulesInTheWay(account, fields);
    const isOurs = await Promise.all(before.map((rule) => isLeftover(account, own, rule, fields)));
    const leftover = before.find((_, index) => isOurs[index]);
    // An identical rule that has appeared since then was made by an earlier attempt of ours.
    const isNew = (rule: Rule) =>
      sameDefinition(rule, fields) && !own.has(rule.id) && !before.some(({ id }) => id === rule.id);
    const find = async () => (await account.rules.fresh()).find(isNew);
    const made = leftover ?? (await sip.rules.create(account.connection, fields, find));
    await account.rules.put(made);
    return { id: made.id, outputs: { project: account.connection.project } };
  },

  async update(session, id, wanted, state) {
    const { account } = session;
    const [live] = await sip.rules.list(account.connection, [id]);
    if (!live) {
      goneForGood("DispatchRule", wanted.owner, state, account.connection);
      throw new ResourceError(
        `DispatchRule "${nameOf(wanted.owner)}": the rule ${id} was deleted from LiveKit: run \`pulumi up --refresh\`, which recreates it.`,
      );
    }
    const fields = await wantedFields(session, wanted);
    await account.rules.put(await updated(account, live, fields));
    return { project: account.connection.project };
  },

  async delete({ account }, id, applied, state) {
    await account.rules.fresh(DELETION_TTL_MS);
    if (!(await account.rules.get(id))) {
      goneForGood("DispatchRule", applied.owner, state, account.connection);
    }
    await sip.deleteRule(account.connection, id);
    await account.rules.remove(id);
  },
};
