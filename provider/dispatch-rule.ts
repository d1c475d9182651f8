/** DispatchRule: where an answered call goes. */

import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type Change, changedOutside, shownChanges } from "./dynamic/drift";
import { ResourceError } from "./dynamic/errors";
import type { ArgsOf } from "./dynamic/inputs";
import { NO_CONFLICTS, type Observation, type Resource, type Wanted } from "./dynamic/lifecycle";
import { supported } from "./dynamic/options";
import { aliasOf, ownerOf } from "./dynamic/owner";
import { goneForGood } from "./dynamic/project";
import { thinProvider } from "./dynamic/provider";
import * as schemas from "./dynamic/schemas";
import type { Own, Session } from "./dynamic/session";
import { differences, same } from "./dynamic/values";
import { type Account, DELETION_TTL_MS } from "./livekit/account";
import {
  canonicalRoomConfig,
  type JsonObject,
  type JsonValue,
  RULE_KINDS,
  type Rule,
  type RuleFields,
  readableRoomConfig,
} from "./livekit/messages";
import { nameOf } from "./livekit/ownership";
import * as sip from "./livekit/sip-api";
import * as trunks from "./livekit/trunks";
import { matchingForm } from "./phone-number/format";
import { isPrintable } from "./printable";
import { SipTrunk } from "./sip-trunk";

/** The largest total of a participant's attributes, in bytes: LiveKit's default `limit.max_attributes_size`. */
const ATTRIBUTES_LIMIT = 64 * 1024;

const json: z.ZodType<JsonObject> = z.record(z.string(), z.json());

