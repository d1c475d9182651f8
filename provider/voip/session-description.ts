/** The session description (SDP, RFC 4566) of a call without audio. */

import { randomBytes } from "node:crypto";
import { isIPv6 } from "node:net";

/** Where and how the other side may send its audio. */
export interface AudioOffer {
  readonly address: string;
  readonly port: number;
  /** Encrypted media only (SRTP, with its key in the description: RFC 4568). */
  readonly secure: boolean;
}

/** Offers one audio stream with the two codecs that every phone supports (RFC 3551: PCMU and PCMA), and DTMF (RFC 4733). */
export function audioOffer({ address, port, secure }: AudioOffer): string {
  const host = `IN ${isIPv6(address) ? "IP6" : "IP4"} ${address}`;
  const lines = [
    "v=0",
    `o=- ${Date.now()} 1 ${host}`,
    "s=-",
    `c=${host}`,
    "t=0 0",
    `m=audio ${port} RTP/${secure ? "SAVP" : "AVP"} 0 8 101`,
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-15",
    // A master key of 16 bytes and a salt of 14 (RFC 4568, section 6.1). They protect nothing, because nothing is ever sent.
    ...(secure ? [`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${randomBytes(30).toString("base64")}`] : []),
    "a=sendrecv",
  ];
  return `${lines.join("\r\n")}\r\n`;
}
