/**
 * Converts LiveKit's SIP messages to plain values and back. Durations become seconds, enums become strings, and an unset field
 * gets the empty value, so that two messages can be compared field by field.
 *
 * To manage another LiveKit field, add a row to one of the tables. Reading, writing, comparing and field-wise updates follow.
 *
 * Each view keeps the message it was made from, and every write starts from that message, at every depth. So fields survive that
 * this package does not manage or does not know yet. An item that a write removes, such as an agent or a codec, is removed whole.
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
import {
  type Field,
  type FieldsOf,
  flag,
  map,
  read,
  seconds,
  secretFrom,
  sensitive,
  type Table,
  text,
  texts,
  word,
  write,
} from "./fields";
import { counterparts, keepUnknownFields } from "./unknown-fields";

/** LiveKit's transports, in the order of the SIPTransport enum. */
export const TRANSPORTS = ["auto", "udp", "tcp", "tls"] as const;

/** LiveKit's media encryptions, in the order of the SIPMediaEncryption enum. */
export const MEDIA_ENCRYPTIONS = ["disabled", "allow", "require"] as const;

/** Which headers become attributes automatically, in the order of the SIPHeaderOptions enum. */
export const INCLUDE_HEADERS = ["none", "x-headers", "all"] as const;

/** The kinds of dispatch rule. */
export const RULE_KINDS = ["individual", "direct", "callee"] as const;

/** A codec of SIPMediaConfig: its name, for example `PCMU`, and its sample rate in Hz (0: the codec's default). */
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

/** `media.encryption`, and its deprecated counterpart beside `media`: older servers read only that one, newer ones keep both. */
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

/** The shortest name that may be a secret. Shorter ones are ordinary words and numbers. */
const NAME_LENGTH = 12;

/** The shortest text in a room configuration that may be a secret: it also has file names and file types. */
const ROOM_TEXT_LENGTH = 8;

/** The fields that trunks and rules share. */
const MEDIA = {
  mediaEncryption,
  codecs: inMedia(codecs),
  onlyListedCodecs: inMedia(flag("onlyListedCodecs")),
  mediaTimeout: inMedia(seconds("mediaTimeout")),
};

/** The fields that both kinds of trunk share. */
const TRUNK = {
  name: secretFrom(NAME_LENGTH, text("name")),
  metadata: sensitive(text("metadata")),
  headers: sensitive(map("headers")),
  headersToAttributes: map("headersToAttributes"),
  attributesToHeaders: map("attributesToHeaders"),
  includeHeaders: word("includeHeaders", INCLUDE_HEADERS),
  numbers: texts("numbers"),
  authUsername: sensitive(text("authUsername"), NAME_LENGTH),
  authPassword: sensitive(text("authPassword")),
  ...MEDIA,
};

/** The settable fields of an inbound trunk (SIPInboundTrunkInfo). */
export const INBOUND = {
  ...TRUNK,
  allowedAddresses: texts("allowedAddresses"),
  allowedNumbers: texts("allowedNumbers"),
  authRealm: text("authRealm"),
  ringingTimeout: seconds("ringingTimeout"),
  maxCallDuration: seconds("maxCallDuration"),
  krispEnabled: flag("krispEnabled"),
} satisfies Table<SIPInboundTrunkInfo>;

/** The settable fields of an outbound trunk (SIPOutboundTrunkInfo). */
export const OUTBOUND = {
  ...TRUNK,
  address: text("address"),
  destinationCountry: text("destinationCountry"),
  transport: word("transport", TRANSPORTS),
  fromHost: text("fromHost"),
} satisfies Table<SIPOutboundTrunkInfo>;

/** The kind of a rule and the fields inside it. */
interface RuleKind {
  readonly rule: (typeof RULE_KINDS)[number];
  /** The room of a `direct` rule, or the room prefix of the other kinds. */
  readonly room: string;
  /** Whether the room's name gets a random suffix (never for `direct`). */
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

/** The settable fields of a dispatch rule (SIPDispatchRuleInfo). */
export const RULE = {
  name: secretFrom(NAME_LENGTH, text("name")),
  metadata: sensitive(text("metadata")),
  trunkIds: texts("trunkIds"),
  // The kind comes first, because the fields inside it are written into the new one.
  rule: inKind("rule"),
  room: inKind("room"),
  randomize: inKind("randomize"),
  pin: sensitive(inKind("pin")),
  attributes: sensitive(map("attributes")),
  numbers: texts("numbers"),
  inboundNumbers: texts("inboundNumbers"),
  hidePhoneNumber: flag("hidePhoneNumber"),
  krispEnabled: flag("krispEnabled"),
  roomPreset: text("roomPreset"),
  roomConfig: sensitive(roomConfig, ROOM_TEXT_LENGTH),
  agents: sensitive(agents),
  ...MEDIA,
} satisfies Table<SIPDispatchRuleInfo>;

export type InboundFields = FieldsOf<typeof INBOUND>;
export type OutboundFields = FieldsOf<typeof OUTBOUND>;
export type RuleFields = FieldsOf<typeof RULE>;

/** An object on the platform: its fields, and the message that they were read from. */
type View<Fields, Message> = Fields & { readonly id: string; readonly message: Message };

/** When a trunk was created and last changed, by the platform's clock. Absent if the platform does not report it. */
interface Times {
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
}

/** An inbound trunk on the platform. */
export type InboundTrunk = View<InboundFields, SIPInboundTrunkInfo> & Times;

/** An outbound trunk on the platform. */
export type OutboundTrunk = View<OutboundFields, SIPOutboundTrunkInfo> & Times;

/** A dispatch rule on the platform. */
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

/** A copy of `current` with `fields` written into it. Other fields stay as they are. */
export function written<Message extends { clone(): Message }, Rows extends Table<Message>>(
  rows: Rows,
  current: Message,
  fields: Partial<FieldsOf<Rows>>,
): Message {
  const message = current.clone();
  write(rows, message, fields);
  return message;
}

/** Normalises a room configuration or its agents to protobuf's JSON form. Throws if LiveKit has no such field. */
export function canonicalRoomConfig(room: JsonObject): JsonObject {
  return asObject(RoomConfiguration.fromJson(room).toJson());
}

/** The same for a value from the state, which another version may have written: fields unknown to LiveKit are dropped. */
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

/** The codecs in their new order, each reusing its existing message. */
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

/** Changes `current` to the given kind and fields. */
function ruleMessage(current: SIPDispatchRule | undefined, { rule, room, randomize, pin }: RuleKind): SIPDispatchRule {
  // A kind that this version does not know is stored as an unknown field. Kept beside another kind, it would win.
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
