/**
 * Looks rows up in the VoIP system's database, PostgreSQL or MySQL/MariaDB by the URL's scheme. The drivers are the user's
 * own (optional peer dependencies) and are loaded when they are needed. Bounded in time and in connections; what drivers say
 * is put in our words, because their messages may hold what they were given.
 */

import { isUtf8 } from "node:buffer";
import { Socket } from "node:net";
import type * as cockatiel from "cockatiel";
import { mysqlConnection, postgresConnection } from "./database-url";
import { CredentialReadError, codeOf, type Fail, textIn } from "./errors";

/** Which rows to look up, and which of their columns. Names of tables and columns are trusted: check them before. */
export interface Lookup {
  readonly table: string;
  readonly columns: readonly string[];
  /** What each of these columns must be equal to. */
  readonly where: Readonly<Record<string, string>>;
}

/** A row's columns as text; NULL is the empty text. */
export type Row = (column: string) => string;

/** An open database. */
export interface Database {
  /** The rows that match, two at most: the second says that there are several. */
  find(lookup: Lookup): Promise<readonly Row[]>;
  /** A column of the first row that matches, where the table may lack the column and the user the right to read it. */
  findColumn(lookup: Omit<Lookup, "columns"> & { column: string }): Promise<{ value: string } | "missing" | "denied">;
}

/** How long a reading may take from connecting to the last row, in milliseconds. */
const DEADLINE_MS = 10_000;

/** How many connections all readers of a program hold at the same time: a stack of hundreds of trunks must not flood a PBX. */
const MAX_CONNECTIONS = 4;

let places: cockatiel.BulkheadPolicy | undefined;

/** The places for connections, in the order in which they are asked for. Loaded when the first reader needs one. */
function connections(): cockatiel.BulkheadPolicy {
  const { bulkhead }: typeof cockatiel = require("cockatiel");
  places ??= bulkhead(MAX_CONNECTIONS, Number.POSITIVE_INFINITY);
  return places;
}

/** What this module needs of a driver's connection. */
interface Client {
  connect(): Promise<void>;
  query(sql: string, values: string[]): Promise<unknown[]>;
  end(): Promise<void>;
  /** Closes the connection at once, in whatever state it is. */
  destroy(): void;
}

/** What differs between the two kinds of database. */
interface Dialect {
  open(url: string, fail: Fail): Client;
  quote(identifier: string): string;
  placeholder(index: number): string;
}

const POSTGRES: Dialect = {
  open: openPostgres,
  quote: (identifier) => `"${identifier}"`,
  placeholder: (index) => `$${index + 1}`,
};

const MYSQL: Dialect = {
  open: openMysql,
  quote: (identifier) => `\`${identifier}\``,
  placeholder: () => "?",
};

/**
 * Connects, looks up, and closes the connection whatever happens.
 *
 * @throws CredentialReadError in our words, without anything of the URL
 */
export async function withDatabase<Result>(
  url: string,
  fail: Fail,
  use: (database: Database) => Promise<Result>,
  deadlineMs = DEADLINE_MS,
): Promise<Result> {
  const dialect = dialectOf(url, fail);
  return connections().execute(() => session(url, dialect, fail, use, deadlineMs));
}

async function session<Result>(
  url: string,
  dialect: Dialect,
  fail: Fail,
  use: (database: Database) => Promise<Result>,
  deadlineMs: number,
): Promise<Result> {
  const client = dialect.open(url, fail);
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(fail(`the database did not answer within ${deadlineMs / 1000} s: check that it is up and within reach`));
    }, deadlineMs);
  });
  const reading = async () => {
    await client.connect();
    const result = await use({
      find: (lookup) => find(dialect, client, lookup, fail),
      findColumn: (lookup) => findColumn(dialect, client, lookup, fail),
    });
    await client.end();
    return result;
  };
  try {
    return await Promise.race([reading(), deadline]);
  } catch (error) {
    if (error instanceof CredentialReadError) {
      throw error;
    }
    const problem = problemOf(error);
    throw fail(problem === NO_TLS && !/[?&]ssl(mode)?=/i.test(url) ? NO_DEFAULT_TLS : problem);
  } finally {
    clearTimeout(timer);
    client.destroy();
  }
}