const schema = z.strictObject({
  /**
   * The trunks whose calls this rule takes: SipTrunks of this program, or ids (`ST_…`) of trunks that this package does not
   * manage. `"all"` takes every call of the project, those included that miss every allowlist: LiveKit asks for no trunk then.
   * @livekit `trunkIds`, empty for `"all"`
   */
  trunks: z
    .union([z.literal("all"), z.array(z.string())], { error: 'must be a list of trunks, or "all"' })
    .superRefine((trunks, context) => {
      if (trunks.length === 0) {
        context.addIssue('is empty, which LiveKit takes for every call of the project: name trunks, or say "all"');
      }
      if (Array.isArray(trunks)) {
        for (const trunk of trunks.filter((text) => !isReference(text) && !text.startsWith("ST_"))) {
          context.addIssue(`has "${trunk}", which is neither a SipTrunk nor the id of a LiveKit trunk (ST_…)`);
        }
      }
    }),

  /**
   * Where calls go: `"individual"`, each caller to a new room; `"direct"`, all to one room; `"callee"`, all calls to a number to
   * a room of that number.
   * @livekit `rule`
   */
  rule: z.enum(RULE_KINDS),

  /**
   * The room of a `"direct"` rule.
   * @livekit `rule.dispatchRuleDirect.roomName`
   */
  roomName: z.string().min(1).optional(),

  /**
   * What the names of the rooms of an `"individual"` or `"callee"` rule begin with.
   * @default empty
   * @livekit `roomPrefix` of the rule
   */
  roomPrefix: z.string().optional().meta({ whenAbsent: "" }),

  /**
   * Whether the names of rooms get a random end.
   * @default `true` for `"individual"`, `false` for `"callee"`
   * @livekit `noRandomness` of an individual rule, `randomize` of a callee rule
   */
  randomize: z.boolean().optional(),

  /**
   * Digits that callers have to enter before they get in. Always kept secret.
   * @default none
   * @livekit `pin` of the rule
   */
  pin: z
    .string()
    .regex(/^\d+$/, { error: "must be digits: callers enter it on a telephone" })
    .optional()
    .meta({ secret: true }),

  /**
   * The rule's name on LiveKit.
   * @default the resource's name
   * @livekit `name`
   */
  name: z.string().min(1),

  /**
   * The agents (AI assistants) to dispatch into the room: `agentName`, and what they get as `metadata` and `attributes`;
   * `deployment` and `restartPolicy` as in LiveKit's RoomAgentDispatch.
   * @default none
   * @livekit `roomConfig.agents`
   */
  agents: z
    .array(
      z.strictObject({
        agentName: z.string().min(1),
        metadata: z.string().optional(),
        attributes: schemas.stringMap.optional(),
        deployment: z.string().optional(),
        restartPolicy: z.string().optional(),
      }),
    )
    .superRefine((agents, context) => checkRoom({ agents: toJson(agents) }, context))
    .optional()
    .meta({ whenAbsent: [] }),

  /**
   * Attributes that callers' participants get; at most 64 KiB together.
   * @livekit `attributes`
   */
  attributes: schemas.stringMap
    .refine(
      (map) => Object.entries(map).reduce((sum, pair) => sum + Buffer.byteLength(pair.join("")), 0) <= ATTRIBUTES_LIMIT,
      {
        error: `are together larger than the ${ATTRIBUTES_LIMIT / 1024} KiB that LiveKit accepts: shorten them`,
      },
    )
    .optional()
    .meta({ whenAbsent: {} }),

  /**
   * Metadata that callers' participants get; at most 512 KiB.
   * @livekit `metadata`
   */
  metadata: schemas.metadata.optional().meta({ whenAbsent: "" }),

  /**
   * Take only calls to these numbers, as the VoIP system writes them.
   * @default every number of the trunks
   * @livekit `numbers`
   */
  numbers: z.array(z.string().min(1)).optional().meta({ whenAbsent: [] }),

  /**
   * Take only calls from these numbers, as the VoIP system writes them.
   * @default every caller
   * @livekit `inboundNumbers`
   */
  inboundNumbers: z.array(z.string().min(1)).optional().meta({ whenAbsent: [] }),

  /**
   * Keep the caller's number out of the participant's identity, name and attributes.
   * @default `false`
   * @livekit `hidePhoneNumber`
   */
  hidePhoneNumber: z.boolean().optional().meta({ whenAbsent: false }),

  /**
   * Noise cancellation for callers.
   * @default `false`
   * @livekit `krispEnabled`
   */
  krispEnabled: z.boolean().optional().meta({ whenAbsent: false }),

  /**
   * Name of a room preset (LiveKit Cloud).
   * @livekit `roomPreset`
   */
  roomPreset: z.string().optional().meta({ whenAbsent: "" }),

  /**
   * Configuration of the rooms that the rule makes, in the JSON form of LiveKit's RoomConfiguration: `emptyTimeout` and
   * `departureTimeout` in seconds, `maxParticipants`, `metadata`, `tags`, `egress`, … Agents go into `agents`.
   * @livekit `roomConfig`
   */
  roomConfig: json
    .superRefine((room, context) => {
      if ("agents" in room) {
        context.addIssue("must not hold agents: set the agents argument instead");
      } else {
        checkRoom(room, context);
      }
    })
    .optional()
    .meta({ whenAbsent: {} }),

  /**
   * Encryption of the media (SRTP): `"disabled"`, `"allow"` or `"require"`.
   * @default `"disabled"`, which leaves it to the trunk
   * @livekit `media.encryption`
   */
  mediaEncryption: schemas.mediaEncryption.optional().meta({ whenAbsent: "disabled" }),

  /**
   * Audio codecs to offer beside the default ones, or instead of them with `onlyListedCodecs`.
   * @livekit `media.codecs`
   */
  codecs: schemas.codecs.optional().meta({ whenAbsent: [] }),

  /**
   * Offer none but the listed `codecs`.
   * @default `false`
   * @livekit `media.onlyListedCodecs`
   */
  onlyListedCodecs: z.boolean().optional().meta({ whenAbsent: false }),

  /**
   * How long a call may go without incoming media before it is ended, in seconds; 600 at most.
   * @default the trunk's, else LiveKit's
   * @livekit `media.mediaTimeout`
   */
  mediaTimeout: schemas.mediaTimeout.optional().meta({ whenAbsent: 0 }),
});

/** The resource type in Pulumi's URNs. */
const TYPE = "pulumi-nodejs:dynamic/livekit:DispatchRule";

type Schema = typeof schema;
type RuleInputs = z.output<Schema>;
type Common = Omit<ArgsOf<Schema>, "trunks" | "rule" | "roomName" | "roomPrefix" | "randomize" | "name"> &
  Partial<Pick<ArgsOf<Schema>, "name">> & {
    /** The trunks whose calls this rule takes; `"all"` takes every call of the project. */
    trunks: "all" | (SipTrunk | pulumi.Input<string>)[];
  };

/** Arguments of a {@link DispatchRule} that puts each caller into a new room. */
export type IndividualRuleArgs = Common &
  Pick<ArgsOf<Schema>, "roomPrefix" | "randomize"> & { rule: "individual"; roomName?: undefined };

