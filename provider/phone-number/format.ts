/**
 * Reads and writes phone numbers in the three formats that VoIP systems use (product description, step 5), with
 * libphonenumber-js.
 */

import type * as libphonenumber from "libphonenumber-js/min";

/** Loaded on first use, because a program that only declares resources parses no numbers. */
function library(): typeof libphonenumber {
  return require("libphonenumber-js/min");
}

/** The number formats: `+12025550123`, `12025550123`, or as dialled within the country, `0741926265`. */
export const NUMBER_FORMATS = ["international", "international-without-plus", "national"] as const;
export type NumberFormat = (typeof NUMBER_FORMATS)[number];

export interface NumberFormatOptions {
  /** How the VoIP system writes numbers. */
  readonly numberFormat: NumberFormat;
  /** The ISO 3166-1 alpha-2 country of the trunk: numbers without `+` are read as numbers of this country. */
  readonly country: string;
}

/** A number that can't be parsed. `message` explains why and contains no value except the number. */
export class PhoneNumberError extends Error {
  override readonly name = "PhoneNumberError";
}

/** Whether libphonenumber-js knows the country. */
export function isKnownCountry(country: string): country is libphonenumber.CountryCode {
  return library().isSupportedCountry(country);
}

/** The country of a number that is written with `+`, if it is a valid number. */
export function countryOf(number: string): string | undefined {
  return number.startsWith("+") ? library().parsePhoneNumberFromString(number)?.country : undefined;
}

/** A cache: a plan parses each number several times. */
const readBefore = new Map<string, string>();

/**
 * Parses a number, written internationally or as within `country`, into E.164 (`+12025550123`).
 *
 * @throws PhoneNumberError if libphonenumber-js rejects it
 */
export function parseNumber(number: string, country: string): string {
  const key = `${country} ${number}`;
  let e164 = readBefore.get(key);
  if (e164 === undefined) {
    e164 = readNumber(number, country);
    readBefore.set(key, e164);
  }
  return e164;
}

function readNumber(number: string, country: string): string {
  const known = isKnownCountry(country) ? country : undefined;
  try {
    const parsed = library().parsePhoneNumberWithError(
      number,
      known ? { defaultCountry: known, extract: false } : { extract: false },
    );
    if (parsed.isValid() && !parsed.ext) {
      return parsed.number;
    }
  } catch {
    // Rejected: reported below like an impossible number.
  }
  throw new PhoneNumberError(
    `"${number}" is not a phone number${known ? ` that can be reached in or from ${known}` : ""}; write it as +12025550123`,
  );
}

/**
 * Writes an E.164 number in a trunk's format.
 *
 * @throws PhoneNumberError if the format is national and the number belongs to another country
 */
export function formatNumber(e164: string, { numberFormat, country }: NumberFormatOptions): string {
  switch (numberFormat) {
    case "international":
      return e164;
    case "international-without-plus":
      return e164.replace(/^\+/, "");
    case "national":
      if (!isDomestic(e164, country)) {
        throw new PhoneNumberError(`"${e164}" has no national form in ${country}`);
      }
      return library().parsePhoneNumberWithError(e164).formatNational().replace(/\D/g, "");
  }
}

/**
 * The forms in which one of a trunk's own phone numbers can appear in calls, starting with the one that the trunk writes. LiveKit
 * ignores separators and `+`, but treats a national form as a different number, so E.164 is included too.
 *
 * Never throws. A state may contain a number that a later libphonenumber-js rejects, and such a stack must still be readable and
 * destroyable. A number like that is kept as it is.
 */
export function numberForms(number: string, options: NumberFormatOptions): string[] {
  const e164 = attempt(() => parseNumber(number, options.country)) ?? number;
  return attempt(() => formsOf(e164, options)) ?? [e164];
}

/** How a trunk writes one of its own phone numbers. Never throws, like {@link numberForms}. */
export function writtenNumber(number: string, options: NumberFormatOptions): string {
  return numberForms(number, options)[0] ?? number;
}

function formsOf(e164: string, options: NumberFormatOptions): string[] {
  const written = formatNumber(e164, options);
  return options.numberFormat === "national" ? [written, e164] : [written];
}

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** The fewest digits that make a string without `+` a phone number. PBX extensions and service codes have fewer. */
const PHONE_NUMBER_DIGITS = 7;

/**
 * Whether a string that could be a phone number or an extension is written as a phone number: with a leading `+`, or with at
 * least seven digits. Being valid in the country is not enough: `1011` is a valid number in Germany, and an extension everywhere.
 * So the short numbers of some small countries (`51234` in the Falkland Islands) must be written with `+`.
 */
function isWrittenAsNumber(text: string): boolean {
  return text.startsWith("+") || text.replace(/\P{Nd}/gu, "").length >= PHONE_NUMBER_DIGITS;
}

/**
 * Formats a number for an agent to dial through a trunk: pass the result to LiveKit as `sip_call_to`. In the national format, a
 * foreign number gets the country's international prefix (`00442079460000` from Romania).
 *
 * A phone number is written with `+`, or is a valid number of the country with at least seven digits. Anything else (an
 * extension, a SIP user, a service code such as `*98` or `112`) is dialled as it is.
 *
 * @example formatDialedNumber("+40 741 926 265", { numberFormat: "national", country: "RO" }) // "0741926265"
 */
export function formatDialedNumber(number: string, options: NumberFormatOptions): string {
  const e164 = isWrittenAsNumber(number) ? attempt(() => parseNumber(number, options.country)) : undefined;
  if (e164 === undefined) {
    return number;
  }
  const { numberFormat, country } = options;
  if (numberFormat === "national" && !isDomestic(e164, country) && isKnownCountry(country)) {
    return library().parsePhoneNumberWithError(e164).format("IDD", { fromCountry: country }).replace(/\D/g, "");
  }
  return formatNumber(e164, options);
}

/** Whether a number is dialled in its national form within a country. Countries with the same calling code share it. */
function isDomestic(e164: string, country: string): boolean {
  return (
    isKnownCountry(country) &&
    library().parsePhoneNumberWithError(e164).countryCallingCode === library().getCountryCallingCode(country)
  );
}

/**
 * The forms in which a caller can appear in calls from a VoIP system that uses this format, like {@link numberForms}. Anything
 * that is not a phone number by the rule of {@link formatDialedNumber} stays as it is. Never throws.
 */
export function writtenForms(caller: string, options: NumberFormatOptions): string[] {
  const read = () => formsOf(parseNumber(caller, options.country), options);
  return (isWrittenAsNumber(caller) ? attempt(read) : undefined) ?? [caller];
}

/** The form in which LiveKit compares numbers (livekit/protocol, NormalizeNumber): without separators and with a leading `+`. */
export function matchingForm(number: string): string {
  if (!/^\+?[\d\- ()]+$/.test(number)) {
    return number;
  }
  const digits = number.replace(/[ \-()]/g, "");
  return digits.startsWith("+") ? digits : `+${digits}`;
}
