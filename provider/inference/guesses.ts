/**
 * Guesses the arguments that would have made what is on LiveKit. A guess may be wrong: the resources themselves decide whether it is
 * exact (trial.ts). Pure.
 */

import { schema as ruleSchema } from "../dispatch-rule/arguments";
import { unbracketed } from "../host-text";
import { type Field, fieldsOf } from "../lifecycle/validation";
import { type Props, same, UNKNOWN } from "../lifecycle/values";
import type { OutboundProxy } from "../livekit/connection";
import type { InboundTrunk, OutboundTrunk, Rule } from "../livekit/messages";
import * as trunks from "../livekit/trunks";
import { countryOf, NUMBER_FORMATS, parseNumber } from "../phone-number/format";
import { schema as trunkSchema } from "../sip-trunk/arguments";

const TRUNK = fieldsOf(trunkSchema);
const RULE = fieldsOf(ruleSchema);

/** The trunks that one SipTrunk would manage: one of them or both. */
export type Halves = Omit<trunks.Pair, "spare">;

/** What the user knows and LiveKit does not. */
export interface Hints {
  /** The country of trunks that do not show one. */
  readonly country?: string;
  /** The proxy of trunks with a fixed IP address. */
  readonly outboundProxy?: OutboundProxy;
  /** The password, if LiveKit hides it. */
  readonly password?: string;
}

/** Arguments of a SipTrunk that may describe the trunks, the most natural ones first. */
export function trunkGuesses(halves: Halves, hints: Hints): Props[] {
  const shared = {
    ...sharedArguments(halves),
    ...credential(halves, hints.password),
    ...direction(halves),
  };
  // The trunk of an extension has the extension as its user name, so it needs a password.
  const isComplete = ({ type }: Props) => type !== "extension" || "username" in shared;
  const destinations = halves.outbound ? destinationGuesses(halves.outbound, hints) : [{}];
  const plans = dialPlans(halves, hints).filter(isComplete);
  return plans.flatMap((dialPlan) =>
    destinations.map((destination) => ({
      ...shared,
      ...destination,
      ...dialPlan,
      ...countryOfCalls(halves, dialPlan.country),
    })),
  );
}

/** The arguments of an InboundAuth that would let in the callers that an inbound trunk lets in, or why there are none. */
export function authArguments(inbound: InboundTrunk): { readonly args: Props } | { readonly problem: string } {
  const { authUsername, authRealm, allowedAddresses, allowedNumbers } = inbound;
  const exposure = trunks.exposure(inbound);
  if (exposure !== "none") {
    return { problem: EXPOSURES[exposure] };
  }
  const callers = allowedNumbers.length > 0 ? { allowedNumbers } : {};
  if (authUsername === "") {
    return { args: { method: "ip", allowedAddresses, ...callers } };
  }
  return allowedAddresses.length > 0
    ? {
        problem:
          "it asks for a credential and also checks the caller's address, and an InboundAuth does one of them: empty its allowed addresses, or its credential",
      }
    : { args: { method: "credentials", ...(authRealm !== "" && { realm: authRealm }), ...callers } };
}

/** What is wrong with a trunk that strangers can call. */
export const EXPOSURES = {
  anyone: "it is open to anyone: give it a credential, or allow only the addresses of the phone system",
  spoofable:
    "its allowed addresses hold a host name or an address without a prefix length, which anyone can write into the From header: write each as a range, for example 203.0.113.7/32",
} as const;

/** The arguments of a DispatchRule that would have made a rule. `references` has the SipTrunks by the ids of their inbound trunks. */
export function ruleArguments(rule: Rule, references: ReadonlyMap<string, string>): Props {
  const { trunkIds, room, randomize, rule: kind } = rule;
  const { randomize: _, ...fields } = named(RULE, rule);
  const isUsual = kind === "direct" || randomize === (kind === "individual");
  return {
    ...fields,
    trunks: trunkIds.map((id) => references.get(id) ?? id),
    ...(kind === "direct" ? { roomName: room } : { roomPrefix: room }),
    ...(isUsual ? {} : { randomize }),
  };
}

