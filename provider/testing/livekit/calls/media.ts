/**
 * Session descriptions (RFC 8866) for an emulator that sends and reads no RTP: one audio stream to the discard port.
 */

/** livekit/sip's codecs and their static payload types (RFC 3551): PCMU, PCMA, G722. */
const CODECS: ReadonlyMap<string, string> = new Map([
  ["0", "PCMU/8000"],
  ["8", "PCMA/8000"],
  ["9", "G722/8000"],
]);

/** An offer of every codec above. */
export function offer(address: string): string {
  return description(address, [...CODECS.keys()]);
}

/** The answer to an offer: its first codec that we know. Undefined when we know none. */
export function answerTo(sdp: string, address: string): string | undefined {
  const [, types = ""] = /^m=audio \d+ RTP\/S?AVPF? ([\d ]+)\r?$/m.exec(sdp) ?? [];
  const type = types.split(" ").find((offered) => CODECS.has(offered));
  return type === undefined ? undefined : description(address, [type]);
}

function description(address: string, types: readonly string[]): string {
  return [
    "v=0",
    `o=- 1 1 IN IP4 ${address}`,
    "s=LiveKit",
    `c=IN IP4 ${address}`,
    "t=0 0",
    `m=audio 9 RTP/AVP ${types.join(" ")}`,
    ...types.map((type) => `a=rtpmap:${type} ${CODECS.get(type)}`),
    "a=sendrecv",
    "",
  ].join("\r\n");
}
