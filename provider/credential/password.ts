/** The password policy of the product description ("Security Requirements"), and the credential that keeps a trunk closed. */

import { createHash, randomBytes } from "node:crypto";

/** What a password lacks that it must have, in words; empty when it is good. Never holds the password. */
export function passwordProblems(password: string): string[] {
  const rules: [boolean, string][] = [
    [[...password].length >= 12, "at least 12 characters"],
    [/\p{Nd}/u.test(password), "a digit"],
    [/\p{Ll}/u.test(password), "a lower-case letter"],
    [/\p{Lu}/u.test(password), "an upper-case letter"],
  ];
  return rules.filter(([kept]) => !kept).map(([, rule]) => rule);
}

/** Whether a password lacks the special character that is recommended. */
export function lacksSpecialCharacter(password: string): boolean {
  return !/[^\p{L}\p{N}]/u.test(password);
}

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
