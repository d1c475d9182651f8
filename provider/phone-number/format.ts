/** Phone numbers in the three ways that VoIP systems write them (product description, step 5), by libphonenumber-js. */

import type * as libphonenumber from "libphonenumber-js/min";

/** Loaded when the first number is read: a program that only declares its resources reads none. */
function library(): typeof libphonenumber {
  return require("libphonenumber-js/min");
}

/** The ways to write a number: `+12025550123`, `12025550123`, or as dialled within the country, `0741926265`. */
export const NUMBER_FORMATS = ["international", "international-without-plus", "national"] as const;
export type NumberFormat = (typeof NUMBER_FORMATS)[number];

/** How a trunk's VoIP system writes numbers. */
export interface NumberFormatOptions {
  /** How the VoIP system writes numbers. */
  readonly numberFormat: NumberFormat;
  /** ISO 3166-1 alpha-2 country in which the trunk is provisioned: how to read numbers written without `+`. */
  readonly country: string;
}

/** A number that can't be read; `message` says why and never holds anything but the number. */
export class PhoneNumberError extends Error {
  override readonly name = "PhoneNumberError";
}

/** Whether libphonenumber-js knows the country. */
export function isKnownCountry(country: string): country is libphonenumber.CountryCode {
  return library().isSupportedCountry(country);
}

/** The numbers that were read before: a plan asks for each several times over. */
const readBefore = new Map<string, string>();

/**
 * Reads a number, written internationally or as within `country`, into E.164 (`+12025550123`).
 *
 * @throws PhoneNumberError when libphonenumber-js refuses it
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
    // Refused: said below in the same words as an impossible number.
  }
  throw new PhoneNumberError(
    `"${number}" is not a phone number${known ? ` that can be reached in or from ${known}` : ""}; write it as +12025550123`,
  );
}

/**
 * Writes an E.164 number in a trunk's format.
 *
 * @throws PhoneNumberError when the format is national and the number is another country's: it has no national form there
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
 * The forms in which one of a trunk's own phone numbers shows up in calls, the one that the trunk writes first: LiveKit ignores
 * separators and `+`, but a national form is another number to it, so E.164 is listed too.
 *
 * It never throws: a state may hold a number that a later libphonenumber-js refuses, and a stack with such a state must still be
 * read and destroyed. Such a number is written as well as it can be.
 */
export function numberForms(number: string, options: NumberFormatOptions): string[] {
  const e164 = attempt(() => parseNumber(number, options.country)) ?? number;
  return attempt(() => formsOf(e164, options)) ?? [e164];
}

/** How a trunk writes one of its own phone numbers. Never throws, as {@link numberForms}. */
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

/** How many digits make a text without `+` a phone number. PBX extensions and service codes have fewer. */
const PHONE_NUMBER_DIGITS = 7;

/**
 * Whether a text that may be a phone number or an extension is written as a phone number: with a leading `+`, or with at least
 * seven digits. That a number is valid in the country does not decide it: `1011` is valid in Germany, and an extension everywhere.
 * The short numbers of some small countries (`51234` in the Falkland Islands) are therefore written with `+`.
 */
function isWrittenAsNumber(text: string): boolean {
  return text.startsWith("+") || text.replace(/\P{Nd}/gu, "").length >= PHONE_NUMBER_DIGITS;
}

/**
 * What a number becomes when an agent dials it through a trunk: pass the result to LiveKit as `sip_call_to`. In the national
 * format a foreign number gets the country's international prefix (`00442079460000` from Romania).
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

/** Whether a number is dialled in its national form within a country: the countries of one calling code share it. */
function isDomestic(e164: string, country: string): boolean {
  return (
    isKnownCountry(country) &&
    library().parsePhoneNumberWithError(e164).countryCallingCode === library().getCountryCallingCode(country)
  );
}

/**
 * The forms in which a caller shows up in calls from a VoIP system that writes numbers in this format, as {@link numberForms}.
 * What is not a phone number by the rule of {@link formatDialedNumber} stays as it is. Never throws.
 */
export function writtenForms(caller: string, options: NumberFormatOptions): string[] {
  const read = () => formsOf(parseNumber(caller, options.country), options);
  return (isWrittenAsNumber(caller) ? attempt(read) : undefined) ?? [caller];
}

/** How LiveKit compares numbers (livekit/protocol, NormalizeNumber): without separators, and with a `+` in front. */
export function matchingForm(number: string): string {
  if (!/^\+?[\d\- ()]+$/.test(number)) {
    return number;
  }
  const digits = number.replace(/[ \-()]/g, "");
  return digits.startsWith("+") ? digits : `+${digits}`;
}
