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
  <user id="capitals"><params><param name="a1-hash" value="${MD5.toUpperCase()}"/></params></user>
  <user id="broken"><params><param name="a1-hash" value="${CANARY.padEnd(MD5.length, "x")}"/><param name="password" value=""/></params></user>
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

test("runs the commands in comments, and keeps what is around them", async () => {
  write({
    "freeswitch.xml": `<!--#set password=${secret}-->
<X-PRE-PROCESS cmd = "set" data = "domain=pbx.example"/>
<domain name="$\${domain}"><!--#include "users.xml"-->
<!--#comment
  <user id="1012"><params><param name="password" value="commented out"/></params></user>
--></domain>
`,
    "users.xml": `<user id="1011"><params><param name="password" value="$\${password}"/></params></user>`,
  });
  expect(await credentialOf(reader("1011", { domain: "pbx.example" }))).toEqual({ username: "1011", password: secret });
  expect(await failureOf(reader("1012"))).toContain("there is no such user");
});

test("returns a verifier where FreeSWITCH uses an a1-hash", async () => {
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

test("distinguishes users of the same name by domain, and decodes XML escapes in values", async () => {
  write(CONFIGURATION);
  expect(await credentialOf(reader("special", { domain: "pbx.example" }))).toMatchObject({ password: 'a&b<"A' });
  expect(await credentialOf(reader("special", { domain: "OTHER.example" }))).toMatchObject({ password: "elsewhere" });
  expect(await failureOf(reader("special"))).toContain(
    "the user is in more than one domain (pbx.example, other.example): set `domain`.",
  );
});

/** A directory with one domain that has the given content. */
const directory = (content: string, name = "d") => ({
  "freeswitch.xml": `<section name="directory"><domain name="${name}">${content}</domain></section>`,
});
const user = (attributes: string, password: string) =>
  `<user ${attributes}><params><param name="password" value="${password}"/></params></user>`;

test.each<[string, string, string]>([
  ["the first by number-alias", user('id="x" number-alias="u"', "one") + user('id="u"', "two"), "one"],
  ["the first by id", user('id="U"', "one") + user('id="x" number-alias="u"', "two"), "one"],
  [
    "the groups before the users",
    `<users>${user('id="u"', "two")}</users><groups><group><users>${user('id="u"', "one")}</users></group></groups>`,
    "one",
  ],
  ["the first with an unknown type", user('id="x" type="other"', "one") + user('id="u"', "two"), "one"],
  ["the first of two attributes", user('id="u" id="x"', "one"), "one"],
])("finds %s", async (_what, content, expected) => {
  write(directory(content));
  expect(await credentialOf(reader("u"))).toEqual({ username: "u", password: expected });
});

test.each<[string, string, string]>([
  ["a raw <", "a<b>c</d", "a<b>c</d"],
  ["a raw & and an unknown entity", "a&b&nbsp;&#0;&#x110000;", "a&b&nbsp;&#0;&#x110000;"],
  ["entities, once", "&amp;lt;&#38;#65;&gt;", "&lt;&#65;>"],
  ["tabs and line ends", "a\tb\r\nc", "a b c"],
  ["a no-break space", "\u00a0a\u00a0", "\u00a0a\u00a0"],
  ["a comment", "a<!-- b -->c", "a<!-- b -->c"],
])("reads %s in a value as FreeSWITCH does", async (_what, value, expected) => {
  write(directory(user('id="u"', value)));
  expect(await credentialOf(reader("u"))).toEqual({ username: "u", password: expected });
});

test("replaces variables as FreeSWITCH does", async () => {
  write({
    "freeswitch.xml": [
      `<X-PRE-PROCESS cmd="set" data="A =  x $\${b} \${c} $"/>`,
      '<x-pre-process CMD = "SET" DATA = "b{c}=y">',
      "<!--#set d=z--><!--#set e=not read-->",
      `<domain name="d">${user('id="u"', "$${a}$${b{c}}$${D}$${")}</domain>`,
      "<!--#comment",
      `--><domain name="e">${user('id="v"', "v")}</domain>`,
    ].join("\n"),
  });
  expect(await failureOf(reader("u"))).toContain("its password uses the variable b, which no file sets");
  expect(await credentialOf(reader("u", { variables: { B: "1" } }))).toMatchObject({ password: "x 1 %{c} $yz$${" });
  expect(await credentialOf(reader("v"))).toMatchObject({ password: "v" });
});

test("reads only the first domain of a name, and only the first directory", async () => {
  write({
    "freeswitch.xml": `<document>
<section name="directory"><domain name="d">${user('id="u"', "one")}</domain>
<domain name="D">${user('id="u"', "two")}${user('id="v"', "three")}</domain></section>
<section name="directory"><domain name="e">${user('id="w"', "four")}</domain></section></document>`,
  });
  expect(await credentialOf(reader("u"))).toEqual({ username: "u", password: "one" });
  const message = await failureOf(reader("v", { domain: "d" }));
  expect(message).toContain("the user is in a second <domain> of the same name (");
  expect(message).toContain("freeswitch.xml, line 3), which FreeSWITCH passes over: move its users to the first one.");
  expect(await failureOf(reader("w"))).toContain("there is no such user: check `username`.");
});

test("an a1-hash takes precedence even if it is empty, and uses the realm of the challenge", async () => {
  const hashed = (ha1: string) =>
    `<user id="hashed"><params><param name="a1-hash" value="${ha1}"/><param name="password" value="${secret}"/></params></user>`;
  write(directory(hashed(MD5)));
  expect(await credentialOf(reader("hashed"))).toMatchObject({ realm: "d", ha1: MD5 });
  expect(await credentialOf(reader("hashed", { realm: "pbx.example" }))).toEqual({
    username: "hashed",
    password: secret,
  });
  write(directory(hashed("")));
  expect(await failureOf(reader("hashed"))).toContain(
    "its a1-hash is empty, and FreeSWITCH uses it instead of the password",
  );
});

test("reports that the first matching user is a pointer", async () => {
  write(directory(`<user id="u" type="pointer"/>\n${user('id="u"', CANARY)}`));
  const message = await failureOf(reader("u"));
  expect(message).toContain("freeswitch.xml, line 1) is a pointer, which FreeSWITCH lets nobody log in as");
  expectNoCanary(message);
});

test.each([
  [
    "an unclosed element before another closing tag",
    '<domain name="d">\n<user id="u">\n</domain>',
    "inside <user>: check",
    "line 3, where FreeSWITCH expects </user>.",
  ],
  [
    "an unclosed element at the end",
    '<domain name="d">\n<params>',
    "inside <params>: check",
    "line 2, where FreeSWITCH expects </params>.",
  ],
  [
    "a stray closing tag",
    "\n</domain>",
    "outside of its elements: check",
    "line 2, where FreeSWITCH expects an element.",
  ],
  [
    "an unclosed tag",
    "<domain",
    "outside of its elements: check",
    "line 1, where FreeSWITCH expects > at the end of the tag.",
  ],
  [
    "an unclosed comment",
    "<domain name='d'>\n<!-- x",
    "inside <domain>: check",
    "line 2, where FreeSWITCH expects --> at the end",
  ],
  ["a secret as an element name", `<${CANARY}>`, "inside <…>: check", "expects </…>."],
])("names the file, the line and what was expected: %s", async (_what, text, place, expected) => {
  write({
    "freeswitch.xml": '<X-PRE-PROCESS cmd="include" data="d/*.xml"/>\n',
    "d/1.xml": "<!-- one -->\n",
    "d/2.xml": text,
  });
  const message = await failureOf(reader("u"));
  expect(message).toContain(place);
  expect(message).toContain(`d/2.xml, ${expected.startsWith("line") ? expected : ""}`);
  expect(message).toContain(expected);
  expectNoCanary(message);
});

test("reads the directory file alone, with variables from the caller", async () => {
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
  ["broken", {}, "its a1-hash is not valid hexadecimal in lower case"],
  ["capitals", {}, "its a1-hash is not valid hexadecimal in lower case"],
  ["command", {}, "its password uses the variable from_command, which no file sets"],
])("explains what is wrong with user %s %j", async (username, more, sentence) => {
  write(CONFIGURATION);
  const message = await failureOf(reader(username, more));
  expect(message).toMatch(/^freeswitchCredential: user \S+ in FreeSWITCH's \S+freeswitch\.xml: /);
  expect(message).toContain(sentence);
  expectNoCanary(message);
});

test.each([
  ["a command whose output is included", '<X-PRE-PROCESS cmd="exec" data="touch ran"/>', "which a preview never runs"],
  ["an include of itself", '<X-PRE-PROCESS cmd="include" data="freeswitch.xml"/>', "includes itself"],
  ["an include with an unset variable", '<X-PRE-PROCESS cmd="include" data="$${base_dir}/x"/>', "variable base_dir"],
  ["no directory", "<document></document>", "the file contains no <domain>"],
  [
    "broken XML",
    `<domain name="d"><user id="u" password="${CANARY}</domain>`,
    "not well-formed XML inside <domain>: check",
  ],
  [
    "custom entities",
    `<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/hostname">]>\n<domain name="d"><user id="u"><params><param name="password" value="&e;"/></params></user></domain>`,
    "not well-formed XML outside of its elements",
  ],
])("explains what is wrong: %s", async (_what, text, sentence) => {
  write({ "freeswitch.xml": text });
  const message = await failureOf(reader("u"));
  expect(message).toContain(sentence);
  expectNoCanary(message);
});

test("reports a missing file", async () => {
  expect(await failureOf(reader("1011"))).toContain("freeswitch.xml does not exist on this machine: check the path");
});

test("arbitrary text gives data or a CredentialReadError, and nothing else", () => {
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
