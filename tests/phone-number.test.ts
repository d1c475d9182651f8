import fc from "fast-check";
import { type CountryCode, type Examples, getCountries, getExampleNumber } from "libphonenumber-js/min";
import {
  formatDialedNumber,
  formatNumber,
  matchingForm,
  NUMBER_FORMATS,
  numberForms,
  parseNumber,
  writtenForms,
  writtenNumber,
} from "../provider/phone-number/format";

/** Numbers that libphonenumber-js accepts, from countries with and without a trunk prefix. */
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

  test("dials a foreign number with the country's international prefix in the national format", () => {
    expect(formatDialedNumber("+442079460000", { numberFormat: "national", country: "RO" })).toBe("00442079460000");
    expect(formatDialedNumber("+442079460000", { numberFormat: "national", country: "US" })).toBe("011442079460000");
  });

  test.each(["1011", "112", "*98", "reception", "sales.team"])(
    "dials %s, which is not a phone number, unchanged",
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
    "refuses %p with an error that names it",
    (number) => {
      expect(() => parseNumber(number, "US")).toThrow(`"${number}" is not a phone number`);
    },
  );

  test("reads back every format in its country", () => {
    fc.assert(
      fc.property(valid, fc.constantFrom(...NUMBER_FORMATS), ({ number, country }, numberFormat) => {
        const written = formatNumber(number, { numberFormat, country });
        const readable = numberFormat === "international-without-plus" ? `+${written}` : written;
        expect(parseNumber(readable, country)).toBe(number);
      }),
    );
  });

  test("the forms to match a number include the written one, by LiveKit's rule", () => {
    fc.assert(
      fc.property(valid, fc.constantFrom(...NUMBER_FORMATS), ({ number, country }, numberFormat) => {
        const written = matchingForm(formatNumber(number, { numberFormat, country }));
        expect(writtenForms(number, { numberFormat, country }).map(matchingForm)).toContain(written);
      }),
    );
  });

  test("LiveKit's matching ignores separators and plus, but no other characters", () => {
    expect(matchingForm("+1 (202) 555-0123")).toBe("+12025550123");
    expect(matchingForm("12025550123")).toBe("+12025550123");
    expect(matchingForm("sales")).toBe("sales");
  });
});

const examples: Examples = require("libphonenumber-js/mobile/examples");

const COUNTRIES = getCountries();

/** Strings of 3 to 6 digits: all those of three digits, and an even sample of the longer ones. */
const SHORT = [3, 4, 5, 6].flatMap((length) => {
  const step = [1, 7, 97, 983][length - 3] ?? 1;
  return Array.from({ length: Math.ceil(10 ** length / step) }, (_, index) =>
    String(index * step).padStart(length, "0"),
  );
});

function exampleOf(country: CountryCode) {
  const example = getExampleNumber(country, examples);
  if (!example) {
    throw new Error(`There is no example number of ${country}.`);
  }
  return example;
}

/** The digits of a number as dialled within its country. */
function nationalDigits(country: CountryCode): string {
  return exampleOf(country).formatNational().replace(/\D/g, "");
}

describe("whether text is a phone number depends on how it is written, in every country", () => {
  test("three to six digits without + are an extension or a service code, and are left as declared", () => {
    const changed = COUNTRIES.flatMap((country) =>
      NUMBER_FORMATS.flatMap((numberFormat) =>
        SHORT.filter((text) => {
          const options = { numberFormat, country };
          const [form, ...more] = writtenForms(text, options);
          return form !== text || more.length > 0 || formatDialedNumber(text, options) !== text;
        }).map((text) => `${text} in ${country}, ${numberFormat}`),
      ),
    );
    expect(changed.slice(0, 10)).toEqual([]);
  });

  test("a number written with + is converted to the trunk's format", () => {
    const actual = COUNTRIES.flatMap((country) =>
      NUMBER_FORMATS.map((numberFormat) => {
        const options = { numberFormat, country };
        const e164 = exampleOf(country).number;
        return [country, numberFormat, formatDialedNumber(e164, options), ...writtenForms(e164, options)];
      }),
    );
    expect(actual).toEqual(
      COUNTRIES.flatMap((country) => {
        const e164 = exampleOf(country).number;
        const [plain, national] = [e164.slice(1), nationalDigits(country)];
        return [
          [country, "international", e164, e164],
          [country, "international-without-plus", plain, plain],
          [country, "national", national, national, e164],
        ];
      }),
    );
  });

  test("a number as dialled within the country is a phone number if it has seven digits or more", () => {
    const actual = COUNTRIES.map((country) => {
      const options = { numberFormat: "international", country } as const;
      const national = nationalDigits(country);
      return [country, formatDialedNumber(national, options), ...writtenForms(national, options)];
    });
    expect(actual).toEqual(
      COUNTRIES.map((country) => {
        const national = nationalDigits(country);
        const expected = national.length < 7 ? national : exampleOf(country).number;
        return [country, expected, expected];
      }),
    );
  });

  test("a number with the country's international prefix is a phone number", () => {
    const actual = COUNTRIES.map((country) => {
      const from = country === "RO" ? "DE" : "RO";
      const dialled = `00${exampleOf(country).number.slice(1)}`;
      return [country, ...writtenForms(dialled, { numberFormat: "international", country: from })];
    });
    expect(actual).toEqual(COUNTRIES.map((country) => [country, exampleOf(country).number]));
  });

  test("separators, letters and service codes do not make an extension a phone number", () => {
    for (const text of [
      "10-11",
      "10 11 12",
      "1011@pbx",
      "tel:1011;phone-context=+49",
      "*31#03012345678",
      "1011 ext. 7",
    ]) {
      expect(writtenForms(text, { numberFormat: "international", country: "DE" })).toEqual([text]);
      expect(formatDialedNumber(text, { numberFormat: "national", country: "DE" })).toBe(text);
    }
  });

  test("a trunk's numbers are always phone numbers, however short", () => {
    const options = { numberFormat: "national", country: "FK" } as const;
    expect(parseNumber("51234", "FK")).toBe("+50051234");
    expect(writtenNumber("51234", { ...options, numberFormat: "international" })).toBe("+50051234");
    expect(numberForms("+50051234", options)).toEqual(["51234", "+50051234"]);
  });
});

describe("a trunk's number that libphonenumber-js no longer accepts", () => {
  test("is still written in the trunk's format where possible", () => {
    const refused = "+40999999999";
    expect(() => parseNumber(refused, "RO")).toThrow("is not a phone number");
    expect(numberForms(refused, { numberFormat: "international", country: "RO" })).toEqual([refused]);
    expect(numberForms(refused, { numberFormat: "international-without-plus", country: "RO" })).toEqual([
      "40999999999",
    ]);
    expect(numberForms(refused, { numberFormat: "national", country: "RO" })).toEqual(["0999999999", refused]);
  });

  test("never throws, for any number and country", () => {
    const country = fc.oneof(fc.constantFrom(...COUNTRIES), fc.string());
    const number = fc.oneof(fc.string(), fc.stringMatching(/^\+\d{0,20}$/));
    fc.assert(
      fc.property(number, country, fc.constantFrom(...NUMBER_FORMATS), (text, place, numberFormat) => {
        const options = { numberFormat, country: place };
        expect(typeof writtenNumber(text, options)).toBe("string");
        expect(numberForms(text, options)).toContain(writtenNumber(text, options));
        expect(writtenForms(text, options).length).toBeGreaterThan(0);
      }),
    );
  });
});