/** Arguments of a {@link DispatchRule} that puts all callers into one room. */
export type DirectRuleArgs = Common & {
  rule: "direct";
  roomName: NonNullable<ArgsOf<Schema>["roomName"]>;
  roomPrefix?: undefined;
  randomize?: undefined;
};

/** Arguments of a {@link DispatchRule} that puts all callers of a number into a room of that number. */
export type CalleeRuleArgs = Common &
  Pick<ArgsOf<Schema>, "roomPrefix" | "randomize"> & { rule: "callee"; roomName?: undefined };

/** Arguments of a {@link DispatchRule}. */
export type DispatchRuleArgs = IndividualRuleArgs | DirectRuleArgs | CalleeRuleArgs;

/** Whether a trunk is given as a SipTrunk's owner: organization/project/stack/name. */
function isReference(trunk: string): boolean {
  return trunk.split("/").length >= 4;
}

function checkRoom(room: JsonObject, context: z.core.$RefinementCtx): void {
  try {
    canonicalRoomConfig(room);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/: .*/s, "") : "";
    context.addIssue(
      `is not what LiveKit's RoomConfiguration takes (${reason}): check the spelling and the types of its fields`,
    );
  }
}

/** The rule as it should be. */
function ruleFields(args: RuleInputs, trunkIds: readonly string[]): RuleFields {
  const { agents = [], ...roomConfig } = readableRoomConfig({ ...args.roomConfig, agents: toJson(args.agents ?? []) });
  return {
    name: args.name,
    metadata: args.metadata ?? "",
    trunkIds,
    rule: args.rule,
    room: (args.rule === "direct" ? args.roomName : args.roomPrefix) ?? "",
    randomize: args.rule === "direct" ? false : (args.randomize ?? args.rule === "individual"),
    pin: args.pin ?? "",
    attributes: args.attributes ?? {},
    numbers: args.numbers ?? [],
    inboundNumbers: args.inboundNumbers ?? [],
    hidePhoneNumber: args.hidePhoneNumber ?? false,
    krispEnabled: args.krispEnabled ?? false,
    roomPreset: args.roomPreset ?? "",
    roomConfig,
    agents: Array.isArray(agents) ? agents.filter(isObject) : [],
    mediaEncryption: args.mediaEncryption ?? "disabled",
    codecs: args.codecs ?? [],
    onlyListedCodecs: args.onlyListedCodecs ?? false,
    mediaTimeout: args.mediaTimeout ?? 0,
  };
}

/** As JSON, in which what is undefined is absent. */
function toJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The LiveKit ids of the trunks, and which of them do not exist. */
async function trunkIds(
  { account, own }: Session,
  wanted: RuleInputs["trunks"],
): Promise<{ ids: string[]; missing: string[] }> {
  const ids: string[] = [];
  const missing: string[] = [];
  for (const trunk of wanted === "all" ? [] : wanted) {
    const renamed = own.newOwner("SipTrunk", trunk);
    const names = isReference(trunk) ? [trunk, ...(renamed === undefined ? [] : [renamed])] : [];
    const found = await Promise.all(names.map((owner) => trunks.inboundOf(account, own.keyOf(owner))));
    const live = found.find((it) => it !== undefined);
    if (isReference(trunk) && !live) {
      missing.push(trunk);
    } else {
      ids.push(live?.id ?? trunk);
    }
  }
  return { ids, missing };
}

/** LiveKit's trunk ids as the program writes them; as ids, where others have written what can't be printed. */
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

/** What LiveKit holds unique: no two rules may have one of these in common (livekit/protocol, ValidateDispatchRules). */
function ruleKeys(rule: Pick<RuleFields, "trunkIds" | "pin" | "numbers" | "inboundNumbers">): string[] {
  const orAny = (items: readonly string[]) => (items.length === 0 ? [""] : items);
  return orAny(rule.trunkIds).flatMap((trunk) =>
    orAny(rule.numbers).flatMap((number) =>
      orAny(rule.inboundNumbers).map((caller) =>
        JSON.stringify([trunk, rule.pin, matchingForm(number), matchingForm(caller)]),
      ),
    ),
  );
}

/** The rules that LiveKit would not take beside this one. */
async function rulesInTheWay(account: Account, rule: Parameters<typeof ruleKeys>[0], id?: string): Promise<Rule[]> {
  const others = await Promise.all(ruleKeys(rule).map((key) => account.rules.having(ruleKeys, key)));
  return others.flat().filter((other) => other.id !== id);
}

