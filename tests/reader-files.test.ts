/**
 * What the readers of files do with files that are hostile, broken or no files at all: each reading ends soon, in a sentence of our own.
 */

import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { asteriskConfigCredential, freeswitchCredential } from "../provider";
import { wildcard } from "../provider/credential-readers/wildcard";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { credentialOf, failureOf } from "./support/outputs";

/** The most processor time that a reading may take, in seconds, on a slow machine. Without its limits it would take hours. */
const SECONDS = 15;

const secret = password("stored");
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "reader-files-"));
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

function write(files: Record<string, string | Buffer>): void {
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(dirname(join(folder, name)), { recursive: true });
    fs.writeFileSync(join(folder, name), content);
  }
}

const readers = {
  asterisk: (file: string) => asteriskConfigCredential({ file, section: "1011" }),
  freeswitch: (file: string) => freeswitchCredential({ file, username: "1011" }),
};
type Reader = keyof typeof readers;

/** Runs something that must not take longer than a reading may, whatever else the machine does. */
async function soon<Result>(run: () => Promise<Result>): Promise<Result> {
  const before = process.cpuUsage();
  const result = await run();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(SECONDS);
  return result;
}

/** Runs something as a user who may not read the path. Root may read everything, so it becomes nobody meanwhile. */
async function withoutRights<Result>(path: string, run: () => Promise<Result>): Promise<Result> {
  const isRoot = process.geteuid?.() === 0;
  fs.chmodSync(folder, 0o755);
  const { mode } = fs.statSync(path);
  fs.chmodSync(path, 0);
  if (isRoot) {
    process.seteuid?.(65534);
  }
  try {
    return await run();
  } finally {
    if (isRoot) {
      process.seteuid?.(0);
    }
    fs.chmodSync(path, mode);
  }
}

async function failure(reader: Reader, file: string): Promise<string> {
  const message = await soon(() => failureOf(readers[reader](file)));
  expectNoCanary(message);
  return message;
}

const asterisk = (password: string) => `[1011]\ntype=auth\nusername=1011\npassword=${password}\n`;
const freeswitch = (password: string, more = "") =>
  `<domain name="d">${more}<user id="1011"><params><param name="password" value="${password}"/></params></user></domain>\n`;

describe.each<Reader>(["asterisk", "freeswitch"])("what %s reads", (reader) => {
  test("must be a regular file", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    expect(await failure(reader, pipe)).toContain(`${pipe} is not a regular file: name a file.`);
    expect(await failure(reader, "/dev/zero")).toContain("/dev/zero is not a regular file: name a file.");
    expect(await failure(reader, folder)).toContain(`${folder} is a directory: name the file in it.`);
    const loop = join(folder, "loop");
    fs.symlinkSync(loop, loop);
    expect(await failure(reader, loop)).toContain(`${loop} is a symbolic link to itself: name a file.`);
  });

  test("must be UTF-8, or the line that is not is named", async () => {
    const latin1 = Buffer.from(`; ${CANARY}\nM\u00fcller\n`, "latin1");
    write({ file: latin1 });
    expect(await failure(reader, join(folder, "file"))).toContain(
      "file, line 2: the text is not UTF-8: convert the file, for example with iconv -f latin1 -t utf-8.",
    );
  });

  test("must not be too large", async () => {
    write({ large: "", lines: "\n".repeat(2_000_001) });
    fs.truncateSync(join(folder, "large"), 2 ** 40);
    expect(await failure(reader, join(folder, "large"))).toContain("more than 20000 files or 32 MiB: set `file`");
    expect(await failure(reader, join(folder, "lines"))).toContain("more than 2000000 lines: set `file`");
  });

  const including: Readonly<Record<Reader, (pattern: string) => string>> = {
    asterisk: (pattern) => `#include ${pattern}\n`,
    freeswitch: (pattern) => `<X-PRE-PROCESS cmd="include" data="${pattern}"/>\n`,
  };
  const include = including[reader];

  test("may include by braces, but not by thousands of combinations", async () => {
    write({ file: include(`x${"{a,b}".repeat(26)}`) });
    expect(await failure(reader, join(folder, "file"))).toContain("stand for more than 1000 paths: use wildcards");
  });

  test("may include by wildcards, however many there are", async () => {
    write({ file: include(`${"*a".repeat(12)}b`), [`d/${"a".repeat(200)}`]: "", ["a".repeat(200)]: "" });
    await failure(reader, join(folder, "file"));
    write({ file: include("*/".repeat(40)) });
    fs.symlinkSync(".", join(folder, "d", "e"));
    fs.symlinkSync("..", join(folder, "d", "f"));
    expect(await failure(reader, join(folder, "file"))).toContain("match more than 100000 names: name the folders");
  });

  test("may not be reached through a folder that may not be read", async () => {
    write({ file: include("private/*.conf"), "private/a.conf": "" });
    const message = await withoutRights(join(folder, "private"), () => failure(reader, join(folder, "file")));
    expect(message).toContain(
      `${join(folder, "private")} may not be read by the user that runs the program: grant it read access.`,
    );
    const direct = await withoutRights(join(folder, "file"), () => failure(reader, join(folder, "file")));
    expect(direct).toContain(`${join(folder, "file")} may not be read by the user that runs the program`);
  });

  test("must not include a path that is longer than a path can be", async () => {
    write({ file: include("x".repeat(5000)) });
    expect(await failure(reader, join(folder, "file"))).toContain(
      "a path of more than 4096 characters: check the quot",
    );
  });
});

