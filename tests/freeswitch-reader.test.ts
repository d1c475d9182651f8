/** freeswitchCredential with directories in files, including its preprocessor and its XML parser. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { CredentialReadError, failing } from "../provider/credential-readers/errors";
import { freeswitchCredential } from "../provider/credential-readers/freeswitch";
import { credentialIn } from "../provider/credential-readers/freeswitch-directory";
import { preprocess } from "../provider/credential-readers/freeswitch-preprocessor";
import { verifies } from "../provider/voip/credential";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { credentialOf, failureOf } from "./support/outputs";

const secret = password("stored");
const MD5 = createHash("md5").update(`hashed:pbx.example:${secret}`).digest("hex");

/** A small configuration with the layout of FreeSWITCH's own. */
const CONFIGURATION = {
  "freeswitch.xml": `<?xml version="1.0"?>
<!-- A comment -- with dashes, a bare & and <tags> -->
<document type="freeswitch/xml">
  <!--#comment
      <X-NOT cmd="include" data="nowhere.xml"/>
  -->
  <X-PRE-PROCESS cmd="include" data="vars.xml"/>
  <section name="dialplan">
    <domain name="not.a.directory"><user id="1011"><params><param name="password" value="wrong"/></params></user></domain>
  </section>
  <section name="directory" description="Users & more">
    <X-PRE-PROCESS cmd="include" data="directory/*.xml"/>
  </section>
</document>
`,
  "vars.xml": `<include>
  <X-PRE-PROCESS cmd="set" data="default_password=${secret}"/>
  <X-PRE-PROCESS cmd="set" data="host = pbx"/>
  <X-PRE-PROCESS cmd="set" data="domain=$\${host}.example"/>
  <X-PRE-PROCESS cmd="exec-set" data="from_command=touch ran"/>
  <X-PRE-PROCESS cmd="stun-set" data="external_ip=stun:stun.example"/>
</include>
`,
  "directory/default.xml": `<include>
  <domain name="$\${domain}">
    <params>
      <param name="password" value="of the domain"/>
    </params>
    <groups>
      <group name="default">
        <users>
          <X-PRE-PROCESS cmd="include" data="default/*.xml"/>
        </users>
      </group>
      <group name="sales">
        <params>
          <param name="password" value="of the group"/>
        </params>
        <users>
          <user id="1011" type="pointer"/>
          <user id="inGroup"/>
        </users>
      </group>
    </groups>
  </domain>
</include>
`,
  "directory/default/1011.xml": `<include>
  <user id="1011">
    <params>
      <param name="password" value="overridden"/>
      <param name="password" value="$\${default_password}"/>
      <param name="vm-password" value="9999"/>
    </params>
  </user>
</include>
`,
  "directory/default/others.xml": `<include>
  <user id="inDomain"></user>
  <user id="hashed"><params><param name="a1-hash" value="${MD5}"/><param name="password" value=""/></params></user>
  <user id="both"><params><param name="a1-hash" value="${MD5}"/><param name="password" value="not of the hash"/></params></user>
  <user id="broken"><params><param name="a1-hash" value="${CANARY}"/><param name="password" value=""/></params></user>
  <user id="empty"><params><param name="password" value=""/></params></user>
  <user id="special"><params><param name="password" value='a&b&lt;&quot;&#x41;'/></params></user>
  <user id="command"><params><param name="password" value="$\${from_command}"/></params></user>
</include>
`,
  "directory/other.xml": `<include>
  <domain name="other.example">
    <users>
      <user id="special"><params><param name="password" value="elsewhere"/></params></user>
    </users>
  </domain>
  <domain name="flat.example">
    <user id="flat"><params><param name="password" value="${secret}"/></params></user>
  </domain>
</include>
`,
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "freeswitch-"));
});

afterEach(() => {
  expect(existsSync("ran")).toBe(false);
  rmSync(folder, { recursive: true, force: true });
});

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

const reader = (username: string, more: Partial<Parameters<typeof freeswitchCredential>[0]> = {}) =>
  freeswitchCredential({ file: join(folder, "freeswitch.xml"), username, ...more });

test("reads a user's password through includes and variables, as a secret", async () => {
  write(CONFIGURATION);
  const output = reader("1011");
  expect(await credentialOf(output)).toEqual({ username: "1011", password: secret });
  expect(await pulumi.isSecret(output)).toBe(true);
  expect(await credentialOf(reader("flat"))).toEqual({ username: "flat", password: secret });
});

test("a user inherits from its group, then from its domain", async () => {
  write(CONFIGURATION);
  expect(await credentialOf(reader("inGroup"))).toMatchObject({ password: "of the group" });
  expect(await credentialOf(reader("inDomain"))).toMatchObject({ password: "of the domain" });
});

