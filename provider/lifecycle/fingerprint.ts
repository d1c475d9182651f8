/** Says that a credential changed without showing it. */

import { createHmac } from "node:crypto";
import { IN_SYNC } from "./resource";
import type { Session } from "./session";
import { type Props, UNKNOWN } from "./values";

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

/**
 * The fingerprint for the plan. While the password stays the same the one in the state is kept, so that a new API secret
 * changes no plan; while the password is not known, neither is the fingerprint.
 */
export function fingerprintOf(session: Session, subject: string, password: string | undefined, olds: Props): Props {
  if (password === undefined) {
    return {};
  }
  if (password === UNKNOWN) {
    return { credentialFingerprint: UNKNOWN };
  }
  // While there is drift, the fingerprint in the state is that of the password on the platform.
  const kept = olds.password === password && olds.platformStatus === IN_SYNC && olds.credentialFingerprint;
  return {
    credentialFingerprint: kept || credentialFingerprint(session.account.connection.apiSecret, subject, password),
  };
}
