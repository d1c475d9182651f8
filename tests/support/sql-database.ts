/**
 * A database with its own user on the PostgreSQL or MariaDB that the tests find, accessed through the servers' own
 * command-line clients.
 */

import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";

export type Dialect = "postgres" | "mysql";

interface Server {
  /** Its name for messages. */
  name: string;
  /** The environment variable with the URL of an account that may create databases and users. */
  variable: string;
  defaultUrl: string;
  packages: string;
  client: string;
  /** The client's arguments and environment, for a script on standard input or in a file. */
  connect(url: URL): { args: string[]; env: Record<string, string> };
  create(database: string, password: string): string[];
  drop(database: string): string[];
}

const SERVERS: Readonly<Record<Dialect, Server>> = {
  postgres: {
    name: "PostgreSQL",
    variable: "TEST_POSTGRES_URL",
    defaultUrl: "postgres://postgres@127.0.0.1:5432/postgres",
    packages: "postgresql",
    client: "psql",
    connect: (url) => ({
      args: ["-XqAtw", "-F", "\t", "-v", "ON_ERROR_STOP=1"],
      env: {
        PGHOST: url.hostname,
        PGPORT: url.port || "5432",
        PGUSER: decodeURIComponent(url.username),
        PGPASSWORD: decodeURIComponent(url.password),
        PGDATABASE: url.pathname.slice(1),
        PGOPTIONS: "--client-min-messages=warning",
      },
    }),
    create: (database, password) => [
      `create role ${database} login password '${password}'`,
      `create database ${database} owner ${database} template template0`,
    ],
    drop: (database) => [`drop database if exists ${database} with (force)`, `drop role if exists ${database}`],
  },
  mysql: {
    name: "MariaDB",
    variable: "TEST_MYSQL_URL",
    defaultUrl: "mysql://root@127.0.0.1:3306/mysql",
    packages: "mariadb-server",
    client: "mysql",
    connect: (url) => ({
      args: [
        "--no-defaults",
        "-N",
        "-B",
        "-h",
        url.hostname,
        "-P",
        url.port || "3306",
        "-u",
        decodeURIComponent(url.username),
        "-D",
        url.pathname.slice(1),
      ],
      env: { MYSQL_PWD: decodeURIComponent(url.password) },
    }),
    create: (database, password) => [
      `create database ${database}`,
      `create user ${database}@'127.0.0.1' identified by '${password}'`,
      `grant all on ${database}.* to ${database}@'127.0.0.1'`,
    ],
    drop: (database) => [`drop database if exists ${database}`, `drop user if exists ${database}@'127.0.0.1'`],
  },
};

/**
 * One line that says what {@link SqlDatabase.create} lacks and how to install it. Undefined when nothing is missing.
 */
export function missingDatabase(dialect: Dialect): string | undefined {
  const { name, variable, client, packages, connect } = SERVERS[dialect];
  const { args, env } = connect(adminUrl(dialect));
  try {
    execFileSync(client, args, {
      env: { ...process.env, ...env },
      input: "select 1;",
      stdio: ["pipe", "ignore", "ignore"],
      timeout: 5_000,
    });
    return undefined;
  } catch {
    return `install and start ${name} (Debian: apt-get install ${packages}) with an account that may make databases, and set ${variable} to its URL (default ${SERVERS[dialect].defaultUrl}).`;
  }
}

function adminUrl(dialect: Dialect): URL {
  return new URL(process.env[SERVERS[dialect].variable] || SERVERS[dialect].defaultUrl);
}

/** A new, empty database. Its user has the database's name and a random password. */
export class SqlDatabase {
  private constructor(
    readonly dialect: Dialect,
    /** Includes the password: `postgres://user:password@host:port/database` or `mysql://…`. */
    readonly url: string,
    private readonly name: string,
  ) {}

  static async create(dialect: Dialect): Promise<SqlDatabase> {
    const name = `pulumi_livekit_sip_${randomBytes(6).toString("hex")}`;
    const password = randomBytes(12).toString("hex");
    const url = adminUrl(dialect);
    await run(dialect, url, SERVERS[dialect].create(name, password));
    url.username = name;
    url.password = password;
    url.pathname = `/${name}`;
    url.port ||= dialect === "postgres" ? "5432" : "3306";
    return new SqlDatabase(dialect, url.href, name);
  }

  /** Runs one statement. Returns the rows, each column as text. */
  async query(statement: string): Promise<string[][]> {
    const output = await run(this.dialect, new URL(this.url), [statement]);
    const lines = output.replace(/\n$/, "").split("\n");
    return output === "" ? [] : lines.map((line) => line.split("\t"));
  }

  /** A text as an SQL literal. */
  literal(text: string): string {
    const quoted = text.replaceAll("'", "''");
    return `'${this.dialect === "mysql" ? quoted.replaceAll("\\", "\\\\") : quoted}'`;
  }

  /** Shell commands that drop the database and its user, and the environment that they need. */
  dropCommand(): { command: string; env: Record<string, string> } {
    const { client, connect, drop } = SERVERS[this.dialect];
    const { args, env } = connect(adminUrl(this.dialect));
    const words = [client, ...args].map((word) => `'${word}'`).join(" ");
    const statements = drop(this.name).map((statement) => `${statement};`);
    return { command: `echo "$DROP_DATABASE" | ${words}`, env: { ...env, DROP_DATABASE: statements.join("\n") } };
  }

  async drop(): Promise<void> {
    await run(this.dialect, adminUrl(this.dialect), SERVERS[this.dialect].drop(this.name));
  }
}

async function run(dialect: Dialect, url: URL, statements: readonly string[]): Promise<string> {
  const { client, connect } = SERVERS[dialect];
  const { args, env } = connect(url);
  const running = promisify(execFile)(client, args, { env: { ...process.env, ...env } });
  running.child.stdin?.end(statements.map((statement) => `${statement};\n`).join(""));
  const { stdout } = await running;
  return stdout;
}
