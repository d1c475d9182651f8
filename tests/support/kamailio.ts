/**
 * A real Kamailio on loopback as the VoIP system: a registrar whose users are in a database of its own with Kamailio's
 * standard tables. Its behaviour is in kamailio/registrar.cfg.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./loopback";
import { type Dialect, missingDatabase, SqlDatabase } from "./sql-database";
import { certifyLoopback } from "./throw-away-ca";
import { PROGRAM_PATH, TiedProcess } from "./tied-process";

const CONFIG = join(__dirname, "kamailio", "registrar.cfg");
const START_TIMEOUT_MS = 20_000;
/** Where Kamailio's packages keep the SQL that creates its tables, in one folder per database. */
const SQL_FOLDERS = ["/usr/share/kamailio", "/usr/local/share/kamailio"];
const PACKAGES = "kamailio kamailio-tls-modules kamailio-postgres-modules kamailio-mysql-modules";

export interface KamailioOptions {
  /** The transports it listens on, all on one port. Default udp and tcp. */
  transports?: readonly ("udp" | "tcp" | "tls")[];
  /** Listens on ::1 instead of 127.0.0.1. */
  ipv6?: boolean;
  /** Default postgres. */
  database?: Dialect;
  /** User name to password. */
  users?: Readonly<Record<string, string>>;
  /** The digest realm, and the domain of its users; default `voip.test`. */
  realm?: string;
  /** The domain of From is the realm, as on a system with many domains. */
  manyDomains?: boolean;
  /** Stores only HA1. Default: HA1 and the password. */
  storeHa1Only?: boolean;
  /** Default MD5. */
  algorithm?: "MD5" | "SHA-256";
  /** Offers `qop="auth"`. */
  qop?: boolean;
  /** Challenges OPTIONS too. By default OPTIONS gets 200. */
  optionsChallenge?: boolean;
  /** Delays each answer by this much, without limiting how many requests are in progress. */
  delayMs?: number;
  /** Where INVITEs are forwarded once the caller has proved its credential. Without it, each gets 404. */
  callee?: { host: string; port: number; transport?: "udp" | "tcp" };
  /** Forwards INVITEs without asking for a credential. */
  anyoneMayCall?: boolean;
  /** Answers 403 to an INVITE whose From user differs from the credential's. */
  fromMustMatch?: boolean;
}

/** A request that Kamailio saw. Retransmissions are not counted. */
export interface SeenRequest {
  method: string;
  fromUser: string;
  toUser: string;
  /** The user of its credential. Undefined if it carried none. */
  authUser: string | undefined;
  transport: string;
  sourceIp: string;
}

/** Whether {@link Kamailio.start} can work here. If not, one line that says how to install what is missing. */
export function kamailioAvailability(
  databases: readonly Dialect[] = ["postgres", "mysql"],
): { available: true } | { available: false; reason: string } {
  const reason = missingProgram() ?? databases.map(missingDatabase).find((missing) => missing !== undefined);
  return reason === undefined ? { available: true } : { available: false, reason };
}

function missingProgram(): string | undefined {
  try {
    const options = { stdio: "ignore", env: { ...process.env, PATH: PROGRAM_PATH } } as const;
    execFileSync("kamailio", ["-v"], options);
    execFileSync("openssl", ["version"], options);
  } catch {
    return `install Kamailio and OpenSSL (Debian: apt-get install openssl ${PACKAGES}).`;
  }
  const dialects: Dialect[] = ["postgres", "mysql"];
  return dialects.every((dialect) => sqlFolder(dialect) !== undefined)
    ? undefined
    : `install Kamailio's database modules (Debian: apt-get install ${PACKAGES}).`;
}

function sqlFolder(dialect: Dialect): string | undefined {
  return SQL_FOLDERS.map((folder) => join(folder, dialect)).find((folder) =>
    existsSync(join(folder, "auth_db-create.sql")),
  );
}

interface Endpoint {
  host: string;
  port: number;
  tlsPort: number | undefined;
  /** The certificate authority of its TLS certificate, in PEM. */
  ca: string | undefined;
}

/**
 * A running Kamailio. Users whose names begin with `barred` may not register or call: they get 403 even with the right
 * password.
 */
export class Kamailio {
  readonly host: string;
  /** Its port for UDP and TCP. With tls alone it is the port for TLS. */
  readonly port: number;
  readonly tlsPort: number | undefined;
  /** PEM of the temporary certificate authority that signed for `localhost` and the loopback addresses. */
  readonly ca: string | undefined;
  readonly realm: string;
  /** The URL of its database, including the password. */
  readonly databaseUrl: string;

