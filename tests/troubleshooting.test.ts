/**
 * Every message is found on docs/troubleshooting.md by its words. Its list comes from the source, and the linter fails if it is not up to
 * date (scripts/messages.mjs). Here, messages that are really printed are looked up, as somebody on call would, and the explanations above the
 * list are compared with it.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CODES } from "../provider/cli/findings";
import { fieldsOf, validate } from "../provider/lifecycle/validation";
import { sipTrunk } from "../provider/sip-trunk/lifecycle";
import { SipRegistrar } from "../provider/testing/sip-registrar";
import { meaningOf } from "../provider/voip/meanings";
import { livekitSip } from "./support/command";
import { CANARY, expectNoCanary, hotline, office, password } from "./support/examples";
import { startEmulatorPlatform } from "./support/livekit-platform";
import { readPage } from "./support/markdown";
import { testWithProcesses as test } from "./support/matrix";
import { inProcess, said, World } from "./support/worlds";

const [EXPLANATIONS = "", LIST = ""] = readPage("docs/troubleshooting.md").split("<!-- messages -->");
const listed = [...LIST.matchAll(/^- `` (.+) ``$/gm)].map(([, message = ""]) => message);

/** The parts of a message that are always the same and long enough to search for. */
function searchable(message: string): string[] {
  return message
    .split("…")
    .map((part) => part.replace(/^[^\w`"[]+|[^\w`"\]]+$/g, ""))
    .filter((part) => part.split(/\s+/).length >= 3);
}

/** Whether somebody who searches the page for the words of a printed message finds it. */
function isFound(printed: string): boolean {
  return listed.some((message) => searchable(message).some((words) => printed.includes(words)));
}

/** Three words each that follow on each other in a message. A shorter message is one of them as a whole. */
function wordRuns(message: string): string[] {
  return message.split("…").flatMap((part) => {
    const words = part.split(" ").filter((word) => word !== "");
    const count = Math.min(3, message.replaceAll("…", "").trim().split(/\s+/).length);
    return words.slice(count - 1).map((_, index) => words.slice(index, index + count).join(" "));
  });
}

/** What the package printed, without what Pulumi adds. */
function printedLines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => /(SipTrunk|InboundAuth|DispatchRule|TestCall)\b.* [a-z]/.test(line));
}

test("what is wrong with arguments is found", () => {
  const problemsOf = (resource: Pick<typeof sipTrunk, "kind" | "schema" | "rules">, args: Record<string, unknown>) =>
    validate(resource, fieldsOf(resource.schema), [], { owner: "o/p/s/reception", ...args }).problems;
  const password = `${CANARY.slice(0, 8)}1`;
  const problems = [
    ...problemsOf(sipTrunk, { ...office, password, address: "sip:pbx.acme.example", country: "XX", port: 70_000 }),
    ...problemsOf(sipTrunk, { ...office, adress: "x", headers: { "Call-ID": "1" }, metadata: "x".repeat(600_000) }),
    ...problemsOf(sipTrunk, { type: "did", extension: "1011", password: "Aa1-Aa1-Aa1-Aa1", country: "US" }),
    ...problemsOf(sipTrunk, { type: "extension", numbers: ["+12025550123"], username: "acme", country: "US" }),
    ...problemsOf(sipTrunk, { ...hotline, password: "Aa1-Aa1-Aa1-Aa1", numbers: ["+1 202 55"] }),
  ];
  expect(problems.length).toBeGreaterThan(10);
  expect(problems.filter((problem) => !isFound(problem))).toEqual([]);
  expectNoCanary(problems.join());
});

describe("what is printed", () => {
  let pbx: SipRegistrar;
  let world: World;

  beforeAll(async () => {
    pbx = await SipRegistrar.start({ users: { 1011: password("office") } });
    world = await World.start(inProcess, await startEmulatorPlatform());
    await world.secret("office", password("office"));
    await world.secret("hotline", password("hotline"));
  });

  afterAll(async () => {
    await world?.stack.dispose();
    await world?.platform.stop();
    await pbx?.stop();
  });

  async function expectFound(text: string, atLeast: number): Promise<void> {
    const lines = printedLines(text);
    expect(lines.length).toBeGreaterThanOrEqual(atLeast);
    expect(lines.filter((line) => !isFound(line))).toEqual([]);
    expectNoCanary(text);
  }

  test("is found if LiveKit or the phone system is not as declared", async () => {
    const reception = { ...office, address: pbx.host, port: pbx.port };
    await world.given({
      trunks: { reception, elsewhere: hotline },
      auths: { reception: { trunk: "reception", method: "credentials" } },
    });
    pbx.setPassword("1011", password("changed"));
    for (const { sipTrunkId } of await world.outsider.listSipInboundTrunk()) {
      await world.outsider.updateSipInboundTrunkFields(sipTrunkId, { authUsername: "", authPassword: "" });
    }
    const preview = await world.preview();
    const statuses = [...preview.text.matchAll(/(?:platformStatus|voipStatus) *: "(.*?)" => "/g)].map(
      ([, status = ""]) => status,
    );
    expect(statuses.length).toBeGreaterThanOrEqual(3);
    expect(statuses.filter((status) => status !== "in sync" && !isFound(status))).toEqual([]);
    const up = await world.up();
    expect(up.succeeded).toBe(false);
    await expectFound(said(up), 2);
  });

  test("is found if LiveKit does not answer", async () => {
    await world.stack.setConfig("livekit:url", "http://127.0.0.1:1");
    const preview = await world.preview({ refresh: false });
    expect(preview.succeeded).toBe(false);
    const lines = said(preview)
      .split("\n")
      .filter((line) => line.includes("LiveKit"));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.filter((line) => !isFound(line))).toEqual([]);
  });

  test("is found if a command fails", async () => {
    const folder = mkdtempSync(join(tmpdir(), "troubleshooting-"));
    const { url, apiKey, apiSecret } = world.platform;
    const connection = { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
    try {
      for (const [args, env] of [
        [["drift", "--dir", folder], connection],
        [["drift", "--state", folder], connection],
        [["audit"], { ...connection, LIVEKIT_URL: "" }],
        [["import", "--out", folder, "--country", "Narnia"], connection],
      ] as const) {
        const { code, errors } = await livekitSip(args, { PULUMI_BACKEND_URL: undefined, ...env });
        expect([args, code, isFound(errors)]).toEqual([args, 1, true]);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("is found for each status of a call", () => {
    const meanings = (["inbound", "outbound"] as const).flatMap((direction) =>
      [401, 403, 404, 407, 408, 480, 482, 486, 488, 500, 503, 603].map((status) => meaningOf(status, direction)),
    );
    expect(meanings.filter((meaning) => !isFound(meaning))).toEqual([]);
  });
});

describe("the explanations", () => {
  /** Messages of Pulumi, of Node.js, and of plugin/index.js, which plugin.test.ts expects. */
  const OTHERS = [
    "TSError",
    "Property 'allowedNumbers' is missing",
    "'password' does not exist",
    "',' expected",
    "interrupted while creating",
    "Cannot find module",
    "no changes were expected for preview but changes were proposed",
    "pulumi-livekit-sip ",
  ];
  const quoted = [...EXPLANATIONS.matchAll(/^\| (.+?) \| /gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/(`+)(.+?)\1/g)].map(([, , message = ""]) => message),
  );

  test("are of messages that the package prints", () => {
    expect(quoted.length).toBeGreaterThan(30);
    const isPrinted = (message: string) =>
      CODES.some((code) => code === message) ||
      listed.includes(message) ||
      OTHERS.some((other) => message.startsWith(other)) ||
      wordRuns(message).some((words) => listed.some((text) => text.includes(words)));
    expect(quoted.filter((message) => !isPrinted(message))).toEqual([]);
  });

  test("are of every finding of the audit, or lead to it", () => {
    const audit = readPage("docs/import.md");
    expect(CODES.filter((code) => !audit.includes(`\`${code}\``))).toEqual([]);
  });
});
