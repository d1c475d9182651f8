/** LiveKit's messages: reading and writing back changes nothing, and what a newer LiveKit has put into them stays, at every depth. */

import { type Message, WireType } from "@bufbuild/protobuf";
import {
  RoomConfiguration,
  SIPDispatchRule,
  SIPDispatchRuleInfo,
  SIPInboundTrunkInfo,
  SIPMediaConfig,
  SIPOutboundTrunkInfo,
} from "@livekit/protocol";
import {
  applyInbound,
  applyOutbound,
  applyRule,
  type InboundFields,
  inboundTrunk,
  type JsonObject,
  mediaMessage,
  type OutboundFields,
  outboundTrunk,
  type RuleFields,
  rule,
} from "../provider/livekit/messages";
import { fullMessage, futureFields, withFutureFields } from "./support/messages";

/** Which member of each oneof a message has: the longest has five. */
const CHOICES = [0, 1, 2, 3, 4];

const media = [
  { mediaEncryption: "require" },
  {
    codecs: [
      { name: "name-1", rate: 8000 },
      { name: "name-2", rate: 16000 },
    ],
  },
  { onlyListedCodecs: false },
  { mediaTimeout: 7.5 },
] as const;

const trunk = [
  ...media,
  { name: "changed" },
  { metadata: "changed" },
  { numbers: ["changed"] },
  { authUsername: "changed" },
  { authPassword: "changed" },
  { headers: { changed: "value" } },
  { headersToAttributes: { changed: "value" } },
  { attributesToHeaders: { changed: "value" } },
  { includeHeaders: "all" },
] as const;

/** A change of each field of an inbound trunk. */
const inboundChanges: readonly Partial<InboundFields>[] = [
  ...trunk,
  { allowedAddresses: ["changed"] },
  { allowedNumbers: ["changed"] },
  { authRealm: "changed" },
  { ringingTimeout: 7 },
  { maxCallDuration: 7 },
  { krispEnabled: false },
];

/** A change of each field of an outbound trunk. */
const outboundChanges: readonly Partial<OutboundFields>[] = [
  ...trunk,
  { address: "changed" },
  { destinationCountry: "changed" },
  { transport: "tls" },
  { fromHost: "changed" },
];

/** A change of each field of a rule but its kind. */
const ruleChanges = ({ roomConfig, agents, randomize }: RuleFields): readonly Partial<RuleFields>[] => [
  ...media,
  { name: "changed" },
  { metadata: "changed" },
  { trunkIds: ["changed"] },
  { room: "changed" },
  { randomize: !randomize },
  { pin: "123" },
  { attributes: { changed: "value" } },
  { numbers: ["changed"] },
  { inboundNumbers: ["changed"] },
  { hidePhoneNumber: false },
  { krispEnabled: false },
  { roomPreset: "changed" },
  { roomConfig: { ...roomConfig, emptyTimeout: 7 } },
  { agents: agents.map((agent) => ({ ...agent, metadata: "changed" })) },
];

const inbound = () => withFutureFields(fullMessage(SIPInboundTrunkInfo));
const outbound = () => withFutureFields(fullMessage(SIPOutboundTrunkInfo));
const dispatchRule = (choice: number) => withFutureFields(fullMessage(SIPDispatchRuleInfo, choice));

function expectKept(written: Message, before: Message): void {
  expect(written.equals(before)).toBe(false);
  expect(futureFields(written)).toEqual(futureFields(before));
}

describe("a message that is read and written back", () => {
  it("is the same, byte for byte", () => {
    expect(hex(applyInbound(inbound(), inboundTrunk(inbound())))).toBe(hex(inbound()));
    expect(hex(applyOutbound(outbound(), outboundTrunk(outbound())))).toBe(hex(outbound()));
    for (const choice of CHOICES) {
      const message = dispatchRule(choice);
      expect(hex(applyRule(message, rule(message)))).toBe(hex(message));
    }
  });
});

