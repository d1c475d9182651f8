/**
 * kamailioCredential with real databases, and what all database readers share: connections, errors, secrets.
 */

import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import dns from "node:dns";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PeerCertificate, TLSSocket } from "node:tls";
import * as pulumi from "@pulumi/pulumi";
import { withDatabase } from "../provider/credential-readers/database";
import { postgresConnection } from "../provider/credential-readers/database-url";
import { failing } from "../provider/credential-readers/errors";
import { kamailioCredential } from "../provider/credential-readers/kamailio";
import { verifies } from "../provider/voip/credential";
import { databaseServers, type TestDatabase } from "./support/databases";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { credentialOf, failureOf } from "./support/outputs";

const SUBSCRIBER = `CREATE TABLE subscriber (
  username VARCHAR(64) DEFAULT '' NOT NULL,
  domain VARCHAR(64) DEFAULT '' NOT NULL,
  password VARCHAR(64) DEFAULT '' NOT NULL,
  ha1 VARCHAR(128) DEFAULT '' NOT NULL
)`;

const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest("hex");
const secret = password("stored");
const MD5 = hash("md5", `hashed:pbx.example:${secret}`);
const SHA256 = hash("sha256", `sha:pbx.example:${secret}`);

const ROWS = `INSERT INTO subscriber (username, domain, password, ha1) VALUES
  ('1011', 'pbx.example', '${secret}', 'not read'),
  ('twice', 'a.example', '${secret}', ''),
  ('twice', 'b.example', 'other', ''),
  ('doubled', 'a.example', '${secret}', ''),
  ('doubled', 'a.example', '${secret}', ''),
  ('hashed', 'pbx.example', '', '${MD5}'),
  ('capitals', 'pbx.example', '', '${hash("md5", `capitals:pbx.example:${secret}`).toUpperCase()}'),
  ('padded', 'pbx.example', '', '${hash("md5", `padded:pbx.example:${secret}`)}  '),
  ('sha', 'pbx.example', '', '${SHA256}'),
  ('realmless', '', '', '${MD5}'),
  ('broken', 'pbx.example', '', '${CANARY}'),
  ('empty', 'pbx.example', '', ''),
  ('o''brien; --', 'pbx.example', '${secret}', '')`;

