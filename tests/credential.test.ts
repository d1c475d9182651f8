import fc from "fast-check";
import { credentialFingerprint } from "../provider/credential/fingerprint";
import {
  closedCredential,
  isClosedCredential,
  lacksSpecialCharacter,
  passwordProblems,
} from "../provider/credential/password";

describe("password policy", () => {
  test.each([
    ["Sh0rt", ["at least 12 characters"]],
    ["NoDigitsInHere", ["a digit"]],
    ["nouppercase12", ["an upper-case letter"]],
    ["NOLOWERCASE12", ["a lower-case letter"]],
    ["", ["at least 12 characters", "a digit", "a lower-case letter", "an upper-case letter"]],
    ["GoodEnough123", []],
    ["Größe12345678", []],
  ])("of %p misses %p", (password, missing) => {
    expect(passwordProblems(password)).toEqual(missing);
  });

  test("recommends a special character", () => {
    expect(lacksSpecialCharacter("GoodEnough123")).toBe(true);
    expect(lacksSpecialCharacter("Good-Enough123")).toBe(false);
  });
});

describe("closed credential", () => {
  test("is another one each time, keeps the password policy, and can be told by its user name", () => {
    const [one, two] = [closedCredential(), closedCredential()];
    expect(one).not.toEqual(two);
    expect(one.authPassword.length).toBeGreaterThanOrEqual(32);
    expect(isClosedCredential(one.authUsername, one.authPassword)).toBe(true);
    expect(isClosedCredential(one.authUsername, "known to somebody")).toBe(false);
    expect(isClosedCredential(one.authUsername, undefined)).toBe(true);
    expect(isClosedCredential("1011", undefined)).toBe(false);
  });
});

describe("credential fingerprint", () => {
  const text = fc.string({ minLength: 1, maxLength: 40 });

  test("is the same for the same password, and eight hexadecimal digits", () => {
    fc.assert(
      fc.property(text, text, text, (secret, subject, password) => {
        const fingerprint = credentialFingerprint(secret, subject, password);
        expect(fingerprint).toMatch(/^[0-9a-f]{8}$/);
        expect(credentialFingerprint(secret, subject, password)).toBe(fingerprint);
      }),
    );
  });

  test("differs with the password, the customer and the API secret", () => {
    fc.assert(
      fc.property(text, text, text, text, (secret, subject, password, other) => {
        fc.pre(other !== secret && other !== subject && other !== password);
        const fingerprint = credentialFingerprint(secret, subject, password);
        expect(credentialFingerprint(secret, subject, other)).not.toBe(fingerprint);
        expect(credentialFingerprint(secret, other, password)).not.toBe(fingerprint);
        expect(credentialFingerprint(other, subject, password)).not.toBe(fingerprint);
      }),
      // 32 bits: three comparisons in a hundred runs collide once in ten million.
      { numRuns: 100 },
    );
  });
});