function dialectOf(url: string, fail: Fail): Dialect {
  if (/^postgres(ql)?:\/\//i.test(url)) {
    return POSTGRES;
  }
  if (/^(mysql|mariadb):\/\//i.test(url)) {
    return MYSQL;
  }
  throw fail("`url` must begin with postgres://, postgresql://, mysql:// or mariadb://");
}

async function find(dialect: Dialect, client: Client, { table, columns, where }: Lookup, fail: Fail): Promise<Row[]> {
  const from = table.split(".").map(dialect.quote).join(".");
  const conditions = Object.keys(where).map(
    (column, index) => `${dialect.quote(column)} = ${dialect.placeholder(index)}`,
  );
  const sql = `SELECT ${columns.map(dialect.quote).join(", ")} FROM ${from} WHERE ${conditions.join(" AND ")} LIMIT 2`;
  const rows = await client.query(sql, Object.values(where));
  return rows.map((row) => {
    const values = new Map<string, unknown>(Object.entries(row ?? {}));
    return (column) => textOf(column, values.get(column), fail);
  });
}

async function findColumn(
  dialect: Dialect,
  client: Client,
  { column, ...lookup }: Omit<Lookup, "columns"> & { column: string },
  fail: Fail,
): Promise<{ value: string } | "missing" | "denied"> {
  try {
    const [row] = await find(dialect, client, { ...lookup, columns: [column] }, fail);
    return { value: row?.(column) ?? "" };
  } catch (error) {
    const problem = PROBLEMS.get(codeOf(error) ?? "");
    if (problem === NO_COLUMN) {
      return "missing";
    }
    if (problem === NO_RIGHT) {
      return "denied";
    }
    throw error;
  }
}

/** A column as text; MySQL hands binary columns over as bytes. */
function textOf(column: string, value: unknown, fail: Fail): string {
  const isText = Buffer.isBuffer(value) ? isUtf8(value) : !String(value).includes("\uFFFD");
  if (!isText) {
    // The drivers put this character where bytes are not UTF-8.
    throw fail(`its ${column} is not UTF-8: convert the column, or store the value again`);
  }
  return value === null || value === undefined ? "" : String(value);
}

function openPostgres(url: string, fail: Fail): Client {
  const pg = driver("pg", fail, (): typeof import("pg") => require("pg"));
  // A socket of our own can be destroyed in every state of the driver's.
  const socket = new Socket();
  const client = configured(fail, () => {
    const { connectionString, tlsFor } = postgresConnection(url, fail);
    // Host and port can come from the URL's path, its parameters or the environment, as the driver finds them.
    const { host } = new pg.Client({ connectionString });
    return new pg.Client({ connectionString, ...tlsFor(host), stream: () => socket });
  });
  // A connection that breaks between two queries is told by the next query.
  client.on("error", () => {});
  return {
    connect: async () => void (await client.connect()),
    query: async (sql, values) => (await client.query<Record<string, unknown>>(sql, values)).rows,
    end: () => client.end(),
    destroy: () => socket.destroy(),
  };
}

function openMysql(url: string, fail: Fail): Client {
  const mysql = driver("mysql2", fail, (): typeof import("mysql2") => require("mysql2"));
  const connection = configured(fail, () =>
    mysql.createConnection({ ...mysqlConnection(url, fail), connectTimeout: DEADLINE_MS }),
  );
  connection.on("error", () => {});
  return {
    connect: () => new Promise((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve()))),
    query: (sql, values) =>
      new Promise((resolve, reject) =>
        connection.execute(sql, values, (error, rows) =>
          error ? reject(error) : resolve(Array.isArray(rows) ? rows : []),
        ),
      ),
    end: () => new Promise((resolve) => connection.end(() => resolve())),
    destroy: () => connection.destroy(),
  };
}

/** Loads a driver that the user installs only when it is needed. */
function driver<Driver>(name: string, fail: Fail, load: () => Driver): Driver {
  try {
    return load();
  } catch (error) {
    if (codeOf(error) === "MODULE_NOT_FOUND") {
      throw fail(
        `the package ${name} is needed to read this database and is not installed: run \`npm install ${name}\``,
      );
    }
    throw error;
  }
}

