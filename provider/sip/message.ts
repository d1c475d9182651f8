/**
 * Parses and writes SIP messages (RFC 3261, section 7). The bytes can come from anybody, so an invalid message is undefined,
 * never an exception: a hostile response must not crash anything.
 */

import { unbracketed } from "../host-text";

/** A header field, as it stands in the message. */
export interface SipHeader {
  readonly name: string;
  readonly value: string;
}

export interface SipRequest {
  readonly method: string;
  /** The Request-URI. */
  readonly uri: string;
  readonly headers: readonly SipHeader[];
  readonly body: string;
}

export interface SipResponse {
  /** 100 to 699. */
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly SipHeader[];
  readonly body: string;
}

export type SipMessage = SipRequest | SipResponse;

/** The largest message that is read, in bytes: the most that fits in a UDP datagram. */
export const MESSAGE_LIMIT = 65_535;

/** The one-letter names of header fields (RFC 3261, section 20). */
const COMPACT_NAMES: ReadonlyMap<string, string> = new Map([
  ["c", "content-type"],
  ["e", "content-encoding"],
  ["f", "from"],
  ["i", "call-id"],
  ["k", "supported"],
  ["l", "content-length"],
  ["m", "contact"],
  ["s", "subject"],
  ["t", "to"],
  ["v", "via"],
]);

export function isRequest(message: SipMessage): message is SipRequest {
  return "method" in message;
}

export function isResponse(message: SipMessage): message is SipResponse {
  return "status" in message;
}

/** Parses a message that arrived in one piece, for example as a datagram. Undefined if it is not a SIP message. */
export function parseMessage(bytes: Buffer): SipMessage | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0 || bytes.length > MESSAGE_LIMIT) {
    return undefined;
  }
  const head = parseHead(bytes.toString("utf8", 0, end));
  if (!head) {
    return undefined;
  }
  const length = contentLength(head);
  const rest = bytes.subarray(end + 4);
  if (length !== undefined && length > rest.length) {
    return undefined;
  }
  return { ...head, body: rest.toString("utf8", 0, length) };
}

/**
 * Writes a message. Content-Length is computed and replaces any that is given. Line breaks become spaces, so that no value can
 * inject a header field.
 */
