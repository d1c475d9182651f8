/**
 * The readers of Asterisk, FreeSWITCH and Kamailio against what the real systems have read, on configurations made at random. Asterisk
 * and FreeSWITCH show it, where they are on PATH. Kamailio accepts it or not.
 */

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import {
  asteriskConfigCredential,
  asteriskRealtimeCredential,
  freeswitchCredential,
  kamailioCredential,
} from "../provider";
import { isVerifier, type VoipCredential, verifies } from "../provider/voip/credential";
import { asterisk, knowsSha256 } from "./phone-systems/asterisk";
import { databaseServers } from "./support/databases";
import { Kamailio, kamailioAvailability } from "./support/kamailio";
import { credentialOf } from "./support/outputs";
import { AsteriskOracle, FreeswitchOracle, type ShownAuth, versionOf } from "./support/reader-oracles";
import { UserAgent } from "./support/user-agent";

/** How many configurations each system reads. */
const RUNS = Number(process.env.TEST_ORACLE_RUNS || 3);

/** CI always reads the same configurations. */
function sample<Value>(values: fc.Arbitrary<Value>, count: number): Value[] {
  return fc.sample(values, { numRuns: count, ...(process.env.CI && { seed: 1 }) });
}

/** How many users or auths each configuration has. */
const ENTRIES = 60;

const onAsterisk = versionOf("asterisk") === undefined ? test.skip : test;

/** An Asterisk without password_digest: auth_type says which value counts. */
const isOldAsterisk = !knowsSha256(asterisk.version ?? "");
const onFreeswitch = versionOf("freeswitch") === undefined ? test.skip : test;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reader-oracles-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** What a reader returns, or in what words it refuses. */
const outcome = (reading: Promise<VoipCredential>) =>
  reading.catch((error: unknown) => (error instanceof Error ? error.message : String(error)));

/** Fails if a reader does not return what it must. Undefined stands for any refusal. */
function expectSame(read: VoipCredential | string, expected: object | undefined, from: unknown): void {
  if (typeof read === "string" && read.includes("depends on Asterisk's version which of several options")) {
    return;
  }
  const refusal = typeof read === "string" ? read : undefined;
  const credential = typeof read === "string" ? undefined : comparable(read);
  expect({ credential, refusal, from }).toEqual({ credential: expected, refusal, from });
}

/** Reads, with `use` if the reader refuses because it depends on Asterisk's version which value counts. */
async function tolerant(
  read: (use?: "hash" | "password") => Promise<VoipCredential>,
): Promise<VoipCredential | string> {
  const first = await outcome(read());
  const dependsOnVersion = typeof first === "string" && first.includes("set `use`");
  return dependsOnVersion ? outcome(read(isOldAsterisk ? "password" : "hash")) : first;
}

/** What a reader must return for an auth that Asterisk shows. MD5 is the only algorithm in use. */
function expectedOf(auth: ShownAuth): object | undefined {
  const md5 = auth?.get("md5_cred") ?? "";
  const password = auth?.get("password") ?? "";
  const username = auth?.get("username") ?? "";
  const realm = auth?.get("realm") || "asterisk";
  if (md5 === "" || (isOldAsterisk && auth?.get("auth_type") !== "md5")) {
    return password === "" ? undefined : { username, password };
  }
  const belongs = createHash("md5").update(`${username}:${realm}:${password}`).digest("hex") === md5;
  return belongs ? { username, password } : { username, realm, algorithm: "MD5", ha1: md5 };
}

/** Fails if a reader does not return what it must for an auth that Asterisk shows. */
function expectAuth(read: VoipCredential | string, auth: ShownAuth, from: unknown): void {
  // An old Asterisk lets nobody in with a hash that its auth_type leaves out. The reader goes by the hash, as a new one does.
  const isUnused = auth?.get("auth_type") === "userpass" && !auth.get("password") && auth.get("md5_cred");
  if (!isOldAsterisk || !isUnused) {
    expectSame(read, expectedOf(auth), from);
  }
}

/** Without the words in which a verifier says where it comes from. */
function comparable(credential: VoipCredential): object {
  if (!isVerifier(credential)) {
    return credential;
  }
  const { username, realm, algorithm, ha1 } = credential;
  return { username, realm, algorithm, ha1 };
}

// `pjsip show auth` is read line by line and cuts nothing, but a value must not look like another line.
const character = fc.constantFrom(..."abcXYZ019 \t;\\\\==+->^%[](){}|&#\"'\u00a0\u00e9\u{1F600}");
// Asterisk crashes on comments that close without being open.
const value = fc
  .array(character, { maxLength: 12 })
  .map((list) => list.join(""))
  .filter((text) => !/;-|-;|\\$/.test(text));