for (const server of databaseServers) {
  (server.available ? describe : describe.skip)(server.name, () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await server.create();
      await database.run(SUBSCRIBER, ROWS);
    });

    afterAll(async () => {
      await database?.drop();
    });

    const reader = (username: string, more: Partial<Parameters<typeof kamailioCredential>[0]> = {}) =>
      kamailioCredential({ url: database.url(), username, ...more });
    const failure = async (...args: Parameters<typeof reader>) => {
      const message = await failureOf(reader(...args));
      expectNoCanary(message);
      return message;
    };

    test("reads a user's password, as a secret", async () => {
      const output = reader("1011");
      expect(await credentialOf(output)).toEqual({ username: "1011", password: secret });
      expect(await pulumi.isSecret(output)).toBe(true);
    });

    test("follows a password that changes between two reads", async () => {
      await database.run(`INSERT INTO subscriber (username, domain, password) VALUES ('rotated', 'x', 'one')`);
      expect(await credentialOf(reader("rotated"))).toEqual({ username: "rotated", password: "one" });
      await database.run(`UPDATE subscriber SET password = 'two' WHERE username = 'rotated'`);
      expect(await credentialOf(reader("rotated"))).toEqual({ username: "rotated", password: "two" });
    });

    test("distinguishes users of the same name by domain", async () => {
      expect(await credentialOf(reader("twice", { domain: "b.example" }))).toEqual({
        username: "twice",
        password: "other",
      });
      expect(await failure("twice")).toMatch(
        /^kamailioCredential: user twice in Kamailio's table subscriber: the user is in more than one domain \([ab]\.example, [ab]\.example\): set `domain`\.$/,
      );
      expect(await failure("doubled", { domain: "a.example" })).toContain("more than one such row: remove all but one");
    });

    test("returns a verifier where only HA1 is stored", async () => {
      const verifier = await credentialOf(reader("hashed"));
      expect(verifier).toEqual({
        username: "hashed",
        realm: "pbx.example",
        algorithm: "MD5",
        ha1: MD5,
        source: "Kamailio's table subscriber",
      });
      expect("ha1" in verifier && verifies(verifier, secret)).toBe(true);
      expect("ha1" in verifier && verifies(verifier, `${secret}x`)).toBe(false);
      expect(await credentialOf(reader("padded"))).toMatchObject({ ha1: hash("md5", `padded:pbx.example:${secret}`) });
      expect(await credentialOf(reader("sha"))).toMatchObject({ algorithm: "SHA-256", ha1: SHA256 });
      expect(await credentialOf(reader("realmless", { realm: "sip.example" }))).toMatchObject({ realm: "sip.example" });
    });

    test("names the columns if password and ha1 disagree, and takes the one that `use` selects", async () => {
      const ha1 = hash("md5", `both:differ.example:${secret}`);
      const old = `${secret}-old`;
      await database.run(
        `INSERT INTO subscriber (username, domain, password, ha1) VALUES
          ('both', 'differ.example', '${old}', '${ha1}'),
          ('both', 'agree.example', '${secret}', '${hash("md5", `both:sip.example:${secret}`)}'),
          ('both', '', '${secret}', '${ha1}')`,
      );
      const differ = { domain: "differ.example" };
      expect(await failure("both", differ)).toContain(
        "password and ha1 disagree for the realm differ.example, and only Kamailio's configuration says which one counts: set `use` to its password_column, or `realm`",
      );
      expect(await credentialOf(reader("both", { ...differ, use: "password" }))).toMatchObject({ password: old });
      expect(await credentialOf(reader("both", { ...differ, use: "ha1" }))).toMatchObject({ ha1 });
      const agree = { domain: "agree.example", realm: "sip.example" };
      expect(await credentialOf(reader("both", agree))).toEqual({ username: "both", password: secret });
      expect(await failure("both", { domain: "agree.example" })).toContain("password and ha1 disagree");
      expect(await failure("both", { domain: "" })).toContain("has no domain to use as its realm: set `realm`.");
      expect(await failure("empty", { use: "password" })).toContain(
        'password is not set, and `use` is "password": set it',
      );
    });

    test("explains what is missing in the row", async () => {
      expect(await failure("nobody")).toContain("there is no such user: check `username`.");
      expect(await failure("1011", { domain: "b.example" })).toBe(
        "kamailioCredential: user 1011@b.example in Kamailio's table subscriber: there is no such user: check `username` and `domain`.",
      );
      expect(await failure("empty")).toContain("neither password nor ha1 is set: set one.");
      for (const user of ["broken", "capitals"]) {
        expect(await failure(user)).toContain(
          "ha1 is neither an MD5 nor a SHA-256 in lower-case hexadecimal: compute it",
        );
      }
      expect(await failure("realmless")).toContain("set `realm`.");
    });

    test("never interprets a value as SQL", async () => {
      expect(await credentialOf(reader("o'brien; --"))).toMatchObject({ password: secret });
      expect(await failure("' OR '1'='1")).toContain("there is no such user");
      expect(await failure("1011", { table: "subscriber; DROP TABLE subscriber" })).toContain(
        "`table` must be a table's name",
      );
    });

    test("reads from another table and schema", async () => {
      await database.run(
        "CREATE TABLE Users (username VARCHAR(9), domain VARCHAR(9), password VARCHAR(99))".replace("Users", "users"),
      );
      await database.run(`INSERT INTO users VALUES ('1', 'd', '${secret}')`);
      const schema = server.name === "PostgreSQL" ? "public" : new URL(database.url()).pathname.slice(1);
      expect(await credentialOf(reader("1", { table: `${schema}.users` }))).toMatchObject({ password: secret });
    });

    test("names a missing table, column and database", async () => {
      await database.run("CREATE TABLE narrow (username VARCHAR(9))");
      expect(await failure("1", { table: "nowhere" })).toBe(
        "kamailioCredential: user 1 in Kamailio's table nowhere: the table does not exist in this database: check `table` and the database's name in `url`.",
      );
      expect(await failure("1", { table: "narrow" })).toContain("lacks a column that the reader needs");
      const url = database.url({ database: `gone_${CANARY}` });
      expect(await failure("1", { url })).toContain("the database that `url` names does not exist");
    });

    test("needs only SELECT on the columns that it reads, and reports when that is missing", async () => {
      const role = `reader_${randomBytes(6).toString("hex")}`;
      const postgres = server.name === "PostgreSQL";
      const grantee = postgres ? role : `${role}@'%'`;
      await database.run(
        postgres
          ? `CREATE ROLE ${role} LOGIN PASSWORD '${CANARY}'`
          : `CREATE USER ${grantee} IDENTIFIED BY '${CANARY}'`,
        `CREATE TABLE other (username VARCHAR(9), domain VARCHAR(9), password VARCHAR(99))`,
        `GRANT SELECT (username, domain, password) ON subscriber TO ${grantee}`,
      );
      try {
        const url = database.url({ user: role, password: CANARY });
        // Without the right to read ha1, the password is all there is.
        expect(await credentialOf(reader("1011", { url }))).toMatchObject({ password: secret });
        const denied = "may not read it: grant it SELECT on the columns";
        expect(await failure("hashed", { url, use: "ha1" })).toContain(denied);
        expect(await failure("hashed", { url })).toContain(denied);
        expect(await failure("1011", { url, table: "other" })).toContain(denied);
      } finally {
        await database.run(...(postgres ? [`DROP OWNED BY ${role}`, `DROP ROLE ${role}`] : [`DROP USER ${grantee}`]));
      }
    });

    test("reports a refused user without the password", async () => {
      const url = database.url({ user: `nobody_${randomBytes(4).toString("hex")}`, password: CANARY });
      expect(await failure("1011", { url })).toContain("refuses the user or password in `url`");
    });

    test("reports a database that is down", async () => {
      const closed = await closedPort();
      const url = new URL(database.url({ user: "u", password: CANARY }));
      url.port = String(closed);
      expect(await failure("1011", { url: url.href })).toContain("can't be reached: check host and port in `url`");
    });

    test("does not repeat a URL that can't be parsed", async () => {
      const scheme = server.name === "PostgreSQL" ? "postgres" : "mysql";
      for (const url of [`${scheme}://u:${CANARY}%@h:x/y`, `${scheme}://u:pa/${CANARY}#@h:99999999/db`]) {
        expect(await failure("1011", { url })).toContain("`url`");
      }
    });

    test("reports only the code of an unknown database error", async () => {
      await expect(
        withDatabase(database.url(), failing("reader", "thing"), async () => {
          throw Object.assign(new Error(CANARY), { code: "XX000" });
        }),
      ).rejects.toThrow(/^reader: thing: the database answers with an error \(XX000\): see its log\.$/);
    });
  });
}

