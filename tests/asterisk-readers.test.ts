/** asteriskRealtimeCredential with real databases; asteriskConfigCredential and its parser with files. */

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { asteriskConfigCredential, authIn } from "../provider/credential-readers/asterisk-config";
import { asteriskRealtimeCredential } from "../provider/credential-readers/asterisk-realtime";
import { CredentialReadError, failing } from "../provider/credential-readers/errors";
import { optionOf, parseConfig } from "../provider/credential-readers/pjsip-conf";
import { verifies } from "../provider/voip/credential";
import { databaseServers, type TestDatabase } from "./support/databases";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { credentialOf, failureOf } from "./support/outputs";

const secret = password("stored");
const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest("hex");
const MD5 = hash("md5", `acme:asterisk:${secret}`);
const SHA256 = hash("sha256", `acme:pbx:${secret}`);

const SHA256_ONLY = "supported_algorithms_uas=SHA-256\nsupported_algorithms_uac=SHA-256";

const PS_AUTHS = `CREATE TABLE ps_auths (
  id VARCHAR(255) NOT NULL,
  auth_type VARCHAR(20),
  username VARCHAR(40),
  password VARCHAR(80),
  md5_cred VARCHAR(40),
  realm VARCHAR(255)
)`;

const ROWS = `INSERT INTO ps_auths VALUES
  ('plain', 'userpass', 'acme', '${secret}', 'not read', NULL),
  ('untyped', NULL, 'acme', '${secret}', NULL, NULL),
  ('md5', 'md5', 'acme', NULL, '${MD5}', NULL),
  ('realm', 'md5', 'acme', NULL, '${MD5}', 'pbx'),
  ('capitals', 'md5', 'acme', NULL, '${MD5.toUpperCase()}', NULL),
  ('oauth', 'google_oauth', 'acme', NULL, NULL, NULL),
  ('empty', 'userpass', 'acme', NULL, NULL, NULL),
  ('nameless', 'userpass', '', '${secret}', NULL, NULL),
  ('unhashed', 'md5', 'acme', NULL, NULL, NULL),
  ('broken', 'md5', 'acme', NULL, '${CANARY}', NULL)`;

