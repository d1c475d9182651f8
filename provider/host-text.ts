/** Hosts and IP addresses as they are written in URLs and SIP addresses. */

import { isIP } from "node:net";

/** A host as a URL has it: an IPv6 address in brackets. */
export function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

/** The host itself: an IPv6 address without the brackets that a URL puts around it. */
export function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** Whether a URL's host is this machine. */
export function isLoopback(hostname: string): boolean {
  const host = unbracketed(hostname);
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
