/**
 * LiveKit's SIP messages as plain values, and back. Durations are seconds, enums are words, and a field that is not set has the
 * empty value, so that two messages can be compared field by field.
 *
 * To manage another field of LiveKit's, add a row to one of the tables. Reading, writing, comparing and field-wise updates follow.
 *
 * Each view keeps the message it was made from, and every write starts from that message, at every depth: fields that this package
 * does not manage, or does not know yet, survive. An item that a write removes, such as an agent or a codec, is removed whole.
 */

import {
  RoomAgentDispatch,
  RoomConfiguration,
  SIPCodec,
  SIPDispatchRule,
  SIPDispatchRuleCallee,
  SIPDispatchRuleDirect,
  SIPDispatchRuleIndividual,
  type SIPDispatchRuleInfo,
  type SIPInboundTrunkInfo,
  SIPMediaConfig,
  type SIPMediaEncryption,
  type SIPOutboundTrunkInfo,
} from "@livekit/protocol";
import { type Field, type FieldsOf, flag, map, read, seconds, type Table, text, texts, word, write } from "./fields";
import { counterparts, keepUnknownFields } from "./unknown-fields";

/** LiveKit's transports, in the order of the SIPTransport enum. */
export const TRANSPORTS = ["auto", "udp", "tcp", "tls"] as const;

/** LiveKit's media encryptions, in the order of the SIPMediaEncryption enum. */
export const MEDIA_ENCRYPTIONS = ["disabled", "allow", "require"] as const;

/** Which headers become attributes by themselves, in the order of the SIPHeaderOptions enum. */
export const INCLUDE_HEADERS = ["none", "x-headers", "all"] as const;

/** The kinds of dispatch rule. */
export const RULE_KINDS = ["individual", "direct", "callee"] as const;

/** A codec of SIPMediaConfig: its name, for example `PCMU`, and its sample rate in Hz (0: the codec's own). */
export interface Codec {
  readonly name: string;
  readonly rate: number;
}

export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };

type WithMedia = { media?: SIPMediaConfig; mediaEncryption: SIPMediaEncryption };

const codecs: Field<SIPMediaConfig, readonly Codec[]> = {
  holder: "codecs",
  read: (media) => media.codecs.map(({ name, rate }) => ({ name, rate })),
  write: (media, value) => {
    media.codecs = codecMessages(media.codecs, value);
  },
};

/** `media.encryption`, and its deprecated twin beside `media`: older servers read only that one, newer ones keep both. */
const mediaEncryption: Field<WithMedia, (typeof MEDIA_ENCRYPTIONS)[number]> = {
  holder: "media",
  words: MEDIA_ENCRYPTIONS,
  read: ({ media, mediaEncryption }) => MEDIA_ENCRYPTIONS[media?.encryption ?? mediaEncryption] ?? MEDIA_ENCRYPTIONS[0],
  write: (message, value) => {
    message.media ??= new SIPMediaConfig();
    message.media.encryption = MEDIA_ENCRYPTIONS.indexOf(value);
    message.mediaEncryption = message.media.encryption;
  },
};

/** A field of `media` (SIPMediaConfig). */
function inMedia<Value>({ read, write }: Field<SIPMediaConfig, Value>): Field<WithMedia, Value> {
  return {
    holder: "media",
    read: ({ media }) => read(media ?? new SIPMediaConfig()),
    write: (message, value) => {
      message.media ??= new SIPMediaConfig();
      write(message.media, value);
    },
  };
}

/** What trunks and rules share. */
const MEDIA = {
  mediaEncryption,
  codecs: inMedia(codecs),
  onlyListedCodecs: inMedia(flag("onlyListedCodecs")),
  mediaTimeout: inMedia(seconds("mediaTimeout")),
};

/** What both kinds of trunk share. */
const TRUNK = {
  name: text("name"),
  metadata: text("metadata"),
  headers: map("headers"),
  headersToAttributes: map("headersToAttributes"),
  attributesToHeaders: map("attributesToHeaders"),
  includeHeaders: word("includeHeaders", INCLUDE_HEADERS),
  numbers: texts("numbers"),
  authUsername: text("authUsername"),
  authPassword: text("authPassword"),
  ...MEDIA,
};

