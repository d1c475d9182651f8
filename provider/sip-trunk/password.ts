/** The password policy of the product description ("Security Requirements"). */

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
