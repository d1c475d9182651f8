/** Databases for single tests, on this machine's PostgreSQL and MariaDB. */

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createConnection } from "mysql2/promise";
import { Client } from "pg";

/** A database that one test file fills and drops. */
export interface TestDatabase {
  /** The database's URL: as the machine's administrator, or with another user, password, database or query. */
  url(change?: { user?: string; password?: string; database?: string; query?: string }): string;
  /** Runs statements one after the other. */
  run(...statements: string[]): Promise<void>;
  drop(): Promise<void>;
}

/** A database server that tests run on. */
export interface DatabaseServer {
  readonly name: "PostgreSQL" | "MariaDB";
  readonly available: boolean;
  create(): Promise<TestDatabase>;
}

const POSTGRES = new URL(process.env.TEST_POSTGRES_URL || "postgres://postgres@127.0.0.1:5432/postgres");
const MARIADB = new URL(process.env.TEST_MYSQL_URL || "mysql://root@127.0.0.1:3306/mysql");

/** Both servers. A missing one is a failure in CI; elsewhere its tests are skipped. */
export const databaseServers: readonly DatabaseServer[] = [
  server("PostgreSQL", POSTGRES, "TEST_POSTGRES_URL", async (url, statements) => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      for (const statement of statements) {
        await client.query(statement);
      }
    } finally {
      await client.end();
    }
  }),
  server("MariaDB", MARIADB, "TEST_MYSQL_URL", async (url, statements) => {
    const connection = await createConnection(url);
    try {
      for (const statement of statements) {
        await connection.query(statement);
      }
    } finally {
      await connection.end();
    }
  }),
];

type Run = (url: string, statements: readonly string[]) => Promise<void>;

function server(name: DatabaseServer["name"], base: URL, variable: string, run: Run): DatabaseServer {
  const { CI } = process.env;
  const available = (CI !== undefined && CI !== "" && CI !== "false") || isListening(base);
  if (!available) {
    process.stderr.write(
      `\nWithout ${name}: the readers are not tested on it. To test them on it too, start it on ${base.host} or set ${variable}.\n`,
    );
  }
  return { name, available, create: () => create(base, run) };
}

async function create(base: URL, run: Run): Promise<TestDatabase> {
  const database = `readers_${randomBytes(6).toString("hex")}`;
  await run(base.href, [`CREATE DATABASE ${database}`]);
  const url: TestDatabase["url"] = (change = {}) => {
    const changed = new URL(base);
    changed.pathname = `/${change.database ?? database}`;
    changed.username = change.user ?? base.username;
    changed.password = change.password ?? base.password;
    changed.search = change.query ?? "";
    return changed.href;
  };
  return {
    url,
    run: (...statements) => run(url(), statements),
    drop: () => run(base.href, [`DROP DATABASE ${database}`]),
  };
}

function isListening({ hostname, port }: URL): boolean {
  const script =
    "const s = require('node:net').connect(+process.argv[2], process.argv[1]);" +
    "s.on('connect', () => process.exit(0)).on('error', () => process.exit(1)).setTimeout(2000, () => process.exit(1));";
  return spawnSync(process.execPath, ["-e", script, hostname, port]).status === 0;
}