const hash = fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 32, maxLength: 32 });
const blanks = fc.constantFrom("", "", "", " ", "\t", "  ");
const pick = <T>(...items: T[]) => fc.constantFrom(...items);

/** Without a hash, an old Asterisk does not load an auth of this type, where a new one uses the password. */
const OLD_TYPES = [fc.record({ name: pick("auth_type"), value: hash.map((ha1) => `md5\nmd5_cred=${ha1}`) })];
const NEW_TYPES = [
  fc.record({ name: pick("password_digest"), value: hash.map((ha1) => `MD5:${ha1}`) }),
  fc.record({ name: pick("auth_type"), value: pick("md5", "digest") }),
];

describe("pjsip.conf", () => {
  const option = fc.oneof(
    { weight: 6, arbitrary: fc.record({ name: pick("password", "password", "Password", "realm"), value }) },
    { weight: 2, arbitrary: fc.record({ name: pick("username"), value: pick("u", "u;x", "ab cd") }) },
    { weight: 1, arbitrary: fc.record({ name: pick("md5_cred"), value: hash }) },
    { weight: 1, arbitrary: fc.record({ name: pick("auth_type"), value: pick("userpass", "x") }) },
    ...(isOldAsterisk ? OLD_TYPES : NEW_TYPES).map((arbitrary) => ({ weight: 1, arbitrary })),
    { weight: 1, arbitrary: fc.record({ name: pick("nonce_lifetime"), value: pick("32") }) },
  );
  const line = fc
    .tuple(
      option,
      pick("=", "=", "=", "=>", "+="),
      blanks,
      blanks,
      pick("", "", "", "\\"),
      pick("", "", "; c", ";-- c --;"),
    )
    .map(([{ name, value }, sign, before, after, backslash, comment]) => {
      // A password is appended to; other options would no longer be what they must be.
      const own = name.toLowerCase() === "password" ? sign : sign === "+=" ? "=" : sign;
      return `${before}${backslash}${name}${after}${own}${before}${value}${after}${comment}`;
    });
  const block = fc
    .tuple(fc.array(line, { maxLength: 4 }), pick("", "", ";--\n", ";-- a ;-- b\n--; c\n"))
    .map(
      ([lines, comment]) =>
        `${comment}${comment === "" ? "" : "password=hidden\n--;"}${lines.map((each) => `${each}\n`).join("")}`,
    );
  const base = "type=auth\nusername=u\npassword=p\n";
  // An addition that matches nothing makes Asterisk refuse the file.
  const filter = pick(
    "+type=auth",
    "+type=^auth$",
    "+yp=u.h&type=",
    '+type="a[a-z]*h|x"',
    "+[^x]+=[^ab]uth&TEMPLATES=include",
  );
  const addition = fc.oneof(fc.tuple(pick("+", "+TEMPLATES=include"), pick("")), fc.tuple(filter, pick("type=aor\n")));
  const section = fc
    .tuple(
      pick(base, base, "type=auth\n"),
      pick("", "(t1)", "(t2)", "(t1,t2)", "(t2,t2)"),
      block,
      fc.option(addition),
      block,
    )
    .map(([start, templates, own, added, more]) => (name: string) => {
      const first = `[${name}]${templates}\n${start}${own}`;
      if (!added) {
        return first;
      }
      const [condition, type] = added;
      // Only a condition finds the auth behind another section of the name.
      return `${type === "" ? first : `[${name}]\n${type}${first}`}[${name}](${condition})\n${more}`;
    });
  const config = fc.tuple(block, block, fc.array(section, { minLength: ENTRIES, maxLength: ENTRIES }));

  onAsterisk("says what Asterisk says", async () => {
    for (const [template1, template2, sections] of sample(config, RUNS)) {
      const text = `[t1](!)\n${template1}[t2](!,t1)\n${template2}${sections.map((make, index) => make(`s${index}`)).join("")}`;
      write({ "pjsip.conf": text });
      const oracle = await AsteriskOracle.start({ "pjsip.conf": text });
      try {
        for (let index = 0; index < sections.length; index++) {
          const name = `s${index}`;
          const shown = await oracle.show(name);
          const file = join(folder, "pjsip.conf");
          const read = await tolerant((use) => credentialOf(asteriskConfigCredential({ file, section: name, use })));
          expectAuth(read, shown, { templates: [template1, template2], section: sections[index]?.(name) });
        }
      } finally {
        await oracle.stop();
      }
    }
  });

  const digest = `type=auth\nusername=u\npassword_digest=SHA-256:${"0".repeat(64)}\n`;
  const long = "n".repeat(90);

  onAsterisk.each<[string, string, string[]]>([
    ["names with blanks", `[ a ]\n${base}[b]\n${base}`, ["a", " a ", "b"]],
    ["an auth that is there twice", `[a]\n${base}[b]\n${base}[b]\n${base}`, ["a", "b"]],
    ["an unknown option", `[a]\n${base}passwd=x\n[b]\n${base}`, ["a", "b"]],
    ["a type in capitals", `[a]\ntype=Auth\nusername=u\npassword=p\n[b]\n${base}`, ["a", "b"]],
    ["two types", `[a]\ntype=aor\n${base}[b]\n${base}type=aor\n`, ["a", "b"]],
    ["no hash for an algorithm in use", `[a]\n${digest}[b]\n${digest}supported_algorithms_uas=SHA-256\n`, ["a", "b"]],
    ["a comment that is never closed", `[a]\n${base};--\n[b]\n${base}`, ["a", "b"]],
    ["a name that is too long", `[${long}]\n${base}`, [long, long.slice(0, 79)]],
    ["a line that is too long", `[a]\n${base}password=${"x".repeat(8190)}\n`, ["a"]],
  ])("has the auths that Asterisk has: %s", async (_what, text, names) => {
    write({ "pjsip.conf": text });
    const file = join(folder, "pjsip.conf");
    const oracle = await AsteriskOracle.start({ "pjsip.conf": text });
    try {
      for (const section of names) {
        const read = await outcome(credentialOf(asteriskConfigCredential({ file, section })));
        expectAuth(read, await oracle.show(`"${section}"`), section);
      }
    } finally {
      await oracle.stop();
    }
  });

  onAsterisk("says what Asterisk says of pjsip_wizard.conf", async () => {
    const wizard = fc.tuple(block, pick("yes", "no", "1", "on", "TRUE"));
    for (const wizards of sample(fc.array(wizard, { minLength: ENTRIES, maxLength: ENTRIES }), RUNS)) {
      const text = wizards
        .map(([own, accepts], index) => {
          const options = own.replace(/^([ \t\\]*)(?=\w+[ \t]*(?:\+?=))/gm, "$1inbound_auth/");
          return `[w${index}]\ntype=wizard\naccepts_auth=${accepts}\ninbound_auth/username=u\ninbound_auth/password=p\n${options}`;
        })
        .join("");
      write({ "pjsip_wizard.conf": text });
      const oracle = await AsteriskOracle.start({ "pjsip_wizard.conf": text });
      try {
        for (const index of wizards.keys()) {
          const shown = await oracle.show(`w${index}-iauth`);
          const file = join(folder, "pjsip_wizard.conf");
          const section = `w${index}`;
          const read = await tolerant((use) => credentialOf(asteriskConfigCredential({ file, section, use })));
          expectAuth(read, shown, wizards[index]);
        }
      } finally {
        await oracle.stop();
      }
    }
  });
});

