/** Shows that a credential changed without showing the credential. */

import { createHmac } from "node:crypto";
import { IN_SYNC } from "./resource";
import type { Session } from "./session";
import { type Props, UNKNOWN } from "./values";

/**
 * Eight hexadecimal digits that change with the password. They are keyed by the LiveKit API secret, so that nobody who reads a
 * plan can test passwords against them, and by `subject`, so that two customers with the same password get different ones. The first
 * three say which API secret it was: a fingerprint stays in the state when the API secret is rotated.
 */
export function credentialFingerprint(apiSecret: string, subject: string, password: string): string {
  const digits = keyed("credential fingerprint", apiSecret, subject, password);
  return `${markOf(apiSecret)}${digits.slice(MARK_LENGTH)}`;
}

/** Whether a fingerprint was made with this API secret. If not, it says nothing about a password. */
export function isFingerprintBy(apiSecret: string, fingerprint: string): boolean {
  return fingerprint.startsWith(markOf(apiSecret));
}

const MARK_LENGTH = 3;

function markOf(apiSecret: string): string {
  return keyed("API secret", apiSecret, "", "").slice(0, MARK_LENGTH);
}

/** The same for any other secret. A plain hash would not do: a short secret such as a pin could be guessed from it. */
export function digestOf(apiSecret: string, subject: string, text: string): string {
  return keyed("digest", apiSecret, subject, text);
}

function keyed(purpose: string, apiSecret: string, subject: string, text: string): string {
  const key = createHmac("sha256", apiSecret).update(`pulumi-livekit-sip ${purpose}`).digest();
  return createHmac("sha256", key).update(subject).update("\0").update(text).digest("hex").slice(0, 8);
}

/**
 * The subject of a fingerprint that was made before its resource was renamed or moved. Pulumi does not show names that begin with `__`.
 */
export const FINGERPRINT_OF = "__fingerprintOf";

/**
 * The fingerprint for the plan. If the password is the same, the fingerprint in the state is kept, so that neither a new API secret nor
 * a new name causes a diff. If the password is unknown, so is the fingerprint.
 *
 * @param former the subject when the state was written
 */
export function fingerprintOf(
  session: Session,
  subject: string,
  password: string | undefined,
  olds: Props,
  former: unknown,
): Props {
  if (password === undefined) {
    return {};
  }
  if (password === UNKNOWN) {
    return { credentialFingerprint: UNKNOWN };
  }
  // If there is drift, the fingerprint in the state belongs to the password on the platform, so it can't be kept.
  const kept = olds.password === password && olds.platformStatus === IN_SYNC && olds.credentialFingerprint;
  if (!kept) {
    return { credentialFingerprint: credentialFingerprint(session.account.connection.apiSecret, subject, password) };
  }
  const madeFor = olds[FINGERPRINT_OF] ?? former;
  return { credentialFingerprint: kept, ...(madeFor !== subject && { [FINGERPRINT_OF]: madeFor }) };
}
