import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import * as fc from "fast-check";
import { stringify } from "yaml";
import { CustomerFileError, readCustomer } from "../provider/sip-integration/customer-file";
import { CANARY, expectNoCanary } from "./support/examples";

const SAMPLES = join(__dirname, "..", "examples", "fleet", "customers");
const SCHEMA = JSON.parse(readFileSync(join(__dirname, "..", "customer.schema.json"), "utf8"));
const fitsSchema = new Ajv({ strict: true, strictRequired: false, allErrors: true }).compile(SCHEMA);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "customer-file-"));
  process.chdir(folder);
});

afterAll(() => {
  process.chdir(__dirname);
  rmSync(folder, { recursive: true, force: true });
});

function write(content: string | Buffer, name = "customers/acme.yaml"): string {
  mkdirSync("customers", { recursive: true });
  writeFileSync(name, content);
  return name;
}

/** The lines of the error that a file gives. */
function problemsWith(content: string | Buffer): string[] {
  return refusalOf(write(content));
}

function refusalOf(file: string): string[] {
  try {
    readCustomer(file);
  } catch (error) {
    if (error instanceof CustomerFileError) {
      return error.message.split("\n");
    }
    throw error;
  }
  throw new Error(`${file} is not refused`);
}

const OFFICE = `type: extension
extension: "1011"
address: pbx.acme.example
country: US
`;

