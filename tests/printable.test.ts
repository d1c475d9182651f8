import { createServer } from "node:http";
import { SIPInboundTrunkInfo } from "@livekit/protocol";
import fc from "fast-check";
import { failing } from "../provider/credential-readers/errors";
import { explain, ResourceError } from "../provider/lifecycle/errors";
import type { Connection } from "../provider/livekit/connection";
import { LiveKitError } from "../provider/livekit/errors";
import { callSip } from "../provider/livekit/twirp";
import { isPrintable, PRINTABLE_LIMIT, printable } from "../provider/printable";

const REGISTERED = [
  ..."add-mask add-path add-matcher remove-matcher debug warning error notice group endgroup echo".split(" "),
  ..."stop-commands save-state set-env set-output internal-set-repo-path".split(" "),
];

/**
 * What a culture-sensitive comparison, such as .NET's IndexOf and StartsWith, sees of a line: it skips ignorable
 * characters.
 */
const byCulture = (line: string) => line.replace(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "");

/** The name of the command that GitHub's runner finds in a line (actions/runner, ActionCommand.cs). */
function gitHubCommand(text: string): string | undefined {
  const line = byCulture(text).trimStart();
  const end = line.indexOf("::", 2);
  const second = line.startsWith("::") && end >= 0 ? line.slice(2, end) : undefined;
  const at = line.indexOf("##[");
  const bracket = at < 0 ? -1 : line.indexOf("]", at);
  const first = bracket < 0 ? undefined : line.slice(at + 3, bracket);
  return [second, first]
    .map((info) => info?.split(" ")[0]?.toLowerCase())
    .find((name) => name !== undefined && REGISTERED.includes(name));
}

/** Whether Azure's agent (Command.cs) or TeamCity finds a command in a line, or Azure formats it. */
function otherCommand(text: string): boolean {
  return /##(vso|teamcity|\w*)\[/i.test(byCulture(text));
}

const piece = fc.oneof(
  fc.constantFrom(
    ...[
      "::",
      ":",
      "#",
      "##",
      "##[",
      "##vso[",
      "]",
      "\u001b[31m",
      "\u001b]0;",
      "\u0007",
      "\u009b2J",
      "\n",
      "\r",
      "\u2028",
    ],
    ...[
      "\u200b",
      "\u00ad",
      "\u202e",
      "\u2066",
      "\u0000",
      "\ufeff",
      "\u00a0",
      "\ud83d",
      "\ude00",
      "😀",
      " ",
      "\t",
      "a=b,c=d",
    ],
    ...[
      "task.setvariable variable=x",
      "2001:db8::1",
      "::ffff:192.0.2.1",
      "error",
      "warning file=a",
      "e",
      "set-output name=x",
    ],
  ),
  fc.constantFrom(...REGISTERED),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const hostile = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
const spaces = fc.constantFrom("", " ", "    ", "\u00a0\t ", "error: ", 'SipTrunk "office" ');

test("this test's parsers find the commands that they should find", () => {
  expect(gitHubCommand("  ::error file=a,line=1::words")).toBe("error");
  expect(gitHubCommand("\u200b::set-output name=a::b")).toBe("set-output");
  expect(gitHubCommand("words ##[add-path]/tmp")).toBe("add-path");
  expect(gitHubCommand("words ::error::more")).toBeUndefined();
  expect(otherCommand("words #\u00ad#vso[task.setvariable variable=a]b")).toBe(true);
});

test("no CI system finds a command in printable text, whatever precedes it", () => {
  fc.assert(
    fc.property(hostile, spaces, hostile, (text, before, more) => {
      for (const line of [before + printable(text), printable(`${before}${text}${more}`)]) {
        expect(gitHubCommand(line)).toBeUndefined();
        expect(otherCommand(line)).toBe(false);
      }
    }),
    { numRuns: 1000 },
  );
});

test("printable text is one bounded line of visible characters, and is left unchanged", () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 2, max: 60 }), (text, limit) => {
      const line = printable(text, limit);
      expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(line.length).toBeLessThanOrEqual(limit);
      expect(printable(line, limit)).toBe(line);
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["an entire escape sequence", "\u001b[31mred\u001b[0m and \u001b]0;title\u0007more", "red and more"],
  ["line breaks", "one\r\ntwo\u2028three", "one  two three"],
  ["characters that change the writing direction", "abc\u202ecba\u2066", "abccba"],
  ["a GitHub command", "::error file=a::b", ": :error file=a::b"],
  ["a command within a line", "the name ::set-output name=a::b", "the name : :set-output name=a::b"],
  ["a GitHub command in the old syntax", "a ##[error]b", "a # #[error]b"],
  ["an Azure command", "a ##vso[task.setvariable variable=b]c", "a # #vso[task.setvariable variable=b]c"],
])("removes or breaks up %s", (_what, text, line) => {
  expect(printable(text)).toBe(line);
});

