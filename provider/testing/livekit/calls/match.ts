/**
 * Picks the trunk and the rule for an inbound call, by the rules of livekit/protocol (sip/sip.go: MatchTrunkDetailed,
 * matchAddrMasks, MatchDispatchRuleIter, DispatchRulePriority, EvaluateDispatchRule), which livekit-server calls
 * (pkg/service/ioservice_sip.go). Pure functions.
 */

import { createHash } from "node:crypto";
import { BlockList, isIP } from "node:net";
import type { SIPDispatchRuleInfo, SIPInboundTrunkInfo } from "@livekit/protocol";
import { normalizeNumber, refuseConflictingRules } from "../conflicts";

/** What a call says about itself, and where it came from. */
export interface Caller {
  /** The user in its From header. */
  readonly from: string;
  /** The host in its From header. */
  readonly fromHost: string;
  /** The user in its To header. The Request-URI does not count. */
  readonly to: string;
  /** The IP address that it came from. */
  readonly sourceAddress: string;
}

/** Several trunks or rules match the same call. The real server fails then, and the caller gets 503. */
export class Ambiguous extends Error {}

/**
 * The trunk for a call: one that lists the called number, else one without numbers.
 *
 * @throws Ambiguous when several match
 */
export function matchTrunk(trunks: readonly SIPInboundTrunkInfo[], call: Caller): SIPInboundTrunkInfo | undefined {
  const called = normalizeNumber(call.to);
  const open = trunks.filter((trunk) => admits(trunk, call));
  const specific = open.filter(({ numbers }) =>
    numbers.some((number) => number === call.to || normalizeNumber(number) === called),
  );
  const fallback = open.filter(({ numbers }) => numbers.length === 0);
  const found = specific.length > 0 ? specific : fallback;
  if (found.length > 1) {
    throw new Ambiguous(`several trunks match ${call.to}`);
  }
  return found[0];
}

/** The credential that a trunk asks callers for. A user name alone or a password alone asks for nothing. */
export function credentialOf(
  trunk: SIPInboundTrunkInfo | undefined,
): { username: string; password: string; realm: string } | undefined {
  if (!trunk?.authUsername || !trunk.authPassword) {
    return undefined;
  }
  return { username: trunk.authUsername, password: trunk.authPassword, realm: trunk.authRealm || "LiveKit" };
}

