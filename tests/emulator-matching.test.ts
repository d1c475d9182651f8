import { SIPDispatchRule, SIPDispatchRuleInfo, SIPInboundTrunkInfo } from "@livekit/protocol";
import { Ambiguous, type Caller, credentialOf, dispatch, matchTrunk } from "../provider/testing/livekit/calls/match";

const CALLER: Caller = { from: "+4930123", fromHost: "pbx.example", to: "+12025550123", sourceAddress: "192.0.2.7" };

function trunk(id: string, fields: Partial<SIPInboundTrunkInfo> = {}): SIPInboundTrunkInfo {
  return new SIPInboundTrunkInfo({ sipTrunkId: id, ...fields });
}

describe("the trunk for a call", () => {
  it.each<[title: string, trunks: SIPInboundTrunkInfo[], id: string | undefined]>([
    ["none if there are no trunks", [], undefined],
    ["the one that lists the number", [trunk("any"), trunk("this", { numbers: ["+12025550123"] })], "this"],
    ["the one with the number in any notation", [trunk("this", { numbers: ["1 (202) 555-0123"] })], "this"],
    ["one without numbers if no other lists the number", [trunk("any"), trunk("that", { numbers: ["+1999"] })], "any"],
    ["none if the others list other numbers", [trunk("that", { numbers: ["+1999"] })], undefined],
    [
      "the one that allows the caller",
      [
        trunk("that", { numbers: ["+12025550123"], allowedNumbers: ["+49301"] }),
        trunk("this", { numbers: ["+12025550123"], allowedNumbers: ["49 30 123"] }),
      ],
      "this",
    ],
    [
      "one without numbers if the listed one does not allow the address",
      [trunk("any"), trunk("that", { numbers: ["+12025550123"], allowedAddresses: ["198.51.100.0/24"] })],
      "any",
    ],
  ])("is %s", (_title, trunks, id) => {
    expect(matchTrunk(trunks, CALLER)?.sipTrunkId).toBe(id);
  });

  it.each([
    ["that list the number", [trunk("a", { numbers: ["+12025550123"] }), trunk("b", { numbers: ["12025550123"] })]],
    ["without numbers", [trunk("a"), trunk("b")]],
  ])("is ambiguous with two %s", (_title, trunks) => {
    expect(() => matchTrunk(trunks, CALLER)).toThrow(Ambiguous);
  });

  it.each<[allowed: string[], source: string, fromHost: string, admitted: boolean]>([
    [[], "192.0.2.7", "pbx.example", true],
    [["192.0.2.7"], "192.0.2.7", "pbx.example", true],
    [["192.0.2.8"], "192.0.2.7", "pbx.example", false],
    [["192.0.2.0/29"], "192.0.2.7", "pbx.example", true],
    [["192.0.2.5/29"], "192.0.2.7", "pbx.example", true],
    [["192.0.2.0/30"], "192.0.2.7", "pbx.example", false],
    [["0.0.0.0/0"], "192.0.2.7", "pbx.example", true],
    [["192.0.2.0/33"], "192.0.2.7", "pbx.example", false],
    [["192.0.2.0/024"], "192.0.2.7", "pbx.example", false],
    [["192.0.2"], "192.0.2.7", "pbx.example", false],
    [["2001:db8::/32"], "2001:db8::7", "pbx.example", true],
    [["2001:db8::/32"], "192.0.2.7", "pbx.example", false],
    [["::/0"], "192.0.2.7", "pbx.example", false],
    [["pbx.example"], "192.0.2.7", "pbx.example", true],
    [["203.0.113.7"], "192.0.2.7", "203.0.113.7", true],
    [["203.0.113.7/32"], "192.0.2.7", "203.0.113.7", false],
    [["not an ip"], "192.0.2.7", "pbx.example", true],
    [["sip://203.0.113.7", "203.0.113.7,203.0.113.8"], "192.0.2.7", "pbx.example", true],
    [["not an ip", "203.0.113.7/32"], "192.0.2.7", "pbx.example", false],
  ])(
    "with allowed addresses %j admits a call from %s with From host %s: %s",
    (allowedAddresses, source, fromHost, admitted) => {
      const caller = { ...CALLER, sourceAddress: source, fromHost };
      expect(matchTrunk([trunk("this", { allowedAddresses })], caller) !== undefined).toBe(admitted);
    },
  );

  it.each<[username: string, password: string, realm: string, asked: object | undefined]>([
    ["u", "p", "", { username: "u", password: "p", realm: "LiveKit" }],
    ["u", "p", "sip.example", { username: "u", password: "p", realm: "sip.example" }],
    ["u", "", "", undefined],
    ["", "p", "", undefined],
  ])(
    "with user name %j and password %j challenges in realm %j for %j",
    (authUsername, authPassword, authRealm, asked) => {
      expect(credentialOf(trunk("this", { authUsername, authPassword, authRealm }))).toEqual(asked);
    },
  );
});