const [postgres] = databaseServers;

(postgres?.available ? describe : describe.skip)("ps_auths", () => {
  // Blanks at the start of a column are left out: the reader cuts them, Asterisk 22 does not.
  const text = fc
    .array(fc.oneof(character, pick(";", "^3B", "^5E", "^20", "^C3^A9", "^zz")), { maxLength: 8 })
    .map((list) => list.join("").replace(/(^|;)[\0- ]+/g, "$1"))
    .filter((column) => !/\^[\da-f]?[\0- ]*(;|$)/i.test(column))
    // A column that is not UTF-8 is an error.
    .filter((column) => !/\^[89a-f][\da-f]/i.test(column.replaceAll("^C3^A9", "")));
  const row = fc.record({
    auth_type: pick(null, "userpass", "md5", "digest", ";md5 "),
    username: pick("u", "u^3Bx", "u ;v "),
    password: fc.oneof(text, text, pick(null)),
    md5_cred: fc.oneof(pick(null, ""), pick(null), hash),
    realm: fc.oneof(pick(null), text),
    password_digest: fc.oneof(
      pick(null),
      hash.map((ha1) => `MD5:${ha1}`),
      hash.map((ha1) => `SHA-256:${ha1}${ha1}; MD5:${ha1} `),
    ),
  });
  const oldRow = fc.tuple(row, hash).map(([{ password_digest: _, ...columns }, ha1]) => {
    const isMd5 = /md5/.test(columns.auth_type ?? "");
    return {
      ...columns,
      auth_type: columns.auth_type === "digest" ? null : columns.auth_type,
      ...(isMd5 && { md5_cred: ha1 }),
    };
  });

  onAsterisk("says what Asterisk says", async () => {
    const database = await postgres?.create();
    if (!database) {
      return;
    }
    const url = new URL(database.url());
    const literal = (column: string | null) => (column === null ? "NULL" : `'${column.replaceAll("'", "''")}'`);
    try {
      const rows = sample<Readonly<Record<string, string | null>>>(isOldAsterisk ? oldRow : row, RUNS * ENTRIES);
      const names = Object.keys(rows[0] ?? {});
      await database.run(
        `CREATE TABLE ps_auths (id TEXT, ${names.map((name) => `${name} TEXT`).join(", ")})`,
        `INSERT INTO ps_auths VALUES ${rows
          .map((columns, index) => {
            const texts = [`id^3B${index}`, ...names.map((name) => columns[name] ?? null)];
            return `(${texts.map(literal).join(", ")})`;
          })
          .join(",\n")}`,
      );
      const oracle = await AsteriskOracle.start({
        "sorcery.conf": "[res_pjsip]\nauth=realtime,ps_auths\n",
        "extconfig.conf": "[settings]\nps_auths => pgsql,general,ps_auths\n",
        "res_pgsql.conf": `[general]\ndbhost=${url.hostname}\ndbport=${url.port || "5432"}\ndbname=${url.pathname.slice(1)}\ndbuser=${url.username}\ndbpass=${url.password}\n`,
      });
      try {
        for (const [index, columns] of rows.entries()) {
          const id = `id;${index}`;
          const shown = await oracle.show(id);
          const read = await tolerant((use) =>
            credentialOf(asteriskRealtimeCredential({ url: database.url(), id, use })),
          );
          // The reader refuses two columns with different hashes.
          const differs = columns.md5_cred && columns.password_digest;
          if (differs) {
            expectSame(read, undefined, columns);
          } else {
            expectAuth(read, shown, columns);
          }
        }
      } finally {
        await oracle.stop();
      }
    } finally {
      await database.drop();
    }
  });
});