function admits(trunk: SIPInboundTrunkInfo, { from, fromHost, sourceAddress }: Caller): boolean {
  const caller = normalizeNumber(from);
  const { allowedNumbers, allowedAddresses } = trunk;
  const numberFits =
    allowedNumbers.length === 0 ||
    allowedNumbers.some((allowed) => allowed === from || normalizeNumber(allowed) === caller);
  // The real server silently drops masks that it can't parse. If that leaves none, the list admits everyone.
  const masks = allowedAddresses.filter((mask) => !/[()+*;, \t\n\r]|:\/\//.test(mask));
  const addressFits = masks.length === 0 || masks.some((mask) => mask === fromHost || covers(mask, sourceAddress));
  return numberFits && addressFits;
}

function covers(mask: string, address: string): boolean {
  const [host = "", bits, ...more] = mask.split("/");
  const [version, ofAddress] = [isIP(host), isIP(address)];
  if (version === 0 || version !== ofAddress || more.length > 0 || host.includes("%")) {
    return false;
  }
  const family = version === 4 ? "ipv4" : "ipv6";
  const longest = version === 4 ? 32 : 128;
  if (bits !== undefined && (!/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > longest)) {
    return false;
  }
  const list = new BlockList();
  list.addSubnet(host, bits === undefined ? longest : Number(bits), family);
  return list.check(address, family);
}

/** What happens to a call that is let in. */
export type Dispatch =
  | { readonly result: "reject" }
  /** The caller is asked by voice for the rule's PIN. */
  | { readonly result: "pin"; readonly rule: SIPDispatchRuleInfo }
  | {
      readonly result: "accept";
      readonly rule: SIPDispatchRuleInfo;
      readonly room: string;
      /** The identity of the participant that represents the caller. */
      readonly identity: string;
    };

/**
 * Finds the rule for a call and applies it. A rule that names the call's trunk wins over a rule without trunks, which
 * matches every call.
 *
 * @param random returns a new random text, for the names of individual rooms
 * @throws Ambiguous when rules conflict
 */
export function dispatch(
  trunk: SIPInboundTrunkInfo | undefined,
  rules: readonly SIPDispatchRuleInfo[],
  call: Caller,
  random: () => string,
): Dispatch {
  const id = trunk?.sipTrunkId;
  const considered = rules.filter(({ trunkIds }) => id === undefined || trunkIds.length === 0 || trunkIds.includes(id));
  try {
    refuseConflictingRules(considered);
  } catch {
    throw new Ambiguous("rules conflict");
  }
  // Rules compare numbers literally; trunks normalize them first.
  const fitting = considered.filter(
    ({ numbers, inboundNumbers }) =>
      (inboundNumbers.length === 0 || inboundNumbers.includes(call.from)) &&
      (numbers.length === 0 || numbers.includes(call.to)),
  );
  const specific = fitting.filter(({ trunkIds }) => id !== undefined && trunkIds.includes(id));
  const [rule] = (specific.length > 0 ? specific : fitting.filter(({ trunkIds }) => trunkIds.length === 0)).sort(
    byPriority,
  );
  if (!rule) {
    return { result: "reject" };
  }
  if (pinAndRoom(rule).pin !== "") {
    return { result: "pin", rule };
  }
  return { result: "accept", rule, ...placeOf(rule, call, random) };
}

/** Sorts rules that name numbers first, then rules with a PIN, then direct before individual before callee. */
function byPriority(a: SIPDispatchRuleInfo, b: SIPDispatchRuleInfo): number {
  const [roomA, roomB] = [pinAndRoom(a).room, pinAndRoom(b).room];
  return priority(a) - priority(b) || (roomA < roomB ? -1 : Number(roomA > roomB));
}

function priority(rule: SIPDispatchRuleInfo): number {
  const kinds = ["dispatchRuleDirect", "dispatchRuleIndividual", "dispatchRuleCallee"];
  const open = pinAndRoom(rule).pin === "" ? 100 : 0;
  const unnamed = [rule.inboundNumbers, rule.numbers].filter((numbers) => numbers.length === 0).length;
  return kinds.indexOf(rule.rule?.rule.case ?? "") + open + unnamed * 1000;
}

function pinAndRoom({ rule }: SIPDispatchRuleInfo): { pin: string; room: string } {
  const kind = rule?.rule;
  switch (kind?.case) {
    case "dispatchRuleDirect":
      return { pin: kind.value.pin, room: kind.value.roomName };
    case "dispatchRuleIndividual":
    case "dispatchRuleCallee":
      return { pin: kind.value.pin, room: kind.value.roomPrefix };
    default:
      return { pin: "", room: "" };
  }
}

function placeOf(
  info: SIPDispatchRuleInfo,
  { from, to }: Caller,
  random: () => string,
): { room: string; identity: string } {
  const shown = info.hidePhoneNumber ? from.slice(from.length <= 4 ? -1 : -4) : from;
  const hidden = createHash("sha256").update(from).digest("hex").slice(0, 16);
  const identity = `sip_${info.hidePhoneNumber ? hidden : from}`;
  const joined = (...parts: string[]) => parts.filter((part) => part !== "").join("_");
  const kind = info.rule?.rule;
  switch (kind?.case) {
    case "dispatchRuleIndividual": {
      const { roomPrefix, noRandomness } = kind.value;
      return { room: [joined(roomPrefix, shown), ...(noRandomness ? [] : [random()])].join("_"), identity };
    }
    case "dispatchRuleCallee": {
      const { roomPrefix, randomize } = kind.value;
      return { room: joined(roomPrefix, to, randomize ? random() : ""), identity };
    }
    default:
      return { room: pinAndRoom(info).room, identity };
  }
}