/** What can be set on an inbound trunk (SIPInboundTrunkInfo). */
export const INBOUND = {
  ...TRUNK,
  allowedAddresses: texts("allowedAddresses"),
  allowedNumbers: texts("allowedNumbers"),
  authRealm: text("authRealm"),
  ringingTimeout: seconds("ringingTimeout"),
  maxCallDuration: seconds("maxCallDuration"),
  krispEnabled: flag("krispEnabled"),
} satisfies Table<SIPInboundTrunkInfo>;

/** What can be set on an outbound trunk (SIPOutboundTrunkInfo). */
export const OUTBOUND = {
  ...TRUNK,
  address: text("address"),
  destinationCountry: text("destinationCountry"),
  transport: word("transport", TRANSPORTS),
  fromHost: text("fromHost"),
} satisfies Table<SIPOutboundTrunkInfo>;

/** The kind of a rule, and what stands within it. */
interface RuleKind {
  readonly rule: (typeof RULE_KINDS)[number];
  /** The room of a `direct` rule, the room prefix of the others. */
  readonly room: string;
  /** Whether the room's name gets a random end (never for `direct`). */
  readonly randomize: boolean;
  readonly pin: string;
}

/** A field of the rule's oneof. */
function inKind<Name extends keyof RuleKind>(name: Name): Field<SIPDispatchRuleInfo, RuleKind[Name]> {
  return {
    holder: "rule",
    ...(name === "rule" && { words: RULE_KINDS }),
    read: ({ rule }) => ruleKind(rule)[name],
    write: (message, value) => {
      message.rule = ruleMessage(message.rule, { ...ruleKind(message.rule), [name]: value });
    },
  };
}

/** RoomConfiguration without its agents, in protobuf's JSON form. */
const roomConfig: Field<SIPDispatchRuleInfo, JsonObject> = {
  holder: "roomConfig",
  read: (message) => {
    const { agents, ...others } = asObject(message.roomConfig?.toJson() ?? {});
    return others;
  },
  write: (message, value) => {
    const room = RoomConfiguration.fromJson(value);
    const { agents = [] } = message.roomConfig ?? {};
    if (message.roomConfig) {
      keepUnknownFields(room, message.roomConfig);
    }
    room.agents = agents;
    message.roomConfig = unlessEmpty(room);
  },
};

/** RoomConfiguration's agents, in protobuf's JSON form. */
const agents: Field<SIPDispatchRuleInfo, readonly JsonObject[]> = {
  holder: "roomConfig",
  read: ({ roomConfig }) => (roomConfig?.agents ?? []).map((agent) => asObject(agent.toJson())),
  write: (message, value) => {
    const wanted = new RoomConfiguration({ agents: value.map((agent) => RoomAgentDispatch.fromJson(agent)) });
    const room = message.roomConfig ?? new RoomConfiguration();
    keepUnknownFields(wanted, room);
    room.agents = wanted.agents;
    message.roomConfig = unlessEmpty(room);
  },
};

/** What can be set on a dispatch rule (SIPDispatchRuleInfo). */
export const RULE = {
  name: text("name"),
  metadata: text("metadata"),
  trunkIds: texts("trunkIds"),
  // The kind comes first: what stands within it is written into the new one.
  rule: inKind("rule"),
  room: inKind("room"),
  randomize: inKind("randomize"),
  pin: inKind("pin"),
  attributes: map("attributes"),
  numbers: texts("numbers"),
  inboundNumbers: texts("inboundNumbers"),
  hidePhoneNumber: flag("hidePhoneNumber"),
  krispEnabled: flag("krispEnabled"),
  roomPreset: text("roomPreset"),
  roomConfig,
  agents,
  ...MEDIA,
} satisfies Table<SIPDispatchRuleInfo>;

export type InboundFields = FieldsOf<typeof INBOUND>;
export type OutboundFields = FieldsOf<typeof OUTBOUND>;
export type RuleFields = FieldsOf<typeof RULE>;

/** An object as it is on the platform: its fields, and the message that they were read from. */
type View<Fields, Message> = Fields & { readonly id: string; readonly message: Message };

/** When a trunk was made and last changed, by the platform's clock; absent where the platform does not say. */
interface Times {
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
}

/** An inbound trunk as it is on the platform. */
export type InboundTrunk = View<InboundFields, SIPInboundTrunkInfo> & Times;

/** An outbound trunk as it is on the platform. */
export type OutboundTrunk = View<OutboundFields, SIPOutboundTrunkInfo> & Times;

/** A dispatch rule as it is on the platform. */
export type Rule = View<RuleFields, SIPDispatchRuleInfo>;

