/** The credential that keeps an inbound trunk closed. */

import { createHash, randomBytes } from "node:crypto";

const CLOSED_PREFIX = "closed-";

/** Makes a credential that nobody knows, which keeps an inbound trunk closed. It is stored only on LiveKit. */
export function closedCredential(): { authUsername: string; authPassword: string } {
  const authPassword = randomBytes(32).toString("base64url");
  return { authUsername: closedUsername(authPassword), authPassword };
}

/** Whether {@link closedCredential} made a credential. Without the password, whether the username looks like it. */
export function isClosedCredential(username: string, password: string | undefined): boolean {
  return password === undefined ? username.startsWith(CLOSED_PREFIX) : username === closedUsername(password);
}

/** Derived from the password, so that a password which somebody else has set, and therefore knows, is noticed. */
function closedUsername(password: string): string {
  return CLOSED_PREFIX + createHash("sha256").update(password).digest("hex").slice(0, 12);
}