test.each([
  'allowedAddresses "2001:db8::/32" is not an IP address: write it like 2001:db8::1, ::1/128 or ::ffff:192.0.2.1',
  "LiveKit at http://[::1]:7880 did not answer ListSIPInboundTrunk: connect ECONNREFUSED ::1:7880.",
  "LiveKit at https://[fe80::abcd:1] did not answer, and neither did [2001:db8::dead:beef] or 2001:db8::bad.",
  'SipTrunk "Büro Köln 東京 😀" differs from its declaration: numbers changed outside Pulumi (digest 1a2b3c4d).',
])("leaves %s unchanged", (text) => {
  expect(printable(text)).toBe(text);
});

test("truncates long text with an ellipsis, and never within a character", () => {
  expect(printable("x".repeat(PRINTABLE_LIMIT))).toHaveLength(PRINTABLE_LIMIT);
  expect(printable("x".repeat(10_000_000))).toBe(`${"x".repeat(PRINTABLE_LIMIT - 1)}…`);
  expect(printable("abc😀def", 5)).toBe("abc…");
});

test("a value may be shown if every string in it is printable", () => {
  for (const value of [
    "office",
    7,
    true,
    undefined,
    null,
    ["::/0", "2001:db8::/32"],
    { "X-A": "b", n: { list: [1, "c"] } },
  ]) {
    expect(isPrintable(value)).toBe(true);
  }
  const decodedByTheEngine = '{"a":"\\u0023#vso[task.setvariable variable=x]"}';
  for (const value of [
    "a\nb",
    ["\u001b[2J"],
    { "::error::": "a" },
    "##[group]",
    decodedByTheEngine,
    "x".repeat(3000),
  ]) {
    expect(isPrintable({ value })).toBe(false);
  }
});

describe("errors", () => {
  const text = "no \u001b[2Jsuch\r\n::error file=a::b ##vso[a.b]c";
  const line = "no such  : :error file=a::b # #vso[a.b]c";

  test("from resources, LiveKit and credential readers are printable", () => {
    expect(new ResourceError(text, { partial: { id: "a", properties: {} } })).toMatchObject({
      message: line,
    });
    const sip = { status: 486, reason: text };
    expect(new LiveKitError("refused", "CreateSIPParticipant", text, 486, { sip })).toMatchObject({
      message: line,
      sip: { status: 486, reason: line },
    });
    expect(failing("kamailioCredential", "user 1011")(text).message).toBe(`kamailioCredential: user 1011: ${line}.`);
  });

  test("that are unexpected keep their stack, with every line printable", () => {
    const { message, stack } = explain(
      new TypeError(text),
      "Reading",
      "SipTrunk",
      { owner: "a/b/c/office" },
      new Set(),
    );
    expect(message).toBe(`Reading SipTrunk "office": ${line}`);
    expect(stack).toContain("printable.test");
    for (const stackLine of stack?.split("\n") ?? []) {
      expect(printable(stackLine)).toBe(stackLine);
    }
  });

  test("from LiveKit quote only part of a long answer, and still name the fix", async () => {
    const server = createServer((_request, response) => {
      response.writeHead(401, { "content-type": "application/json" });
      response.end(JSON.stringify({ code: "unauthenticated", msg: `${text} ${"x".repeat(10_000)}` }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const connection: Connection = {
      url: `http://127.0.0.1:${port}`,
      apiKey: "key",
      apiSecret: "secret",
      project: "test",
    };
    const call = callSip(connection, "ListSIPInboundTrunk", new SIPInboundTrunkInfo(), SIPInboundTrunkInfo);
    const failure: unknown = await call.catch((error: unknown) => error);
    server.close();
    server.closeAllConnections();
    const message = failure instanceof LiveKitError ? failure.message : "";
    expect(message).toContain(line);
    expect(message).toMatch(/check livekit:apiKey and livekit:apiSecret/);
    expect(message.length).toBeLessThan(1200);
  });
});
