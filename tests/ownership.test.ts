import fc from "fast-check";
import {
  canonicalMetadata,
  composeMetadata,
  MARKER_KEY,
  type Marker,
  nameOf,
  parseMetadata,
  stackOf,
  textsIn,
  usesMarkerKey,
} from "../provider/livekit/ownership";

const marker: Marker = {
  owner: "acme/phones/prod/office",
  id: "sip-trunk-1",
  numberFormat: "national",
  country: "RO",
};
const markerText = JSON.stringify(marker);

/** A text as a JSON string that uses as many escapes as JSON allows. */
function escaped(text: string): string {
  return `"${[...Array(text.length).keys()].map((at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`).join("")}"`;
}

const space = fc.constantFrom("", "", " ", "\n  ", "\t", "\r\n");
const someText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(MARKER_KEY, "metadata", "__proto__", '{"', "\\", "},", "7"),
);
const jsonString = fc.oneof(
  someText.map((text) => JSON.stringify(text)),
  someText.map(escaped),
);
const jsonScalar = fc.oneof(
  jsonString,
  fc.bigInt().map(String),
  fc.constantFrom("12345678901234567890", "1.0", "-0", "1E400", "true", "false", "null"),
);

function between(items: readonly string[], brackets: string): string {
  return `${brackets.charAt(0)}${items.join(",")}${brackets.charAt(1)}`;
}

/** JSON as people and libraries write it: any layout, large integers, duplicate keys, any escape. */
const { value: jsonText, object: jsonObject } = fc.letrec<{ value: string; object: string; array: string }>((tie) => {
  const padded = (item: fc.Arbitrary<string>) =>
    fc.tuple(space, item, space).map(([before, text, after]) => before + text + after);
  const member = fc.tuple(padded(jsonString), padded(tie("value"))).map(([key, value]) => `${key}:${value}`);
  const emptyOr = (items: fc.Arbitrary<string[]>, brackets: string) =>
    fc
      .tuple(items, space)
      .map(([texts, inside]) => (texts.length === 0 ? between([inside], brackets) : between(texts, brackets)));
  return {
    object: emptyOr(fc.array(member, { maxLength: 4 }), "{}"),
    array: emptyOr(fc.array(padded(tie("value")), { maxLength: 4 }), "[]"),
    value: fc.oneof({ maxDepth: 4, withCrossShrink: true }, jsonScalar, tie("object"), tie("array")),
  };
});
const userObject = fc
  .tuple(space, jsonObject, space)
  .map(([before, text, after]) => before + text + after)
  .filter((text) => !usesMarkerKey(text));

/** Nested too deeply for a recursive function. */
const DEEP = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;