for (const server of databaseServers) {
  (server.available ? describe : describe.skip)(`ps_auths on ${server.name}`, () => {
    let database: TestDatabase;

    beforeAll(async () => {
      database = await server.create();
      await database.run(PS_AUTHS, ROWS);
    });

    afterAll(async () => {
      await database?.drop();
    });

    const reader = (id: string, more: Partial<Parameters<typeof asteriskRealtimeCredential>[0]> = {}) =>
      asteriskRealtimeCredential({ url: database.url(), id, ...more });

    test("reads a password, as a secret", async () => {
      const output = reader("plain");
      expect(await credentialOf(output)).toEqual({ username: "acme", password: secret });
      expect(await pulumi.isSecret(output)).toBe(true);
      expect(await credentialOf(reader("untyped"))).toEqual({ username: "acme", password: secret });
    });

    test("returns a verifier for auth_type md5, with the row's realm or the default one", async () => {
      const verifier = await credentialOf(reader("md5"));
      expect(verifier).toEqual({
        username: "acme",
        realm: "asterisk",
        algorithm: "MD5",
        ha1: MD5,
        source: "Asterisk's table ps_auths",
      });
      expect("ha1" in verifier && verifies(verifier, secret)).toBe(true);
      expect(await credentialOf(reader("realm"))).toMatchObject({ realm: "pbx", ha1: MD5 });
      expect(await credentialOf(reader("md5", { defaultRealm: "own" }))).toMatchObject({ realm: "own" });
    });

    test("chooses the hash by the algorithms in use, on databases that have password_digest", async () => {
      await database.run(
        "CREATE TABLE newer (id VARCHAR(9), auth_type VARCHAR(9), username VARCHAR(9), password VARCHAR(80), realm VARCHAR(9), password_digest VARCHAR(1024), supported_algorithms_uas VARCHAR(99))",
        `INSERT INTO newer VALUES
          ('both', 'digest', 'acme', '', 'pbx', 'MD5:${MD5}, SHA-256:${SHA256}', NULL),
          ('sha', 'digest', 'acme', '', 'pbx', 'MD5:${MD5};SHA-256:${SHA256}', 'SHA-256, MD5'),
          ('plain', 'digest', 'acme', '${secret}', 'pbx', NULL, NULL)`,
        "ALTER TABLE newer ADD COLUMN md5_cred VARCHAR(40)",
        `INSERT INTO newer VALUES ('two', 'digest', 'acme', '', 'pbx', 'MD5:${MD5}', NULL, '${"0".repeat(32)}')`,
      );
      const newer = (id: string, more = {}) => credentialOf(reader(id, { table: "newer", ...more }));
      expect(await newer("both")).toMatchObject({ algorithm: "MD5", ha1: MD5 });
      expect(await newer("both", { defaultAlgorithms: "SHA-256" })).toMatchObject({
        algorithm: "SHA-256",
        ha1: SHA256,
      });
      expect(await newer("sha")).toMatchObject({ algorithm: "SHA-256", ha1: SHA256 });
      expect(await newer("plain")).toEqual({ username: "acme", password: secret });
      expect(await failureOf(reader("two", { table: "newer" }))).toContain(
        "its md5_cred and its password_digest have different hashes for MD5: remove one.",
      );
    });

    test("decodes every column, and finds the row of an ID that Asterisk encodes", async () => {
      await database.run(
        `INSERT INTO ps_auths VALUES ('a^3Bb^5Ec', ' ; md5 ', 'ac^3Bme', NULL, '${MD5} ', 'p^C3^A9;  ')`,
        "INSERT INTO ps_auths VALUES ('cut', 'userpass', 'a', 'ab^5', NULL, NULL)",
        "INSERT INTO ps_auths VALUES ('latin1', 'userpass', 'a', 'ab^E9', NULL, NULL)",
      );
      expect(await credentialOf(reader("a;b^c"))).toMatchObject({ username: "ac;me", realm: "p\u00e9", ha1: MD5 });
      expect(await failureOf(reader("cut"))).toContain("its password ends within a ^XX: write ^5E for a ^.");
      expect(await failureOf(reader("latin1"))).toContain("its password is not UTF-8 once ^XX is decoded");
    });

    test("refuses a column whose bytes are not UTF-8", async () => {
      const postgres = server.name === "PostgreSQL";
      await database.run(
        postgres
          ? "CREATE TABLE bytes (id VARCHAR(9), auth_type VARCHAR(9), username VARCHAR(9), password BYTEA)"
          : "CREATE TABLE bytes (id VARCHAR(9), auth_type VARCHAR(9), username VARCHAR(9), password VARBINARY(99))",
        `INSERT INTO bytes VALUES ('a', 'userpass', 'acme', ${postgres ? "'\\x4de972'" : "x'4de972'"})`,
      );
      expect(await failureOf(reader("a", { table: "bytes" }))).toContain(
        "its password is not UTF-8: convert the column",
      );
    });

    test("names the columns that disagree, and takes the one that `use` selects", async () => {
      await database.run(`INSERT INTO ps_auths VALUES ('differ', NULL, 'acme', '${secret}-old', '${MD5}', NULL)`);
      await database.run(`INSERT INTO ps_auths VALUES ('agree', NULL, 'acme', '${secret}', '${MD5}', NULL)`);
      const message = await failureOf(reader("differ"));
      expect(message).toContain("its password and its md5_cred disagree for the realm asterisk, and it depends on");
      expect(message).toContain('set `use` to "password" or "hash".');
      expectNoCanary(message);
      expect(await credentialOf(reader("differ", { use: "password" }))).toMatchObject({ password: `${secret}-old` });
      expect(await credentialOf(reader("differ", { use: "hash" }))).toMatchObject({ ha1: MD5 });
      expect(await credentialOf(reader("agree"))).toEqual({ username: "acme", password: secret });
    });

    test("names the privilege that the database user lacks", async () => {
      const role = `reader_${randomBytes(6).toString("hex")}`;
      const postgres = server.name === "PostgreSQL";
      const grantee = postgres ? role : `${role}@'%'`;
      await database.run(
        `CREATE ${postgres ? "ROLE" : "USER"} ${grantee} ${postgres ? "LOGIN PASSWORD" : "IDENTIFIED BY"} '${CANARY}'`,
        `GRANT SELECT (id, auth_type, username, password, realm) ON ps_auths TO ${grantee}`,
      );
      try {
        const message = await failureOf(reader("plain", { url: database.url({ user: role, password: CANARY }) }));
        expect(message).toContain("may not read the column md5_cred: grant it SELECT on the columns that");
        expectNoCanary(message);
      } finally {
        await database.run(...(postgres ? [`DROP OWNED BY ${role}`, `DROP ROLE ${role}`] : [`DROP USER ${grantee}`]));
      }
    });

    test.each([
      ["nobody", "there is no such row: check `id`"],
      ["oauth", "use an auth of type userpass, md5 or digest"],
      ["empty", "it has no password: set one"],
      ["nameless", "it has no username: set one"],
      ["unhashed", "set md5_cred or password_digest"],
      ["broken", "its MD5 hash is not valid hexadecimal in lower case"],
      ["capitals", "its MD5 hash is not valid hexadecimal in lower case"],
    ])("explains what is wrong with %s", async (id, sentence) => {
      const message = await failureOf(reader(id));
      expect(message).toContain(`asteriskRealtimeCredential: auth ${id} in Asterisk's table ps_auths: `);
      expect(message).toContain(sentence);
      expectNoCanary(message);
    });
  });
}

