/** Maps a DispatchRule's arguments to LiveKit fields. Pure. */

import { sameNamed } from "../livekit/fields";
import { type JsonObject, RULE, type RuleFields, readableRoomConfig } from "../livekit/messages";
import { matchingForm } from "../phone-number/format";
import { type RuleInputs, toJson } from "./arguments";

export function ruleFields(args: RuleInputs, trunkIds: readonly string[]): RuleFields {
  const { agents = [], ...roomConfig } = readableRoomConfig({ ...args.roomConfig, agents: toJson(args.agents) });
  return {
    ...sameNamed(RULE, args),
    trunkIds,
    room: args.rule === "direct" ? (args.roomName ?? "") : args.roomPrefix,
    randomize: args.rule === "direct" ? false : (args.randomize ?? args.rule === "individual"),
    pin: args.pin ?? "",
    roomConfig,
    agents: Array.isArray(agents) ? agents.filter(isObject) : [],
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The keys that LiveKit requires to be unique: no two rules may share one (livekit/protocol, ValidateDispatchRules). */
export function ruleKeys(rule: Pick<RuleFields, "trunkIds" | "pin" | "numbers" | "inboundNumbers">): string[] {
  const orAny = (items: readonly string[]) => (items.length === 0 ? [""] : items);
  return orAny(rule.trunkIds).flatMap((trunk) =>
    orAny(rule.numbers).flatMap((number) =>
      orAny(rule.inboundNumbers).map((caller) =>
        JSON.stringify([trunk, rule.pin, matchingForm(number), matchingForm(caller)]),
      ),
    ),
  );
}
