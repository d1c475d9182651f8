/** Reads a credential from Kamailio's table `subscriber` (module auth_db), over PostgreSQL or MySQL/MariaDB. */

import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { ha1Algorithm, type VoipCredential } from "../voip/credential";
import { databaseUrl, tableName, words } from "./arguments";
import { withDatabase } from "./database";
import { failing } from "./errors";
import { type ReaderArgs, readCredential } from "./reading";

const schema = z.strictObject({
  url: databaseUrl,
  username: words("the user's name in the table, for example 1011"),
  domain: z.string().optional(),
  realm: words("the realm that Kamailio challenges with").optional(),
  table: tableName.default("subscriber"),
});

/** Arguments of {@link kamailioCredential}. */
export interface KamailioCredentialArgs extends ReaderArgs<typeof schema> {
  /** The database URL, with a user that may read the table: `postgres://…` or `mysql://…`. Secret as a whole. */
  url: pulumi.Input<string>;
  /** The user's value in the column `username`. */
  username: pulumi.Input<string>;
  /** The user's value in the column `domain`. Needed if the user is in several domains. */
  domain?: pulumi.Input<string | undefined>;
  /** The realm of a stored HA1. By default the row's domain. */
  realm?: pulumi.Input<string | undefined>;
  /** The table, optionally with its schema. By default `subscriber`. */
  table?: pulumi.Input<string | undefined>;
}

/**
 * The credential of a Kamailio user, read each time the program runs: the password, or a verifier if Kamailio stores only HA1.
 * Reads the columns `username`, `domain` and `password` of the row, and `ha1` only if the password is empty.
 *
 * Needs the package `pg` or `mysql2`.
 */
export function kamailioCredential(args: KamailioCredentialArgs): pulumi.Output<VoipCredential> {
  return readCredential("kamailioCredential", schema, args, read);
}

async function read({ url, username, domain, realm, table }: z.output<typeof schema>): Promise<VoipCredential> {
  const user = domain === undefined ? username : `${username}@${domain}`;
  const fail = failing("kamailioCredential", `user ${user} in Kamailio's table ${table}`);
  const where = { username, ...(domain === undefined ? {} : { domain }) };
  return withDatabase(url, fail, async (database) => {
    const [row, second] = await database.find({ table, columns: ["username", "domain", "password"], where });
    if (!row) {
      throw fail(
        domain === undefined
          ? "there is no such user: check `username`"
          : "there is no such user: check `username` and `domain`",
      );
    }
    if (second) {
      throw fail(
        row("domain") === second("domain")
          ? "the table has more than one such row: remove all but one"
          : `the user is in more than one domain (${row("domain")}, ${second("domain")}): set \`domain\``,
      );
    }
    if (row("password") !== "") {
      return { username: row("username"), password: row("password") };
    }
    const [hashed] = await database.find({ table, columns: ["ha1"], where });
    const ha1 = hashed?.("ha1") ?? "";
    const algorithm = ha1Algorithm(ha1);
    if (!algorithm) {
      throw fail(
        ha1 === ""
          ? "neither password nor ha1 is set: set one"
          : "ha1 is neither an MD5 nor a SHA-256 in hexadecimal: compute it again from username:realm:password",
      );
    }
    const hashRealm = realm ?? row("domain");
    if (hashRealm === "") {
      throw fail("only ha1 is stored, and the row has no domain to use as its realm: set `realm`");
    }
    return {
      username: row("username"),
      realm: hashRealm,
      algorithm,
      ha1: ha1.toLowerCase(),
      source: `Kamailio's table ${table}`,
    };
  });
}