/** Numbers that are listed twice, in any way of writing: LiveKit refuses a rule that collides with itself. */
function listedTwice(field: string, numbers: readonly string[]): string[] {
  const seen = new Map<string, string>();
  return numbers.flatMap((number) => {
    const twin = seen.get(matchingForm(number));
    seen.set(matchingForm(number), number);
    return twin === undefined
      ? []
      : [`${field} has "${number}" and "${twin}", which LiveKit takes for the same: list it once.`];
  });
}

/** The arguments that LiveKit's own messages mark as sensitive, and with them whatever agents and rooms are given. */
const SENSITIVE: ReadonlySet<string> = new Set<keyof RuleInputs>([
  "pin",
  "metadata",
  "attributes",
  "agents",
  "roomConfig",
]);

/** The argument that a LiveKit field shows as in the plan, where it has another name. */
function argumentOf(field: keyof RuleFields, live: Rule): string {
  return field === "room" ? (live.rule === "direct" ? "roomName" : "roomPrefix") : field;
}

/** Compares what is on the platform with what was applied. */
async function compare(session: Session, live: Rule, { owner, args }: Wanted<RuleInputs>): Promise<Observation> {
  const { ids, missing } = await trunkIds(session, args.trunks);
  const wanted = ruleFields(args, [...ids, ...missing]);
  const values: Record<string, unknown> = {};
  const words: string[] = [];
  const changed: string[] = [];
  const changes: Change[] = [];
  for (const field of differences<RuleFields>(wanted, live)) {
    if (field === "trunkIds") {
      values.trunks = await trunkReferences(session.account, live.trunkIds, args.trunks);
      if (live.trunkIds.length === 0) {
        words.push("takes the calls of EVERY TRUNK");
      }
      if (missing.length > 0) {
        words.push(
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
    words.push(changedOutside(changed, shown.digest));
  }
  return { values: { ...values, ...shown.values }, words };
}

async function wantedFields(session: Session, { owner, args }: Wanted<RuleInputs>): Promise<RuleFields> {
  const { ids, missing } = await trunkIds(session, args.trunks);
  if (missing.length > 0) {
    throw new ResourceError(
      `DispatchRule "${nameOf(owner)}": the inbound trunk of SipTrunk ${missing.map((trunk) => `"${nameOf(trunk)}"`).join(", ")} does not exist: run \`pulumi up\` without --target, so that the trunk is made first.`,
    );
  }
  return ruleFields(args, ids);
}

/**
 * Whether a rule that is there already may be taken over as one that an interrupted create left behind. Rules carry no marker,
 * so only one that leads to trunks which this stack's state knows and is the same in every field can be told for ours.
 */
async function isLeftover(account: Account, own: Own, rule: Rule, fields: RuleFields): Promise<boolean> {
  const leadsTo = await Promise.all(fields.trunkIds.map((id) => account.inbound.get(id)));
  const onlyOwnTrunks = leadsTo.every(
    (trunk) => trunk && (own.willHave(trunk.id) || own.has(trunks.metadataOf(trunk).marker?.id)),
  );
  return fields.trunkIds.length > 0 && onlyOwnTrunks && !own.has(rule.id) && sameDefinition(rule, fields);
}

function sameDefinition(rule: Rule, fields: RuleFields): boolean {
  return differences<RuleFields>(fields, rule).length === 0;
}

/** The lifecycle of a {@link DispatchRule}. */
export const dispatchRule: Resource<Schema> = {
  kind: "DispatchRule",
  schema,
  stableOutputs: [],
  goneNeedsNewId: true,
  // LiveKit takes no second rule with the same trunk, pin and number while the first is there.
  deleteBeforeReplace: true,

  rules({ rule, roomName, roomPrefix, randomize, numbers = [], inboundNumbers = [], trunks: wanted = [] }, isKnown) {
    const problems = [...listedTwice("numbers", numbers), ...listedTwice("inboundNumbers", inboundNumbers)];
    const doubled = Array.isArray(wanted) ? wanted.filter((trunk, index) => wanted.indexOf(trunk) !== index) : [];
    problems.push(...doubled.map((trunk) => `trunks has "${nameOf(trunk)}" twice: list it once.`));
    if (rule === "direct" && isKnown("roomName") && roomName === undefined) {
      problems.push('roomName is missing: a "direct" rule needs the room that calls go to.');
    }
    if (rule === "direct" && (roomPrefix !== undefined || randomize !== undefined)) {
      problems.push(
        'roomPrefix and randomize do not go with rule: "direct": remove them, or use "individual" or "callee".',
      );
    }
    if (rule !== undefined && rule !== "direct" && roomName !== undefined) {
      problems.push(`roomName does not go with rule: "${rule}": use roomPrefix, or rule: "direct".`);
    }
    return problems;
  },

  canonical: () => ({}),

  claims({ trunks: wanted, pin = "", numbers = [], inboundNumbers = [] }) {
    if (wanted === undefined) {
      return [];
    }
    const keys = ruleKeys({ trunkIds: wanted === "all" ? [] : wanted, pin, numbers, inboundNumbers });
    return keys.map((key) => ({
      key,
      words: "LiveKit takes only one rule for a trunk, pin and number, and this combination is",
    }));
  },

  computed() {
    return {};
  },

  async conflicts(session, owner, args, existing) {
    const { account, own } = session;
    const { trunks: wanted, rule, pin = "", numbers = [], inboundNumbers = [], name } = args;
    if (wanted === undefined || rule === undefined || name === undefined) {
      return NO_CONFLICTS;
    }
    const { ids, missing } = await trunkIds(session, wanted);
    if (ids.length === 0 && missing.length > 0) {
      return NO_CONFLICTS;
    }
    const doubled = ids.find((id, index) => ids.indexOf(id) !== index);
    if (doubled !== undefined) {
      return { problems: [`trunks has the trunk ${doubled} twice, as a SipTrunk and by its id: list it once.`] };
    }
    const fields = ruleFields({ ...args, trunks: wanted, rule, name }, ids);
    const others = await rulesInTheWay(account, { trunkIds: ids, pin, numbers, inboundNumbers }, existing?.id);
    const remarks: string[] = [];
    for (const other of others) {
      const otherOwner = own.ownerOf("DispatchRule", other.id);
      // No rule that is there leads to a trunk that is not.
      if (otherOwner === undefined && missing.length === 0 && (await isLeftover(account, own, other, fields))) {
        remarks.push(`takes over the dispatch rule ${other.id}, which is as declared here already.`);
      } else if (otherOwner === undefined) {
        return {
          problems: [
            `trunks: the dispatch rule ${other.id} already takes the calls with the same trunk, pin and number, and LiveKit allows one: change pin or numbers, or delete that rule.`,
          ],
        };
      } else if (otherOwner !== owner && !own.isDeclared("DispatchRule", otherOwner)) {
        return {
          problems: [
            `DispatchRule "${nameOf(otherOwner)}" of this stack still takes the calls with the same trunk, pin and number. If this is that one with a new name, give it the option ${aliasOf(otherOwner, owner)}; else remove that one first, with a \`pulumi up\` of its own.`,
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
    const before = await rulesInTheWay(account, fields);
    const isOurs = await Promise.all(before.map((rule) => isLeftover(account, own, rule, fields)));
    const leftover = before.find((_, index) => isOurs[index]);
    // A rule like this one that has appeared meanwhile is what an attempt of ours made.
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
        `DispatchRule "${nameOf(wanted.owner)}": the rule ${id} was deleted from LiveKit: run \`pulumi up --refresh\`, which makes it anew.`,
      );
    }
    const fields = await wantedFields(session, wanted);
    const updated = same(differences<RuleFields>(fields, live), [])
      ? live
      : await sip.rules.update(account.connection, live, fields);
    await account.rules.put(updated);
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

/**
 * Says where an answered call goes: into which room, with which agents.
 *
 * @example
 * new DispatchRule("office", { trunks: [office], rule: "individual", agents: [{ agentName: "receptionist" }] });
 */
export class DispatchRule extends pulumi.dynamic.Resource {
  /** `"in sync"`, or in words how the platform differs from what was applied. */
  declare readonly platformStatus: pulumi.Output<string>;

  constructor(name: string, args: DispatchRuleArgs, options?: pulumi.CustomResourceOptions) {
    const { trunks: wanted, pin } = args;
    const reference = (trunk: SipTrunk | pulumi.Input<string>) => (SipTrunk.isInstance(trunk) ? trunk.owner : trunk);
    super(
      thinProvider("DispatchRule"),
      name,
      {
        ...args,
        trunks: wanted === "all" ? wanted : wanted.map(reference),
        ...(pin === undefined ? {} : { pin: pulumi.secret(pin) }),
        name: args.name ?? name,
        owner: ownerOf(name, TYPE, options),
        platformStatus: undefined,
      },
      supported("DispatchRule", name, options),
      "livekit",
      "DispatchRule",
    );
  }
}
