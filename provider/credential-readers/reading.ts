/** What all readers share: arguments that may be outputs and are checked by a schema, and a result that is always secret. */

import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { VoipCredential } from "../voip/credential";
import { CredentialReadError } from "./errors";

/** The arguments of a reader, derived from its schema. Each may be an output. */
export type ReaderArgs<Schema extends z.ZodType> = {
  [Key in keyof z.input<Schema>]: pulumi.Input<z.input<Schema>[Key]>;
};

/** A reader of credentials. */
export interface Reader<Schema extends z.ZodType> {
  /** The name of its function. */
  readonly name: string;
  readonly schema: Schema;
  read(values: z.output<Schema>): Promise<VoipCredential> | VoipCredential;
}

/** Reads a credential each time the program runs. While an argument is unknown in a preview, so is the credential. */
export function readCredential<Schema extends z.ZodType>(
  reader: Reader<Schema>,
  args: ReaderArgs<Schema>,
): pulumi.Output<VoipCredential> {
  // Outputs derived from secrets are secret.
  const inputs: pulumi.Output<unknown> = pulumi.secret<unknown>(args);
  return inputs.apply((values) => readNow(reader, values));
}

/**
 * Reads a credential with plain arguments.
 *
 * @throws CredentialReadError if an argument is wrong or there is no such credential
 */
export async function readNow<Schema extends z.ZodType>(
  { name, schema, read }: Reader<Schema>,
  values: unknown,
): Promise<VoipCredential> {
  const result = schema.safeParse(values);
  if (result.success) {
    return read(result.data);
  }
  const problems = result.error.issues.map(({ path, message }) =>
    path.length > 0 ? `\`${path.join(".")}\` ${message}` : message,
  );
  throw new CredentialReadError(`${name}: ${problems.join("; ")}.`);
}
