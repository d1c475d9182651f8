/** asteriskRealtimeCredential with real databases; asteriskConfigCredential and its parser with files. */

import { createHash } from "node:crypto";
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
  ('realm', 'md5', 'acme', NULL, '${MD5.toUpperCase()}', 'pbx'),
  ('oauth', 'google_oauth', 'acme', NULL, NULL, NULL),
  ('empty', 'userpass', 'acme', NULL, NULL, NULL),
  ('nameless', 'userpass', '', '${secret}', NULL, NULL),
  ('unhashed', 'md5', 'acme', '${secret}', NULL, NULL),
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

    test("gives a verifier for auth_type md5, with the row's realm or the default one", async () => {
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

    test("gives a verifier for auth_type digest, on databases that have password_digest", async () => {
      await database.run(
        "CREATE TABLE newer (id VARCHAR(9), auth_type VARCHAR(9), username VARCHAR(9), password VARCHAR(80), realm VARCHAR(9), password_digest VARCHAR(1024))",
        `INSERT INTO newer VALUES ('both', 'digest', 'acme', '', 'pbx', 'MD5:${MD5}, SHA-256:${SHA256}'), ('plain', 'digest', 'acme', '${secret}', 'pbx', NULL)`,
      );
      expect(await credentialOf(reader("both", { table: "newer" }))).toMatchObject({
        algorithm: "SHA-256",
        ha1: SHA256,
      });
      expect(await credentialOf(reader("plain", { table: "newer" }))).toEqual({ username: "acme", password: secret });
    });

    test.each([
      ["nobody", "there is no such row: check `id`"],
      ["oauth", "use an auth of type userpass, md5 or digest"],
      ["empty", "it has no password: set one"],
      ["nameless", "it has no username: set one"],
      ["unhashed", "set md5_cred or password_digest"],
      ["broken", "its MD5 hash is not valid hexadecimal"],
    ])("says what is wrong with %s", async (id, sentence) => {
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

  test("passes over comments of every kind, and keeps escaped semicolons", async () => {
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

  test("gives a verifier for md5 and digest, with the realm of the section or of the global section", async () => {
    const global = "[global]\ntype=global\ndefault_realm=pbx\n";
    const auth = (name: string, more: string) => `[${name}]\ntype=auth\nusername=acme\n${more}\n`;
    write({
      "pjsip.conf":
        global +
        auth("md5", `auth_type=md5\nmd5_cred=${MD5}`) +
        auth("own", `auth_type=md5\nmd5_cred=${MD5}\nrealm=asterisk`) +
        auth("digest", `auth_type=digest\npassword_digest=MD5:${MD5}\npassword_digest = SHA-256:${SHA256}`) +
        auth("plain", `auth_type=digest\npassword=${secret}`) +
        auth("newest", `auth_type=digest\npassword_digest=SHA-512-256:${SHA256}`),
    });
    expect(await credentialOf(reader("md5"))).toMatchObject({ realm: "pbx", algorithm: "MD5", ha1: MD5 });
    const own = await credentialOf(reader("own"));
    expect("ha1" in own && verifies(own, secret)).toBe(true);
    const digest = await credentialOf(reader("digest"));
    expect(digest).toMatchObject({ algorithm: "SHA-256", source: `Asterisk's ${join(folder, "pjsip.conf")}` });
    expect("ha1" in digest && verifies(digest, secret)).toBe(true);
    expect(await credentialOf(reader("plain"))).toEqual({ username: "acme", password: secret });
    expect(await failureOf(reader("newest"))).toContain("its hashes are neither MD5 nor SHA-256: add one of these.");
  });

  test.each([
    [
      "#exec is never run",
      "#exec touch ran\n[a]\ntype=auth",
      "line 1: #exec runs a command, which a preview never does",
    ],
    ["a missing include", "#include gone.conf", "line 1: #include names a file that does not exist"],
    ["an include of itself", "#include pjsip.conf", "pjsip.conf includes itself"],
    ["a header without end", `[a\npassword=${CANARY}`, "line 1: a section header is not closed"],
    ["a missing template", "\n[a](nowhere)", "line 2: a section inherits from one that does not exist above it"],
    ["an addition to nothing", "[a](+)", "line 1: a section adds to one that does not exist above it"],
    ["a line before any section", `password=${CANARY}`, "line 1: a line comes before the first [section]"],
    ["another type", "[a]\ntype=endpoint\nauth=a-auth", "but it names the auth [a-auth]: set `section` to that."],
    ["no such section", "[b]\ntype=auth", "there is no such section: check `section`."],
    ["no password", "[a]\ntype=auth\nusername=a", "it has no password: set one."],
  ])("says what is wrong: %s", async (_what, text, sentence) => {
    write({ "pjsip.conf": text });
    const message = await failureOf(reader("a"));
    expect(message).toContain(`asteriskConfigCredential: [a] in Asterisk's ${join(folder, "pjsip.conf")}: `);
    expect(message).toContain(sentence);
    expectNoCanary(message);
  });

  test("says that the file is not there, or is a folder", async () => {
    expect(await failureOf(reader("a"))).toContain("pjsip.conf does not exist on this machine: check the path");
    mkdirSync(join(folder, "pjsip.conf"));
    expect(await failureOf(reader("a"))).toContain("pjsip.conf is a directory: name the file in it");
  });

  test("arbitrary text is data or an error in our words, never anything else", () => {
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

  test("any value without a comment is read back as it was written", () => {
    const value = fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((text) => !/[\n;\\]/.test(text) && text === text.trim() && !text.startsWith(">"));
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
