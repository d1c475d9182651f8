/**
 * LiveKit's SIP messages as plain values, and back. Durations are whole seconds, enums are words, and what is unset is the
 * empty value, so that two messages can be compared field by field.
 *
 * Each view keeps the message it was made from, and every write starts from that, at every depth: fields which this package does
 * not manage, or does not know yet, survive. What a write takes away, an agent or a codec for example, goes as a whole.
 */

import { Duration } from "@bufbuild/protobuf";
import {
  type RoomAgentDispatch,
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
  type SIPTransport,
} from "@livekit/protocol";
import { counterparts, keepUnknownFields } from "./unknown-fields";

/** A codec of SIPMediaConfig: its name, for example `PCMU`, and its sample rate in Hz (0: the codec's own). */
export interface Codec {
  readonly name: string;
  readonly rate: number;
}

/** The media fields that trunks and rules share (LiveKit `media`, SIPMediaConfig). */
export interface MediaFields {
  readonly mediaEncryption: MediaEncryption;
  readonly codecs: readonly Codec[];
  readonly onlyListedCodecs: boolean;
  /** Seconds; 0 is LiveKit's default. */
  readonly mediaTimeout: number;
}

/** The header options that both kinds of trunk share. */
interface HeaderFields {
  readonly headers: StringMap;
  readonly headersToAttributes: StringMap;
  readonly attributesToHeaders: StringMap;
  readonly includeHeaders: IncludeHeaders;
}

interface TrunkFields extends HeaderFields, MediaFields {
  readonly name: string;
  readonly metadata: string;
  readonly numbers: readonly string[];
  readonly authUsername: string;
  readonly authPassword: string;
}

/** What can be set on an inbound trunk (SIPInboundTrunkInfo). */
export interface InboundFields extends TrunkFields {
  readonly allowedAddresses: readonly string[];
  readonly allowedNumbers: readonly string[];
  readonly authRealm: string;
  /** Seconds; 0 is LiveKit's default. */
  readonly ringingTimeout: number;
  /** Seconds; 0 is LiveKit's default. */
  readonly maxCallDuration: number;
  readonly krispEnabled: boolean;
}

/** What can be set on an outbound trunk (SIPOutboundTrunkInfo). */
export interface OutboundFields extends TrunkFields {
  readonly address: string;
  readonly destinationCountry: string;
  readonly transport: Transport;
  readonly fromHost: string;
}

/** What can be set on a dispatch rule (SIPDispatchRuleInfo). */
export interface RuleFields extends MediaFields {
  readonly name: string;
  readonly metadata: string;
  readonly trunkIds: readonly string[];
  readonly rule: RuleKind;
  /** The room of a `direct` rule, the room prefix of the others. */
  readonly room: string;
  /** Whether the room's name gets a random end (never for `direct`). */
  readonly randomize: boolean;
  readonly pin: string;
  readonly attributes: StringMap;
  readonly numbers: readonly string[];
  readonly inboundNumbers: readonly string[];
  readonly hidePhoneNumber: boolean;
  readonly krispEnabled: boolean;
  readonly roomPreset: string;
  /** RoomConfiguration without its agents, in protobuf's JSON form. */
  readonly roomConfig: JsonObject;
  /** RoomConfiguration's agents, in protobuf's JSON form. */
  readonly agents: readonly JsonObject[];
}

/** An inbound trunk as it is on the platform. */
export interface InboundTrunk extends InboundFields {
  readonly id: string;
  /** When it was made and last changed, by the platform's clock; absent where the platform does not say. */
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
  readonly message: SIPInboundTrunkInfo;
}

/** An outbound trunk as it is on the platform. */
export interface OutboundTrunk extends OutboundFields {
  readonly id: string;
  /** When it was made and last changed, by the platform's clock; absent where the platform does not say. */
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
  readonly message: SIPOutboundTrunkInfo;
}

/** A dispatch rule as it is on the platform. */
export interface Rule extends RuleFields {
  readonly id: string;
  readonly message: SIPDispatchRuleInfo;
}

export type StringMap = Readonly<Record<string, string>>;
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;
export type JsonObject = { [key: string]: JsonValue };

/** LiveKit's transports, in the order of the SIPTransport enum. */
export const TRANSPORTS = ["auto", "udp", "tcp", "tls"] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** LiveKit's media encryptions, in the order of the SIPMediaEncryption enum. */
export const MEDIA_ENCRYPTIONS = ["disabled", "allow", "require"] as const;
export type MediaEncryption = (typeof MEDIA_ENCRYPTIONS)[number];

/** Which headers become attributes by themselves, in the order of the SIPHeaderOptions enum. */
export const INCLUDE_HEADERS = ["none", "x-headers", "all"] as const;
export type IncludeHeaders = (typeof INCLUDE_HEADERS)[number];

