/**
 * Configurations from the field for which a reader once returned a password that the phone system does not use. Each stands for a kind.
 */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asteriskConfigCredential, asteriskRealtimeCredential, freeswitchCredential } from "../provider";
import { databaseServers, type TestDatabase } from "./support/databases";
import { credentialOf, failureOf } from "./support/outputs";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reader-cases-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(text: string | Buffer): string {
  const file = join(folder, "file");
  writeFileSync(file, text);
  return file;
}

/** An auth in pjsip.conf whose user is 1011. */
const auth = (name: string, ...options: string[]) =>
  [`[${name}]`, "type=auth", "username=1011", ...options, ""].join("\n");
const md5 = (password: string) => createHash("md5").update(`1011:asterisk:${password}`).digest("hex");
const NEW = md5("New-Passw0rd-2");
const SHA256 = createHash("sha256").update("1011:asterisk:Other-Passw0rd-3").digest("hex");

for (const server of databaseServers) {
  (server.available ? describe : describe.skip)(`ps_auths on ${server.name}`, () => {
    let database: TestDatabase;
    const read = async (id: string) => credentialOf(asteriskRealtimeCredential({ url: database.url(), id }));

    beforeAll(async () => {
      database = await server.create();
      const postgres = server.name === "PostgreSQL";
      const types = "('md5', 'userpass', 'google_oauth')";
      await database.run(
        ...(postgres ? [`CREATE TYPE pjsip_auth_type_values_v2 AS ENUM ${types}`] : []),
        `CREATE TABLE ps_auths (id VARCHAR(255) NOT NULL UNIQUE, auth_type ${postgres ? "pjsip_auth_type_values_v2" : `ENUM ${types}`},
           md5_cred VARCHAR(40), password VARCHAR(80), realm VARCHAR(255), username VARCHAR(40), password_digest VARCHAR(1024),
           supported_algorithms_uas VARCHAR(1024), supported_algorithms_uac VARCHAR(1024))`,
        `INSERT INTO ps_auths (id, auth_type, username, password) VALUES
           ('caret', 'userpass', '1011', 'Abc^3Bdef-9xyz'), ('caret2', 'userpass', '1011', 'Pa^5Ess-w0rd-X'),
           ('semi', 'userpass', '1011', 'Abcdefgh;Ijkl-9xyz'), ('spaces', 'userpass', '1011', '  Abcdef-9xyz1 ')`,
        `INSERT INTO ps_auths (id, auth_type, password, username, password_digest) VALUES
           ('null_digest', NULL, NULL, '1011', 'MD5:${NEW}'), ('userpass_digest', 'userpass', NULL, '1011', 'MD5:${NEW}'),
           ('md5_digest', 'md5', NULL, '1011', 'MD5:${NEW}'), ('both_stale', 'userpass', 'Old-Passw0rd-1', '1011', 'MD5:${NEW}')`,
      );
    });

    afterAll(async () => {
      await database?.drop();
    });

    test.each([
      ["caret", "Abc;def-9xyz"],
      ["caret2", "Pa^ss-w0rd-X"],
      ["semi", "Ijkl-9xyz"],
      ["spaces", "Abcdef-9xyz1"],
    ])("a column is decoded: %s", async (id, password) => {
      expect(await read(id)).toEqual({ username: "1011", password });
    });

    test.each(["null_digest", "userpass_digest", "md5_digest", "both_stale"])(
      "a digest counts before a password, whatever the type: %s",
      async (id) => {
        expect(await read(id)).toMatchObject({ username: "1011", algorithm: "MD5", realm: "asterisk", ha1: NEW });
      },
    );
  });
}

test.each<[string, string[], object]>([
  ["no-type", [`password_digest=MD5:${NEW}`], { algorithm: "MD5", ha1: NEW }],
  ["userpass", ["auth_type=userpass", `password_digest=MD5:${NEW}`], { algorithm: "MD5", ha1: NEW }],
  ["md5-plain", ["auth_type=md5", "password=New-Passw0rd-2"], { password: "New-Passw0rd-2" }],
  [
    "stale-plain",
    ["auth_type=userpass", "password=Old-Passw0rd-1", `password_digest=MD5:${NEW}`],
    { algorithm: "MD5", ha1: NEW },
  ],
  [
    "plain-and-other-digest",
    ["auth_type=digest", "password=New-Passw0rd-2", `password_digest=SHA-256:${SHA256}`],
    { password: "New-Passw0rd-2" },
  ],
])("in pjsip.conf too, by the algorithm in use: %s", async (section, options, expected) => {
  const file = write(auth(section, ...options));
  expect(await credentialOf(asteriskConfigCredential({ file, section }))).toMatchObject({
    username: "1011",
    ...expected,
  });
});

test("an auth that is there twice is refused", async () => {
  const file = write(auth("auth6001", "password=First-Passw0rd1") + auth("auth6001", "password=Second-Passw0rd1"));
  const message = await failureOf(asteriskConfigCredential({ file, section: "auth6001" }));
  expect(message).toContain(`the section is there twice (${file}, line 1, and ${file}, line 5)`);
  expect(message).not.toContain("Passw0rd1");
});

test("a file in Latin-1 is refused", async () => {
  const file = write(Buffer.from(auth("1011", "password=M\u00fcller-Passw0rd1"), "latin1"));
  const message = await failureOf(asteriskConfigCredential({ file, section: "1011" }));
  expect(message).toContain(`${file}, line 4: the text is not UTF-8`);
  expect(message).not.toContain("Passw0rd1");
});

test("a user of FreeSWITCH is found by number-alias", async () => {
  const file = write(`<document type="freeswitch/xml"><section name="directory"><domain name="pbx.example"><users>
<user id="localhost-gnome" number-alias="13"><params><param name="password" value="Alias-Passw0rd1"/></params></user>
</users></domain></section></document>`);
  const credential = await credentialOf(freeswitchCredential({ file, username: "13" }));
  expect(credential).toEqual({ username: "13", password: "Alias-Passw0rd1" });
});