describe("a customer's file", () => {
  test.each(readdirSync(SAMPLES))("%s of the example is read as it is, and editors find no fault in it", (name) => {
    const text = readFileSync(join(SAMPLES, name), "utf8");
    const customer = readCustomer(write(text));
    fitsSchema(customer);
    expect(fitsSchema.errors ?? []).toEqual([]);
    expect(text).toContain(`$schema=../node_modules/pulumi-livekit-sip/customer.schema.json`);
    expect(customer).toMatchObject({ type: expect.any(String), inbound: { method: expect.any(String) } });
  });

  test.each<[what: string, content: string, ...problems: string[]]>([
    [
      "a misspelt key",
      `${OFFICE}adress: pbx.acme.example\n`,
      "5:1: adress: is not an argument here: did you mean address?",
    ],
    ["an unknown key", `${OFFICE}colour: red\n`, "5:1: colour: is not an argument here: check its spelling."],
    [
      "an unknown key deep inside",
      `${OFFICE}calls:\n  rule: individual\n  agents:\n    - agentName: a\n      agentname: b\n`,
      "9:7: calls.agents[0].agentname: is not an argument here: check its spelling.",
    ],
    [
      "a key of another section",
      `${OFFICE}method: credentials\ncalls: { rule: individual, address: x }\n`,
      "5:1: method: belongs under inbound: move it there.",
      "6:28: calls.address: belongs to the top level of the file: move it there.",
    ],
    [
      "a value that does not exist",
      OFFICE.replace("US", "Narnia"),
      '4:10: country: "Narnia" is not a country code of ISO 3166-1 alpha-2: write it like "US" or "RO".',
    ],
    [
      "a word that is none of several",
      `${OFFICE}transport: sctp\n`,
      '5:12: transport: "sctp" is not valid: write auto, udp, tcp or tls.',
    ],
    [
      "a number without quotation marks",
      OFFICE.replace('"1011"', "1011"),
      '2:12: extension: must be text, and YAML reads this as a number: put it in quotation marks: "1011".',
    ],
    [
      "phone numbers without quotation marks",
      "type: did\nnumbers:\n  - +12025550123\naddress: a.example\ncountry: US\n",
      '3:5: numbers[0]: must be text, and YAML reads this as a number: put it in quotation marks: "+12025550123".',
    ],
    ["text instead of a number", `${OFFICE}port: "5060"\n`, "5:7: port: must be a number: change it."],
    ["a list instead of text", `${OFFICE}fromHost: [a]\n`, "5:11: fromHost: must be text: change it."],
    [
      "text instead of a list",
      "type: did\nnumbers: '+12025550123'\naddress: a.example\ncountry: US\n",
      "2:10: numbers: must be a list, with a line - … for each item: change it.",
    ],
    [
      "a section that is text",
      `${OFFICE}inbound: credentials\n`,
      "5:10: inbound: must hold settings, indented below it.",
    ],
    ["an empty section", `${OFFICE}inbound:\n`, "5:9: inbound: is empty: fill it in, or remove it."],
    ["an empty value", `${OFFICE}username:\n`, "5:10: username: is empty: fill it in, or remove it."],
    [
      "missing keys",
      "type: did\ninbound: {}\n",
      "1:1: country: is missing: set it.",
      '1:1: address: is missing: set it, or use direction: "inbound" for a trunk that only takes calls.',
      '1:1: numbers: is missing: set it, for example numbers: ["+12025550123"], or use type: "extension" with extension.',
      "2:1: inbound.method: is missing: set it.",
    ],
    [
      "keys that exclude each other",
      `${OFFICE}numbers: ["+1 202 555 0123"]\ninbound:\n  method: credentials\n  allowedAddresses: [192.0.2.1]\n`,
      '5:10: numbers: can\'t be used with type: "extension": remove it, or use type: "did".',
      '8:21: inbound.allowedAddresses: can\'t be used with method: "credentials": remove it, or use method: "ip".',
    ],
    [
      "sections that a direction has no use for",
      `${OFFICE}direction: outbound\ninbound: { method: credentials }\ntestCall: { direction: inbound }\n`,
      "6:1: inbound: can't be used with direction: outbound, which takes no incoming calls: remove it.",
      "7:1: testCall: can't be used with direction: outbound, which has no inbound calls to test: remove it.",
    ],
    [
      "an allowlist that lets anyone in",
      `${OFFICE}inbound:\n  method: ip\n  allowedAddresses: [0.0.0.0/1, 128.0.0.0/1]\n`,
      "7:21: inbound.allowedAddresses: together admit every address, which lets anyone in: list only those of the VoIP system.",
    ],
    [
      "numbers that are the same",
      'type: did\nnumbers: ["+1 202 555 0123", "+12025550123"]\naddress: a.example\ncountry: US\n',
      '2:30: numbers[1]: "+12025550123" is the same number as "+1 202 555 0123": list it once.',
    ],
    ["not a number", `${OFFICE}ringingTimeout: .nan\n`, "5:17: ringingTimeout: must be a number: change it."],
    [
      "a tab",
      "type: extension\ninbound:\n\tmethod: ip\n",
      "3:1: the line is indented with a tab, which YAML does not allow: use spaces.",
    ],
    ["a key that is there twice", `${OFFICE}country: RO\n`, "5:1: country: is there twice: keep one of the two."],
    [
      "several documents",
      `${OFFICE}---\n${OFFICE}`,
      "6:1: a second document begins here: a file is one customer, so move this to a file of its own.",
    ],
    ["an empty file", "", "1:1: the file must hold settings, one on each line, for example country: US."],
    [
      "nothing but a comment",
      "# TODO\n",
      "1:1: the file must hold settings, one on each line, for example country: US.",
    ],
    ["a list", "- type: did\n", "1:1: the file must hold settings, one on each line, for example country: US."],
    [
      "anchors, aliases and tags",
      "a: &a [1]\nb: [*a, *a]\nc: !!binary aGk=\n",
      "1:7: an anchor (&…) has no use in a customer's file: remove it.",
      "2:5: an alias (*…) has no use in a customer's file: write the value itself.",
      "2:9: an alias (*…) has no use in a customer's file: write the value itself.",
      "3:13: a tag (!…) has no use in a customer's file: remove it.",
    ],
    [
      "an alias of nothing",
      "a: *nothing\n",
      "1:4: an alias (*…) has no use in a customer's file: write the value itself.",
    ],
    ["a key that is not text", "? [1]\n: 2\n", "1:3: this key is not text: check its spelling."],
    [
      "an open quotation mark",
      'type: "extension\n',
      "2:1: a bracket, a quotation mark, a colon or a comma is missing here or above: add it.",
    ],
    [
      "brackets without end",
      "[".repeat(100_000),
      "1:101: this is nested more than 100 levels deep: check the brackets and the indentation.",
    ],
    [
      "indentation without end",
      Array.from({ length: 1000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n"),
      "101:101: this is nested more than 100 levels deep: check the brackets and the indentation.",
    ],
    [
      "keys of JavaScript's own",
      `${OFFICE}__proto__: { x: 1 }\nconstructor: 1\n`,
      "5:1: __proto__: is not an argument here: check its spelling.",
      "6:1: constructor: is not an argument here: check its spelling.",
    ],
    [
      "keys that a terminal or a CI system would run",
      `${OFFICE}"::error::x": 1\n"\\e[31mred": 1\n"<script>": 1\n`,
      "5:1: : :error: :x: is not an argument here: check its spelling.",
      "6:1: red: is not an argument here: check its spelling.",
      "7:1: <script>: is not an argument here: check its spelling.",
    ],
  ])("with %s is refused at that place", (_what, content, ...problems) => {
    expect(problemsWith(content)).toEqual(problems.map((problem) => `customers/acme.yaml:${problem}`));
  });

  test("that is not UTF-8 is refused with the line", () => {
    expect(problemsWith(Buffer.from(`${OFFICE}name: B\xfcro\n`, "latin1"))).toEqual([
      "customers/acme.yaml:5:1: the text is not UTF-8: convert the file, for example with iconv -f latin1 -t utf-8.",
    ]);
  });

  test("that does not exist is refused with a list of those that do", () => {
    write(OFFICE);
    write(OFFICE, "customers/globex.yaml");
    expect(refusalOf("customers/initech.yaml")).toEqual([
      "customers/initech.yaml does not exist: write it, or select the stack of another customer. customers has acme, globex.",
    ]);
    expect(refusalOf("elsewhere/initech.yaml")).toEqual([
      "elsewhere/initech.yaml does not exist: write it, or select the stack of another customer. elsewhere has no customers yet.",
    ]);
  });

  test.each(["<script>alert(1)</script>", "=cmd()", "::error::x", "-x", ".hidden", "a b", "a\nb", "a\u202eb"])(
    "named %j is refused, on one line that runs nothing",
    (name) => {
      const [line = "", ...more] = refusalOf(`customers/${name}.yaml`);
      expect(line).toContain("can't be a customer's file: name it after the stack");
      expect(line).not.toMatch(/::error|[\p{Cc}\u202e]/u);
      expect(more).toEqual([]);
    },
  );

  test("that is a folder or too large is refused", () => {
    mkdirSync("customers/folder.yaml", { recursive: true });
    expect(refusalOf("customers/folder.yaml")).toEqual(["customers/folder.yaml is not a regular file: name a file."]);
    symlinkSync("/dev/zero", "customers/zero.yaml");
    expect(refusalOf("customers/zero.yaml")).toEqual(["customers/zero.yaml is not a regular file: name a file."]);
    expect(problemsWith("x".repeat(2 * 1024 * 1024 + 1))).toEqual([
      "customers/acme.yaml is larger than 2 MiB, which no customer's file needs: check the path.",
    ]);
  });

  test.each([
    ["a long list", `codecs:\n${"- { name: 1 }\n".repeat(100_000)}`],
    ["many keys", Array.from({ length: 100_000 }, (_, index) => `k${index}: 1\n`).join("")],
    ["a key over and over", "a: 1\n".repeat(100_000)],
    ["an open list", `a: [${"1,".repeat(100_000)}`],
    ["many documents", "---\na: 1\n".repeat(100_000)],
    ["dashes", "- ".repeat(100_000)],
    ["colons", ": ".repeat(100_000)],
  ])("with %s is refused in seconds", (_what, content) => {
    const [problem] = problemsWith(content);
    expect(problem).toMatch(/more than 20000 keys and values, which no customer needs|nested more than 100 levels/);
  });

  test("with hundreds of problems names fifty", () => {
    const keys = Array.from({ length: 300 }, (_, index) => `colour${index}: 1`).join("\n");
    const problems = problemsWith(`${OFFICE}${keys}\n`);
    expect(problems).toHaveLength(51);
    expect(problems.at(-1)).toBe("… and 250 more.");
  });
});

describe("secrets", () => {
  test.each([
    ["password", `${OFFICE}password: ${CANARY}\n`, "password: is a secret and must not be in this file"],
    [
      "pin",
      `${OFFICE}calls:\n  rule: individual\n  pin: ${CANARY}\n`,
      "calls.pin: is a secret and must not be in this file",
    ],
    ["username", `${OFFICE}username: "two words ${CANARY}"\n`, "username: must not hold spaces"],
    ["headers", `${OFFICE}headers:\n  X-Token: [${CANARY}]\n`, "headers.X-Token: must be text"],
    ["a misspelt password", `${OFFICE}pasword: ${CANARY}\n`, "pasword: is not an argument here"],
    ["broken YAML", `password: ${CANARY}: x\n`, "this is not valid YAML"],
    ["an open quotation mark", `password: "${CANARY}\n`, "a quotation mark"],
    ["an alias", `password: *${CANARY}\n`, "an alias"],
    ["a tag", `password: !${CANARY} x\n`, "a tag"],
    ["a password with a leading @", `password: "x" @${CANARY}\n`, "this is not valid YAML"],
  ])("in %s are not quoted", (_what, content, problem) => {
    const text = problemsWith(content).join("\n");
    expect(text).toContain(problem);
    expectNoCanary(text);
  });

  test("are no part of the schema for editors", () => {
    expect(JSON.stringify(SCHEMA.properties)).not.toMatch(/"(password|pin|credential|verifier)":/);
    expect(fitsSchema({ type: "extension", extension: "1", address: "a", country: "US", password: "x" })).toBe(false);
  });
});

describe("the schema for editors", () => {
  test.each<[what: string, changes: Record<string, unknown>]>([
    ["a misspelt key", { adress: "x" }],
    ["a country that does not exist", { country: "Narnia" }],
    ["a number as the extension", { extension: 1011 }],
    ["no address", { address: undefined }],
    ["no extension", { extension: undefined }],
    ["no numbers", { type: "did", extension: undefined }],
    ["method ip without addresses", { inbound: { method: "ip" } }],
    ["a direct rule without a room", { calls: { rule: "direct" } }],
    ["an outbound test call without a number", { testCall: { direction: "outbound" } }],
  ])("refuses %s, as the file's reader does", (_what, changes) => {
    const customer = JSON.parse(
      JSON.stringify({ type: "extension", extension: "1011", address: "pbx.acme.example", country: "US", ...changes }),
    );
    expect(fitsSchema(customer)).toBe(false);
    expect(problemsWith(stringify(customer))).not.toEqual([]);
  });

  test("describes every argument", () => {
    const { inbound, calls, testCall } = SCHEMA.properties;
    for (const { properties } of [SCHEMA, inbound, calls, testCall]) {
      for (const [name, { description }] of Object.entries<{ description?: string }>(properties)) {
        expect([name, description]).toEqual([name, expect.stringMatching(/\.$/)]);
      }
    }
  });
});

describe("any value", () => {
  const { inbound, calls, testCall } = SCHEMA.properties;
  const names = (part: { properties: object }) => Object.keys(part.properties);
  const scalar = fc.oneof(
    fc.constantFrom<unknown>("extension", "did", "1011", "+12025550123", "pbx.acme.example", "US", "RO", "credentials"),
    fc.constantFrom<unknown>("ip", "individual", "direct", "callee", "inbound", "outbound", "both", "udp", "192.0.2.1"),
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
  );
  const value = fc.oneof(
    { weight: 5, arbitrary: scalar },
    fc.array(scalar, { maxLength: 3 }),
    fc.dictionary(fc.string(), scalar, { maxKeys: 3 }),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const part = (schema: { properties: object }) =>
    fc.dictionary(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...names(schema)) }, fc.string()), value, {
      maxKeys: 8,
    });
  const customer = fc.tuple(part(SCHEMA), part(inbound), part(calls), part(testCall)).map(([top, ...sections]) => ({
    ...{ type: "extension", extension: "1011", address: "pbx.acme.example", country: "US" },
    ...top,
    ...Object.fromEntries(["inbound", "calls", "testCall"].map((name, index) => [name, sections[index]])),
  }));

  const PLACE = /^customers\/acme\.yaml:\d+:\d+: .*\.$|^… and \d+ more\.$|\?$/;

  test("is a customer that editors accept too, or refused with its places", () => {
    fc.assert(
      fc.property(fc.oneof(customer, part(SCHEMA), value), (content) => {
        const file = write(stringify(content));
        let problems: string[] = [];
        try {
          fitsSchema(readCustomer(file));
          expect(fitsSchema.errors ?? []).toEqual([]);
        } catch (error) {
          if (!(error instanceof CustomerFileError)) {
            throw error;
          }
          problems = error.message.split("\n");
        }
        expect(problems.filter((line) => !PLACE.test(line))).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test("of text is a customer, or refused with its places", () => {
    const line = fc.oneof(
      fc.constantFrom(
        "a: 1",
        "inbound:",
        "  method: ip",
        "\tx: y",
        "- x",
        "--- ",
        "...",
        "? x",
        "a: |",
        "  text",
        "a: {",
        "]",
      ),
      fc.constantFrom(
        "%YAML 1.1",
        "'",
        '"',
        "a: &x 1",
        "b: *x",
        "!!set",
        "<<: {a: 1}",
        "a: [1,",
        "#",
        "type: did",
        "&a",
        ">-",
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line), fc.constantFrom("\n", "\r\n", "\r"), (lines, end) => {
        for (const problem of problemsWith(`${lines.join(end)}${end}`)) {
          expect(problem).toMatch(PLACE);
        }
      }),
      { numRuns: 400 },
    );
  });
});
