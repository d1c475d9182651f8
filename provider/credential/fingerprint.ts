/** Says that a credential changed without showing it. */

import { createHmac } from "node:crypto";

/**
 * Eight hexadecimal digits that differ when the password does. Keyed by the LiveKit API secret, so that whoever reads a
 * plan can't try passwords against it, and by `subject`, so that two customers with one password don't show it.
 */
export function credentialFingerprint(apiSecret: string, subject: string, password: string): string {
  return keyed("credential fingerprint", apiSecret, subject, password);
}

/** The same of whatever else can hold a secret, however short it is: a plain hash of a pin could be guessed. */
export function digestOf(apiSecret: string, subject: string, text: string): string {
  return keyed("digest", apiSecret, subject, text);
}

function keyed(purpose: string, apiSecret: string, subject: string, text: string): string {
  const key = createHmac("sha256", apiSecret).update(`pulumi-livekit-sip ${purpose}`).digest();
  return createHmac("sha256", key).update(subject).update("\0").update(text).digest("hex").slice(0, 8);
}