describe("TLS", () => {
  const [postgres, mariadb] = databaseServers;

  (mariadb?.available ? test : test.skip)("required of a MySQL that does not offer it is refused", async () => {
    const database = await mariadb?.create();
    try {
      await database?.run(SUBSCRIBER, ROWS);
      const offersTls = await serverOffersTls(database?.url() ?? "");
      const url = database?.url({ query: "?ssl=true" }) ?? "";
      const message = await failureOf(kamailioCredential({ url, username: "1011" }));
      expect(message).toMatch(offersTls ? /certificate/ : /demands TLS and the database does not offer it/);
    } finally {
      await database?.drop();
    }
  });

  test("required of a PostgreSQL that does not offer it is refused", async () => {
    await withServer(
      (socket) => socket.once("data", () => socket.write("N")),
      async (port) => {
        const url = `postgres://u:${CANARY}@localhost:${port}/db?sslmode=verify-full`;
        const message = await failureOf(kamailioCredential({ url, username: "1011" }));
        expect(message).toContain(
          "`url` demands TLS and the database does not offer it: switch TLS on in the database.",
        );
        expectNoCanary(message);
      },
    );
  });

  (postgres?.available ? test : test.skip)("verifies the server's certificate unless told not to", async () => {
    const database = await postgres?.create();
    try {
      await database?.run(SUBSCRIBER, ROWS);
      const read = (query: string) => kamailioCredential({ url: database?.url({ query }) ?? "", username: "1011" });
      if (await serverOffersTls(database?.url() ?? "")) {
        expect(await failureOf(read("?sslmode=verify-full"))).toContain("TLS certificate is not trusted");
        expect(await credentialOf(read("?sslmode=no-verify"))).toMatchObject({ password: secret });
      } else {
        expect(await failureOf(read("?sslmode=verify-full"))).toContain("does not offer it");
      }
    } finally {
      await database?.drop();
    }
  });

  describe.each<[string, (socket: Socket, key: ServerKey) => void, string, (ca: string) => string]>([
    ["postgres", greetAsPostgres, "?sslmode=verify-full", (ca) => `&sslrootcert=${encodeURIComponent(ca)}`],
    [
      "mysql",
      greetAsMysql,
      "?ssl=true",
      (ca) => `?ssl=${encodeURIComponent(JSON.stringify({ ca: readFileSync(ca, "utf8") }))}`,
    ],
  ])("of a %s:// URL", (scheme, greet, query, trusting) => {
    let authority: ThrowAwayAuthority;
    beforeAll(() => {
      authority = new ThrowAwayAuthority();
    });
    afterAll(() => {
      authority.dispose();
    });

    /**
     * Connects to a server that offers TLS and then refuses the login. A client that gets that far trusts the server.
     */
    async function attempt(certificateFor: string, parameters: string): Promise<string> {
      const key = authority.issue(certificateFor);
      let message = "";
      await withServer(
        (socket) => greet(socket, key),
        async (port) => {
          const url = `${scheme}://u:${CANARY}@localhost:${port}/db${parameters}`;
          message = await failureOf(kamailioCredential({ url, username: "1011" }));
        },
      );
      expectNoCanary(message);
      return message;
    }
    const own = () => (scheme === "mysql" ? "" : query) + trusting(authority.caFile);

    test("trusts a server with a certificate of the configured authority", async () => {
      expect(await attempt("localhost", own())).toContain("refuses the user or password in `url`");
    });

    test("rejects a server with a certificate of an unknown authority", async () => {
      expect(await attempt("localhost", query)).toContain("TLS certificate is not trusted");
    });

    test("rejects a server with a certificate for another host", async () => {
      expect(await attempt("other.example", own())).toContain("not for the host in `url`");
    });
  });

  test.each([
    ["postgres", greetAsPostgres],
    ["mysql", greetAsMysql],
  ] as const)("%s: an impostor of a remote database learns nothing", async (scheme, greet) => {
    const authority = new ThrowAwayAuthority();
    const lookedUp = jest.spyOn(dns, "lookup").mockImplementation(loopbackLookup);
    try {
      let said = "";
      const key = authority.issue("db.acme.example");
      for (const offersTls of [true, false]) {
        await withServer(
          (socket) => {
            socket.on("data", (chunk) => {
              said += chunk.toString("latin1");
            });
            if (offersTls) {
              greet(socket, key, (text) => {
                said += text;
              });
            } else if (scheme === "postgres") {
              socket.once("data", () => socket.write("N"));
            } else {
              socket.write(mysqlGreeting(false));
            }
          },
          async (port) => {
            const url = `${scheme}://u:${CANARY}@db.acme.example:${port}/db`;
            const message = await failureOf(kamailioCredential({ url, username: "1011" }));
            expect(message).toContain(
              offersTls
                ? "TLS certificate is not trusted"
                : "is on another machine and does not offer TLS: switch TLS on",
            );
            expectNoCanary(message);
          },
        );
      }
      expect(lookedUp).toHaveBeenCalled();
      // The client may only ask for TLS. It may not even send a hash of the password.
      expect(said).not.toMatch(/select|password|native/i);
      expectNoCanary(said);
    } finally {
      lookedUp.mockRestore();
      authority.dispose();
    }
  });

  test.each([
    ["postgres", "?sslmode=disable", (socket: Socket) => socket.once("data", () => socket.end(postgresRefusal()))],
    ["postgres", "?ssl=0", (socket: Socket) => socket.once("data", () => socket.end(postgresRefusal()))],
    ["mysql", "?ssl=false", refuseAsMysql],
  ])("%s: connects to another machine without TLS if the URL has %s", async (scheme, query, refuse) => {
    const lookedUp = jest.spyOn(dns, "lookup").mockImplementation(loopbackLookup);
    try {
      await withServer(
        (socket) => void refuse(socket),
        async (port) => {
          const url = `${scheme}://u:${CANARY}@db.acme.example:${port}/db${query}`;
          expect(await failureOf(kamailioCredential({ url, username: "1011" }))).toContain(
            "refuses the user or password",
          );
        },
      );
    } finally {
      lookedUp.mockRestore();
    }
  });

  test.each([
    ["postgres://u@203.0.113.7/db?sslmode=maybe", "has an sslmode that is not known: use verify-full, or disable"],
    ["postgres://u@h/db?uselibpqcompat=true&sslmode=require", "a parameter about TLS that this reader does not know"],
    ["postgres://u@h/db?sslrootcert=/nowhere.pem", "a certificate or key file that `url` names can't be read"],
    [
      "mysql://u@203.0.113.7/db",
      "can't check a TLS certificate for an IP address: use the host name of the certificate",
    ],
    ["mysql://u@h/db?ssl=Amazon%20RDS", "the parameter ssl in `url` is not known: use true, false"],
  ])("of %s is refused", async (url, sentence) => {
    expect(await failureOf(kamailioCredential({ url, username: "1011" }))).toContain(sentence);
  });

  test.each([
    ["h", "", "verified"],
    ["h", "?sslmode=require", "verified"],
    ["h", "?ssl=true", "verified"],
    ["h", "?sslmode=no-verify", "unverified"],
    ["h", "?sslmode=disable", "none"],
    ["localhost", "?sslmode=verify-full", "verified"],
    ["localhost", "", "as the environment says"],
    ["/run/postgresql", "", "as the environment says"],
  ])("of PostgreSQL on %s with %j is %s", (host, query, expected) => {
    const { tlsFor } = postgresConnection(`postgres://u@${host}/db${query}`, failing("reader", "thing"));
    const { ssl } = tlsFor(host);
    const verified = ssl === false ? "none" : ssl?.rejectUnauthorized ? "verified" : "unverified";
    expect(ssl === undefined ? "as the environment says" : verified).toBe(expected);
  });

  test("of PostgreSQL checks the certificate for the address of the URL, not for localhost", () => {
    const { tlsFor } = postgresConnection("postgres://u@203.0.113.7/db", failing("reader", "thing"));
    const { ssl } = tlsFor("203.0.113.7");
    const certificate = (name: string): PeerCertificate => ({ ...NO_CERTIFICATE, subjectaltname: name });
    const check = ssl ? ssl.checkServerIdentity : undefined;
    expect(check?.("localhost", certificate("DNS:localhost"))).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    expect(check?.("localhost", certificate("IP Address:203.0.113.7"))).toBeUndefined();
  });

  test("parameters of a MySQL URL that would be silently ignored are refused", async () => {
    for (const query of ["ssl-mode=REQUIRED", "sslmode=require", "debug=true", `${CANARY}=1`]) {
      const url = `mysql://u:${CANARY}@127.0.0.1:1/db?${query}`;
      const message = await failureOf(kamailioCredential({ url, username: "1011" }));
      expect(message).toContain("`url` has a parameter that is neither ssl nor socketPath: for TLS write ?ssl=true");
      expectNoCanary(message);
    }
  });
});

