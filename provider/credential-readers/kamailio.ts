/** Reads a credential from Kamailio's table `subscriber` (module auth_db), over PostgreSQL or MySQL/MariaDB. */

import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { type CredentialVerifier, ha1Algorithm, type VoipCredential, verifies } from "../voip/credential";
import { databaseUrl, tableName, words } from "./arguments";
import { type Row, withDatabase } from "./database";
import { type Fail, failing } from "./errors";
import { type Reader, type ReaderArgs, readCredential } from "./reading";

const schema = z.strictObject({
  url: databaseUrl,
  username: words("the user's name in the table, for example 1011"),
  domain: z.string().optional(),
  realm: words("the realm that Kamailio challenges with").optional(),
  table: tableName.default("subscriber"),
  use: z.enum(["password", "ha1"], { error: 'must be "password" or "ha1"' }).optional(),
});

/** Arguments of {@link kamailioCredential}. */
export interface KamailioCredentialArgs extends ReaderArgs<typeof schema> {
  /** The database URL, with a user that may read the table: `postgres://…` or `mysql://…`. Secret as a whole. */
  url: pulumi.Input<string>;
  /** The user's value in the column `username`. */
  username: pulumi.Input<string>;
  /** The user's value in the column `domain`. Needed if the user is in several domains. */
  domain?: pulumi.Input<string | undefined>;
  /** The realm that the stored HA1 was made with: the one that Kamailio challenges with. By default the row's domain. */
  realm?: pulumi.Input<string | undefined>;
  /** The table, optionally with its schema. By default `subscriber`. */
  table?: pulumi.Input<string | undefined>;
  /**
   * The column that Kamailio uses: auth_db's `password_column`. Needed if both columns are set and disagree, because the row does not
   * say which one counts. The other column is not read then.
   */
  use?: pulumi.Input<"password" | "ha1" | undefined>;
}

/**
 * The credential of a Kamailio user, read each time the program runs: the password, or a verifier if Kamailio stores only HA1. If it
 * stores both, they must belong together. Reads the columns `username`, `domain`, `password` and `ha1` of the row.
 *
 * Needs the package `pg` or `mysql2`.
 */
export function kamailioCredential(args: KamailioCredentialArgs): pulumi.Output<VoipCredential> {
  return readCredential(kamailioReader, args);
}

/** The reader behind {@link kamailioCredential}. */
export const kamailioReader: Reader<typeof schema> = { name: "kamailioCredential", schema, read };

async function read({ url, username, domain, realm, table, use }: z.output<typeof schema>): Promise<VoipCredential> {
  const user = domain === undefined ? username : `${username}@${domain}`;
  const fail = failing("kamailioCredential", `user ${user} in Kamailio's table ${table}`);
  const where = { username, ...(domain === undefined ? {} : { domain }) };
  return withDatabase(url, fail, async (database) => {
    const columns = ["username", "domain", use ?? "password"];
    const [row, second] = await database.find({ table, columns, where });
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
    const source = `Kamailio's table ${table}`;
    if (use === "ha1") {
      return verifierOf(row, row("ha1"), { realm, source }, fail);
    }
    const password = row("password");
    if (use === "password") {
      if (password === "") {
        throw fail('password is not set, and `use` is "password": set it, or remove `use`');
      }
      return { username: row("username"), password };
    }
    const found = await database.findColumn({ table, column: "ha1", where });
    if (found === "denied" && password === "") {
      throw fail(
        "password is empty, so ha1 counts, and the user in `url` may not read it: grant it SELECT on the columns password and ha1",
      );
    }
    // A table without the column, or a user who may not read it, leaves only the password.
    const ha1 = typeof found === "string" ? "" : found.value;
    if (password === "") {
      return verifierOf(row, ha1, { realm, source }, fail);
    }
    // What is no hash lets nobody in, so that the password must be what counts.
    if (hashIn(ha1) !== "" && !verifies(verifierOf(row, ha1, { realm, source }, fail), password)) {
      throw fail(
        `password and ha1 disagree for the realm ${realm ?? row("domain")}, and only Kamailio's configuration says which one counts: set \`use\` to its password_column, or \`realm\` to the one that ha1 was made with`,
      );
    }
    return { username: row("username"), password };
  });
}

function verifierOf(
  row: Row,
  ha1: string,
  { realm = row("domain"), source }: { realm?: string; source: string },
  fail: Fail,
): CredentialVerifier {
  const hash = hashIn(ha1);
  const algorithm = ha1Algorithm(hash);
  if (!algorithm) {
    throw fail(
      ha1 === ""
        ? "neither password nor ha1 is set: set one"
        : "ha1 is neither an MD5 nor a SHA-256 in lower-case hexadecimal: compute it again from username:realm:password",
    );
  }
  if (realm === "") {
    throw fail("ha1 is stored, and the row has no domain to use as its realm: set `realm`");
  }
  return { username: row("username"), realm, algorithm, ha1: hash, source };
}

/** What Kamailio takes from the column: as many characters as a hash has, whatever follows, for example the blanks of a CHAR column. */
function hashIn(ha1: string): string {
  return /^[\da-f]{32}(?:[\da-f]{32})?/.exec(ha1)?.[0] ?? "";
}