describe("pjsip.conf", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "pjsip-conf-"));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function write(files: Record<string, string>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
  }
  const reader = (section: string) => asteriskConfigCredential({ file: join(folder, "pjsip.conf"), section });

  test("reads the auth among the sections of the same name, as a secret", async () => {
    write({
      "pjsip.conf": `
[transport-udp]
type = transport

[1011]
type=endpoint
auth=1011
[1011]
type=auth ; what counts here
auth_type=userpass
username=1011
password=${secret} ; a comment
[1011]
type=aor
`,
    });
    const output = reader("1011");
    expect(await credentialOf(output)).toEqual({ username: "1011", password: secret });
    expect(await pulumi.isSecret(output)).toBe(true);
  });

  test("follows templates, additions and later values", async () => {
    write({
      "pjsip.conf": `
[auth-defaults](!)
type=auth
auth_type=userpass
password=default
[named](!,auth-defaults)
username=named
[a](named)
password => ${secret}
[b](auth-defaults,named)
password=first
password=second
[b](+)
password=third
[c]
type=endpoint
[c](auth-defaults)
username=c
[c](+type=auth)
password+=-longer
`,
    });
    expect(await credentialOf(reader("a"))).toEqual({ username: "named", password: secret });
    expect(await credentialOf(reader("b"))).toEqual({ username: "named", password: "third" });
    expect(await credentialOf(reader("c"))).toEqual({ username: "c", password: "default-longer" });
    expect(await failureOf(reader("named"))).toContain("there is no such section: check `section`.");
  });

  test("skips comments of every kind, and keeps escaped semicolons", async () => {
    write({
      "pjsip.conf": `; [a]
[a] ; a section
type=auth
username=a
;-- password=wrong
password=wrong too ;-- nested --; still a comment
--;password=one\\;two;three
;--- a line, not a block
username=b
`,
    });
    expect(await credentialOf(reader("a"))).toEqual({ username: "b", password: "one;two" });
  });

  test("follows includes with wildcards from the configuration's folder, and optional ones", async () => {
    write({
      "pjsip.conf": `#include "pjsip.d/*.conf"\n#tryinclude gone.conf\n#tryinclude <nowhere/*.conf>\n[z]\n#include values.inc\n`,
      "pjsip.d/10-templates.conf": "[t](!)\ntype=auth\nusername=t\n",
      "pjsip.d/20-auths.conf": "#include more/{one,two}.conf\n",
      "pjsip.d/.hidden.conf": "[broken",
      "more/one.conf": "[one](t)\npassword=1\n",
      "more/two.conf": "[two](t)\npassword=2\n",
      "values.inc": `type=auth\nusername=z\npassword=${secret}\n`,
    });
    expect(await credentialOf(reader("one"))).toEqual({ username: "t", password: "1" });
    expect(await credentialOf(reader("two"))).toEqual({ username: "t", password: "2" });
    expect(await credentialOf(reader("z"))).toEqual({ username: "z", password: secret });
  });

  test("includes only the files that match, whatever is in the name of a folder", async () => {
    write({
      "pjsip.conf": "#include pjsip.d/*.conf\n#include pjsip.d/../shared/*\n",
      "pjsip.d/auths.conf": `[one]\ntype=auth\nusername=one\npassword=${secret}\n`,
      "pjsip.d/auths.conf.bak": "[broken",
      "shared/auths": `[two]\ntype=auth\nusername=two\npassword=${secret}\n`,
    });
    expect(await credentialOf(reader("one"))).toEqual({ username: "one", password: secret });
    expect(await credentialOf(reader("two"))).toEqual({ username: "two", password: secret });
  });

  test("returns a verifier for md5 and digest, with the realm of the section or of the global section", async () => {
    const global = "[global]\ntype=global\ndefault_realm=pbx\n";
    const auth = (name: string, more: string) => `[${name}]\ntype=auth\nusername=acme\n${more}\n`;
    write({
      "pjsip.conf":
        global +
        auth("md5", `auth_type=md5\nmd5_cred=${MD5}`) +
        auth("own", `auth_type=md5\nmd5_cred=${MD5}\nrealm=asterisk`) +
        auth("digest", `auth_type=digest\npassword_digest=MD5:${MD5}\npassword_digest = SHA-256:${SHA256}`) +
        auth("sha", `password_digest=SHA-256:${SHA256}\n${SHA256_ONLY}`) +
        auth("plain", `auth_type=digest\npassword=${secret}`) +
        auth("newest", `auth_type=digest\npassword_digest=SHA-512-256:${SHA256}`),
    });
    expect(await credentialOf(reader("md5"))).toMatchObject({ realm: "pbx", algorithm: "MD5", ha1: MD5 });
    const own = await credentialOf(reader("own"));
    expect("ha1" in own && verifies(own, secret)).toBe(true);
    const digest = await credentialOf(reader("digest"));
    expect(digest).toMatchObject({ algorithm: "MD5", source: `Asterisk's ${join(folder, "pjsip.conf")}` });
    const sha = await credentialOf(reader("sha"));
    expect(sha).toMatchObject({ algorithm: "SHA-256", ha1: SHA256 });
    expect("ha1" in sha && verifies(sha, secret)).toBe(true);
    expect(await credentialOf(reader("plain"))).toEqual({ username: "acme", password: secret });
    expect(await failureOf(reader("newest"))).toContain("its hashes are neither MD5 nor SHA-256: add one of these.");
  });

  /** Sections with the password that Asterisk 22 read from them. */
  test.each<[string, string, string | undefined]>([
    ["a no-break space is not trimmed", `[a]\npassword=\u00a0x\u00a0\n`, "\u00a0x\u00a0"],
    ["control characters are trimmed", "[a]\npassword=\x01\tx \x1f\r\n", "x"],
    ["+= after = appends", "[a]\npassword=x\npassword+= y \n", "x y"],
    ["+= appends to the last value of the option", "[a]\npassword=x\npassword=y\npassword+=z\n", "yz"],
    ["+= matches names case-sensitively", "[a]\nPassword=x\npassword+=y\n", "y"],
    ["+= keeps a >", "[a]\npassword+=>x\n", ">x"],
    ["= in a value is part of it", "[a]\npassword=x+=y\n", "x+=y"],
    ["an escaped name", "[a]\n\\password=x\n", "x"],
    ["an escaped semicolon", "[a]\npassword=x\\;y\\;;z\n", "x;y;"],
    ["a comment within a line", "[a]\npassword=x;--y--;z\n", "xz"],
    ["nested comments", "[a]\npassword=x;--;--\n--;\npassword=y\n--;z\n", "x"],
    ["dashes that open no comment", "[a]\npassword=x;---y\npassword+=z\n", "xz"],
    ["names of options in any case", "[a]\nPassWord=x\n", "x"],
    ["a filter is a regular expression", "[a]\npassword=x\n[a](+type=^auth$)\npassword=y\n", "y"],
    ["a filter matches substrings of names and values", "[a]\npassword=x\n[a](+yp=ut)\npassword=y\n", "y"],
    ["a filter with two conditions", "[A]\nb=1\n[a]\npassword=x\n[a](+type=auth&user=.)\npassword=y\n", "y"],
    ["quotation marks around a filter", `[a]\npassword=x\n[a](+type="a.*h")\npassword=y\n`, "y"],
    ["an addition to a section that has a template of the same name", "[a](!)\nb=1\n[a]\n[a](+)\npassword=x\n", "x"],
    ["a base that is not a template", "[b]\npassword=x\n[a](b)\n", "x"],
    ["an empty name inherits from the first section", "[b]\npassword=x\n[a]()\n", "x"],
    ["a line without = is skipped", "[a]\npassword=x\npassword\n", "x"],
    ["a byte order mark at the start", "\ufeff[a]\npassword=x\n", "x"],
    ["text after a header", "[a] (b)\npassword=x\n", "x"],
    ["#include without a file", "[a]\npassword=x\n#include\n#unknown y\n", "x"],
  ])("%s", async (_what, text, expected) => {
    const rest = "type=auth\nusername=a\n";
    // The first header of the section in question gets the options that every auth needs.
    const config = text.replace(/^(.*?\[a\](?!\(!)[^\n]*\n)/s, `$1${rest}`);
    write({ "pjsip.conf": config });
    expect(await credentialOf(reader("a"))).toEqual({ username: "a", password: expected });
  });

  test("a section at the end of an include continues in the next include, as in Asterisk", async () => {
    write({
      "pjsip.conf": "[z]\n#include one.conf\n#include two.conf\ntype=auth\n",
      "one.conf": "[a]\ntype=auth\n",
      "two.conf": `username=a\npassword=${secret}\n`,
    });
    expect(await credentialOf(reader("a"))).toEqual({ username: "a", password: secret });
  });

  test("reads the auth that Asterisk derives from a section in pjsip_wizard.conf", async () => {
    write({
      "pjsip.conf": `[phone](!)
type=wizard
accepts_auth=yes
inbound_auth/realm=pbx
outbound_auth/password=not this one
[1011](phone)
inbound_auth/username=1011
inbound_auth/password=${secret}
[md5](phone)
inbound_auth/username=acme
inbound_auth/auth_type=md5
inbound_auth/md5_cred=${MD5}
[out]
type=wizard
sends_auth=yes
outbound_auth/username=out
[twice](phone)
[twice](phone)
`,
    });
    expect(await credentialOf(reader("1011"))).toEqual({ username: "1011", password: secret });
    expect(await credentialOf(reader("md5"))).toMatchObject({ realm: "pbx", ha1: MD5 });
    expect(await failureOf(reader("out"))).toContain("set accepts_auth=yes and inbound_auth/…");
    expect(await failureOf(reader("twice"))).toContain("the section of type wizard is there twice");
  });

  test("takes realm and algorithms from the arguments if the global section is in another file", async () => {
    write({
      "pjsip.conf": `[a]\ntype=auth\nusername=acme\npassword_digest=MD5:${MD5}\npassword_digest=SHA-256:${SHA256}\n`,
    });
    const args = { file: join(folder, "pjsip.conf"), section: "a", defaultRealm: "pbx", defaultAlgorithms: "SHA-256" };
    expect(await credentialOf(asteriskConfigCredential(args))).toMatchObject({ realm: "pbx", algorithm: "SHA-256" });
  });

  test("the last of several hashes wins", async () => {
    const zero = "0".repeat(32);
    write({ "pjsip.conf": `[a]\ntype=auth\nusername=a\npassword_digest=MD5:${zero}\nmd5_cred=${MD5}\n` });
    expect(await credentialOf(reader("a"))).toMatchObject({ ha1: MD5 });
  });

  test("the first type wins, types and names are case-sensitive, and spaces count in names", async () => {
    write({ "pjsip.conf": "[a]\ntype=Auth\n[b]\ntype=endpoint\ntype=auth\n[C]\ntype=auth\n[ d ]\ntype=auth\n" });
    expect(await failureOf(reader("a"))).toContain("the section is not of type auth");
    expect(await failureOf(reader("b"))).toContain("the section is not of type auth");
    expect(await failureOf(reader("c"))).toContain("there is no such section, only [C] in ");
    expect(await failureOf(reader("d"))).toContain(
      "pjsip.conf, line 8: Asterisk tells names apart by case and by blanks.",
    );
    write({ "pjsip.conf": `[ d ]\ntype=auth\nusername=d\npassword=${secret}\n` });
    expect(await credentialOf(reader(" d "))).toEqual({ username: "d", password: secret });
    write({ "pjsip.conf": `[${"n".repeat(90)}]\ntype=auth\nusername=d\npassword=${secret}\n` });
    expect(await failureOf(reader("n".repeat(90)))).toContain("there is no such section");
    expect(await credentialOf(reader("n".repeat(79)))).toEqual({ username: "d", password: secret });
  });

  test.each([
    [
      "#exec is never run",
      "#exec touch ran\n[a]\ntype=auth",
      "line 1: #exec runs a command, which a preview never does",
    ],
    ["a missing include", "#include gone.conf", "line 1: #include names a file that does not exist"],
    ["an include of itself", "#include pjsip.conf", "pjsip.conf includes itself"],
    ["an unclosed header", `[a\npassword=${CANARY}`, "line 1: a section header is not closed"],
    ["templates without end", `[office](defaults\npassword=${CANARY}`, "line 1: a section header is not closed"],
    ["a missing template", "\n[a](nowhere)", "line 2: a section inherits from one that does not exist above it"],
    ["an addition to a missing section", "[a](+)", "line 1: a section adds to one that does not exist above it"],
    ["a line before any section", `password=${CANARY}`, "line 1: a line comes before the first [section]"],
    [
      "a section of another type",
      "[a]\ntype=endpoint\nauth=a-auth",
      "but it names the auth [a-auth]: set `section` to that.",
    ],
    ["no such section", "[b]\ntype=auth", "there is no such section: check `section`."],
    ["no password", "[a]\ntype=auth\nusername=a", "it has no password: set one."],
    ["a duplicate section", `[a]\ntype=auth\npassword=${CANARY}\n[a]\ntype=auth`, "the section is there twice ("],
    [
      "another auth twice",
      "[a]\ntype=auth\n[b]\ntype=auth\n[b]\ntype=auth",
      "line 5), and Asterisk loads no auth of the file then: remove one.",
    ],
    [
      "an unknown option",
      `[a]\ntype=auth\n${CANARY}=x`,
      "line 3: an auth has no option of this name, so Asterisk does not load the section: expected type, auth_type,",
    ],
    [
      "a value that depends on Asterisk's version",
      `[a]\ntype=auth\npassword=${CANARY}\npassword=${CANARY}\npassword+=x`,
      "line 5: it depends on Asterisk's version which of several options += appends to: write the whole value with =.",
    ],
    ["a comment end without a start", `[a]\npassword=${CANARY}--;x`, "line 2: --; closes a comment that is not open"],
    ["an escape of nothing", "[a]\n\\ x=y", "line 2: a backslash is followed by nothing: remove it."],
    [
      "a filter with a group",
      `[a]\n[a](+b=(${CANARY})`,
      "line 2: an addition (+…) has a filter that this reader does not",
    ],
    ["a NUL character", `[a]\npassword=${CANARY}\0x`, "line 2: the line contains a NUL character"],
    ["a template", "[a](!)\ntype=auth", "The one in "],
    [
      "a hash for another algorithm",
      `[a]\ntype=auth\nusername=a\npassword_digest=SHA-256:${SHA256}`,
      "it has neither a password nor a hash for MD5, so Asterisk does not load it: add one, or set supported_algorithms_uas",
    ],
    [
      "an unknown algorithm",
      `[a]\ntype=auth\nusername=a\npassword_digest=${CANARY}:${SHA256}`,
      "its password_digest has an algorithm that Asterisk does not know: expected MD5, SHA-256 or SHA-512-256.",
    ],
    [
      "an unknown algorithm in use",
      `[a]\ntype=auth\nusername=a\npassword=b\nsupported_algorithms_uas=${CANARY}`,
      "it supports an algorithm that Asterisk does not know",
    ],
    [
      "a password for one algorithm and a hash for another",
      `[a]\ntype=auth\nusername=a\npassword=${CANARY}\npassword_digest=SHA-256:${SHA256}\nsupported_algorithms_uas=MD5,SHA-256`,
      "its password and its password_digest disagree for the realm asterisk, and it depends on the algorithm that the caller",
    ],
  ])("explains what is wrong: %s", async (_what, text, sentence) => {
    write({ "pjsip.conf": text });
    const message = await failureOf(reader("a"));
    expect(message).toContain(`asteriskConfigCredential: [a] in Asterisk's ${join(folder, "pjsip.conf")}: `);
    expect(message).toContain(sentence);
    expectNoCanary(message);
  });

  test("reports a missing file and a folder", async () => {
    expect(await failureOf(reader("a"))).toContain("pjsip.conf does not exist on this machine: check the path");
    mkdirSync(join(folder, "pjsip.conf"));
    expect(await failureOf(reader("a"))).toContain("pjsip.conf is a directory: name the file in it");
  });

  test("arbitrary text gives data or a CredentialReadError, and nothing else", () => {
    const pieces = fc.constantFrom(
      "[a]",
      "(!)",
      "(+)",
      "(b)",
      ";--",
      "--;",
      "\\;",
      "#include x",
      "#exec x",
      "=",
      "\n",
      "type=auth",
      " ",
    );
    const anything = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.array(pieces).map((list) => list.join("")),
    );
    fc.assert(
      fc.property(anything, anything, (text, included) => {
        const fail = failing("reader", "thing");
        try {
          const sections = parseConfig({ path: "main", text }, () => [{ path: "included", text: included }], fail);
          for (const section of sections) {
            expect(typeof (optionOf(section, "type") ?? "")).toBe("string");
          }
          authIn(sections, "a", "file", fail);
        } catch (error) {
          expect(error).toBeInstanceOf(CredentialReadError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test("reads back any value without a comment as it was written", () => {
    const value = fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((text) => !/[\n;\\\0]/.test(text) && !/^[\0- ]|[\0- ]$/.test(text) && !text.startsWith(">"));
    fc.assert(
      fc.property(value, (text) => {
        const file = { path: "main", text: `[a]\ntype=auth\nusername=a\npassword=${text}\n` };
        const fail = failing("reader", "thing");
        const credential = authIn(
          parseConfig(file, () => [], fail),
          "a",
          "file",
          fail,
        );
        expect(credential).toEqual({ username: "a", password: text });
      }),
    );
  });
});