describe("a database that misbehaves", () => {
  const fail = failing("reader", "thing");

  test.each(["postgres", "mysql"])("%s: gives up at the deadline when the server never answers", async (scheme) => {
    await withServer(
      () => {},
      async (port) => {
        const reading = withDatabase(`${scheme}://u:${CANARY}@localhost:${port}/db`, fail, async () => "", 150);
        await expect(reading).rejects.toThrow("did not answer within 0.15 s: check that it is up and within reach.");
      },
    );
  });

  test.each(["postgres", "mysql"])("%s: reports garbage or a closed connection as its own error", async (scheme) => {
    for (const answer of [Buffer.from(`\x4a\0\0\0\x0a${CANARY}`), Buffer.alloc(0), Buffer.alloc(4096, 0xff)]) {
      await withServer(
        (socket) => socket.end(answer),
        async (port) => {
          const url = `${scheme}://u:${CANARY}@localhost:${port}/db`;
          const reading = withDatabase(url, fail, async () => "", 1000);
          const error = await reading.then(
            () => undefined,
            (reason: unknown) => reason,
          );
          const message = error instanceof Error ? error.message : "";
          expect(message).toMatch(/^reader: thing: the (database|connection) /);
          expectNoCanary(message);
        },
      );
    }
  });

  test.each(["postgres", "mysql"])("%s: queues many reads on at most four connections", async (scheme) => {
    let open = 0;
    let peak = 0;
    await withServer(
      (socket) => {
        open++;
        peak = Math.max(peak, open);
        socket.on("close", () => open--).resume();
      },
      async (port) => {
        const url = `${scheme}://u:${CANARY}@localhost:${port}/db`;
        const readings = Array.from({ length: 12 }, () => withDatabase(url, fail, async () => "", 200));
        const outcomes = await Promise.allSettled(readings);
        expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(12);
      },
    );
    expect(peak).toBe(4);
  });

  test("does not repeat the password from a PostgreSQL refusal", async () => {
    await withServer(
      (socket) => socket.once("data", () => socket.end(postgresRefusal())),
      async (port) => {
        const url = `postgres://u:${CANARY}@localhost:${port}/db`;
        const message = await failureOf(kamailioCredential({ url, username: "1011" }));
        expect(message).toContain("refuses the user or password in `url`");
        expectNoCanary(message);
      },
    );
  });

  test("refuses any other scheme", async () => {
    const message = await failureOf(kamailioCredential({ url: `redis://${CANARY}@h`, username: "1011" }));
    expect(message).toContain("must begin with postgres://, postgresql://, mysql:// or mariadb://.");
    expectNoCanary(message);
  });

  test("names a missing driver with the command that installs it", async () => {
    for (const [scheme, name] of [
      ["postgres", "pg"],
      ["mariadb", "mysql2"],
    ]) {
      jest.resetModules();
      jest.doMock(name ?? "", () => {
        throw Object.assign(new Error("Cannot find module"), { code: "MODULE_NOT_FOUND" });
      });
      try {
        const fresh: typeof import("../provider/credential-readers/database") = require("../provider/credential-readers/database");
        await expect(fresh.withDatabase(`${scheme}://h/d`, fail, async () => "")).rejects.toThrow(
          `reader: thing: the package ${name} is needed to read this database and is not installed: run \`npm install ${name}\`.`,
        );
      } finally {
        jest.dontMock(name ?? "");
      }
    }
  });
});

