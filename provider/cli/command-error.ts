/** An error that a command prints as it is, without a stack. */

/** What is wrong and how to fix it. Its text is for the user. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
