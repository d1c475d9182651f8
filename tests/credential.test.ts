import fc from "fast-check";
import { credentialFingerprint, fingerprintOf } from "../provider/lifecycle/fingerprint";
import { IN_SYNC } from "../provider/lifecycle/resource";
import { Session } from "../provider/lifecycle/session";
import { type Props, UNKNOWN } from "../provider/lifecycle/values";
import { closedCredential, isClosedCredential } from "../provider/livekit/closed-credential";
import { lacksSpecialCharacter, passwordProblems } from "../provider/sip-trunk/password";
import { createProof } from "../provider/sip-trunk/take-over";

describe("password policy", () => {
  test.each([
    ["Sh0rt", ["at least 12 characters"]],
    ["NoDigitsInHere", ["a digit"]],
    ["nouppercase12", ["an upper-case letter"]],
    ["NOLOWERCASE12", ["a lower-case letter"]],
    ["", ["at least 12 characters", "a digit", "a lower-case letter", "an upper-case letter"]],
    ["GoodEnough123", []],
    ["Größe12345678", []],
  ])("%p lacks %p", (password, missing) => {
    expect(passwordProblems(password)).toEqual(missing);
  });

  test("recommends a special character", () => {
    expect(lacksSpecialCharacter("GoodEnough123")).toBe(true);
    expect(lacksSpecialCharacter("Good-Enough123")).toBe(false);
  });
});

describe("closed credential", () => {
  test("differs each time, satisfies the password policy, and is recognised by its user name", () => {
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
      // The fingerprint has 32 bits: three comparisons in each of a hundred runs collide once in ten million.
      { numRuns: 100 },
    );
  });
});

describe("the proof that a program created a trunk", () => {
  const connection = { url: "http://127.0.0.1:7880", apiKey: "APIkey", apiSecret: "secret", project: "here" };
  const proof = (args: Parameters<typeof createProof>[1], owner = "acme/phones/prod/office") =>
    createProof(owner, { address: "pbx.example.com", ...args }, connection);

  test("is the password, or the address where there is no credential", () => {
    const proofs = [
      proof({ username: "1011", password: "Password-One-1" }),
      proof({ username: "1011", password: "Password-Two-2" }),
      proof({ username: "1011", password: "Password-Two-2" }, "acme/phones/prod/hotline"),
      proof({}),
      proof({ address: "sip.example.com" }),
    ];
    expect(proofs).toEqual(proofs.map(() => expect.stringMatching(/^[0-9a-f]{8}$/)));
    expect(new Set(proofs).size).toBe(proofs.length);
    expect(proof({ username: "1011", password: "Password-One-1", address: "moved.example.com" })).toBe(proofs[0]);
  });

  test("does not exist while the password is unknown", () => {
    expect(proof({ username: "1011" })).toBeUndefined();
  });
});

describe("the fingerprint in the plan", () => {
  const connection: Record<string, string> = {
    "livekit:url": "http://127.0.0.1:7880",
    "livekit:apiKey": "APIkey",
    "livekit:apiSecret": "a-new-secret-0123456789-0123456789",
  };
  const session = new Session((key) => connection[key], {});
  const inState = { password: "Password-One-1", platformStatus: IN_SYNC, credentialFingerprint: "00000000" };
  const now = (password: string | undefined, olds: Props = inState) =>
    fingerprintOf(session, "office", password, olds, "office").credentialFingerprint;
  const made = (password: string) => credentialFingerprint(connection["livekit:apiSecret"] ?? "", "office", password);

  test("stays while the password does, even if the API secret changes", () => {
    expect(now(inState.password)).toBe("00000000");
  });

  test("stays when the resource is renamed, with the name that it was made for", () => {
    const renamed = fingerprintOf(session, "lobby", inState.password, inState, "office");
    expect(renamed).toEqual({ credentialFingerprint: "00000000", __fingerprintOf: "office" });
    const again = fingerprintOf(session, "desk", inState.password, { ...inState, ...renamed }, "lobby");
    expect(again).toEqual(renamed);
    const back = fingerprintOf(session, "office", inState.password, { ...inState, ...renamed }, "lobby");
    expect(back).toEqual({ credentialFingerprint: "00000000" });
  });

  test.each<[string, string, Props]>([
    ["the password changed", "Password-Two-2", inState],
    ["the one in the state belongs to a changed password", inState.password, { ...inState, platformStatus: "drift" }],
    ["the state has none", inState.password, { ...inState, credentialFingerprint: undefined }],
    ["there is no state", inState.password, {}],
  ])("is recomputed when %s", (_, password, olds) => {
    expect(now(password, olds)).toBe(made(password));
  });

  test("is unknown if the password is unknown, and absent without one", () => {
    expect(now(UNKNOWN, { ...inState, password: UNKNOWN })).toBe(UNKNOWN);
    expect(fingerprintOf(session, "office", undefined, inState, "office")).toEqual({});
  });
});