/** Makes a client of a URL; what is wrong with the URL is never said in the words of a parser that repeats it. */
function configured<Made>(fail: Fail, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (error instanceof CredentialReadError) {
      throw error;
    }
    const file = textIn(error, "syscall") !== undefined;
    throw fail(
      file
        ? "a certificate or key file that `url` names can't be read: check its path and who may read it"
        : "`url` is not a valid database URL: write special characters in user and password percent-encoded, for example %40 for @",
    );
  }
}

const NO_COLUMN =
  "the table lacks a column that the reader needs: check `table`, and that the schema is the VoIP system's own";
const NO_RIGHT =
  "the user in `url` may not read it: grant it SELECT on the columns that the documentation of the reader lists";
const NO_TLS = "`url` demands TLS and the database does not offer it: switch TLS on in the database";
const NO_DEFAULT_TLS =
  "the database is on another machine and does not offer TLS: switch TLS on in the database, or append ?sslmode=disable (for MySQL ?ssl=false) to `url`, which sends everything in clear text";

const REMEDIES: readonly (readonly [problem: string, codes: readonly string[]])[] = [
  [
    "the database refuses the user or password in `url`: check them, and that the user may connect from this machine",
    ["28P01", "28000", "ER_ACCESS_DENIED_ERROR", "ER_DBACCESS_DENIED_ERROR", "ER_ACCESS_DENIED_NO_PASSWORD_ERROR"],
  ],
  ["the database that `url` names does not exist: check the name at the end of `url`", ["3D000", "ER_BAD_DB_ERROR"]],
  [
    "the table does not exist in this database: check `table` and the database's name in `url`",
    ["42P01", "3F000", "ER_NO_SUCH_TABLE"],
  ],
  [NO_COLUMN, ["42703", "ER_BAD_FIELD_ERROR"]],
  [NO_RIGHT, ["42501", "ER_TABLEACCESS_DENIED_ERROR", "ER_COLUMNACCESS_DENIED_ERROR"]],
  [
    "the database can't be reached: check host and port in `url`, that the database is up, and that a firewall lets this machine through",
    ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ENOENT", "ETIMEDOUT"],
  ],
  [
    "the connection broke off: see the database's log",
    ["ECONNRESET", "EPIPE", "PROTOCOL_CONNECTION_LOST", "57P01", "57P02", "57P03"],
  ],
  [
    "the database has no connection left: raise its limit, or try again",
    ["53300", "ER_CON_COUNT_ERROR", "ER_USER_LIMIT_REACHED"],
  ],
  [NO_TLS, ["HANDSHAKE_NO_SSL_SUPPORT"]],
  [
    "the database demands TLS: say so in `url` (?sslmode=verify-full, for MySQL ?ssl=true)",
    ["ER_SECURE_TRANSPORT_REQUIRED"],
  ],
  [
    'the database\'s TLS certificate is not trusted: name its certificate authority in `url` (?sslrootcert=file, for MySQL ?ssl={"ca":"…"}) or in NODE_EXTRA_CA_CERTS',
    [
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    ],
  ],
  [
    // mysql2 says no more than that.
    'the database\'s TLS certificate is not trusted, or not for the host in `url`: name its certificate authority in `url` (?ssl={"ca":"…"}) or in NODE_EXTRA_CA_CERTS, and use the name in the certificate',
    ["HANDSHAKE_SSL_ERROR"],
  ],
  [
    "the database's TLS certificate is not for the host in `url`: use the name in the certificate",
    ["ERR_TLS_CERT_ALTNAME_INVALID"],
  ],
  ["the database's TLS certificate has expired: renew it", ["CERT_HAS_EXPIRED"]],
  ["the database stopped the query for taking too long: see its log", ["57014"]],
];

const PROBLEMS: ReadonlyMap<string, string> = new Map(
  REMEDIES.flatMap(([problem, codes]) => codes.map((code): [string, string] => [code, problem])),
);

/** What went wrong, in our words: by the error's code, which says nothing of what the driver was given. */
function problemOf(error: unknown): string {
  // Node tries several addresses of a host and collects the failures.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = codeOf(error) ?? codeOf(first);
  const known = code === undefined ? undefined : PROBLEMS.get(code);
  if (known) {
    return known;
  }
  if (/does not support SSL/i.test(textIn(error, "message") ?? "")) {
    return NO_TLS;
  }
  return `the database answers with an error (${/^\w{1,60}$/.test(code ?? "") ? code : "without a code"}): see its log`;
}