describe("pjsip.conf", () => {
  const file = () => join(folder, "pjsip.conf");

  test.each<[string, string, string]>([
    [
      "a comment of 1 MB that is never closed",
      `;--\n${"x;-y\n".repeat(200_000)}`,
      "line 1, which is never closed: close",
    ],
    ["comments that nest without end", ";--".repeat(1000), "comments are nested more than 128 deep"],
    [
      "a quotation mark that is never closed",
      `#include "${"x".repeat(4000)}\n`,
      "#include names a file that does not exist",
    ],
    [
      "a header of 1 MB that is never closed",
      `${"[".repeat(8000)}\n`.repeat(130),
      "line 1: a section header is not closed: add the missing ] or )",
    ],
    [
      "templates that double",
      `[t0](!)\na=b\n${Array.from({ length: 40 }, (_, i) => `[t${i + 1}](!,t${i},t${i})\n`).join("")}`,
      "the templates and additions up to here are too large for this reader: inherit from fewer sections",
    ],
    ["a value that doubles", `[a]\n${"b+=x\n".repeat(60_000)}`, "the templates and additions up to here are too large"],
    [
      "additions whose filters are slow",
      `${"[a]\nb=c\n".repeat(30_000)}${"[a](+b=d)\n".repeat(1000)}`,
      "a section adds to one that does not exist above it",
    ],
    [
      "a filter that would take for ever as a regular expression",
      `[a]\nb=${"a".repeat(5000)}\n[a](+b=a*a*a*a*a*a*a*a*c)\n`,
      "a section adds to one that does not exist above it",
    ],
    ["lines that Asterisk skips because they are too long", `[1011${" ".repeat(9000)}]\n`, "there is no such section"],
  ])("%s ends in a sentence", async (_what, text, sentence) => {
    write({ "pjsip.conf": text });
    expect(await failure("asterisk", file())).toContain(sentence);
  });

  test("60,000 sections that inherit are read", async () => {
    const sections = Array.from({ length: 60_000 }, (_, i) => `[x${i}](t)\nusername=${i}\npassword=${secret}\n`);
    write({ "pjsip.conf": `[t](!)\ntype=auth\nauth_type=userpass\n${sections.join("")}${asterisk(secret)}` });
    expect(await soon(() => credentialOf(readers.asterisk(file())))).toEqual({ username: "1011", password: secret });
  });

  test("files that include each other many times end in a sentence", async () => {
    const files = Array.from({ length: 9 }, (_, i) => [`${i}.conf`, `#include ${i + 1}.conf\n`.repeat(10)]);
    write({ ...Object.fromEntries(files), "9.conf": "\n", "pjsip.conf": "#include 0.conf\n" });
    expect(await failure("asterisk", file())).toMatch(/more than (20000 files|10 files deep)/);
  });
});