describe("the marker in a trunk's metadata", () => {
  test("is added to the user's own JSON, which keeps its bytes", () => {
    const own = `,"pulumi-livekit-sip":${markerText}`;
    expect(composeMetadata('{ "customer": 12345678901234567890, "2": 1.0, "1": null }\n', marker)).toBe(
      `{ "customer": 12345678901234567890, "2": 1.0, "1": null${own} }\n`,
    );
    expect(composeMetadata('{\n  "a": 1\n}', marker)).toBe(`{\n  "a": 1${own}\n}`);
  });

  test("lets an agent in any language read the format and the country", () => {
    expect(JSON.parse(composeMetadata("", marker))[MARKER_KEY]).toMatchObject({
      numberFormat: "national",
      country: "RO",
    });
  });

  test("is separated again from the user's JSON, byte for byte", () => {
    fc.assert(
      fc.property(userObject, (text) => {
        const composed = composeMetadata(text, marker);
        const { [MARKER_KEY]: kept, ...rest } = JSON.parse(composed);
        expect(kept).toEqual(marker);
        expect(rest).toEqual(JSON.parse(text));
        const isEmpty = canonicalMetadata(text) === "";
        expect(parseMetadata(composed)).toEqual({ user: isEmpty ? "" : text, marker });
      }),
      { numRuns: 500 },
    );
  });

  test("is separated again from any other text of the user", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      jsonText.filter((json) => !json.startsWith("{")),
      jsonObject.map((json) => json.slice(0, -1)),
      jsonObject.map((json) => `${json},`),
    );
    fc.assert(
      fc.property(text, (user) => {
        const composed = composeMetadata(user, marker);
        expect(JSON.parse(composed)[MARKER_KEY]).toMatchObject(marker);
        expect(parseMetadata(composed)).toEqual({ user, marker });
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ["beside an object, as 0.1.0 wrote it", `{"customer":7,"pulumi-livekit-sip":${markerText}}`, '{"customer":7}'],
    ["alone, as 0.1.0 wrote it", `{"pulumi-livekit-sip":${markerText}}`, ""],
    [
      "around a string, as 0.1.0 wrote it",
      JSON.stringify({ [MARKER_KEY]: { ...marker, metadata: '{"broken' } }),
      '{"broken',
    ],
    ["in front", `{ "pulumi-livekit-sip": ${markerText} , "customer": 7 }`, '{ "customer": 7 }'],
    ["in the middle", `{"a":1,"pulumi-livekit-sip":${markerText},"b":2}`, '{"a":1,"b":2}'],
    ["under an escaped key", `{"a":1,"\\u0070ulumi-livekit-\\u0073ip":${markerText}}`, '{"a":1}'],
    [
      "reformatted by another tool",
      JSON.stringify({ a: [1, "x"], [MARKER_KEY]: marker }, undefined, 2),
      '{\n  "a": [\n    1,\n    "x"\n  ]\n}',
    ],
    [
      "twice: the last one counts, and the other is left to the user",
      `{"pulumi-livekit-sip":1,"pulumi-livekit-sip":${markerText}}`,
      '{"pulumi-livekit-sip":1}',
    ],
    [
      "around a string to which another tool added a key",
      JSON.stringify({ [MARKER_KEY]: { ...marker, metadata: "hello" }, x: 1 }),
      '{"x":1}',
    ],
  ])("is read %s", (_, text, user) => {
    expect(parseMetadata(text)).toEqual({ user, marker });
  });

  test.each([
    "",
    "hello",
    "{}",
    '{"customer":7}',
    '{"pulumi-livekit-sip":"mine"}',
    '{"pulumi-livekit-sip":null}',
    '{"pulumi-livekit-sip":{"owner":1,"id":"x"}}',
    `{"nested":{"pulumi-livekit-sip":${markerText}}}`,
    `[{"pulumi-livekit-sip":${markerText}}]`,
    `{"pulumi-livekit-sip":${markerText},}`,
    `{"pulumi-livekit-sip":${markerText}`,
    "{broken",
    "null",
    "[1]",
  ])("is not found in %p", (text) => {
    expect(parseMetadata(text)).toEqual({ user: text });
  });

  test("drops invalid values that others wrote into it", () => {
    const scribbled = { ...marker, country: 7, openedBy: "me", writtenAt: {}, more: [[]] };
    expect(parseMetadata(JSON.stringify({ [MARKER_KEY]: scribbled }))).toEqual({
      user: "",
      marker: { ...marker, country: "" },
    });
    const openedBy = { owner: "acme/phones/prod/auth", id: "inbound-auth-1" };
    const full = { ...marker, openedBy, unconfirmed: "proof", writtenAt: "2026-01-01T00:00:00.000Z" };
    expect(parseMetadata(composeMetadata("", full)).marker).toEqual(full);
  });

  test("is found in and added to metadata nested to any depth", () => {
    for (const user of [`{"deep":${DEEP}}`, DEEP, DEEP.slice(1)]) {
      const composed = composeMetadata(user, marker);
      expect(parseMetadata(composed).marker).toEqual(marker);
      expect(parseMetadata(composed).user === user).toBe(true);
      expect(parseMetadata(user).user === user).toBe(true);
      expect(canonicalMetadata(user).length).toBe(user.length);
      expect(textsIn(composed).length).toBeGreaterThan(0);
    }
    expect(parseMetadata(`{"pulumi-livekit-sip":${DEEP}}`).marker).toBeUndefined();
    expect(parseMetadata(`{"pulumi-livekit-sip":{"owner":"o","id":"i","more":${DEEP}}}`).marker).toBeDefined();
  });
});

describe("two metadata strings", () => {
  test("are the same when only the layout of a JSON object differs", () => {
    expect(canonicalMetadata(' { "a" : [ 1 , "x y" ] ,\n"b":{ } } ')).toBe('{"a":[1,"x y"],"b":{}}');
    expect(canonicalMetadata(" { } ")).toBe(canonicalMetadata(""));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom("", "  ", "\t"), (object, indent) => {
        const plain = JSON.stringify(object);
        expect(canonicalMetadata(JSON.stringify(object, undefined, indent))).toBe(canonicalMetadata(plain));
      }),
    );
  });

  test.each([
    ['{"a":12345678901234567890}', '{"a":12345678901234567000}'],
    ['{"a":1.0}', '{"a":1}'],
    ['{"a":1,"b":2}', '{"b":2,"a":1}'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"a":"x y"}', '{"a":"xy"}'],
    ['{"a":"\\u00fc"}', '{"a":"ü"}'],
    ["[1, 2]", "[1,2]"],
    ["{broken }", "{broken}"],
  ])("%s and %s are different", (one, other) => {
    expect(canonicalMetadata(one)).not.toBe(canonicalMetadata(other));
  });
});

describe("this package's key in the user's own metadata", () => {
  test.each([
    ['{"pulumi-livekit-sip":1}', true],
    ['{ "a": 1, "\\u0070ulumi-livekit-sip" : 1 }', true],
    ['{"a":{"pulumi-livekit-sip":1}}', false],
    ['{"a":"pulumi-livekit-sip"}', false],
    ['["pulumi-livekit-sip"]', false],
    ['{"pulumi-livekit-sip":1', false],
    ["pulumi-livekit-sip", false],
  ])("%s: %p", (text, uses) => {
    expect(usesMarkerKey(text)).toBe(uses);
  });
});

describe("the strings to redact from a message", () => {
  test("are every string within metadata, decoded and as written, and no key", () => {
    const user = '{"token":"one","list":[{"a":"t\\u0077o"}],"token":"three","n":4}';
    expect(textsIn(composeMetadata(user, marker)).slice(1)).toEqual([user, "one", "two", "t\\u0077o", "three"]);
    expect(textsIn('["four", 5]')).toEqual(['["four", 5]', "four"]);
    expect(textsIn('"five"')).toEqual(['"five"', "five"]);
    expect(textsIn("six")).toEqual(["six"]);
  });

  test("include every string that a JSON parser finds", () => {
    const strings = (value: unknown): string[] =>
      typeof value === "string"
        ? [value]
        : typeof value === "object" && value !== null
          ? Object.values(value).flatMap(strings)
          : [];
    fc.assert(
      fc.property(userObject, (text) => {
        expect(textsIn(text)).toEqual(expect.arrayContaining(strings(JSON.parse(text))));
      }),
    );
  });
});

describe("an owner's name", () => {
  test("contains the stack and the resource", () => {
    expect(stackOf("acme/phones/prod/office")).toBe("acme/phones/prod");
    expect(nameOf("acme/phones/prod/office")).toBe("office");
    expect(nameOf("acme/phones/prod/acme:sip:Customer$office")).toBe("office");
  });
});
