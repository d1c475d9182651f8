/** Reads a credential from Asterisk's realtime table `ps_auths`, over PostgreSQL or MySQL/MariaDB. */

import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { VoipCredential } from "../voip/credential";
import { databaseUrl, tableName, words } from "./arguments";
import { authType, DEFAULT_REALM, hashedCredential, plainCredential } from "./asterisk-auth";
import { withDatabase } from "./database";
import { failing } from "./errors";
import { type ReaderArgs, readCredential } from "./reading";

const schema = z.strictObject({
  url: databaseUrl,
  id: words("the id of the auth in ps_auths"),
  defaultRealm: words("default_realm of Asterisk's global section").default(DEFAULT_REALM),
  table: tableName.default("ps_auths"),
});

/** Arguments of {@link asteriskRealtimeCredential}. */
export interface AsteriskRealtimeCredentialArgs extends ReaderArgs<typeof schema> {
  /** The database URL, with a user that may read the table: `postgres://…` or `mysql://…`. Secret as a whole. */
  url: pulumi.Input<string>;
  /** The auth's value in the column `id`, which the endpoint's `auth` names. */
  id: pulumi.Input<string>;
  /** The realm of hashes whose row names none: `default_realm` of Asterisk's global section. By default `asterisk`. */
  defaultRealm?: pulumi.Input<string | undefined>;
  /** The table, optionally with its schema. By default `ps_auths`. */
  table?: pulumi.Input<string | undefined>;
}

/**
 * The credential of an auth in Asterisk's realtime database, read each time the program runs: the password, or a verifier if
 * `auth_type` is md5 or digest. Reads the columns `auth_type`, `username` and `realm` of the row, and then the column that its
 * type uses: `password`, `md5_cred` or `password_digest`.
 *
 * Needs the package `pg` or `mysql2`.
 */
export function asteriskRealtimeCredential(args: AsteriskRealtimeCredentialArgs): pulumi.Output<VoipCredential> {
  return readCredential("asteriskRealtimeCredential", schema, args, read);
}

async function read({ url, id, defaultRealm, table }: z.output<typeof schema>): Promise<VoipCredential> {
  const fail = failing("asteriskRealtimeCredential", `auth ${id} in Asterisk's table ${table}`);
  return withDatabase(url, fail, async (database) => {
    const find = (...columns: string[]) => database.find({ table, columns, where: { id } });
    const [row, second] = await find("auth_type", "username", "realm");
    if (!row) {
      throw fail("there is no such row: check `id`, which must be the auth that the endpoint names");
    }
    if (second) {
      throw fail("the table has more than one such row: remove all but one");
    }
    const only = async (column: string) => (await find(column))[0]?.(column) ?? "";
    const username = row("username");
    const type = authType(row("auth_type"), fail);
    const hash = type === "md5" ? await only("md5_cred") : type === "digest" ? await only("password_digest") : "";
    // With auth_type digest, Asterisk uses the password if there are no hashes.
    if (type === "userpass" || (type === "digest" && hash === "")) {
      return plainCredential(username, await only("password"), fail);
    }
    const realm = row("realm") || defaultRealm;
    return hashedCredential({ username, realm, hashes: [hash], source: `Asterisk's table ${table}` }, fail);
  });
}
