/** Maps an InboundAuth's arguments to fields of the inbound trunk. Pure. */

import type { InboundFields } from "../livekit/messages";
import type { Marker } from "../livekit/ownership";
import { NUMBER_FORMATS, type NumberFormatOptions, writtenForms } from "../phone-number/format";
import type { InboundAuthInputs } from "./arguments";

/** The wanted values of the inbound trunk's fields that InboundAuth owns. */
export function authFields(args: Partial<InboundAuthInputs>, marker: Marker | undefined) {
  const byCredentials = args.method === "credentials";
  return {
    authUsername: byCredentials ? (args.username ?? "") : "",
    authPassword: byCredentials ? (args.password ?? "") : "",
    authRealm: byCredentials ? (args.realm ?? "") : "",
    allowedAddresses: byCredentials ? [] : (args.allowedAddresses ?? []),
    allowedNumbers: allowedNumbers(args, marker),
  } satisfies Partial<InboundFields>;
}

/**
 * The allowed callers, as the VoIP system writes them. The format comes from the arguments; a state of version 0.1 does not have
 * it, so then it comes from the trunk's marker.
 */
export function allowedNumbers(args: Partial<InboundAuthInputs>, marker: Marker | undefined): string[] {
  const format = formatIn(args) ?? formatIn(marker);
  const numbers = args.allowedNumbers ?? [];
  return [...new Set(format ? numbers.flatMap((number) => writtenForms(number, format)) : numbers)];
}

function formatIn({ country, numberFormat: name }: Partial<Marker> = {}): NumberFormatOptions | undefined {
  const numberFormat = NUMBER_FORMATS.find((format) => format === name);
  return country !== undefined && numberFormat ? { numberFormat, country } : undefined;
}