/** The kinds of dispatch rule. */
export const RULE_KINDS = ["individual", "direct", "callee"] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

export function inboundTrunk(message: SIPInboundTrunkInfo): InboundTrunk {
  return {
    ...trunkFields(message),
    allowedAddresses: message.allowedAddresses,
    allowedNumbers: message.allowedNumbers,
    authRealm: message.authRealm,
    ringingTimeout: seconds(message.ringingTimeout),
    maxCallDuration: seconds(message.maxCallDuration),
    krispEnabled: message.krispEnabled,
    message,
  };
}

export function outboundTrunk(message: SIPOutboundTrunkInfo): OutboundTrunk {
  return {
    ...trunkFields(message),
    address: message.address,
    destinationCountry: message.destinationCountry,
    transport: wordOf(TRANSPORTS, message.transport),
    fromHost: message.fromHost,
    message,
  };
}

export function rule(message: SIPDispatchRuleInfo): Rule {
  return {
    id: message.sipDispatchRuleId,
    name: message.name,
    metadata: message.metadata,
    trunkIds: message.trunkIds,
    ...ruleKind(message),
    attributes: message.attributes,
    numbers: message.numbers,
    inboundNumbers: message.inboundNumbers,
    hidePhoneNumber: message.hidePhoneNumber,
    krispEnabled: message.krispEnabled,
    roomPreset: message.roomPreset,
    ...roomFields(message.roomConfig),
    ...mediaFields(message),
    message,
  };
}

/** Writes `fields` over a copy of `current`; what `fields` leaves out stays. */
export function applyInbound(current: SIPInboundTrunkInfo, fields: Partial<InboundFields>): SIPInboundTrunkInfo {
  const message = current.clone();
  applyTrunk(message, fields);
  set(fields.allowedAddresses, (value) => {
    message.allowedAddresses = [...value];
  });
  set(fields.allowedNumbers, (value) => {
    message.allowedNumbers = [...value];
  });
  set(fields.authRealm, (value) => {
    message.authRealm = value;
  });
  set(fields.ringingTimeout, (value) => {
    message.ringingTimeout = durationMessage(message.ringingTimeout, value);
  });
  set(fields.maxCallDuration, (value) => {
    message.maxCallDuration = durationMessage(message.maxCallDuration, value);
  });
  set(fields.krispEnabled, (value) => {
    message.krispEnabled = value;
  });
  return message;
}

/** Writes `fields` over a copy of `current`; what `fields` leaves out stays. */
export function applyOutbound(current: SIPOutboundTrunkInfo, fields: Partial<OutboundFields>): SIPOutboundTrunkInfo {
  const message = current.clone();
  applyTrunk(message, fields);
  set(fields.address, (value) => {
    message.address = value;
  });
  set(fields.destinationCountry, (value) => {
    message.destinationCountry = value;
  });
  set(fields.transport, (value) => {
    message.transport = TRANSPORTS.indexOf(value);
  });
  set(fields.fromHost, (value) => {
    message.fromHost = value;
  });
  return message;
}

