/** Maps a SipTrunk's arguments to LiveKit fields and back. Pure. */

import { bracketed } from "../host-text";
import type { Props } from "../lifecycle/values";
import type { Connection } from "../livekit/connection";
import { sameNamed } from "../livekit/fields";
import { INBOUND, type InboundFields, OUTBOUND, type OutboundFields } from "../livekit/messages";
import type { OwnMarker } from "../livekit/trunks";
import { numberForms, parseNumber, writtenNumber } from "../phone-number/format";
import type { SipTrunkInputs } from "./arguments";

/** The arguments that determine a trunk's numbers and how they are written. */
export type NumberArguments = Pick<SipTrunkInputs, "type" | "extension" | "numbers" | "country" | "numberFormat">;

/** Those arguments, or undefined while one that affects the numbers is unknown. */
export function numberArguments(args: Partial<SipTrunkInputs>): NumberArguments | undefined {
  const { type, extension, numbers, country, numberFormat } = args;
  const hasNumber = type === "did" ? numbers : extension;
  return type && hasNumber && country && numberFormat ? { type, extension, numbers, country, numberFormat } : undefined;
}

/** The caller ids of outbound calls. */
export function callerIds(args: NumberArguments): string[] {
  return args.type === "extension"
    ? [args.extension ?? ""]
    : (args.numbers ?? []).map((number) => writtenNumber(number, args));
}

/** The numbers that inbound calls are matched by. */
export function calledNumbers(args: NumberArguments): string[] {
  return args.type === "extension"
    ? [args.extension ?? ""]
    : (args.numbers ?? []).flatMap((number) => numberForms(number, args));
}

function destination({ address = "", port }: SipTrunkInputs): string {
  const host = bracketed(address);
  return port === undefined ? host : `${host}:${port}`;
}

/** The wanted fields of the inbound trunk, except its metadata and who may call. */
export function inboundFields(args: SipTrunkInputs) {
  const { metadata, ...fields } = sameNamed(INBOUND, args);
  return { ...fields, numbers: calledNumbers(args) } satisfies Partial<InboundFields>;
}

/** The wanted fields of the outbound trunk, except its metadata. */
export function outboundFields(args: SipTrunkInputs, { outboundProxy }: Pick<Connection, "outboundProxy">) {
  const { metadata, ...fields } = sameNamed(OUTBOUND, args);
  const to = destination(args);
  const proxied = args.fixedIp && outboundProxy;
  const target = args.transport === "auto" ? to : `${to};transport=${args.transport}`;
  return {
    ...fields,
    numbers: callerIds(args),
    address: proxied ? outboundProxy.address : to,
    headers: proxied ? { ...args.headers, [outboundProxy.header]: target } : args.headers,
    destinationCountry: args.destinationCountry ?? args.country,
    authUsername: args.username ?? "",
    authPassword: args.password ?? "",
  } satisfies Partial<OutboundFields>;
}

/** The argument that stands for a LiveKit field in the plan, if its name differs. */
export const ARGUMENT_OF: Readonly<Record<string, keyof SipTrunkInputs>> = {
  authUsername: "username",
  authPassword: "password",
};

/**
 * Converts a value on the platform to the argument that it stands for: numbers become E.164 again, and an address that bypasses
 * the proxy is marked as such.
 */
export function liveValue(field: string, live: Props, args: SipTrunkInputs): { argument: string; value: unknown } {
  const value = live[field];
  if (field === "numbers" && Array.isArray(value)) {
    return args.type === "extension"
      ? { argument: "extension", value: value.join(", ") }
      : { argument: "numbers", value: [...new Set(value.map((number) => readable(String(number), args.country)))] };
  }
  if (field === "address") {
    return { argument: "address", value: args.fixedIp ? `${String(value)} (past the proxy)` : value };
  }
  return { argument: ARGUMENT_OF[field] ?? field, value };
}

function readable(number: string, country: string): string {
  try {
    return parseNumber(number, country);
  } catch {
    return number;
  }
}

/** The marker that identifies a SipTrunk in the metadata of its pair. */
export function ownMarker(owner: string, id: string, args: SipTrunkInputs): OwnMarker {
  return { owner, id, numberFormat: args.numberFormat, country: args.country };
}
