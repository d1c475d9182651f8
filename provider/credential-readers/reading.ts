/** What all readers share: arguments that may be outputs and are checked by a schema, and a result that is always secret. */

import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { VoipCredential } from "../voip/credential";
import { CredentialReadError } from "./errors";

/** The arguments of a reader, derived from its schema. Each may be an output. */
export type ReaderArgs<Schema extends z.ZodType> = {
  [Key in keyof z.input<Schema>]: pulumi.Input<z.input<Schema>[Key]>;
};

/** Reads a credential each time the program runs. While an argument is unknown in a preview, so is the credential. */
export function readCredential<Schema extends z.ZodType>(
  reader: string,
  schema: Schema,
  args: ReaderArgs<Schema>,
  read: (values: z.output<Schema>) => Promise<VoipCredential> | VoipCredential,
): pulumi.Output<VoipCredential> {
  // Outputs derived from secrets are secret.
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
