/** The arguments of a DispatchRule: the schema, and the rules that involve more than one argument. */

import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { ArgsOf } from "../dynamic/inputs";
import type { IsKnown } from "../lifecycle/resource";
import { canonicalRoomConfig, type JsonObject, type JsonValue, RULE_KINDS } from "../livekit/messages";
import { nameOf } from "../livekit/ownership";
import * as schemas from "../livekit/schemas";
import { matchingForm } from "../phone-number/format";
import type { TrunkReference } from "../sip-trunk/reference";
import type { SipTrunk } from "../sip-trunk/resource";

/** The largest total of a participant's attributes, in bytes: LiveKit's default `limit.max_attributes_size`. */
const ATTRIBUTES_LIMIT = 64 * 1024;

const json: z.ZodType<JsonObject, JsonObject> = z.record(z.string(), z.json());

export const schema = z.strictObject({
  /**
   * The trunks whose calls this rule takes: SipTrunks, the `reference` that another stack exports of its SipTrunk, or ids (`ST_…`) of
   * trunks that this package does not manage. `"all"` takes every call of the project, even calls that no trunk's allowlist admits:
   * LiveKit then needs no trunk.
   * @livekit `trunkIds`, empty for `"all"`
   */
  trunks: z
    .union([z.literal("all"), z.array(z.string())], { error: 'must be a list of trunks, or "all"' })
    .superRefine((trunks, context) => {
      if (trunks.length === 0) {
        context.addIssue('is empty, which LiveKit treats as every call of the project: list trunks, or use "all"');
      }
      if (Array.isArray(trunks)) {
        for (const trunk of trunks.filter((text) => !isReference(text) && !text.startsWith("ST_"))) {
          context.addIssue(
            `has "${trunk}", which is neither a SipTrunk nor the id of a LiveKit trunk (ST_…): use one of these`,
          );
        }
      }
    }),

  /**
   * Where calls go: `"individual"`, each caller into a new room; `"direct"`, all into one room; `"callee"`, all calls to a number
   * into the room of that number.
   * @livekit `rule`
   */
  rule: z.enum(RULE_KINDS),

  /**
   * The room of a `"direct"` rule. Required there, refused elsewhere.
   * @livekit `rule.dispatchRuleDirect.roomName`
   */
  roomName: z.string().min(1).optional(),

  /**
   * Prefix of the room names of an `"individual"` or `"callee"` rule.
   * @default empty
   * @livekit `roomPrefix` of the rule
   */
  roomPrefix: z.string().default(""),

  /**
   * Whether room names get a random suffix. Only with `"individual"` and `"callee"`.
   * @default `true` for `"individual"`, `false` for `"callee"`
   * @livekit `noRandomness` of an individual rule, `randomize` of a callee rule
   */
  randomize: z.boolean().optional(),

  /**
   * Digits that callers must enter to get in. Always kept secret.
   * @default none
   * @livekit `pin` of the rule
   */
  pin: z
    .string()
    .regex(/^\d+$/, { error: "must be digits: callers enter it on a telephone" })
    .optional()
    .meta({ secret: true }),

  /**
   * The rule's name on LiveKit; may be empty.
   * @default the resource's name
   * @livekit `name`
   */
  name: z.string(),

  /**
   * The agents (AI assistants) to dispatch into the room. `agentName` names the agent, which gets `metadata` and `attributes`;
   * `deployment` and `restartPolicy` are those of LiveKit's RoomAgentDispatch.
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

    .default([]),

  /**
   * Attributes of the callers' participants; at most 64 KiB in total.
   * @livekit `attributes`
   */
  attributes: schemas.stringMap
    .refine(
      (map) => Object.entries(map).reduce((sum, pair) => sum + Buffer.byteLength(pair.join("")), 0) <= ATTRIBUTES_LIMIT,
      {
        error: `are in total larger than the ${ATTRIBUTES_LIMIT / 1024} KiB that LiveKit accepts: shorten them`,
      },
    )

    .default({}),

  /**
   * Metadata of the callers' participants; at most 512 KiB.
   * @livekit `metadata`
   */
  metadata: schemas.metadata.default(""),

  /**
   * Take only calls to these numbers, written as the VoIP system writes them.
   * @default every number of the trunks
   * @livekit `numbers`
   */
  numbers: z.array(z.string().min(1)).default([]),

  /**
   * Take only calls from these numbers, written as the VoIP system writes them.
   * @default every caller
   * @livekit `inboundNumbers`
   */
  inboundNumbers: z.array(z.string().min(1)).default([]),

  /**
   * Keep the caller's number out of the participant's identity, name and attributes.
   * @livekit `hidePhoneNumber`
   */
  hidePhoneNumber: z.boolean().default(false),

  /**
   * Noise cancellation for callers.
   * @livekit `krispEnabled`
   */
  krispEnabled: z.boolean().default(false),

  /**
   * Name of a room preset (LiveKit Cloud).
   * @livekit `roomPreset`
   */
  roomPreset: z.string().default(""),

  /**
   * Configuration of the rooms that the rule creates, as the JSON of LiveKit's RoomConfiguration: `emptyTimeout` and
   * `departureTimeout` in seconds, `maxParticipants`, `metadata`, `tags`, `egress`, … Put agents into `agents` instead.
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

    .default({}),

  /**
   * Encryption of the media (SRTP): `"disabled"`, `"allow"` or `"require"`.
   * @default `"disabled"`, which uses the trunk's setting
   * @livekit `media.encryption`
   */
  mediaEncryption: schemas.mediaEncryption.default("disabled"),

  /**
   * Audio codecs to offer in addition to the default ones, or instead of them with `onlyListedCodecs`.
   * @livekit `media.codecs`
   */
  codecs: schemas.codecs.default([]),

  /**
   * Offer only the listed `codecs`.
   * @livekit `media.onlyListedCodecs`
   */
  onlyListedCodecs: z.boolean().default(false),

  /**
   * How long a call may go without incoming media before it ends, in seconds; 600 at most.
   * @default the trunk's, else LiveKit's
   * @livekit `media.mediaTimeout`
   */
  mediaTimeout: schemas.mediaTimeout.default(0),

  /**
   * A rule that exists on LiveKit (`SDR_…`), to take over instead of creating a new one. It keeps its id. Only the create acts on it:
   * afterwards it can stay in the program or be removed.
   */
  adopt: schemas.ruleId.optional().meta({ createOnly: true }),
});

