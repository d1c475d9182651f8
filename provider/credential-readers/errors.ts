/** What a credential reader could not do, in one sentence for the person who reads the preview. */

import { RunError } from "@pulumi/pulumi";
import { printable } from "../printable";

/**
 * A credential could not be read from the VoIP system. Pulumi prints the message alone, made printable. It carries no cause: the errors of
 * drivers and URLs hold what they were given.
 */
export class CredentialReadError extends RunError {
  constructor(message: string) {
    super(printable(message));
    this.name = "CredentialReadError";
    this.stack = "";
  }
}

/** Makes the error of one reading out of what is wrong and the mend, as the end of a sentence without its full stop. */
export type Fail = (problem: string) => CredentialReadError;

/** The errors of one reading: which reader, and what it looks for where. */
export function failing(reader: string, sought: string): Fail {
  return (problem) => new CredentialReadError(`${reader}: ${sought}: ${problem}.`);
}

/** The `code` of an error from Node or a driver; undefined when it has none. */
export function codeOf(error: unknown): string | undefined {
  return textIn(error, "code");
}

/** A text that an error carries under a name; undefined when it does not. */
export function textIn(error: unknown, name: string): string | undefined {
  const value: unknown = typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
  return typeof value === "string" ? value : undefined;
}
