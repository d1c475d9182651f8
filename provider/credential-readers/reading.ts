/** What all readers share: arguments that may be outputs, checked by a schema; a result that is always secret. */

import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { VoipCredential } from "../voip/credential";
import { CredentialReadError } from "./errors";

/** The arguments of a reader, from its schema: each may be an output. */
export type ReaderArgs<Schema extends z.ZodType> = {
  [Key in keyof z.input<Schema>]: pulumi.Input<z.input<Schema>[Key]>;
};

/**
 * Reads a credential each time that the program runs, as soon as the arguments are known. While one is unknown, in a
 * preview, the credential is unknown too.
 */
export function readCredential<Schema extends z.ZodType>(
  reader: string,
  schema: Schema,
  args: ReaderArgs<Schema>,
  read: (values: z.output<Schema>) => Promise<VoipCredential> | VoipCredential,
): pulumi.Output<VoipCredential> {
  // What is made of secrets is secret.
  const inputs: pulumi.Output<unknown> = pulumi.secret<unknown>(args);
  return inputs.apply(async (values) => read(checked(reader, schema, values)));
}

function checked<Schema extends z.ZodType>(reader: string, schema: Schema, values: unknown): z.output<Schema> {
  const result = schema.safeParse(values);
  if (result.success) {
    return result.data;
  }
  const problems = result.error.issues.map(({ path, message }) =>
    path.length > 0 ? `\`${path.join(".")}\` ${message}` : message,
  );
  throw new CredentialReadError(`${reader}: ${problems.join("; ")}.`);
}