export type Schema = typeof schema;
export type RuleInputs = z.output<Schema>;
type Common = Omit<ArgsOf<Schema>, "trunks" | "rule" | "roomName" | "roomPrefix" | "randomize" | "name"> &
  Partial<Pick<ArgsOf<Schema>, "name">> & {
    /** The trunks whose calls this rule takes; `"all"` takes every call of the project. */
    trunks: "all" | (SipTrunk | pulumi.Input<TrunkReference | string>)[];
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

/** Arguments of a {@link DispatchRule} that puts all callers of a number into the room of that number. */
export type CalleeRuleArgs = Common &
  Pick<ArgsOf<Schema>, "roomPrefix" | "randomize"> & { rule: "callee"; roomName?: undefined };

/** Arguments of a {@link DispatchRule}. */
export type DispatchRuleArgs = IndividualRuleArgs | DirectRuleArgs | CalleeRuleArgs;

/** Whether a rule takes every call of the project: LiveKit then gets no trunk ids. */
export function takesEveryCall(trunks: RuleInputs["trunks"]): trunks is "all" {
  return trunks === "all";
}

/** Whether a trunk is given by its SipTrunk's owner: organization/project/stack/name. */
export function isReference(trunk: string): boolean {
  return trunk.split("/").length >= 4;
}

function checkRoom(room: JsonObject, context: z.core.$RefinementCtx): void {
  try {
    canonicalRoomConfig(room);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/: .*/s, "") : "";
    context.addIssue(
      `does not match LiveKit's RoomConfiguration (${reason}): check the spelling and the types of its fields`,
    );
  }
}

/** The value as JSON, without what is undefined. */
export function toJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value));
}

/** Problems between arguments that are each valid on their own, as sentences. */
export function problemsAcross(
  {
    rule,
    roomName,
    roomPrefix,
    randomize,
    numbers = [],
    inboundNumbers = [],
    trunks: wanted = [],
  }: Partial<RuleInputs>,
  isKnown: IsKnown<RuleInputs>,
): string[] {
  const problems = [...listedTwice("numbers", numbers), ...listedTwice("inboundNumbers", inboundNumbers)];
  const doubled = Array.isArray(wanted) ? wanted.filter((trunk, index) => wanted.indexOf(trunk) !== index) : [];
  problems.push(...doubled.map((trunk) => `trunks has "${nameOf(trunk)}" twice: list it once.`));
  if (rule === "direct" && isKnown("roomName") && roomName === undefined) {
    problems.push('roomName is missing: set the room that a "direct" rule sends calls to.');
  }
  if (rule === "direct" && (roomPrefix !== undefined || randomize !== undefined)) {
    problems.push(
      `roomPrefix and randomize can't be used with rule: "direct": remove them, or use "individual" or "callee".`,
    );
  }
  if (rule !== undefined && rule !== "direct" && roomName !== undefined) {
    problems.push(`roomName can't be used with rule: "${rule}": use roomPrefix, or rule: "direct".`);
  }
  return problems;
}

/** Numbers that are listed twice, in whatever format: LiveKit refuses a rule that collides with itself. */
function listedTwice(field: string, numbers: readonly string[]): string[] {
  const seen = new Map<string, string>();
  return numbers.flatMap((number) => {
    const twin = seen.get(matchingForm(number));
    seen.set(matchingForm(number), number);
    return twin === undefined
      ? []
      : [`${field} has "${number}" and "${twin}", which LiveKit treats as the same number: list it once.`];
  });
}
