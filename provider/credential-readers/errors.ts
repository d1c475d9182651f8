/** Errors of credential readers: one sentence each, for the person who reads the preview. */

import { RunError } from "@pulumi/pulumi";
import { printable } from "../printable";

/**
 * A credential could not be read from the VoIP system. Pulumi prints only the message, which is made printable. There is no
 * cause, because errors from drivers and URLs contain their input.
 */
export class CredentialReadError extends RunError {
  constructor(message: string) {
    super(printable(message));
    this.name = "CredentialReadError";
    this.stack = "";
  }
}

/** Makes an error from a problem and its fix: the end of a sentence, without its full stop. */
export type Fail = (problem: string) => CredentialReadError;

/** Makes the errors of one read. Each names the reader and what it is looking for. */
export function failing(reader: string, sought: string): Fail {
  return (problem) => new CredentialReadError(`${reader}: ${sought}: ${problem}.`);
}

/** The `code` of an error from Node or a driver. Undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  return textIn(error, "code");
}

/** A string property of an error. Undefined if it has none of that name. */
export function textIn(error: unknown, name: string): string | undefined {
  const value: unknown = typeof error === "object" && error !== null ? Reflect.get(error, name) : undefined;
  return typeof value === "string" ? value : undefined;
}