  private constructor(
    endpoint: Endpoint,
    private readonly options: KamailioOptions,
    private readonly database: SqlDatabase,
    private readonly log: string,
    private readonly process: TiedProcess,
  ) {
    this.host = endpoint.host;
    this.port = endpoint.port;
    this.tlsPort = endpoint.tlsPort;
    this.ca = endpoint.ca;
    this.realm = realmOf(options);
    this.databaseUrl = database.url;
  }

  static async start(options: KamailioOptions = {}): Promise<Kamailio> {
    // Another process may take the free port before it is used. If so, try another one.
    for (let attempt = 1; ; attempt++) {
      const kamailio = await Kamailio.launch(options);
      if (await kamailio.ready()) {
        for (const [username, password] of Object.entries(options.users ?? {})) {
          await kamailio.addUser(username, password);
        }
        return kamailio;
      }
      const log = readFileSync(kamailio.log, "utf8").slice(-4_000);
      await kamailio.stop();
      if (attempt === 3) {
        throw new Error(`Kamailio did not start: ${log}`);
      }
    }
  }

  private static async launch(options: KamailioOptions): Promise<Kamailio> {
    const database = await SqlDatabase.create(options.database ?? "postgres");
    const folder = mkdtempSync(join(tmpdir(), "pulumi-livekit-sip-kamailio-"));
    try {
      await createTables(database);
      const ca = options.transports?.includes("tls") ? certifyLoopback(folder) : undefined;
      const endpoint = await freeEndpoint(options, ca);
      const log = join(folder, "log");
      const drop = database.dropCommand();
      const process = await TiedProcess.start({
        command: "kamailio",
        args: [
          ...["-f", CONFIG, "-DD", "-E", "-m", "64", "-M", "8", "-Y", folder, "-w", folder],
          ...sockets(options, endpoint).flatMap((socket) => ["-l", socket]),
          ...switches(options).flatMap((name) => ["-A", name]),
        ],
        env: { ...values(options, database, folder), ...drop.env, FOLDER: folder },
        output: log,
        cleanUp: `${drop.command}; rm -rf "$FOLDER"`,
      });
      return new Kamailio(endpoint, options, database, log, process);
    } catch (error) {
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Waits until its sockets are open and its first worker runs. False when it ended or took too long. */
  private async ready(): Promise<boolean> {
    let ended = false;
    void this.process.exited.then(() => {
      ended = true;
    });
    for (const deadline = Date.now() + START_TIMEOUT_MS; !ended && Date.now() < deadline; await delay(10)) {
      if (readFileSync(this.log, "utf8").includes("<script>: ready")) {
        return true;
      }
    }
    return false;
  }

  /** Adds a subscriber. `domain` is the realm of the credential, by default Kamailio's own. */
  async addUser(username: string, password: string, domain = this.realm): Promise<void> {
    const [stored = "", ha1 = "", ha1b = ""] = this.credentialCells(username, domain, password);
    await this.addRows([{ username, domain, password: stored, ha1, ha1b }]);
  }

  /** Adds subscribers, column by column. */
  async addRows(rows: readonly Readonly<Record<string, string>>[]): Promise<void> {
    const columns = Object.keys(rows[0] ?? {});
    const values = rows.map(
      (row) => `(${columns.map((column) => this.database.literal(row[column] ?? "")).join(", ")})`,
    );
    await this.query(`insert into subscriber (${columns.join(", ")}) values ${values.join(", ")}`);
  }

  /** Changes a subscriber's password in the database, as an administrator of the phone system would. */
  async setPassword(username: string, password: string, domain = this.realm): Promise<void> {
    const { database } = this;
    const cells = this.credentialCells(username, domain, password).map((cell) => database.literal(cell));
    const columns = ["password", "ha1", "ha1b"].map((column, index) => `${column} = ${cells[index]}`);
    const where = `username = ${database.literal(username)} and domain = ${database.literal(domain)}`;
    await this.query(`update subscriber set ${columns.join(", ")} where ${where}`);
  }

  private credentialCells(username: string, domain: string, password: string): [string, string, string] {
    const { algorithm = "MD5", storeHa1Only = false } = this.options;
    const hash = (text: string) =>
      createHash(algorithm === "MD5" ? "md5" : "sha256")
        .update(text)
        .digest("hex");
    return [
      storeHa1Only ? "" : password,
      hash(`${username}:${domain}:${password}`),
      hash(`${username}@${domain}:${domain}:${password}`),
    ];
  }

  /** Runs one SQL statement on its database. Returns the rows, each column as text. */
  query(statement: string): Promise<string[][]> {
    return this.database.query(statement);
  }

  /** The requests that it saw, in order. Each is listed before its answer is sent. */
  requests(): SeenRequest[] {
    const seen = readFileSync(this.log, "utf8").matchAll(
      /<script>: saw (\S+) from=(\S*) to=(\S*) auth=(\S*) (\S+) (\S+)$/gm,
    );
    return [...seen].map(
      ([, method = "", fromUser = "", toUser = "", authUser = "", transport = "", sourceIp = ""]) => ({
        method,
        fromUser: unescapeParameter(fromUser) ?? "",
        toUser: unescapeParameter(toUser) ?? "",
        authUser: unescapeParameter(authUser),
        transport,
        sourceIp,
      }),
    );
  }

  /** Makes it silent: it keeps its ports but answers nothing until {@link resume}. */
  pause(): void {
    this.process.signal("SIGSTOP");
  }

  resume(): void {
    this.process.signal("SIGCONT");
  }

  /** Stops it and removes its database. */
  async stop(): Promise<void> {
    await this.process.stop();
  }
}

function realmOf({ realm = "voip.test" }: KamailioOptions): string {
  return realm;
}

function plainTransports({ transports = ["udp", "tcp"] }: KamailioOptions): string[] {
  return transports.filter((transport) => transport !== "tls");
}

async function freeEndpoint(options: KamailioOptions, ca: string | undefined): Promise<Endpoint> {
  const host = options.ipv6 ? "::1" : "127.0.0.1";
  const tlsPort = ca === undefined ? undefined : await freePort(host);
  const port = tlsPort !== undefined && plainTransports(options).length === 0 ? tlsPort : await freePort(host);
  return { host, port, tlsPort, ca };
}

function sockets(options: KamailioOptions, { host, port, tlsPort }: Endpoint): string[] {
  const address = host.includes(":") ? `[${host}]` : host;
  return [
    ...plainTransports(options).map((transport) => `${transport}:${address}:${port}`),
    ...(tlsPort === undefined ? [] : [`tls:${address}:${tlsPort}`]),
  ];
}

/** The parts of the configuration to turn on. */
function switches(options: KamailioOptions): string[] {
  const { delayMs } = options;
  const on: Readonly<Record<string, unknown>> = {
    HA1_ONLY: options.storeHa1Only,
    QOP: options.qop,
    TLS: options.transports?.includes("tls"),
    OPTIONS_CHALLENGE: options.optionsChallenge,
    CALLEE: options.callee,
    ANYONE_MAY_CALL: options.anyoneMayCall,
    FROM_MUST_MATCH: options.fromMustMatch,
  };
  return [
    ...Object.keys(on).filter((name) => on[name] !== undefined && on[name] !== false),
    ...(delayMs ? [`DELAY_MS=${delayMs}`] : []),
  ];
}

/** The values of the configuration. */
function values(options: KamailioOptions, database: SqlDatabase, folder: string): Record<string, string> {
  const { callee, algorithm = "MD5", storeHa1Only } = options;
  return {
    DATABASE_URL: database.url,
    DATABASE_MODULE: `db_${database.dialect}.so`,
    // Otherwise its processes crash now and then: its TLS module and PostgreSQL's library share the state of OpenSSL.
    PGSSLMODE: "disable",
    PASSWORD_COLUMN: storeHa1Only ? "ha1" : "password",
    REALM: options.manyDomains ? "$fd" : realmOf(options),
    ALGORITHM: algorithm,
    CALLEE_URI: callee ? `sip:${callee.host}:${callee.port};transport=${callee.transport ?? "udp"}` : "",
    TLS_CERTIFICATE: join(folder, "server.pem"),
    TLS_KEY: join(folder, "server.key"),
  };
}

/** Undoes Kamailio's `s.escape.param`. Undefined if the request did not have the value. */
function unescapeParameter(text: string): string | undefined {
  const plain = decodeURIComponent(text);
  return plain === "" || plain === "<null>" ? undefined : plain;
}

async function createTables(database: SqlDatabase): Promise<void> {
  const folder = sqlFolder(database.dialect);
  if (folder === undefined) {
    throw new Error(`Kamailio's SQL for ${database.dialect} is not in ${SQL_FOLDERS.join(" or ")}.`);
  }
  for (const file of ["standard-create.sql", "auth_db-create.sql"]) {
    await database.query(readFileSync(join(folder, file), "utf8"));
  }
}
