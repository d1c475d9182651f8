/** Schemas of the arguments that several readers take. Their messages never hold the value. */

import { z } from "zod";

/** Text that must be there. */
export function words(what: string) {
  const error = `is missing: it must be ${what}`;
  return z.string({ error }).min(1, { error });
}

/** Text of a certain form. */
export function matching(form: RegExp, error: string) {
  return z.string({ error }).regex(form, { error });
}

/** A database URL. Secret, as a whole. */
export const databaseUrl = words(
  "a URL like postgres://user:password@host/database or mysql://user:password@host/database",
);

/** A table's name, with its schema if it is not in the default one. */
export const tableName = matching(
  /^[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?$/,
  "must be a table's name, made of letters, digits and underscores, with at most one schema before a dot",
);

/** A file on the machine that runs the program. */
export const filePath = words("the path of a file on the machine that runs the program");
