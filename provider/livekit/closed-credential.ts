/** The credential that keeps an inbound trunk closed. */

import { createHash, randomBytes } from "node:crypto";

const CLOSED_PREFIX = "closed-";

/** A credential that nobody knows: it keeps an inbound trunk closed, and is stored nowhere but on LiveKit. */
export function closedCredential(): { authUsername: string; authPassword: string } {
  const authPassword = randomBytes(32).toString("base64url");
  return { authUsername: closedUsername(authPassword), authPassword };
}

/** Whether a credential is one that {@link closedCredential} made; of a username alone, whether it looks like one. */
export function isClosedCredential(username: string, password: string | undefined): boolean {
  return password === undefined ? username.startsWith(CLOSED_PREFIX) : username === closedUsername(password);
}

/** Goes with one password alone, so that a password which somebody has set, and so knows, is noticed. */
function closedUsername(password: string): string {
  return CLOSED_PREFIX + createHash("sha256").update(password).digest("hex").slice(0, 12);
}