interface ServerKey {
  readonly key: string;
  readonly cert: string;
}

class ThrowAwayAuthority {
  private readonly folder = mkdtempSync(join(tmpdir(), "readers-ca-"));
  readonly caFile = join(this.folder, "ca.pem");

  constructor() {
    this.openssl(
      "req",
      "-x509",
      ...this.newKey("ca.key"),
      "-out",
      "ca.pem",
      "-days",
      "2",
      "-subj",
      "/CN=Throw-away CA",
    );
  }

  issue(host: string): ServerKey {
    const subject = ["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`];
    const signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-addext", "basicConstraints=critical,CA:FALSE"];
    this.openssl("req", "-x509", ...this.newKey("host.key"), "-out", "host.pem", ...subject, ...signer);
    const read = (name: string) => readFileSync(join(this.folder, name), "utf8");
    return { key: read("host.key"), cert: read("host.pem") };
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private newKey(file: string): string[] {
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file];
  }

  private openssl(...args: string[]): void {
    execFileSync("openssl", args, { cwd: this.folder, stdio: "pipe" });
  }
}

/** Enough of PostgreSQL to offer TLS and then refuse the login. `heard` gets what the client says inside TLS. */
function greetAsPostgres(socket: Socket, key: ServerKey, heard: (text: string) => void = () => {}): void {
  socket.once("data", () => {
    socket.write("S");
    refuseInside(socket, key, postgresRefusal(), heard);
  });
}

function postgresRefusal(): Buffer {
  const field = (type: string, text: string) => `${type}${text}\0`;
  const body = `${field("S", "FATAL") + field("C", "28P01") + field("M", `wrong password ${CANARY}`)}\0`;
  const length = Buffer.alloc(4);
  length.writeInt32BE(Buffer.byteLength(body) + 4);
  return Buffer.concat([Buffer.from("E"), length, Buffer.from(body)]);
}

/** Enough of MySQL to offer TLS and then refuse the login (protocol 4.1 with SSL, secure connection and plugins). */
function greetAsMysql(socket: Socket, key: ServerKey, heard: (text: string) => void = () => {}): void {
  socket.write(mysqlGreeting(true));
  const sslRequestLength = 36;
  socket.once("data", (chunk) => {
    socket.pause();
    if (chunk.length > sslRequestLength) {
      socket.unshift(chunk.subarray(sslRequestLength));
    }
    refuseInside(socket, key, mysqlRefusal(3), heard);
  });
}

/** Enough of MySQL to refuse a login without TLS. */
function refuseAsMysql(socket: Socket): void {
  socket.write(mysqlGreeting(false));
  socket.once("data", () => socket.end(mysqlRefusal(2)));
}

function mysqlGreeting(offersTls: boolean): Buffer {
  const salt = "01234567";
  const capabilities = { low: [0x08, offersTls ? 0x8a : 0x82], high: [0x08, 0x00] };
  return mysqlPacket(
    0,
    Buffer.from([
      0x0a,
      ...Buffer.from(`8.0.0\0\x01\0\0\0${salt}\0`),
      ...capabilities.low,
      0x21,
      2,
      0,
      ...capabilities.high,
    ]),
    Buffer.from([21, ...Buffer.alloc(10), ...Buffer.from("890123456789\0mysql_native_password\0")]),
  );
}

function mysqlRefusal(sequence: number): Buffer {
  return mysqlPacket(sequence, Buffer.from([0xff, 0x15, 0x04]), Buffer.from(`#28000no ${CANARY}`));
}

function mysqlPacket(sequence: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([body.length, 0, 0, sequence]), body]);
}

