/** Reads a credential from Asterisk's realtime table `ps_auths`, over PostgreSQL or MySQL/MariaDB. */

import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { VoipCredential } from "../voip/credential";
import { databaseUrl, tableName, words } from "./arguments";
import { ASTERISK_DEFAULTS, type AuthOption, authArguments, authCredential, type Use } from "./asterisk-auth";
import { realtimeEncoded, realtimeValues } from "./asterisk-text";
import { withDatabase } from "./database";
import { failing } from "./errors";
import { type Reader, type ReaderArgs, readCredential } from "./reading";

const schema = z.strictObject({
  url: databaseUrl,
  id: words("the id of the auth in ps_auths"),
  table: tableName.default("ps_auths"),
  ...authArguments,
});

/** Arguments of {@link asteriskRealtimeCredential}. */
export interface AsteriskRealtimeCredentialArgs extends ReaderArgs<typeof schema> {
  /** The database URL, with a user that may read the table: `postgres://…` or `mysql://…`. Secret as a whole. */
  url: pulumi.Input<string>;
  /** The auth's value in the column `id`, which the endpoint's `auth` names. */
  id: pulumi.Input<string>;
  /** The realm of hashes whose row names none: `default_realm` of Asterisk's global section. By default `asterisk`. */
  defaultRealm?: pulumi.Input<string | undefined>;
  /** The algorithms of rows that name none: `default_auth_algorithms_uas` of Asterisk's global section. By default `MD5`. */
  defaultAlgorithms?: pulumi.Input<string | undefined>;
  /** The table, optionally with its schema. By default `ps_auths`. */
  table?: pulumi.Input<string | undefined>;
  /** Which column counts if password and hash disagree. By default the one that Asterisk uses, if that is certain. */
  use?: pulumi.Input<Use>;
}

/** The columns that a table may lack, because it was made for another version of Asterisk. */
const OPTIONAL = [
  "realm",
  "password",
  "md5_cred",
  "password_digest",
  "supported_algorithms_uas",
  "supported_algorithms_uac",
] as const;

/**
 * The credential of an auth in Asterisk's realtime database, read each time the program runs: the password, or a verifier if only a
 * hash is stored for the algorithm in use. Columns are decoded as Asterisk decodes them.
 *
 * Needs the package `pg` or `mysql2`.
 */
export function asteriskRealtimeCredential(args: AsteriskRealtimeCredentialArgs): pulumi.Output<VoipCredential> {
  return readCredential(asteriskRealtimeReader, args);
}

/** The reader behind {@link asteriskRealtimeCredential}. */
export const asteriskRealtimeReader: Reader<typeof schema> = { name: "asteriskRealtimeCredential", schema, read };

async function read({ url, id, table, ...more }: z.output<typeof schema>): Promise<VoipCredential> {
  const fail = failing("asteriskRealtimeCredential", `auth ${id} in Asterisk's table ${table}`);
  const where = { id: realtimeEncoded(id) };
  const options = await withDatabase(url, fail, async (database) => {
    const columns = ["auth_type", "username"];
    const [row, second] = await database.find({ table, columns, where });
    if (!row) {
      throw fail("there is no such row: check `id`, which must be the auth that the endpoint names");
    }
    if (second) {
      throw fail("the table has more than one such row: remove all but one");
    }
    const texts = new Map(columns.map((column) => [column, row(column)]));
    for (const column of OPTIONAL) {
      const found = await database.findColumn({ table, column, where });
      if (found === "denied") {
        throw fail(
          `the user in \`url\` may not read the column ${column}: grant it SELECT on the columns that the documentation lists`,
        );
      }
      texts.set(column, found === "missing" ? "" : found.value);
    }
    return [...texts].flatMap(([name, text]) =>
      realtimeValues(name, text, fail).map((value): AuthOption => ({ name, value })),
    );
  });
  const defaults = {
    ...ASTERISK_DEFAULTS,
    realm: more.defaultRealm ?? ASTERISK_DEFAULTS.realm,
    algorithmsUas: more.defaultAlgorithms ?? ASTERISK_DEFAULTS.algorithmsUas,
  };
  // Asterisk reads the columns in the order of the table.
  const source = `Asterisk's table ${table}`;
  return authCredential(options, { defaults, use: more.use, source, unordered: true }, fail);
}
