/**
 * LiveKit's messages: reading and writing back changes nothing, and fields that a newer LiveKit has set survive, at
 * every depth.
 */

import { type Message, Timestamp, WireType } from "@bufbuild/protobuf";
import {
  RoomConfiguration,
  SIPDispatchRule,
  SIPDispatchRuleInfo,
  SIPInboundTrunkInfo,
  SIPMediaConfig,
  SIPOutboundTrunkInfo,
} from "@livekit/protocol";
import { type Field, secretsIn, type Table } from "../provider/livekit/fields";
import {
  INBOUND,
  inboundTrunk,
  type JsonObject,
  OUTBOUND,
  outboundTrunk,
  RULE,
  rule,
  written,
} from "../provider/livekit/messages";
import * as sip from "../provider/livekit/sip-api";
import { changesOf, fullMessage, futureFields, withFutureFields } from "./support/messages";

/** Which member of each oneof is set. The longest oneof has five. */
const CHOICES = [0, 1, 2, 3, 4];

const inbound = () => withFutureFields(fullMessage(SIPInboundTrunkInfo));
const outbound = () => withFutureFields(fullMessage(SIPOutboundTrunkInfo));
const dispatchRule = (choice: number) => withFutureFields(fullMessage(SIPDispatchRuleInfo, choice));

function expectKept(written: Message, before: Message): void {
  expect(written.equals(before)).toBe(false);
  expect(futureFields(written)).toEqual(futureFields(before));
}

describe("a message that is read and written back", () => {
  it("is identical byte for byte", () => {
    expect(hex(written(INBOUND, inbound(), inboundTrunk(inbound())))).toBe(hex(inbound()));
    expect(hex(written(OUTBOUND, outbound(), outboundTrunk(outbound())))).toBe(hex(outbound()));
    for (const choice of CHOICES) {
      const message = dispatchRule(choice);
      expect(hex(written(RULE, message, rule(message)))).toBe(hex(message));
    }
  });
});

describe("a written field is read back, and everything that a newer LiveKit has put into the message is kept", () => {
  it.each(changesOf<SIPInboundTrunkInfo>(INBOUND, inbound()))("inbound trunk: %s", (name, value) => {
    const changed = written(INBOUND, inbound(), { [name]: value });
    expect(inboundTrunk(changed)).toMatchObject({ [name]: value });
    expectKept(changed, inbound());
  });

  it.each(changesOf<SIPOutboundTrunkInfo>(OUTBOUND, outbound()))("outbound trunk: %s", (name, value) => {
    const changed = written(OUTBOUND, outbound(), { [name]: value });
    expect(outboundTrunk(changed)).toMatchObject({ [name]: value });
    expectKept(changed, outbound());
  });

  describe.each(CHOICES)("rule with member %i of each oneof", (choice) => {
    const unchanged = () => dispatchRule(choice);
    const { rule: _kind, ...rows } = RULE;
    // A direct rule names the whole room, so `randomize` does not apply.
    const changes = changesOf<SIPDispatchRuleInfo>(rows, unchanged()).filter(
      ([name]) => name !== "randomize" || rule(unchanged()).rule !== "direct",
    );

    it.each(changes)("%s", (name, value) => {
      const changed = written(RULE, unchanged(), { [name]: value });
      expect(rule(changed)).toMatchObject({ [name]: value });
      expectKept(changed, unchanged());
    });
  });
});

describe("a change is made field by field if LiveKit's update message has the field", () => {
  const HEADERS = ["headers", "headersToAttributes", "attributesToHeaders", "includeHeaders"];
  const wholeOnly = (rows: object, isFieldWise: (fields: object) => boolean) =>
    Object.keys(rows).filter((name) => !isFieldWise({ [name]: "changed" }));

  it("of an inbound trunk", () => {
    const whole = [...HEADERS, "ringingTimeout", "maxCallDuration", "krispEnabled"];
    expect(wholeOnly(INBOUND, sip.inbound.isFieldWise).sort()).toEqual(whole.sort());
    expect(sip.inbound.isFieldWise({ name: "changed", krispEnabled: undefined })).toBe(true);
    expect(sip.inbound.isFieldWise({ name: "changed", krispEnabled: true })).toBe(false);
  });

  it("of an outbound trunk", () => {
    expect(wholeOnly(OUTBOUND, sip.outbound.isFieldWise).sort()).toEqual(HEADERS.toSorted());
  });

  it("of no rule", () => {
    expect(wholeOnly(RULE, sip.rules.isFieldWise)).toEqual(Object.keys(RULE));
  });
});

it("a duration of 0 is written as unset", () => {
  expect(written(INBOUND, inbound(), { ringingTimeout: 0 }).ringingTimeout).toBeUndefined();
});

it("reads the times that LiveKit sets", () => {
  const [createdAt, updatedAt] = [new Date(1_000_000), new Date(2_000_000)];
  const dated = { createdAt: Timestamp.fromDate(createdAt), updatedAt: Timestamp.fromDate(updatedAt) };
  expect(inboundTrunk(new SIPInboundTrunkInfo(dated))).toMatchObject({ createdAt, updatedAt });
  expect(outboundTrunk(new SIPOutboundTrunkInfo())).not.toHaveProperty("createdAt");
  expect(outboundTrunk(new SIPOutboundTrunkInfo())).not.toHaveProperty("updatedAt");
});

