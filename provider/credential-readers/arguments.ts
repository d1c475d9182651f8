/** Schemas of arguments that several readers share. Their messages never contain the value. */

import { z } from "zod";

/** A required string. */
export function words(what: string) {
  const error = `is missing: it must be ${what}`;
  return z.string({ error }).min(1, { error });
}

/** A string that matches a pattern. */
export function matching(form: RegExp, error: string) {
  return z.string({ error }).regex(form, { error });
}

/** A database URL. Secret as a whole. */
export const databaseUrl = words(
  "a URL like postgres://user:password@host/database or mysql://user:password@host/database",
);

/** A table's name, optionally with its schema. */
export const tableName = matching(
  /^[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?$/,
  "must be a table's name, made of letters, digits and underscores, with at most one schema before a dot",
);

/** A file on the machine that runs the program. */
export const filePath = words("the path of a file on the machine that runs the program");
