/** The little SDP that a callee without media needs (RFC 4566; offer and answer: RFC 3264). */

import { isIPv6 } from "node:net";

/** Where media is received. */
export interface MediaAddress {
  readonly host: string;
  readonly port: number;
}

/** PCMU and PCMA with their static payload types (RFC 3551, section 6). */
const CODECS: ReadonlyMap<string, string> = new Map([
  ["0", "PCMU/8000"],
  ["8", "PCMA/8000"],
]);
const MIRRORED: ReadonlyMap<string, string> = new Map([
  ["sendonly", "recvonly"],
  ["recvonly", "sendonly"],
  ["inactive", "inactive"],
]);

/**
 * Answers an offer: accepts its first audio line with the first of PCMU and PCMA that it lists, and refuses everything
 * else. Without an offer it makes one (RFC 3261, section 13.2.1). Undefined when no audio is usable: only encrypted, or
 * in other codecs.
 */
export function answerSdp(offer: string, { host, port }: MediaAddress): string | undefined {
  const sections = offer.trim() === "" ? [["m=audio 1 RTP/AVP 0 8"]] : mediaSections(offer);
  const chosen = sections.findIndex(([line = ""]) => codecIn(line) !== undefined);
  if (chosen < 0) {
    return undefined;
  }
  const media = sections.flatMap((section, index) =>
    index === chosen ? accepted(section, port) : [refused(section[0] ?? "")],
  );
  const network = `IN ${isIPv6(host) ? "IP6" : "IP4"} ${host}`;
  const session = ["v=0", `o=- ${Date.now()} 1 ${network}`, "s=-", `c=${network}`, "t=0 0"];
  return [...session, ...media, ""].join("\r\n");
}

/** The lines of each media section, starting with its `m=` line. */
function mediaSections(offer: string): string[][] {
  const sections: string[][] = [];
  for (const line of offer.split(/\r?\n/)) {
    if (line.startsWith("m=")) {
      sections.push([line]);
    } else {
      sections.at(-1)?.push(line);
    }
  }
  return sections;
}

function codecIn(line: string): string | undefined {
  const [, offered, formats = ""] = /^m=audio (\d+)(?:\/\d+)? RTP\/AVPF? (.*)$/.exec(line) ?? [];
  return offered === undefined || offered === "0"
    ? undefined
    : formats.split(/\s+/).find((format) => CODECS.has(format));
}

function accepted([line = "", ...attributes]: readonly string[], port: number): string[] {
  const codec = codecIn(line) ?? "0";
  const direction = attributes
    .map((attribute) => MIRRORED.get(attribute.slice(2)))
    .find((found) => found !== undefined);
  const [, , profile = "RTP/AVP"] = line.split(" ");
  return [
    `m=audio ${port} ${profile} ${codec}`,
    `a=rtpmap:${codec} ${CODECS.get(codec)}`,
    `a=${direction ?? "sendrecv"}`,
  ];
}

function refused(line: string): string {
  const [kind = "m=audio", , ...rest] = line.split(" ");
  return [kind, "0", ...rest].join(" ");
}
