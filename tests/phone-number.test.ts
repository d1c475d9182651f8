import fc from "fast-check";
import {
  formatDialedNumber,
  formatNumber,
  matchingForm,
  NUMBER_FORMATS,
  parseNumber,
  writtenForms,
} from "../provider/phone-number/format";

/** Numbers that libphonenumber-js takes, of countries with and without a trunk prefix. */
const e164 = fc.oneof(
  fc.integer({ min: 2000000, max: 9999999 }).map((subscriber) => ({ number: `+1202${subscriber}`, country: "US" })),
  fc.integer({ min: 10000000, max: 99999999 }).map((subscriber) => ({ number: `+407${subscriber}`, country: "RO" })),
  fc.integer({ min: 1000000, max: 9999999 }).map((subscriber) => ({ number: `+4420${subscriber}0`, country: "GB" })),
  fc.integer({ min: 10000000, max: 99999999 }).map((subscriber) => ({ number: `+3906${subscriber}`, country: "IT" })),
);
const valid = e164.filter(({ number, country }) => {
  try {
    return parseNumber(number, country) === number;
  } catch {
    return false;
  }
});

describe("number formats", () => {
  test.each([
    ["international", "US", "+1 202 555 0123", "+12025550123"],
    ["international-without-plus", "US", "+1 202 555 0123", "12025550123"],
    ["national", "RO", "+40741926265", "0741926265"],
    ["national", "US", "+12025550123", "2025550123"],
    ["national", "IT", "+39 06 1234 5678", "0612345678"],
    ["international", "RO", "0741 926 265", "+40741926265"],
  ] as const)("writes a number %s in %s", (numberFormat, country, number, written) => {
    expect(formatDialedNumber(number, { numberFormat, country })).toBe(written);
  });

  test("dials a foreign number from the national format with the country's international prefix", () => {
    expect(formatDialedNumber("+442079460000", { numberFormat: "national", country: "RO" })).toBe("00442079460000");
    expect(formatDialedNumber("+442079460000", { numberFormat: "national", country: "US" })).toBe("011442079460000");
  });

  test.each(["1011", "112", "*98", "reception", "sales.team"])(
    "dials %s, which is no phone number, as it is",
    (dialled) => {
      for (const numberFormat of NUMBER_FORMATS) {
        expect(formatDialedNumber(dialled, { numberFormat, country: "RO" })).toBe(dialled);
      }
    },
  );

  test("has no national form for another country's number", () => {
    expect(() => formatNumber("+442079460000", { numberFormat: "national", country: "RO" })).toThrow(
      '"+442079460000" has no national form in RO',
    );
  });

  test.each(["+1 202 555", "+999 1234567", "0741926265000000", "", "+", "call me", "+1 202 555 0123 ext. 5"])(
    "refuses %p in words that name it",
    (number) => {
      expect(() => parseNumber(number, "US")).toThrow(`"${number}" is not a phone number`);
    },
  );

  test("every format can be read back in its country", () => {
    fc.assert(
      fc.property(valid, fc.constantFrom(...NUMBER_FORMATS), ({ number, country }, numberFormat) => {
        const written = formatNumber(number, { numberFormat, country });
        const readable = numberFormat === "international-without-plus" ? `+${written}` : written;
        expect(parseNumber(readable, country)).toBe(number);
      }),
    );
  });

  test("the forms to match a number by hold the one that is written, by LiveKit's rule", () => {
    fc.assert(
      fc.property(valid, fc.constantFrom(...NUMBER_FORMATS), ({ number, country }, numberFormat) => {
        const written = matchingForm(formatNumber(number, { numberFormat, country }));
        expect(writtenForms(number, { numberFormat, country }).map(matchingForm)).toContain(written);
      }),
    );
  });

  test("separators and plus do not count when LiveKit matches, other characters do", () => {
    expect(matchingForm("+1 (202) 555-0123")).toBe("+12025550123");
    expect(matchingForm("12025550123")).toBe("+12025550123");
    expect(matchingForm("sales")).toBe("sales");
  });
});