describe("FreeSWITCH's directory", () => {
  const piece = fc.oneof(
    { weight: 6, arbitrary: pick(..."abcXYZ019 \t<>/='$%{}&;#!-\u00a0\u00e9\u{1F600}") },
    {
      weight: 2,
      arbitrary: pick("&lt;", "&amp;", "&amp;lt;", "&#65;", "&#x42;", "&nbsp;", "&quot;", "$${v1}", "$${V2}", `$\{v1}`),
    },
  );
  const password = fc
    .array(piece, { minLength: 1, maxLength: 10 })
    .map((list) => list.join(""))
    // These end a line's meaning for the preprocessor, or FreeSWITCH's own copy of a user.
    .filter((text) => !/<!|-->|<\?|\$\$\{(?!v1\}|V2\})|&#0*;/.test(text));
  const attributes = fc.record({
    id: pick("u", "x", "U"),
    alias: pick(undefined, undefined, "u", "y"),
    type: pick(undefined, undefined, undefined, undefined, "other"),
  });
  const user = fc
    .tuple(attributes, password, pick("", "", "number", "quote"))
    .map(([{ id, alias, type }, text, more]) => {
      const own = `<param name="${more === "number" ? "PASSWORD" : "password"}" value="${text}"/>`;
      const twice = more === "quote" ? `<param name="password" value="first"/>${own}` : own;
      const extra = `${alias === undefined ? "" : ` number-alias="${alias}"`}${type === undefined ? "" : ` type="${type}"`}`;
      return `<user id="${id}"${extra}><params>${twice}</params></user>\n`;
    });
  const users = fc.array(user, { maxLength: 3 }).map((list) => list.join(""));
  const domain = fc
    .tuple(
      users,
      users,
      users,
      pick("", '<params><param name="password" value="of the domain"/></params>'),
      pick(true, false),
    )
    .map(([first, second, loose, params, nested]) => (name: string) => {
      const groups = `<groups><group name="a"><users>${first}</users></group><group name="b"><params><param name="password" value="of b"/></params><users><!-- c -->${second}<user id="v"/></users></group></groups>`;
      return `<domain name="${name}">\n${params}${groups}${nested ? `<users>${loose}</users>` : loose}</domain>\n`;
    });

  onFreeswitch("says what FreeSWITCH says", async () => {
    for (const domains of sample(fc.array(domain, { minLength: ENTRIES, maxLength: ENTRIES }), RUNS)) {
      const name = (index: number) => `d${index % (ENTRIES - 5)}.example`;
      const directory = `<include>
<X-PRE-PROCESS cmd="set" data="v1= a&lt;b $\{x}"/>
<!--#set v2=$\${v1}c-->
${domains.map((make, index) => make(name(index))).join("")}</include>
`;
      write({ "directory.xml": directory });
      const oracle = await FreeswitchOracle.start({ "directory.xml": directory });
      try {
        const asked = domains.flatMap((_make, index) =>
          ["u", "v"].map((user) => ({ user, domain: name(index), param: "password" })),
        );
        const answers = await oracle.params(asked);
        for (const [index, { user, domain }] of asked.entries()) {
          const file = join(folder, "directory.xml");
          const read = await outcome(credentialOf(freeswitchCredential({ file, username: user, domain })));
          const answer = answers[index] ?? "";
          const expected = answer.startsWith("-ERR") ? undefined : { username: user, password: answer };
          expectSame(read, expected, domains[index >> 1]?.(domain));
        }
      } finally {
        await oracle.stop();
      }
    }
  });
});

