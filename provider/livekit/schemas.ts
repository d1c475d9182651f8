/** Schemas that several resources share: LiveKit's header, media and duration options, with LiveKit's own limits. */

import { isIP } from "node:net";
import { z } from "zod";
import { unbracketed } from "../host-text";
import { MEDIA_ENCRYPTIONS } from "./messages";
import { METADATA_LIMIT } from "./ownership";

/**
 * Header names that LiveKit does not let a trunk set (livekit/protocol, sip_validation.go): those that SIP itself depends on, and
 * their one-letter forms.
 */
const RESERVED_HEADERS: ReadonlySet<string> = new Set(
  (
    "accept accept-encoding accept-language allow allow-events call-id contact content-encoding content-length content-type " +
    "cseq event expires from max-forwards record-route refer-to reply-to k l m o r t u v"
  ).split(" "),
);

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/** Whether SIP allows this as a header name (RFC 3261, section 25.1: token). */
function isHeaderName(name: string): boolean {
  return name.length <= 255 && TOKEN.test(name);
}

const text = z.string();

/** The id of a trunk on LiveKit. */
export const trunkId = z.string().regex(/^ST_\w+$/, { error: "must be the id of a LiveKit trunk (ST_…)" });

/** The id of a dispatch rule on LiveKit. */
export const ruleId = z.string().regex(/^SDR_\w+$/, { error: "must be the id of a LiveKit dispatch rule (SDR_…)" });

/** A map from string to string. */
export const stringMap = z.record(text, text);

/** Headers that LiveKit sends: names that it accepts, and values of at most 1024 bytes without control characters. */
export const headers = stringMap.superRefine((map, context) => {
  for (const [name, value] of Object.entries(map)) {
    if (!isHeaderName(name)) {
      context.addIssue(`has the header name "${name}", which SIP does not allow: use letters, digits and hyphens`);
    } else if (RESERVED_HEADERS.has(name.toLowerCase())) {
      context.addIssue(`sets "${name}", which LiveKit does not let a trunk set: use an X-… header`);
    } else if (Buffer.byteLength(value) > 1024) {
      context.addIssue(`gives "${name}" more than the 1024 bytes that LiveKit accepts: shorten it`);
    } else if (/[^\t\P{Cc}]/u.test(value)) {
      context.addIssue(`gives "${name}" a value with a line break or another control character: remove it`);
    }
  }
});

/** Maps header names to attributes. */
export const headersToAttributes = stringMap.superRefine((map, context) => {
  for (const name of Object.keys(map).filter((header) => !isHeaderName(header))) {
    context.addIssue(`maps the header "${name}", which SIP does not allow as a name: use letters, digits and hyphens`);
  }
});

/** Maps attributes to header names. */
export const attributesToHeaders = stringMap.superRefine((map, context) => {
  for (const name of Object.values(map).filter((header) => !isHeaderName(header))) {
    context.addIssue(
      `maps to the header "${name}", which SIP does not allow as a name: use letters, digits and hyphens`,
    );
  }
});

/** Text that SIP puts between quotation marks in a header: a user name or a realm. */
export const quotable = text.min(1).refine((value) => !/["\p{Cc}]/u.test(value), {
  error: "must not hold quotation marks or control characters",
});

/** A duration in seconds. */
export const seconds = z.number().nonnegative();

/** Text that LiveKit stores without interpreting it, up to its limit. */
export const metadata = text.refine((value) => Buffer.byteLength(value) <= METADATA_LIMIT, {
  error: `is larger than the ${METADATA_LIMIT / 1024} KiB that LiveKit accepts: shorten it`,
});

export const mediaEncryption = z.enum(MEDIA_ENCRYPTIONS);

/** Audio codecs. The name goes without the rate, as LiveKit expects. */
export const codecs = z.array(
  z.strictObject({
    name: text.regex(/^[^\s/]+$/, { error: "must be a codec's name without its rate, for example PCMU" }),
    rate: z.number().int().nonnegative().default(0),
  }),
);

/** A media timeout in seconds, up to LiveKit's maximum (livekit/protocol, MaxSIPMediaTimeout). */
export const mediaTimeout = seconds.max(600);

/** A host name or an IP address, and nothing else. */
export const host = text.superRefine((value, context) => {
  const problem = hostProblem(value);
  if (problem) {
    context.addIssue(problem);
  }
});

function hostProblem(value: string): string | undefined {
  if (/^[a-z]+:(?!:)/i.test(value) && !/^[\da-f:]+$/i.test(value) && !/^[\w.-]+:\d+$/.test(value)) {
    return "must not have a scheme: write only the host or IP, for example pbx.acme.com";
  }
  if (/[@;\s?]/.test(value)) {
    return "must not hold a user, parameters or spaces: write only the host or IP, for example pbx.acme.com";
  }
  if (isIP(unbracketed(value)) !== 0) {
    return undefined;
  }
  if (/:\d*$/.test(value)) {
    return "must not have a port: set the port argument instead";
  }
  const labels = value.split(".");
  const isName = value.length <= 253 && labels.every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
  const looksLikeIp = labels.every((label) => /^\d+$/.test(label));
  return isName && !looksLikeIp
    ? undefined
    : "is not a host name or an IP address: write it like pbx.acme.com or 192.0.2.10";
}