/** The fields of an object that are arguments of the same name, as far as a program would write them. */
function named(known: ReadonlyMap<string, Field>, live: object | undefined): Record<string, unknown> {
  const isWritten = ([field, value]: [string, unknown]) =>
    field === "name" || (known.has(field) && isSet(value) && !same(value, known.get(field)?.whenAbsent));
  return Object.fromEntries(Object.entries(live ?? {}).filter(isWritten));
}

function isSet(value: unknown): boolean {
  return typeof value === "object" && value !== null ? Object.keys(value).length > 0 : value !== "" && value !== 0;
}

/** What both trunks say in the same way; where they differ, the inbound one's. The trial finds such a difference. */
function sharedArguments({ inbound, outbound }: Halves): Props {
  const { numbers: _, destinationCountry: __, ...fields } = { ...named(TRUNK, outbound), ...named(TRUNK, inbound) };
  const own = inbound ?? outbound;
  const { user } = own ? trunks.metadataOf(own) : { user: "" };
  return { ...fields, metadata: user === "" ? undefined : user };
}

/** The field is empty on most trunks that were made by hand, and must stay so. */
function countryOfCalls({ outbound }: Halves, country: unknown): Props {
  return !outbound || outbound.destinationCountry === country
    ? {}
    : { destinationCountry: outbound.destinationCountry };
}

function direction({ inbound, outbound }: Halves): Props {
  return inbound && outbound ? {} : { direction: inbound ? "inbound" : "outbound" };
}

/** @param known the password, if LiveKit hides it and the user has put it into the stack's configuration */
function credential({ inbound, outbound }: Halves, known: string | undefined): Props {
  const open = inbound && !trunks.isClosed(inbound) ? inbound : undefined;
  const trunk = [outbound, open].find((it) => it !== undefined && it.authUsername !== "");
  if (!trunk) {
    return {};
  }
  const { authUsername: username, authPassword } = trunk;
  return { username, password: trunks.hidesPassword(trunk) ? (known ?? UNKNOWN) : authPassword || undefined };
}

/** `host`, `host:port`, or a proxy with the destination in a header. */
function destinationGuesses(outbound: OutboundTrunk, { outboundProxy }: Hints): Props[] {
  const direct = hostAndPort(outbound.address);
  if (!outboundProxy || outbound.address !== outboundProxy.address) {
    return [direct];
  }
  const { [outboundProxy.header]: target = "", ...headers } = outbound.headers;
  const [destination = "", transport] = target.split(";transport=");
  const others = Object.keys(headers).length > 0 ? headers : undefined;
  return [{ ...hostAndPort(destination), ...(transport && { transport }), headers: others, fixedIp: true }, direct];
}

function hostAndPort(address: string): Props {
  const [, host = address, port] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(address) ?? [];
  return { address: unbracketed(host), ...(port !== undefined && { port: Number(port) }) };
}

/** The number or numbers, with the country and the format that they may be written in. */
function dialPlans({ inbound, outbound }: Halves, { country: hint }: Hints): Props[] {
  const own = (outbound ?? inbound)?.numbers ?? [];
  const all = [...own, ...(inbound?.numbers ?? []), ...(inbound?.allowedNumbers ?? [])];
  // A number without its plus may also be a national one, so that guess comes last.
  const withPlus = own.map((number) => countryOf(`+${number}`));
  const countries = [...new Set([...all.map(countryOf), outbound?.destinationCountry, hint, ...withPlus])].flatMap(
    (country) => (country === undefined || country === "" ? [] : [country]),
  );
  const [only, ...more] = own;
  const asNumbers = countries.flatMap((country) => {
    const numbers = e164(own, country);
    return numbers.length === 0
      ? []
      : NUMBER_FORMATS.map((format) => ({
          type: "did",
          numbers,
          country,
          ...(format !== USUAL_FORMAT && { numberFormat: format }),
        }));
  });
  const asExtension = countries.flatMap((country) =>
    only === undefined || more.length > 0 ? [] : [{ type: "extension", extension: only, country }],
  );
  return [...asNumbers, ...asExtension];
}

const USUAL_FORMAT = TRUNK.get("numberFormat")?.whenAbsent;

/** Each number once, in E.164. None if one of them is no number of the country. */
function e164(numbers: readonly string[], country: string): string[] {
  try {
    return [...new Set(numbers.map((number) => parseNumber(number, country)))];
  } catch {
    return [];
  }
}