describe("Kamailio's subscriber", () => {
  const SUBSCRIBERS = 20;
  const OTHER = "another password";
  // MariaDB's default character set has none beyond U+00FF.
  const text = fc.array(pick(..."abXY09 \t:;,=%'\"\\\u00e9"), { minLength: 1, maxLength: 10 });
  // Kamailio takes neither of these out of a quoted string.
  const name = fc.array(pick(..."abXY09 .-_+~'\u00e9"), { maxLength: 6 }).map((list) => list.join(""));
  const row = fc.record({
    name,
    domain: pick("a.example", "b.example"),
    password: fc.oneof(
      text.map((list) => list.join("")),
      pick(""),
    ),
    hashed: pick("own", "own", "other"),
    stored: pick<(hash: string) => string>(
      () => "",
      (ha1) => ha1,
      (ha1) => ha1.toUpperCase(),
      (ha1) => `${ha1} `,
      (ha1) => `${ha1};x`,
      (ha1) => ha1.slice(1),
      () => "secret",
    ),
  });

  for (const dialect of ["postgres", "mysql"] as const) {
    (kamailioAvailability([dialect]).available ? test : test.skip).each(["password", "ha1"] as const)(
      `accepts what the reader reads of its column %s on ${dialect}`,
      async (column) => {
        const kamailio = await Kamailio.start({
          ...{ database: dialect, transports: ["udp"], manyDomains: true, storeHa1Only: column === "ha1" },
        });
        const { host, port, databaseUrl: url } = kamailio;
        try {
          const rows = sample(row, RUNS * SUBSCRIBERS).map(({ name, domain, password, hashed, stored }, index) => {
            const username = `${index}-${name}`;
            const secret = hashed === "own" ? password : OTHER;
            const ha1 = createHash("md5").update(`${username}:${domain}:${secret}`).digest("hex");
            return { username, domain, password, ha1: stored(ha1) };
          });
          await kamailio.addRows(rows);
          for (const { username, domain, password, ha1 } of rows) {
            const own = await outcome(credentialOf(kamailioCredential({ url, username, domain, use: column })));
            const either = await outcome(credentialOf(kamailioCredential({ url, username, domain })));
            const agent = await UserAgent.open({ host, port, domain });
            const accepted: string[] = [];
            const tried = [password, OTHER].filter((each) => each !== "");
            for (const secret of tried) {
              const { status } = await agent.authenticated("REGISTER", { from: "x" }, { username, password: secret });
              if (status === 200) {
                accepted.push(secret);
              }
            }
            agent.close();
            const says = (read: VoipCredential | string) =>
              typeof read === "string" ? [] : tried.filter((secret) => isFor(read, secret));
            const from = { username, domain, password, ha1, own, either };
            expect({ accepted: says(own), from }).toEqual({ accepted, from });
            // Without `use`, no column that lets somebody in may hold anything else.
            if (typeof either !== "string" && accepted.length > 0) {
              expect({ accepted: says(either), from }).toEqual({ accepted, from });
            }
          }
        } finally {
          await kamailio.stop();
        }
      },
    );
  }
});

/** Whether a credential has this password. */
function isFor(credential: VoipCredential, password: string): boolean {
  return isVerifier(credential) ? verifies(credential, password) : credential.password === password;
}