describe("the rule for a call", () => {
  type Kind = SIPDispatchRule["rule"];
  const direct = (roomName: string, pin = ""): Kind =>
    new SIPDispatchRule({
      rule: { case: "dispatchRuleDirect", value: { roomName, pin } },
    }).rule;
  const individual = (roomPrefix: string, noRandomness = false): Kind =>
    new SIPDispatchRule({
      rule: { case: "dispatchRuleIndividual", value: { roomPrefix, noRandomness } },
    }).rule;
  const callee = (roomPrefix: string, randomize = false): Kind =>
    new SIPDispatchRule({
      rule: { case: "dispatchRuleCallee", value: { roomPrefix, randomize } },
    }).rule;

  function rule(id: string, kind: Kind, fields: Partial<SIPDispatchRuleInfo> = {}): SIPDispatchRuleInfo {
    return new SIPDispatchRuleInfo({ sipDispatchRuleId: id, rule: new SIPDispatchRule({ rule: kind }), ...fields });
  }

  function decide(rules: SIPDispatchRuleInfo[], trunkId?: string) {
    return dispatch(trunkId === undefined ? undefined : trunk(trunkId), rules, CALLER, () => "random");
  }

  it.each<[title: string, rules: SIPDispatchRuleInfo[], trunkId: string | undefined, id: string | undefined]>([
    ["none if there are no rules", [], "T", undefined],
    ["the one of its trunk", [rule("all", direct("a")), rule("this", direct("b"), { trunkIds: ["T"] })], "T", "this"],
    ["the one for all trunks", [rule("all", direct("a")), rule("that", direct("b"), { trunkIds: ["U"] })], "T", "all"],
    ["the one for all trunks if no trunk matches", [rule("all", direct("a"))], undefined, "all"],
    [
      "none if no trunk matches and the rule names one",
      [rule("that", direct("b"), { trunkIds: ["T"] })],
      undefined,
      undefined,
    ],
    [
      "direct before individual before callee",
      [
        rule("c", callee("c"), { numbers: ["+1"] }),
        rule("b", individual("b")),
        rule("a", direct("a"), { inboundNumbers: ["+2"] }),
      ],
      undefined,
      "b",
    ],
    [
      "one that names the caller before one that does not",
      [rule("a", direct("a")), rule("b", callee("b"), { inboundNumbers: ["+4930123"] })],
      undefined,
      "b",
    ],
    [
      "none if the caller's number is written differently",
      [rule("a", direct("a"), { inboundNumbers: ["4930123"] })],
      undefined,
      undefined,
    ],
    [
      "none if the called number is written differently",
      [rule("a", direct("a"), { numbers: ["12025550123"] })],
      undefined,
      undefined,
    ],
    ["one with a PIN first", [rule("a", direct("a")), rule("b", direct("b", "1"))], undefined, "b"],
  ])("is %s", (_title, rules, trunkId, id) => {
    const decision = decide(rules, trunkId);
    expect(decision.result === "reject" ? undefined : decision.rule.sipDispatchRuleId).toBe(id);
  });

  it("is ambiguous where rules conflict", () => {
    expect(() => decide([rule("a", direct("a")), rule("b", direct("b"))])).toThrow(Ambiguous);
  });

  it("asks for a PIN before it chooses a room", () => {
    expect(decide([rule("a", direct("a", "1"))])).toMatchObject({ result: "pin" });
  });

  it.each<[kind: Kind, hidePhoneNumber: boolean, room: string, identity: string]>([
    [direct("reception"), false, "reception", "sip_+4930123"],
    [individual("call"), false, "call_+4930123_random", "sip_+4930123"],
    [individual(""), false, "+4930123_random", "sip_+4930123"],
    [individual("call", true), false, "call_+4930123", "sip_+4930123"],
    [individual("call", true), true, "call_0123", "sip_7e578cfb4ef6cfeb"],
    [callee("line"), false, "line_+12025550123", "sip_+4930123"],
    [callee("", true), false, "+12025550123_random", "sip_+4930123"],
  ])("selects a room (%#)", (kind, hidePhoneNumber, room, identity) => {
    expect(decide([rule("a", kind, { hidePhoneNumber })])).toMatchObject({ result: "accept", room, identity });
  });
});
