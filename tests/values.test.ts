import fc from "fast-check";
import { containsUnknown, differences, same, UNKNOWN } from "../provider/lifecycle/values";

const value = fc.jsonValue({ maxDepth: 3 });

describe("comparing values", () => {
  test("a value equals its copy, in any order of keys", () => {
    const reversed = (json: unknown): unknown =>
      typeof json === "object" && json !== null && !Array.isArray(json)
        ? Object.fromEntries(
            Object.entries(json)
              .map(([key, item]) => [key, reversed(item)] as const)
              .reverse(),
          )
        : json;
    fc.assert(fc.property(value, (json) => same(json, structuredClone(json)) && same(json, reversed(json))));
  });

  test("is symmetric", () => {
    fc.assert(fc.property(value, value, (a, b) => same(a, b) === same(b, a)));
  });

  test("compares a list of strings as a set, but not a list of objects", () => {
    expect(same(["a", "b"], ["b", "a"])).toBe(true);
    expect(same(["a", "a"], ["a"])).toBe(false);
    expect(same([{ name: "PCMU" }, { name: "opus" }], [{ name: "opus" }, { name: "PCMU" }])).toBe(false);
  });

  test("distinguishes a list from an object, and treats undefined as absent", () => {
    expect(same([], {})).toBe(false);
    expect(same({ a: undefined }, {})).toBe(true);
  });

  test("finds exactly the changed fields", () => {
    const record = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string());
    fc.assert(
      fc.property(record, fc.func(fc.boolean()), (wanted, isChanged) => {
        const fields = Object.keys(wanted);
        const changed = fields.filter((field) => isChanged(field));
        const actual = Object.fromEntries(
          fields.map((field) => [field, changed.includes(field) ? `${wanted[field]}!` : wanted[field]]),
        );
        expect(differences<Record<string, unknown>>(wanted, { ...actual, unmanaged: "kept" })).toEqual(changed);
      }),
    );
  });
});

describe("unknown values", () => {
  test("are found at any depth", () => {
    expect(containsUnknown(UNKNOWN)).toBe(true);
    expect(containsUnknown({ headers: { "X-Account": UNKNOWN } })).toBe(true);
    expect(containsUnknown(["+12025550123", UNKNOWN])).toBe(true);
    expect(containsUnknown({ numbers: ["+12025550123"], port: null })).toBe(false);
  });
});
