/** The fingerprint of a credential as a computed input. */

import { credentialFingerprint } from "../credential/fingerprint";
import { IN_SYNC } from "./lifecycle";
import type { Session } from "./session";
import { type Props, UNKNOWN } from "./values";

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