/** Writes `fields` over a copy of `current`; what `fields` leaves out stays. */
export function applyRule(current: SIPDispatchRuleInfo, fields: RuleFields): SIPDispatchRuleInfo {
  const message = current.clone();
  message.name = fields.name;
  message.metadata = fields.metadata;
  message.trunkIds = [...fields.trunkIds];
  message.rule = ruleMessage(message.rule, fields);
  message.attributes = { ...fields.attributes };
  message.numbers = [...fields.numbers];
  message.inboundNumbers = [...fields.inboundNumbers];
  message.hidePhoneNumber = fields.hidePhoneNumber;
  message.krispEnabled = fields.krispEnabled;
  message.roomPreset = fields.roomPreset;
  message.roomConfig = roomMessage(message.roomConfig, fields);
  applyMedia(message, fields);
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

/** The media message that a field-wise update sends: `fields` over the one that is there. */
export function mediaMessage(current: SIPMediaConfig | undefined, fields: Partial<MediaFields>): SIPMediaConfig {
  const media = current?.clone() ?? new SIPMediaConfig();
  set(fields.mediaEncryption, (value) => {
    media.encryption = MEDIA_ENCRYPTIONS.indexOf(value);
  });
  set(fields.codecs, (value) => {
    media.codecs = codecMessages(media.codecs, value);
  });
  set(fields.onlyListedCodecs, (value) => {
    media.onlyListedCodecs = value;
  });
  set(fields.mediaTimeout, (value) => {
    media.mediaTimeout = durationMessage(media.mediaTimeout, value);
  });
  return media;
}

/** LiveKit's enum value for a transport. */
export function transportValue(transport: Transport): SIPTransport {
  return TRANSPORTS.indexOf(transport);
}

function trunkFields(message: SIPInboundTrunkInfo | SIPOutboundTrunkInfo) {
  return {
    id: message.sipTrunkId,
    name: message.name,
    metadata: message.metadata,
    numbers: message.numbers,
    authUsername: message.authUsername,
    authPassword: message.authPassword,
    headers: message.headers,
    headersToAttributes: message.headersToAttributes,
    attributesToHeaders: message.attributesToHeaders,
    includeHeaders: wordOf(INCLUDE_HEADERS, message.includeHeaders),
    ...mediaFields(message),
    ...(message.createdAt ? { createdAt: message.createdAt.toDate() } : {}),
    ...(message.updatedAt ? { updatedAt: message.updatedAt.toDate() } : {}),
  };
}

function applyTrunk(message: SIPInboundTrunkInfo | SIPOutboundTrunkInfo, fields: Partial<TrunkFields>): void {
  set(fields.name, (value) => {
    message.name = value;
  });
  set(fields.metadata, (value) => {
    message.metadata = value;
  });
  set(fields.numbers, (value) => {
    message.numbers = [...value];
  });
  set(fields.authUsername, (value) => {
    message.authUsername = value;
  });
  set(fields.authPassword, (value) => {
    message.authPassword = value;
  });
  set(fields.headers, (value) => {
    message.headers = { ...value };
  });
  set(fields.headersToAttributes, (value) => {
    message.headersToAttributes = { ...value };
  });
  set(fields.attributesToHeaders, (value) => {
    message.attributesToHeaders = { ...value };
  });
  set(fields.includeHeaders, (value) => {
    message.includeHeaders = INCLUDE_HEADERS.indexOf(value);
  });
  applyMedia(message, fields);
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

type WithMedia = { media?: SIPMediaConfig; mediaEncryption: SIPMediaEncryption };

/** `mediaEncryption` is the deprecated twin of `media.encryption`; older servers read only that, newer ones keep both. */
function mediaFields(message: WithMedia): MediaFields {
  return {
    mediaEncryption: wordOf(MEDIA_ENCRYPTIONS, message.media?.encryption ?? message.mediaEncryption),
    codecs: (message.media?.codecs ?? []).map(({ name, rate }) => ({ name, rate })),
    onlyListedCodecs: message.media?.onlyListedCodecs ?? false,
    mediaTimeout: seconds(message.media?.mediaTimeout),
  };
}

function applyMedia(message: WithMedia, fields: Partial<MediaFields>): void {
  const { mediaEncryption, codecs, onlyListedCodecs, mediaTimeout } = fields;
  if ([mediaEncryption, codecs, onlyListedCodecs, mediaTimeout].some((value) => value !== undefined)) {
    message.media = mediaMessage(message.media, fields);
    message.mediaEncryption = message.media.encryption ?? message.mediaEncryption;
  }
}

function ruleKind(message: SIPDispatchRuleInfo): Pick<RuleFields, "rule" | "room" | "randomize" | "pin"> {
  const kind = message.rule?.rule;
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
function ruleMessage(
  current: SIPDispatchRule | undefined,
  { rule, room, randomize, pin }: RuleFields,
): SIPDispatchRule {
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

/** The room configuration that a rule gets; none when there would be nothing in it. */
function roomMessage(
  current: RoomConfiguration | undefined,
  { roomConfig, agents }: Pick<RuleFields, "roomConfig" | "agents">,
): RoomConfiguration | undefined {
  const room = RoomConfiguration.fromJson({ ...roomConfig, agents: [...agents] });
  if (current) {
    keepUnknownFields(room, current);
  }
  return room.toBinary().length > 0 ? room : undefined;
}

function roomFields(room: RoomConfiguration | undefined): Pick<RuleFields, "roomConfig" | "agents"> {
  const { agents, ...roomConfig } = asObject(room?.toJson() ?? {});
  return { roomConfig, agents: (room?.agents ?? []).map((agent: RoomAgentDispatch) => asObject(agent.toJson())) };
}

function asObject(json: unknown): JsonObject {
  return JSON.parse(JSON.stringify(json));
}

/** The word for an enum's value; what a newer server adds reads as the default. */
function wordOf<Word extends string>(words: readonly [Word, ...Word[]], value: number): Word {
  return words[value] ?? words[0];
}

function seconds(value: Duration | undefined): number {
  return value ? Number(value.seconds) + value.nanos / 1e9 : 0;
}

/** Changes `current` to a number of seconds; 0 is unset. */
function durationMessage(current: Duration | undefined, value: number): Duration | undefined {
  if (value <= 0) {
    return undefined;
  }
  const message = current ?? new Duration();
  const whole = Math.floor(value);
  message.seconds = BigInt(whole);
  message.nanos = Math.round((value - whole) * 1e9);
  return message;
}

function set<Value>(value: Value | undefined, write: (value: Value) => void): void {
  if (value !== undefined) {
    write(value);
  }
}