test("gives a verifier where FreeSWITCH goes by an a1-hash", async () => {
  write(CONFIGURATION);
  const verifier = await credentialOf(reader("hashed"));
  expect(verifier).toEqual({
    username: "hashed",
    realm: "pbx.example",
    algorithm: "MD5",
    ha1: MD5,
    source: `FreeSWITCH's ${join(folder, "freeswitch.xml")}`,
  });
  expect("ha1" in verifier && verifies(verifier, secret)).toBe(true);
  expect(await credentialOf(reader("both"))).toMatchObject({ ha1: MD5 });
});

test("tells users of the same name apart by domain, and takes values that XML escapes", async () => {
  write(CONFIGURATION);
  expect(await credentialOf(reader("special", { domain: "pbx.example" }))).toMatchObject({ password: 'a&b<"A' });
  expect(await credentialOf(reader("special", { domain: "OTHER.example" }))).toMatchObject({ password: "elsewhere" });
  expect(await failureOf(reader("special"))).toContain(
    "the user is in more than one domain (pbx.example, other.example): set `domain`.",
  );
});

test("reads the directory alone, with variables that the caller knows", async () => {
  write(CONFIGURATION);
  const file = join(folder, "directory/default.xml");
  const variables = { domain: "pbx.example", default_password: secret };
  expect(await credentialOf(reader("1011", { file, variables }))).toMatchObject({ password: secret });
  expect(await failureOf(reader("1011", { file }))).toContain(
    "its password uses the variable default_password, which no file sets (FreeSWITCH sets it by itself or with a command): set it in `variables`",
  );
  expect(await failureOf(reader("1011", { file, domain: "pbx.example" }))).toContain(
    "the name of a domain uses the variable domain, which no file sets",
  );
});

test.each([
  ["nobody", {}, "there is no such user: check `username`."],
  ["1011", { domain: "other.example" }, "there is no such user in this domain: check `username` and `domain`."],
  ["1011", { domain: "gone.example" }, "there is no such domain, only pbx.example, other.example, flat.example: check"],
  ["empty", {}, "the user has neither a password nor an a1-hash: set one."],
  ["broken", {}, "its a1-hash is not valid hexadecimal"],
  ["command", {}, "its password uses the variable from_command, which no file sets"],
])("says what is wrong with user %s %j", async (username, more, sentence) => {
  write(CONFIGURATION);
  const message = await failureOf(reader(username, more));
  expect(message).toMatch(/^freeswitchCredential: user \S+ in FreeSWITCH's \S+freeswitch\.xml: /);
  expect(message).toContain(sentence);
  expectNoCanary(message);
});

test.each([
  ["a command whose output is taken in", '<X-PRE-PROCESS cmd="exec" data="touch ran"/>', "which a preview never runs"],
  ["an include of itself", '<X-PRE-PROCESS cmd="include" data="freeswitch.xml"/>', "includes itself"],
  ["an include by an unset variable", '<X-PRE-PROCESS cmd="include" data="$${base_dir}/x"/>', "variable base_dir"],
  ["no directory", "<document></document>", "the file contains no <domain>"],
  [
    "broken XML",
    `<domain name="d"><user id="u" password="${CANARY}</domain>`,
    "not well-formed XML inside <domain>: check",
  ],
  [
    "entities of its own",
    `<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]>\n<domain name="d"><user id="u"><params><param name="password" value="&e;"/></params></user></domain>`,
    "not well-formed XML outside of its elements",
  ],
])("says what is wrong: %s", async (_what, text, sentence) => {
  write({ "freeswitch.xml": text });
  const message = await failureOf(reader("u"));
  expect(message).toContain(sentence);
  expectNoCanary(message);
});

test("says that the file is not there", async () => {
  expect(await failureOf(reader("1011"))).toContain("freeswitch.xml does not exist on this machine: check the path");
});

test("arbitrary text is data or an error in our words, never anything else", () => {
  const pieces = fc.constantFrom(
    ...[
      '<domain name="d">',
      '<user id="u">',
      "</user>",
      "</domain>",
      "<params>",
      "</params>",
      "$${",
      "}",
      "<!--",
      "-->",
    ],
    ...[
      '<X-PRE-PROCESS cmd="include" data="x"/>',
      '<X-PRE-PROCESS cmd="set" data="a=b"/>',
      "\n",
      "&",
      "<!--#set a=b-->",
    ],
    '<param name="password" value="x"/>',
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
        const xml = preprocess({ path: "main", text }, () => [{ path: "included", text: included }], {}, fail);
        credentialIn(xml, { username: "u", source: "file" }, fail);
      } catch (error) {
        expect(error).toBeInstanceOf(CredentialReadError);
      }
    }),
    { numRuns: 1000 },
  );
});