describe("a FreeSWITCH configuration", () => {
  const file = () => join(folder, "freeswitch.xml");

  test.each<[string, string, string]>([
    [
      "a comment of 1 MB that is never closed",
      `<!--${"<!-- x\n".repeat(140_000)}`,
      "expects --> at the end of the comment",
    ],
    [
      "a quotation mark of 1 MB that is never closed",
      `<domain name="${"x\n".repeat(500_000)}`,
      `expects a " at the end of an attribute's value`,
    ],
    ["a line of 1 MB of variables that are never closed", `${"$${".repeat(340_000)}\n`, "contains no <domain>"],
    [
      "a line that is too long",
      `${"x".repeat(2 ** 20 + 1)}\n`,
      "line 1: the line is longer than 1048576 characters: break",
    ],
    [
      "variables that double",
      `<X-PRE-PROCESS cmd="set" data="a=xxxxxxxx"/>\n${'<X-PRE-PROCESS cmd="set" data="a=$${a}$${a}"/>\n'.repeat(60)}`,
      "the line grows beyond 1048576 characters with its variables: shorten their values",
    ],
    [
      "a variable that is used thousands of times",
      `<X-PRE-PROCESS cmd="set" data="a=${"x".repeat(1_000_000)}"/>\n${"$${a}\n".repeat(60_000)}`,
      "the configuration grows beyond 64 million characters here",
    ],
    ["elements that nest without end", "<section name='directory'>\n".repeat(100_000), "inside <section>: check"],
    [
      "too many elements",
      "<x a/>".repeat(100).concat("\n").repeat(21_000),
      "more than 4000000 elements and attributes",
    ],
    ["a set command of blanks", `<!--#set ${" ".repeat(1_000_000)}-->\n`, "contains no <domain>"],
    ["attributes without end", `<domain ${"a ".repeat(300_000)}`, "expects > at the end of the tag"],
  ])("%s ends in a sentence", async (_what, text, sentence) => {
    write({ "freeswitch.xml": text });
    expect(await failure("freeswitch", file())).toContain(sentence);
  });

  test("60,000 users and deep nesting are read", async () => {
    const users = Array.from(
      { length: 60_000 },
      (_, i) => `<user id="x${i}"><params><param name="p"/></params></user>\n`,
    );
    const deep = `${"<x>".repeat(100_000)}${"</x>".repeat(100_000)}`;
    write({ "freeswitch.xml": `${freeswitch(secret, users.join("") + deep)}` });
    expect(await soon(() => credentialOf(readers.freeswitch(file())))).toEqual({ username: "1011", password: secret });
  });
});

describe("a wildcard", () => {
  test.each([
    ["*.conf", "a.conf", true],
    ["*.conf", "a.config", false],
    ["a*b*c", "aXbYbZc", true],
    ["a*b*c", "aXcYb", false],
    ["?.xml", "\u{1F600}.xml", true],
    ["?.xml", ".xml", false],
    ["[0-9][!a-c_]", "5d", true],
    ["[0-9][!a-c_]", "5_", false],
    ["[]]", "]", true],
    ["[z-a]", "m", false],
    ["[a", "[a", true],
    ["\\*", "*", true],
    ["\\*", "a", false],
    ["*", "", true],
    ["", "a", false],
  ])("%j and %j match: %s", (pattern, name, expected) => {
    expect(wildcard(pattern)(name)).toBe(expected);
  });
});