describe("items of a list keep their unknown fields", () => {
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
    const trunk = new SIPInboundTrunkInfo({ media: message });
    const { media } = written(INBOUND, trunk, { codecs: names.map(([name, rate]) => ({ name, rate })) });
    return media?.codecs.map(futureFields);
  };

  it("codecs are matched by name and rate, then by name", () => {
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
    return written(RULE, message, { agents: wanted }).roomConfig?.agents.map(futureFields);
  };

  it("agents are matched by equality, then by name", () => {
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
    return written(RULE, message, { roomConfig }).roomConfig?.egress?.room?.fileOutputs.map(futureFields);
  };

  it("items without a name are matched by equality, then by position if their number is unchanged", () => {
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

  it.each(["direct", "individual", "callee"] as const)("that becomes %s keeps the fields outside of the kind", (to) => {
    for (const from of [kinds.direct, kinds.individual, kinds.callee]) {
      const message = withFutureFields(written(RULE, new SIPDispatchRuleInfo(), from));
      const changed = written(RULE, message, kinds[to]);
      expect(rule(changed)).toMatchObject(kinds[to]);
      const kept = changed.rule ? futureFields(changed.rule) : [];
      expect(kept).toEqual(from.rule === to ? [future, "message.rule: message.rule.rule"] : [future]);
    }
  });

  it("from a newer LiveKit is removed, because it would win over the new one", () => {
    const newer = new SIPDispatchRule();
    newer.getType().runtime.bin.onUnknownField(newer, 4, WireType.LengthDelimited, Uint8Array.of(0));
    const message = new SIPDispatchRuleInfo({ rule: newer });
    const changed = written(RULE, message, kinds.individual);
    expect(hex(changed.rule)).toBe(hex(SIPDispatchRule.fromJson({ dispatchRuleIndividual: { roomPrefix: "call-" } })));
  });
});

describe("a room configuration", () => {
  const changed = (before: JsonObject, after: JsonObject, future = true) => {
    const roomConfig = RoomConfiguration.fromJson(before);
    const message = new SIPDispatchRuleInfo({ roomConfig: future ? withFutureFields(roomConfig) : roomConfig });
    return written(RULE, message, { roomConfig: after, agents: [] }).roomConfig;
  };

  it("that the program removes is gone, unless a newer LiveKit has put something into it", () => {
    const before = { emptyTimeout: 5, agents: [{ agentName: "a" }] };
    expect(changed(before, {}, false)).toBeUndefined();
    const left = changed(before, {});
    expect(left?.toJson()).toEqual({});
    expect(left && futureFields(left)).toEqual(["message: message"]);
  });

  it("drops every part that the program removes, with all its contents", () => {
    const egress = { participant: { preset: "H264_1080P_60" }, tracks: { filepath: "t" } };
    const left = changed({ emptyTimeout: 5, egress }, { emptyTimeout: 5, egress: { tracks: { filepath: "t" } } });
    expect(left?.toJson()).toEqual({ emptyTimeout: 5, egress: { tracks: { filepath: "t" } } });
    expect(left && futureFields(left)).toEqual([
      "message: message",
      "message.egress: message.egress",
      "message.egress.tracks: message.egress.tracks",
    ]);
    expect(changed({ egress }, { emptyTimeout: 5 })?.egress).toBeUndefined();
  });

  it("keeps the unknown fields of a part that changes its kind, unless they may hold the old kind", () => {
    const egress = (output: JsonObject) => ({ egress: { tracks: { filepath: "t", ...output } } });
    const left = changed(egress({ s3: { bucket: "b" } }), egress({ gcp: { bucket: "b" } }));
    expect(left?.toJson()).toEqual(egress({ gcp: { bucket: "b" } }));
    expect(left?.egress?.tracks && futureFields(left.egress.tracks)).toEqual(["message: message.egress.tracks"]);
    // Here the unknown fields may be the old output kind, which would win.
    const replaced = changed(egress({}), egress({ gcp: { bucket: "b" } }));
    expect(replaced?.egress?.tracks && futureFields(replaced.egress.tracks)).toEqual([]);
  });
});

function hex(message: Message | undefined): string {
  return Buffer.from(message?.toBinary() ?? []).toString("hex");
}

describe("text that can hold a secret is marked for redaction in error messages", () => {
  const CANARY = "Canary-1-quoted-text";
  const sensitive = <Info>(rows: Table<Info>): [string, Field<Info, unknown>][] =>
    Object.entries(rows).filter(([, row]) => row.sensitive);

  const expectCut = <Info>(rows: Table<Info>, message: Info, row: Field<Info, unknown>) => {
    row.write(message, withText(row.read(message), CANARY));
    expect(secretsIn(rows, message)).toContain(CANARY);
  };

  it.each(sensitive<SIPInboundTrunkInfo>(INBOUND))("inbound trunk: %s", (_, row) => {
    expectCut<SIPInboundTrunkInfo>(INBOUND, inbound(), row);
  });

  it.each(sensitive<SIPOutboundTrunkInfo>(OUTBOUND))("outbound trunk: %s", (_, row) => {
    expectCut<SIPOutboundTrunkInfo>(OUTBOUND, outbound(), row);
  });

  it.each(sensitive<SIPDispatchRuleInfo>(RULE))("dispatch rule: %s", (_, row) => {
    expectCut<SIPDispatchRuleInfo>(RULE, dispatchRule(1), row);
  });

  it("leaves out short names and user names, which error messages need", () => {
    const trunk = written(OUTBOUND, new SIPOutboundTrunkInfo(), {
      name: "office",
      authUsername: "1011",
      address: CANARY,
    });
    expect(secretsIn<SIPOutboundTrunkInfo>(OUTBOUND, trunk).filter((text) => text !== "")).toEqual([]);
  });
});

/** The value with the text put into it. */
function withText(value: unknown, text: string): unknown {
  if (typeof value === "string") {
    return text;
  }
  return Array.isArray(value)
    ? value.map((item) => ({ ...item, metadata: text }))
    : { ...Object(value), metadata: text };
}
