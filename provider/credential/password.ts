/** The password policy of the product description ("Security Requirements"), and the credential that keeps a trunk closed. */

import { randomBytes } from "node:crypto";

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
  return {
    authUsername: `${CLOSED_PREFIX}${randomBytes(6).toString("hex")}`,
    authPassword: randomBytes(32).toString("base64url"),
  };
}

/** Whether a username is one that {@link closedCredential} made. */
export function isClosedUsername(username: string): boolean {
  return username.startsWith(CLOSED_PREFIX);
}