export function serialize(message: SipMessage): Buffer {
  const start = isRequest(message)
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`;
  const headers = message.headers.filter(({ name }) => fullName(name) !== "content-length");
  const lines = [start, ...headers.map(({ name, value }) => `${name}: ${value}`)].map((line) =>
    line.replace(/[\r\n]+/g, " "),
  );
  return Buffer.from(
    `${lines.join("\r\n")}\r\nContent-Length: ${Buffer.byteLength(message.body)}\r\n\r\n${message.body}`,
  );
}

/** Splits a stream (TCP, TLS) into messages by their Content-Length (RFC 3261, section 18.3). */
export class MessageReader {
  private buffered: Buffer = Buffer.alloc(0);

  /**
   * Adds bytes and returns the messages that are now complete.
   *
   * @throws MalformedStream if the bytes are not SIP: then the start of the next message can't be found
   */
  push(bytes: Buffer): SipMessage[] {
    this.buffered = Buffer.concat([this.buffered, bytes]);
    const messages: SipMessage[] = [];
    for (;;) {
      this.skipKeepAlives();
      const end = this.buffered.indexOf("\r\n\r\n");
      if (end < 0) {
        if (this.buffered.length > MESSAGE_LIMIT) {
          throw new MalformedStream("a message that does not end");
        }
        return messages;
      }
      const head = parseHead(this.buffered.toString("utf8", 0, end));
      const length = head && contentLength(head);
      if (!head || length === undefined || end + 4 + length > MESSAGE_LIMIT) {
        throw new MalformedStream("something that is not SIP");
      }
      if (this.buffered.length < end + 4 + length) {
        return messages;
      }
      messages.push({ ...head, body: this.buffered.toString("utf8", end + 4, end + 4 + length) });
      this.buffered = this.buffered.subarray(end + 4 + length);
    }
  }

  /** Empty lines are allowed between messages, and keep connections alive (RFC 5626, section 3.5.1). */
  private skipKeepAlives(): void {
    let start = 0;
    while (this.buffered[start] === 0x0d && this.buffered[start + 1] === 0x0a) {
      start += 2;
    }
    this.buffered = this.buffered.subarray(start);
  }
}

/** The bytes from a connection are not SIP. `message` describes what they are. */
export class MalformedStream extends Error {
  override readonly name = "MalformedStream";
}

/** The first value of a header field, by its full name in any case. Undefined if there is none. */
export function headerOf(message: SipMessage, name: string): string | undefined {
  return headersOf(message, name)[0];
}

/** All values of a header field, one per line of it. */
export function headersOf(message: SipMessage, name: string): string[] {
  const wanted = name.toLowerCase();
  return message.headers.filter((header) => fullName(header.name) === wanted).map(({ value }) => value);
}

/** The values of a header field that may contain several per line, such as Via, Route and Record-Route. */
export function listOf(message: SipMessage, name: string): string[] {
  return headersOf(message, name).flatMap((value) => splitOutside(value, ","));
}

/** An address as in From, To, Contact and Route (RFC 3261, section 20.10). */
export interface NameAddr {
  readonly uri: string;
  readonly params: ReadonlyMap<string, string>;
}

/** Parses `"Name" <uri>;params` or `uri;params`. A parameter without a value gets the empty string. */
export function parseNameAddr(text: string): NameAddr {
  // A quoted display name may contain angle brackets.
  const bracketed = /^(?:"(?:[^"\\]|\\.)*"|[^"<])*<([^>]*)>(.*)$/s.exec(text);
  const [bare = "", ...rest] = text.split(";");
  const uri = bracketed?.[1] ?? bare.trim();
  return { uri, params: parseParams(bracketed ? (bracketed[2] ?? "") : rest.join(";")) };
}

/** A parsed `sip:` or `sips:` URI. */
export interface SipUri {
  readonly scheme: "sip" | "sips";
  readonly user?: string;
  /** A host name or an IP address. IPv6 without its brackets. */
  readonly host: string;
  readonly port?: number;
  readonly params: ReadonlyMap<string, string>;
}

/** Parses a SIP URI (RFC 3261, section 19.1.1). Undefined if it is not one. */
export function parseUri(text: string): SipUri | undefined {
  const match = /^(sips?):(?:([^@]*)@)?(\[[0-9a-f:.]+\]|[^\s:;?@[\]]+)(?::(\d{1,5}))?((?:;[^?]*)?)(?:\?.*)?$/i.exec(
    text,
  );
  if (!match || Number(match[4] ?? 0) > 65_535) {
    return undefined;
  }
  const [, scheme = "", userInfo, host = "", port, params = ""] = match;
  return {
    scheme: scheme.toLowerCase() === "sips" ? "sips" : "sip",
    ...(userInfo === undefined ? {} : { user: decode(userInfo.replace(/:.*$/s, "")) }),
    host: unbracketed(host),
    ...(port === undefined ? {} : { port: Number(port) }),
    params: parseParams(params),
  };
}

/** Escapes the characters that are not allowed in the user part of a URI (RFC 3261, section 25.1: user). */
export function escapeUser(user: string): string {
  return user.replace(/[^\w\-.!~*'()&=+$,;?/]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Parses `;name=value;name`. Quotes around values are removed. */
export function parseParams(text: string): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  for (const part of splitOutside(text, ";")) {
    const [name = "", value = ""] = part.split(/=(.*)/s);
    if (name.trim() !== "") {
      params.set(name.trim().toLowerCase(), unquote(value.trim()));
    }
  }
  return params;
}

/** The content of a quoted string, or the text itself if it is not quoted. */
export function unquote(text: string): string {
  return /^".*"$/s.test(text) && text.length >= 2 ? text.slice(1, -1).replace(/\\(.)/gs, "$1") : text;
}

/** Splits at separators outside quotes and angle brackets. Parts are trimmed, and empty ones are dropped. */
export function splitOutside(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (quoted && character === "\\") {
      index++;
    } else if (character === '"') {
      quoted = !quoted;
    } else if (!quoted && character === "<") {
      depth++;
    } else if (!quoted && character === ">") {
      depth = Math.max(0, depth - 1);
    } else if (!quoted && depth === 0 && character === separator) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim()).filter((part) => part !== "");
}

type Head = Omit<SipRequest, "body"> | Omit<SipResponse, "body">;

function parseHead(text: string): Head | undefined {
  // A line that begins with white space continues the previous one (RFC 3261, section 7.3.1).
  const [start = "", ...lines] = text.replace(/\r\n[ \t]+/g, " ").split("\r\n");
  const headers: SipHeader[] = [];
  for (const line of lines) {
    const match = /^([^\s:]+)[ \t]*:[ \t]*(.*)$/s.exec(line);
    if (!match) {
      return undefined;
    }
    headers.push({ name: match[1] ?? "", value: (match[2] ?? "").trimEnd() });
  }
  const response = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/is.exec(start);
  if (response) {
    return { status: Number(response[1]), reason: response[2] ?? "", headers };
  }
  const request = /^([A-Z][A-Z0-9\-.!%*_+`'~]*) (\S+) SIP\/2\.0$/i.exec(start);
  return request ? { method: request[1] ?? "", uri: request[2] ?? "", headers } : undefined;
}

function contentLength(head: Head): number | undefined {
  const header = head.headers.find(({ name }) => fullName(name) === "content-length");
  return header && /^\d{1,9}$/.test(header.value) ? Number(header.value) : undefined;
}

function fullName(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT_NAMES.get(lower) ?? lower;
}