/** Continues in TLS and refuses the login. */
function refuseInside(socket: Socket, key: ServerKey, refusal: Buffer, heard: (text: string) => void): void {
  const secure = new TLSSocket(socket, { isServer: true, ...key });
  secure.on("error", () => {});
  secure.once("data", (chunk) => {
    heard(chunk.toString("latin1"));
    secure.end(refusal);
  });
}

const NO_NAME = { C: "", ST: "", L: "", O: "", OU: "", CN: "" };
const NO_CERTIFICATE: PeerCertificate = {
  ca: false,
  raw: Buffer.alloc(0),
  subject: NO_NAME,
  issuer: NO_NAME,
  valid_from: "",
  valid_to: "",
  serialNumber: "",
  fingerprint: "",
  fingerprint256: "",
  fingerprint512: "",
};

/** Finds every host on loopback. */
const loopbackLookup: typeof dns.lookup = Object.assign(
  (_host: string, options: unknown, callback?: unknown) => {
    const done = typeof options === "function" ? options : callback;
    const all = typeof options === "object" && options !== null && Reflect.get(options, "all") === true;
    if (typeof done === "function") {
      process.nextTick(() => (all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4)));
    }
  },
  { __promisify__: dns.lookup.__promisify__ },
);

/** Runs `use` with a TCP server on loopback that behaves as the test says. */
async function withServer(onConnection: (socket: Socket) => void, use: (port: number) => Promise<void>): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  const port = await listen(server);
  try {
    await use(port);
  } finally {
    for (const socket of sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => server.close(resolve));
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "localhost", () => resolve((server.address() as AddressInfo).port));
  });
}

/** A port that nothing listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function serverOffersTls(url: string): Promise<boolean> {
  return withDatabase(url, failing("test", "tls"), async (database) => {
    if (url.startsWith("postgres")) {
      const [row] = await database.find({ table: "pg_settings", columns: ["setting"], where: { name: "ssl" } });
      return row?.("setting") === "on";
    }
    const [row] = await database.find({
      table: "information_schema.GLOBAL_VARIABLES",
      columns: ["VARIABLE_VALUE"],
      where: { VARIABLE_NAME: "HAVE_SSL" },
    });
    return row?.("VARIABLE_VALUE") === "YES";
  });
}