export function inboundTrunk(message: SIPInboundTrunkInfo): InboundTrunk {
  return { id: message.sipTrunkId, ...read(INBOUND, message), ...times(message), message };
}

export function outboundTrunk(message: SIPOutboundTrunkInfo): OutboundTrunk {
  return { id: message.sipTrunkId, ...read(OUTBOUND, message), ...times(message), message };
}

export function rule(message: SIPDispatchRuleInfo): Rule {
  return { id: message.sipDispatchRuleId, ...read(RULE, message), message };
}

/** A copy of `current` with `fields` written over it. Fields that are left out stay. */
export function written<Message extends { clone(): Message }, Rows extends Table<Message>>(
  rows: Rows,
  current: Message,
  fields: Partial<FieldsOf<Rows>>,
): Message {
  const message = current.clone();
  write(rows, message, fields);
  return message;
}

/** Normalises a room configuration or its agents to protobuf's JSON form; throws when LiveKit has no such field. */
export function canonicalRoomConfig(room: JsonObject): JsonObject {
  return asObject(RoomConfiguration.fromJson(room).toJson());
}

/** The same for what a state holds, which another version may have written: what LiveKit does not have is left out. */
export function readableRoomConfig(room: JsonObject): JsonObject {
  try {
    return asObject(RoomConfiguration.fromJson(room, { ignoreUnknownFields: true }).toJson());
  } catch {
    return {};
  }
}

function times({ createdAt, updatedAt }: SIPInboundTrunkInfo | SIPOutboundTrunkInfo): Times {
  return { ...(createdAt && { createdAt: createdAt.toDate() }), ...(updatedAt && { updatedAt: updatedAt.toDate() }) };
}

/** The codecs in their new order, each in the message that it had. */
function codecMessages(current: readonly SIPCodec[], codecs: readonly Codec[]): SIPCodec[] {
  const found = counterparts(
    codecs,
    current,
    (codec, { name, rate }) => codec.name === name && codec.rate === rate,
    (codec, { name }) => codec.name === name,
  );
  return codecs.map((codec) => {
    const message = found.get(codec) ?? new SIPCodec();
    message.name = codec.name;
    message.rate = codec.rate;
    return message;
  });
}

function ruleKind(rule: SIPDispatchRule | undefined): RuleKind {
  const kind = rule?.rule;
  switch (kind?.case) {
    case "dispatchRuleDirect":
      return { rule: "direct", room: kind.value.roomName, randomize: false, pin: kind.value.pin };
    case "dispatchRuleCallee":
      return { rule: "callee", room: kind.value.roomPrefix, randomize: kind.value.randomize, pin: kind.value.pin };
    default: {
      const { roomPrefix = "", noRandomness = false, pin = "" } = kind?.value ?? {};
      return { rule: "individual", room: roomPrefix, randomize: !noRandomness, pin };
    }
  }
}

/** Changes `current` to the kind and fields of a rule. */
function ruleMessage(current: SIPDispatchRule | undefined, { rule, room, randomize, pin }: RuleKind): SIPDispatchRule {
  // A kind that this version does not know is among the unknown fields: beside another kind it would win.
  const message = current?.rule.case ? current : new SIPDispatchRule();
  const kind = message.rule;
  switch (rule) {
    case "direct": {
      const value = kind.case === "dispatchRuleDirect" ? kind.value : new SIPDispatchRuleDirect();
      value.roomName = room;
      value.pin = pin;
      message.rule = { case: "dispatchRuleDirect", value };
      break;
    }
    case "callee": {
      const value = kind.case === "dispatchRuleCallee" ? kind.value : new SIPDispatchRuleCallee();
      value.roomPrefix = room;
      value.pin = pin;
      value.randomize = randomize;
      message.rule = { case: "dispatchRuleCallee", value };
      break;
    }
    case "individual": {
      const value = kind.case === "dispatchRuleIndividual" ? kind.value : new SIPDispatchRuleIndividual();
      value.roomPrefix = room;
      value.pin = pin;
      value.noRandomness = !randomize;
      message.rule = { case: "dispatchRuleIndividual", value };
      break;
    }
  }
  return message;
}

function unlessEmpty(room: RoomConfiguration): RoomConfiguration | undefined {
  return room.toBinary().length > 0 ? room : undefined;
}

function asObject(json: unknown): JsonObject {
  return JSON.parse(JSON.stringify(json));
}