describe("what a newer LiveKit has put into a message, and into each message within it, stays when there changes", () => {
  it.each(inboundChanges)("of an inbound trunk: %j", (change) => {
    expectKept(applyInbound(inbound(), change), inbound());
  });

  it.each(outboundChanges)("of an outbound trunk: %j", (change) => {
    expectKept(applyOutbound(outbound(), change), outbound());
  });

  it.each(media)("of the media that a field-wise update sends: %j", (change) => {
    const message = () => withFutureFields(fullMessage(SIPMediaConfig));
    expectKept(mediaMessage(message(), change), message());
  });

  describe.each(CHOICES)("of a rule with member %i of each oneof", (choice) => {
    const message = () => dispatchRule(choice);
    const fields = rule(message());
    // A direct rule has a room's whole name.
    const changes = ruleChanges(fields).filter((change) => !("randomize" in change && fields.rule === "direct"));

    it.each(changes.map((change) => [Object.keys(change).join(), change] as const))("%s", (_, change) => {
      expectKept(applyRule(message(), { ...fields, ...change }), message());
    });
  });

  it("any field that can be written", () => {
    const { id, message, createdAt, updatedAt, ...fields } = inboundTrunk(inbound());
    expect(inboundChanges.flatMap(Object.keys).sort()).toEqual(Object.keys(fields).sort());
    const { id: _1, message: _2, createdAt: _3, updatedAt: _4, ...out } = outboundTrunk(outbound());
    expect(outboundChanges.flatMap(Object.keys).sort()).toEqual(Object.keys(out).sort());
    const { id: _5, message: _6, rule: _7, ...ruled } = rule(dispatchRule(0));
    expect(
      ruleChanges(rule(dispatchRule(0)))
        .flatMap(Object.keys)
        .sort(),
    ).toEqual(Object.keys(ruled).sort());
  });
});

describe("the items of a list keep what is theirs", () => {
  const codecs = (names: readonly [name: string, rate: number][]) => {
    const message = withFutureFields(
      new SIPMediaConfig({
        codecs: [
          { name: "PCMU", rate: 8000 },
          { name: "opus", rate: 16000 },
          { name: "opus", rate: 48000 },
        ],
      }),
    );
    const written = mediaMessage(message, { codecs: names.map(([name, rate]) => ({ name, rate })) });
    return written.codecs.map(futureFields);
  };

  it("codecs, by name and rate, then by name", () => {
    const [pcmu, opus16, opus48] = ["message.codecs[0]", "message.codecs[1]", "message.codecs[2]"].map((path) => [
      `message: ${path}`,
    ]);
    expect(
      codecs([
        ["opus", 48000],
        ["PCMU", 8000],
        ["opus", 16000],
      ]),
    ).toEqual([opus48, pcmu, opus16]);
    expect(
      codecs([
        ["opus", 24000],
        ["opus", 16000],
      ]),
    ).toEqual([opus48, opus16]);
    expect(
      codecs([
        ["PCMA", 8000],
        ["PCMU", 16000],
      ]),
    ).toEqual([[], pcmu]);
    expect(
      codecs([
        ["PCMU", 8000],
        ["PCMU", 8000],
      ]),
    ).toEqual([pcmu, []]);
  });

  const agents = (...wanted: JsonObject[]) => {
    const message = new SIPDispatchRuleInfo({
      roomConfig: withFutureFields(
        new RoomConfiguration({ agents: [{ agentName: "a" }, { agentName: "b", metadata: "1" }, { agentName: "b" }] }),
      ),
    });
    const written = applyRule(message, { ...rule(message), agents: wanted });
    return written.roomConfig?.agents.map(futureFields);
  };

  it("agents, as they were, then by name", () => {
    const [a, b1, b2] = ["message.agents[0]", "message.agents[1]", "message.agents[2]"].map((path) => [
      `message: ${path}`,
    ]);
    expect(agents({ agentName: "b" }, { agentName: "a", metadata: "new" })).toEqual([b2, a]);
    expect(agents({ agentName: "b", metadata: "2" }, { agentName: "b" })).toEqual([b1, b2]);
    expect(agents({ agentName: "c" }, { agentName: "d" }, { agentName: "e" })).toEqual([[], [], []]);
    expect(agents()).toEqual([]);
  });

  const outputs = (...filepaths: string[]) => {
    const fileOutputs = [{ filepath: "1" }, { filepath: "2" }];
    const message = new SIPDispatchRuleInfo({
      roomConfig: withFutureFields(new RoomConfiguration({ egress: { room: { fileOutputs } } })),
    });
    const roomConfig = { egress: { room: { fileOutputs: filepaths.map((filepath) => ({ filepath })) } } };
    const written = applyRule(message, { ...rule(message), roomConfig });
    return written.roomConfig?.egress?.room?.fileOutputs.map(futureFields);
  };

  it("what has no name, as it was, then by its place while there are as many", () => {
    const [first, second] = [0, 1].map((index) => [`message: message.egress.room.fileOutputs[${index}]`]);
    expect(outputs("2", "1")).toEqual([second, first]);
    expect(outputs("2")).toEqual([second]);
    expect(outputs("1", "changed")).toEqual([first, second]);
    expect(outputs("changed")).toEqual([[]]);
  });
});

