/** The password policy of the product description ("Security Requirements"). */

/** The requirements that a password does not meet, in words. Empty if it is strong enough. Never contains the password. */
export function passwordProblems(password: string): string[] {
  const rules: [boolean, string][] = [
    [[...password].length >= 12, "at least 12 characters"],
    [/\p{Nd}/u.test(password), "a digit"],
    [/\p{Ll}/u.test(password), "a lower-case letter"],
    [/\p{Lu}/u.test(password), "an upper-case letter"],
  ];
  return rules.filter(([kept]) => !kept).map(([, rule]) => rule);
}

/** Whether a password lacks the recommended special character. */
export function lacksSpecialCharacter(password: string): boolean {
  return !/[^\p{L}\p{N}]/u.test(password);
}
