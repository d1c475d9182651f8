/** Conflicts between trunks, and between rules, that LiveKit refuses (livekit/protocol, sip/sip.go). */

import type { SIPDispatchRuleInfo, SIPInboundTrunkInfo } from "@livekit/protocol";
import { Invalid, TwirpError } from "./twirp-error";

/**
 * A number without spaces, `-`, `(` and `)`, and with a leading `+`. Text that is not a number is returned unchanged.
 */
export function normalizeNumber(number: string): string {
  if (!/^\+?[\d\- ()]+$/.test(number)) {
    return number;
  }
  const digits = number.replace(/[ \-()]/g, "");
  return digits.startsWith("+") ? digits : `+${digits}`;
}

/**
 * Goes through the trunks in order and refuses the first that answers the same number for the same caller as an earlier
 * one. A trunk without numbers only answers numbers that no other trunk lists, so it conflicts only with another such
 * trunk.
 *
 * @throws TwirpError invalid_argument that names both trunks by id, a new one as `<new>`
 */
export function refuseConflictingTrunks(trunks: readonly SIPInboundTrunkInfo[]): void {
  const takenBy = new Map<string, Map<string, SIPInboundTrunkInfo>>();
  for (const trunk of trunks) {
    for (const number of normalized(trunk.numbers)) {
      const callers = takenBy.get(number) ?? new Map<string, SIPInboundTrunkInfo>();
      takenBy.set(number, callers);
      claimCallers(callers, trunk);
    }
  }
}

function claimCallers(callers: Map<string, SIPInboundTrunkInfo>, trunk: SIPInboundTrunkInfo): void {
  const allowed = trunk.allowedNumbers.length === 0 ? [""] : trunk.allowedNumbers;
  for (const caller of allowed) {
    const key = normalizeNumber(caller);
    const other = callers.get(key);
    if (other && other.sipTrunkId !== trunk.sipTrunkId) {
      const numbers = trunk.numbers.length === 0 ? "<any>" : `[${trunk.numbers.map(quote).join(" ")}]`;
      const which = caller === "" ? "without AllowedNumbers set" : `and AllowedNumber ${quote(caller)}`;
      throw new TwirpError(
        "invalid_argument",
        `Conflicting inbound SIP Trunks: ${printId(trunk.sipTrunkId)} and ${printId(other.sipTrunkId)}, using the same number(s) ${numbers} ${which}`,
      );
    }
    callers.set(key, trunk);
  }
}

/**
 * Goes through the rules in order and refuses the first that shares trunk, both numbers and PIN with an earlier one, or
 * that lists one combination twice itself. A rule without trunks or numbers conflicts only with another such rule.
 *
 * @throws TwirpError invalid_argument that names the other rule; Invalid for a rule without a kind
 */
export function refuseConflictingRules(rules: readonly SIPDispatchRuleInfo[]): void {
  const takenBy = new Map<string, SIPDispatchRuleInfo>();
  for (const rule of rules) {
    const pin = pinOf(rule);
    for (const trunk of orAny(rule.trunkIds)) {
      for (const inboundNumber of orAny(rule.inboundNumbers)) {
        for (const number of orAny(rule.numbers)) {
          const key = JSON.stringify([pin, trunk, normalizeNumber(inboundNumber), normalizeNumber(number)]);
          const other = takenBy.get(key);
          if (other) {
            throw new TwirpError(
              "invalid_argument",
              `Dispatch rule for the same trunk, inbound number, number, and PIN combination already exists in dispatch rule ${printId(other.sipDispatchRuleId)} ${quote(other.name || "<blank name>")}`,
            );
          }
          takenBy.set(key, rule);
        }
      }
    }
  }
}

function pinOf(rule: SIPDispatchRuleInfo): string {
  const kind = rule.rule?.rule;
  if (!kind || kind.case === undefined) {
    throw new Invalid("unsupported SIP Dispatch Rule: <nil>", true);
  }
  return kind.value.pin;
}

function orAny(values: readonly string[]): readonly string[] {
  return values.length === 0 ? [""] : values;
}

function normalized(numbers: readonly string[]): Set<string> {
  return new Set(orAny(numbers).map(normalizeNumber));
}

function printId(id: string): string {
  return quote(id || "<new>");
}

/** Go's %q: quotes the text and escapes unprintable characters. */
function quote(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    '"': '\\"',
    "\\": "\\\\",
    "\u0007": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
  };
  let quoted = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const hex = (width: number) => code.toString(16).padStart(width, "0");
    if (escapes[character] !== undefined) {
      quoted += escapes[character];
    } else if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(character)) {
      quoted += character;
    } else if (code < 0x80) {
      quoted += `\\x${hex(2)}`;
    } else {
      quoted += code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
    }
  }
  return `"${quoted}"`;
}