describe("a rule's kind", () => {
  const kinds = {
    direct: { rule: "direct", room: "lobby", randomize: false },
    individual: { rule: "individual", room: "call-", randomize: true },
    callee: { rule: "callee", room: "called-", randomize: true },
  } as const;
  const future = "message: message.rule";

  it.each(["direct", "individual", "callee"] as const)(
    "that becomes %s keeps what does not belong to the kind",
    (to) => {
      for (const from of [kinds.direct, kinds.individual, kinds.callee]) {
        const message = withFutureFields(
          applyRule(new SIPDispatchRuleInfo(), { ...rule(new SIPDispatchRuleInfo()), ...from }),
        );
        const written = applyRule(message, { ...rule(message), ...kinds[to] });
        expect(rule(written)).toMatchObject(kinds[to]);
        const kept = written.rule ? futureFields(written.rule) : [];
        expect(kept).toEqual(from.rule === to ? [future, "message.rule: message.rule.rule"] : [future]);
      }
    },
  );

  it("of a newer LiveKit goes: it would stand beside the new one and win", () => {
    const newer = new SIPDispatchRule();
    newer.getType().runtime.bin.onUnknownField(newer, 4, WireType.LengthDelimited, Uint8Array.of(0));
    const message = new SIPDispatchRuleInfo({ rule: newer });
    const written = applyRule(message, { ...rule(message), ...kinds.individual });
    expect(hex(written.rule)).toBe(hex(SIPDispatchRule.fromJson({ dispatchRuleIndividual: { roomPrefix: "call-" } })));
  });
});

describe("a room configuration", () => {
  const written = (before: JsonObject, after: JsonObject, future = true) => {
    const roomConfig = RoomConfiguration.fromJson(before);
    const message = new SIPDispatchRuleInfo({ roomConfig: future ? withFutureFields(roomConfig) : roomConfig });
    return applyRule(message, { ...rule(message), roomConfig: after, agents: [] }).roomConfig;
  };

  it("that the program takes away is gone, unless a newer LiveKit has put something into it", () => {
    const before = { emptyTimeout: 5, agents: [{ agentName: "a" }] };
    expect(written(before, {}, false)).toBeUndefined();
    const left = written(before, {});
    expect(left?.toJson()).toEqual({});
    expect(left && futureFields(left)).toEqual(["message: message"]);
  });

  it("has no part that the program takes away, whatever was in it", () => {
    const egress = { participant: { preset: "H264_1080P_60" }, tracks: { filepath: "t" } };
    const left = written({ emptyTimeout: 5, egress }, { emptyTimeout: 5, egress: { tracks: { filepath: "t" } } });
    expect(left?.toJson()).toEqual({ emptyTimeout: 5, egress: { tracks: { filepath: "t" } } });
    expect(left && futureFields(left)).toEqual([
      "message: message",
      "message.egress: message.egress",
      "message.egress.tracks: message.egress.tracks",
    ]);
    expect(written({ egress }, { emptyTimeout: 5 })?.egress).toBeUndefined();
  });

  it("keeps of a part that becomes another kind what does not belong to the kind", () => {
    const egress = (output: JsonObject) => ({ egress: { tracks: { filepath: "t", ...output } } });
    const left = written(egress({ s3: { bucket: "b" } }), egress({ gcp: { bucket: "b" } }));
    expect(left?.toJson()).toEqual(egress({ gcp: { bucket: "b" } }));
    expect(left?.egress?.tracks && futureFields(left.egress.tracks)).toEqual(["message: message.egress.tracks"]);
    // Here what is not known may be the kind that it was, which would win.
    const replaced = written(egress({}), egress({ gcp: { bucket: "b" } }));
    expect(replaced?.egress?.tracks && futureFields(replaced.egress.tracks)).toEqual([]);
  });
});

function hex(message: Message | undefined): string {
  return Buffer.from(message?.toBinary() ?? []).toString("hex");
}
