/** IP allowlists as LiveKit reads them: what is a range, what two ranges cover, and when a list admits everyone. */

import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { unbracketed } from "../host-text";

/** A range of addresses: `size` addresses of IP `version` from `start` on. */
interface Range {
  readonly version: 4 | 6;
  readonly start: bigint;
  readonly size: bigint;
}

/**
 * The canonical CIDR notation of an IP or CIDR range, or undefined where the text is neither. A bare IP becomes /32 or
 * /128: LiveKit would compare it with the host in the caller's own From header too, and so let anyone in who writes it there.
 */
export function canonicalCidr(text: string): string | undefined {
  const range = parseRange(text);
  if (!range) {
    return undefined;
  }
  return `${format(range)}/${prefixLengthOf(range)}`;
}

/** The IP version and the prefix length of an IP or CIDR range, or undefined where the text is neither. */
export function prefixOf(text: string): { readonly version: 4 | 6; readonly length: number } | undefined {
  const range = parseRange(text);
  return range && { version: range.version, length: prefixLengthOf(range) };
}

/** Whether `cidrs` together admit every address of IPv4, or every one of IPv6. */
export function admitsEveryone(cidrs: readonly string[]): boolean {
  const ranges = cidrs.map(parseRange).filter((range) => range !== undefined);
  return coversAll(ranges, 4, 1n << 32n) || coversAll(ranges, 6, 1n << 128n);
}

/** How far a trunk's door stands open to callers that it does not know. */
export type Exposure = "none" | "anyone" | "spoofable";

/**
 * Who gets in on an inbound trunk without proving anything: LiveKit asks for a password only where both username and
 * password are set, drops entries that it can't read (livekit/protocol, sip/sip.go: isValidMask), lets everyone in
 * when none is left, and takes a bare IP or host name also from the caller's own From header.
 */
export function exposureOf(trunk: {
  readonly authUsername: string;
  readonly authPassword: string;
  readonly allowedAddresses: readonly string[];
}): Exposure {
  if (trunk.authUsername !== "" && trunk.authPassword !== "") {
    return "none";
  }
  const effective = trunk.allowedAddresses.filter((mask) => !/[()+*;, \t\n\r]|:\/\//.test(mask));
  if (effective.length === 0 || admitsEveryone(effective)) {
    return "anyone";
  }
  return effective.every((mask) => mask.includes("/")) ? "none" : "spoofable";
}

function parseRange(text: string): Range | undefined {
  const [address = "", prefixText, ...rest] = text.split("/");
  const version = isIP(address);
  if (
    version === 0 ||
    address.includes("%") ||
    rest.length > 0 ||
    (prefixText !== undefined && !/^(0|[1-9]\d{0,2})$/.test(prefixText))
  ) {
    return undefined;
  }
  // A URL writes dotted quads in IPv6 in hexadecimal. ipaddr.js takes ::192.0.2.1 for ::ffff:192.0.2.1, another address.
  const plain = version === 4 ? address : unbracketed(new URL(`http://[${address}]`).hostname);
  const bytes = ipaddr.parse(plain).toByteArray();
  const bits = bytes.length * 8;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  if (prefix > bits) {
    return undefined;
  }
  const size = 1n << BigInt(bits - prefix);
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { version: bits === 32 ? 4 : 6, start: value - (value % size), size };
}

function prefixLengthOf({ version, size }: Range): number {
  const bits = version === 4 ? 32 : 128;
  return bits - (size.toString(2).length - 1);
}

function format({ version, start }: Range): string {
  const length = version === 4 ? 4 : 16;
  const bytes = Array.from({ length }, (_, index) => Number((start >> BigInt(8 * (length - 1 - index))) & 255n));
  return ipaddr.fromByteArray(bytes).toString();
}

function coversAll(ranges: readonly Range[], version: 4 | 6, total: bigint): boolean {
  const sorted = ranges.filter((range) => range.version === version).sort((a, b) => (a.start < b.start ? -1 : 1));
  let covered = 0n;
  for (const { start, size } of sorted) {
    if (start > covered) {
      return false;
    }
    covered = start + size > covered ? start + size : covered;
  }
  return covered >= total;
}

const HOST_PATTERN = /^(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i;

/** Whether a text is a host name, `*.` with a domain, an IP address or a CIDR range. */
export function isHostPattern(text: string): boolean {
  return canonicalCidr(unbracketed(text)) !== undefined || HOST_PATTERN.test(text);
}

/**
 * Whether a host is one of those that a list of patterns allows. `*.acme.com` is every name below acme.com. A CIDR range allows
 * addresses, but no name that has such an address: whoever runs the name can change that.
 */
export function isAllowedHost(host: string, patterns: readonly string[]): boolean {
  const wanted = unbracketed(host).toLowerCase();
  const address = parseRange(wanted);
  return patterns.some((pattern) => {
    const range = parseRange(unbracketed(pattern));
    if (range || address) {
      return range !== undefined && address !== undefined && includes(range, address);
    }
    const name = pattern.toLowerCase();
    return name.startsWith("*.") ? wanted.endsWith(name.slice(1)) : wanted === name;
  });
}

function includes(outer: Range, inner: Range): boolean {
  return (
    outer.version === inner.version &&
    outer.start <= inner.start &&
    inner.start + inner.size <= outer.start + outer.size
  );
}
