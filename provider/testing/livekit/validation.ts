/**
 * What LiveKit refuses in a single trunk, rule or update. The rules, their order and their messages are those of
 * livekit/protocol (livekit/sip.go, livekit/sip_validation.go, livekit/types.go); the conformance suite checks them
 * against the real server.
 */

import type {
  CreateSIPParticipantRequest,
  Destination,
  ListUpdate,
  SIPDispatchRuleInfo,
  SIPDispatchRuleUpdate,
  SIPInboundTrunkInfo,
  SIPInboundTrunkUpdate,
  SIPMediaConfig,
  SIPOutboundTrunkInfo,
  SIPOutboundTrunkUpdate,
} from "@livekit/protocol";
import { Invalid } from "./twirp-error";

const MAX_MEDIA_TIMEOUT_NS = 600_000_000_000n;
const MAX_HEADER_NAME_BYTES = 255;
const MAX_HEADER_VALUE_BYTES = 1024;
const MAX_DISPLAY_NAME_BYTES = 128;

/** What Go accepts between double quotes (strconv.Unquote). */
const GO_STRING = /^(?:[^"\\\n]|\\(?:[abfnrtv\\"]|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{3}))*$/;

/** RFC 3261 token characters, as LiveKit lists them. */
const TOKEN_CHARACTER = /[0-9A-Za-z\-.!%*_+`'~]/;
/** Printable ASCII and the tab. Every character beyond ASCII is allowed. */
const VALUE_CHARACTER = /[\t\x20-\x7e]/;

/** Headers that a trunk's `headers` may not set. The maps between headers and attributes may name them. */
const FORBIDDEN_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "allow",
  "allow-events",
  "call-id",
  "contact",
  "content-encoding",
  "content-length",
  "content-type",
  "cseq",
  "event",
  "expires",
  "from",
  "max-forwards",
  "record-route",
  "refer-to",
  "reply-to",
  "k",
  "l",
  "m",
  "o",
  "r",
  "t",
  "u",
  "v",
]);

export function validateInboundTrunk(trunk: SIPInboundTrunkInfo): void {
  const hasAuth = trunk.authUsername !== "" || trunk.authPassword !== "";
  if (!hasAuth && trunk.allowedAddresses.length === 0 && trunk.numbers.length === 0) {
    throw new Invalid(
      "for security, one of the fields must be set: AuthUsername+AuthPassword, AllowedAddresses or Numbers",
      true,
    );
  }
  validateMedia(trunk.media);
  validateHeaderFields(trunk);
}

export function validateOutboundTrunk(trunk: SIPOutboundTrunkInfo): void {
  if (trunk.numbers.length === 0) {
    throw new Invalid("no trunk numbers specified");
  }
  if (trunk.address === "") {
    throw new Invalid("no outbound address specified");
  }
  validateHost(trunk.address, "trunk address");
  validateHost(trunk.fromHost, "from_host");
  validateHeaderFields(trunk);
  validateMedia(trunk.media);
}

export function validateRule(rule: SIPDispatchRuleInfo): void {
  if (!rule.rule) {
    throw new Invalid("missing rule");
  }
  validateMedia(rule.media);
}

export function validateInboundUpdate(update: SIPInboundTrunkUpdate): void {
  validateListUpdate(update.numbers);
  validateListUpdate(update.allowedAddresses);
  validateListUpdate(update.allowedNumbers);
  validateMedia(update.media);
}

export function validateOutboundUpdate(update: SIPOutboundTrunkUpdate): void {
  validateListUpdate(update.numbers);
  validateMedia(update.media);
}

export function validateRuleUpdate(update: SIPDispatchRuleUpdate): void {
  validateListUpdate(update.trunkIds);
  validateMedia(update.media);
}

export function validateParticipant(request: CreateSIPParticipantRequest): void {
  const { sipTrunkId, trunk, sipNumber, sipCallTo, roomName, displayName } = request;
  if (sipTrunkId === "" && !trunk && sipNumber === "") {
    throw new Invalid("missing sip trunk id and sip number");
  }
  if (trunk) {
    if (trunk.hostname === "") {
      throw new Invalid("no outbound hostname specified");
    }
    validateHost(trunk.hostname, "trunk hostname");
    validateHost(trunk.fromHost, "from_host");
    validateHeaderMaps(trunk);
  }
  if (sipCallTo === "") {
    throw new Invalid("missing sip callee number");
  }
  if (sipCallTo.includes("@")) {
    throw new Invalid("SipCallTo should be a phone number or SIP user, not a full SIP URI");
  }
  if (roomName === "") {
    throw new Invalid("missing room name");
  }
  if (displayName !== undefined) {
    validateDisplayName(displayName);
  }
  validateDestination(request.destination);
  validateHeaders(request.headers);
  validateMedia(request.media);
}

function validateDisplayName(name: string): void {
  if (Buffer.byteLength(name) > MAX_DISPLAY_NAME_BYTES) {
    throw new Invalid("DisplayName too long (max 128 characters)");
  }
  if (!GO_STRING.test(name)) {
    throw new Invalid("DisplayName must be a valid quoted string: invalid syntax");
  }
}

function validateDestination(destination: Destination | undefined): void {
  const { city = "", region = "", country = "" } = destination ?? {};
  if (city !== "" && country === "" && region === "") {
    throw new Invalid("if city is specified, country or region must also be specified");
  }
  if (country !== "" && !/^[A-Z]{2}$/.test(country)) {
    throw new Invalid("country must be a valid ISO 3166-1 alpha-2 code (2-letter like 'US', 'IN', 'UK')");
  }
}

function validateListUpdate(update: ListUpdate | undefined): void {
  if (!update) {
    return;
  }
  const { set, add, remove, clear } = update;
  const changes = set.length + add.length + remove.length > 0;
  if (!clear && !changes) {
    throw new Invalid("unsupported list update operation");
  }
  if (clear && changes) {
    throw new Invalid("cannot clear and change the list at the same time");
  }
  if (set.length > 0 && add.length + remove.length > 0) {
    throw new Invalid("cannot set and change the list at the same time");
  }
  if ([...set, ...add, ...remove].includes("")) {
    throw new Invalid("empty element in the list");
  }
}

function validateMedia(media: SIPMediaConfig | undefined): void {
  if (!media) {
    return;
  }
  for (const { name } of media.codecs) {
    if (name === "") {
      throw new Invalid("missing codec name");
    }
    if (/[ \t\n\r]/.test(name)) {
      throw new Invalid("invalid codec name");
    }
    if (name.includes("/")) {
      throw new Invalid("codec name must not contain '/'");
    }
  }
  if (media.mediaTimeout) {
    const nanoseconds = media.mediaTimeout.seconds * 1_000_000_000n + BigInt(media.mediaTimeout.nanos);
    if (nanoseconds < 0n) {
      throw new Invalid("media_timeout must not be negative");
    }
    if (nanoseconds > MAX_MEDIA_TIMEOUT_NS) {
      throw new Invalid("media_timeout must not exceed 10m0s");
    }
  }
}

function validateHost(value: string, field: string): void {
  if (value.includes("transport=")) {
    throw new Invalid(`${field} should not contain transport parameter`);
  }
  if (/[@;]|^sips?:/.test(value)) {
    throw new Invalid(`${field} should be a hostname or IP, not SIP URI`);
  }
}

function validateHeaderFields(trunk: SIPInboundTrunkInfo | SIPOutboundTrunkInfo): void {
  validateHeaders(trunk.headers);
  validateHeaderMaps(trunk);
}

function validateHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    if (FORBIDDEN_HEADERS.has(name.toLowerCase())) {
      throw new Invalid(`invalid header name: header name ${name} not supported`);
    }
    validateHeaderValue(name, value);
  }
}

function validateHeaderMaps(trunk: Pick<SIPInboundTrunkInfo, "attributesToHeaders" | "headersToAttributes">): void {
  for (const name of [...Object.values(trunk.attributesToHeaders), ...Object.keys(trunk.headersToAttributes)]) {
    validateHeaderName(name);
  }
}

function validateHeaderName(name: string): void {
  if (name === "") {
    throw new Invalid("invalid header name: header name cannot be empty");
  }
  if (Buffer.byteLength(name) > MAX_HEADER_NAME_BYTES) {
    throw new Invalid("invalid header name: header name too long (max 255 characters)");
  }
  const refused = refusedCharacter(name, TOKEN_CHARACTER, false);
  if (refused !== undefined) {
    throw new Invalid(`invalid header name: header name ${name} contains invalid characters: ${refused}`);
  }
}

function validateHeaderValue(name: string, value: string): void {
  const prefix = `invalid header value for ${name}: header ${name}: value`;
  if (Buffer.byteLength(value) > MAX_HEADER_VALUE_BYTES) {
    throw new Invalid(`${prefix} too long (max 1024 characters)`);
  }
  const refused = refusedCharacter(value, VALUE_CHARACTER, true);
  if (refused !== undefined) {
    throw new Invalid(`${prefix}: ${refused}`);
  }
}

/** LiveKit's message about the first character of `text` that is not allowed; undefined when all are. */
function refusedCharacter(text: string, allowed: RegExp, beyondAscii: boolean): string | undefined {
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code > 127) {
      if (!beyondAscii) {
        return `char ${code} out of range, consider explicilty adding utf8 characters`;
      }
    } else if (!allowed.test(character)) {
      return `char ${code} not allowed`;
    }
  }
  return undefined;
}
