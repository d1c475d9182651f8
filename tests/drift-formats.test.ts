import fc from "fast-check";
import { columnsOf } from "../provider/cli/drift/columns";
import { asJunit } from "../provider/cli/drift/junit";
import { asMarkdown } from "../provider/cli/drift/markdown";
import { MARKDOWN_LIMIT } from "../provider/cli/drift/markdown-parts";
import type { Report } from "../provider/cli/drift/report";
import { asSarif } from "../provider/cli/drift/sarif";
import { asText } from "../provider/cli/drift/text";
import {
  anyReport,
  drifted,
  HOSTILE,
  hostileReport,
  inSync,
  largeReport,
  reportOf,
  sampleReport,
  stackName,
} from "./support/drift-report";
import { allElements, elementsOf, parseMarkup } from "./support/markup";

const clean = () => reportOf([inSync(1), inSync(2)]);

describe("as text", () => {
  it("shows each finding on one line if there is no terminal, the most severe first, and the summary last", () => {
    const lines = asText(sampleReport()).split("\n");
    expect(lines[0]).toMatch(/^SEVERITY +STACK +SIDE +SINCE +WHAT$/);
    expect(lines[1]).toMatch(
      /^open +acme\/telephony\/customer-007 +LiveKit +new +InboundAuth office: inbound trunk \S+ is OPEN TO ANYONE; allowedAddresses changed outside Pulumi$/,
    );
    expect(lines[3]).toMatch(
      /^rejected +acme\/telephony\/customer-072 +Phone system +26 days +SipTrunk reception: sip\S+ rejects/,
    );
    expect(lines.at(-1)).toBe(
      "8 of 100 stacks drifted, 89 in sync, 2 failed, 1 not checked, 2 resolved, 2 unmanaged on LiveKit, 3 findings ignored; the most severe: open to anyone.",
    );
  });

  it("has a section for causes, unmanaged objects, failed and unchecked stacks, remarks and what is resolved", () => {
    const text = asText(sampleReport());
    for (const part of [
      "credential, LiveKit, 3 stacks: SipTrunk: password changed outside Pulumi\n    acme/telephony/customer-017\n",
      'inbound trunk ST_4kQe1mLpXw "test by Jo": It carries no marker of a stack.',
      "Failed: 2\n  acme/telephony/customer-030: The state of acme/telephony/customer-030 is not a state",
      "The last check that reached it found SipTrunk reception: inbound trunk ST_",
      "Not checked: 1\n  acme/telephony/customer-095: It has no SipTrunk",
      'acme/telephony/customer-012: SipTrunk "reception": unreachable: pbx.customer-012.example',
      "Resolved since the previous report: 2\n  acme/telephony/customer-003: SipTrunk reception: numbers changed",
      "To repair:\n  pulumi up --stack acme/telephony/customer-007\n",
      "The phone system differs in 2 stacks. No command can change the phone system.",
      "Compared with each stack's last state. The phone systems were asked.",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("is two lines if nothing drifted", () => {
    expect(asText(clean()).split("\n")).toEqual([
      expect.stringContaining("2026-10-08 03:12 UTC"),
      "No drift in 2 stacks, 2 in sync.",
    ]);
  });

  it("wraps at the terminal's width, but never a command", () => {
    for (const width of [40, 60, 88, 120]) {
      const lines = asText(sampleReport(), { width }).split("\n");
      expect(lines.filter((line) => columnsOf(line) > width && !line.startsWith("  pulumi up"))).toEqual([]);
    }
  });

  it("keeps its columns below each other with wide characters in a name", () => {
    const stack = { ...drifted(1, "rule"), stack: "acme/電話交換機📞" };
    const lines = asText(reportOf([stack, drifted(2, "rule")]), { width: 120 }).split("\n");
    const columns = lines.slice(1, 3).map((line) => columnsOf(line.slice(0, line.indexOf("LiveKit"))));
    expect(new Set(columns).size).toBe(1);
  });

  it("limits the sections that are not drift", () => {
    const report = reportOf(
      Array.from({ length: 300 }, (_, index) => ({ ...inSync(index), status: "failed", reason: "No state." }) as const),
    );
    const text = asText(report);
    expect(text).toContain("Failed: 300");
    expect(text).toContain("  and 250 more, which --format json and html list");
    expect(text.split("\n")).toHaveLength(1 + 50 + 1 + 1 + 2);
  });

  it("has no line that a CI system or a terminal takes for a command, whatever the names", () => {
    const widths = fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined });
    const expectPlain = (report: Report, width?: number) =>
      expect(asText(report, { width })).not.toMatch(/^\s*::|##|[^\P{Cc}\n]|[\p{Cf}\p{Cs}\u2028\u2029]/mu);
    expectPlain(hostileReport());
    expectPlain(hostileReport(), 100);
    fc.assert(fc.property(anyReport(), widths, expectPlain), { numRuns: 50 });
  });
});

describe("as Markdown", () => {
  it("begins with the summary and has a table row for each drifted stack", () => {
    const lines = asMarkdown(sampleReport()).split("\n");
    expect(lines[0]).toContain("SIP drift");
    expect(lines[2]).toContain("**8 of 100 stacks drifted");
    const rows = lines.filter((line) => line.startsWith("| "));
    expect(rows).toHaveLength(2 + 8);
    expect(rows[2]).toMatch(
      /^\| Open to anyone \| <code>acme\/telephony\/customer-007<\/code> \| LiveKit \| .* \| new \|$/,
    );
  });

  it("unfolds to plan lines, the fingerprints and the command", () => {
    const text = asMarkdown(sampleReport());
    const start = text.indexOf("<details><summary><code>acme/telephony/customer-017</code>");
    const details = text.slice(start, text.indexOf("</details>", start));
    expect(details).toMatch(/~ credentialFingerprint: "(\w{8})" => "(\w{8})"/);
    expect(details).toMatch(/fingerprint: found \w{8}, applied \w{8}/);
    expect(details).toContain("```text\npulumi up --stack acme/telephony/customer-017\n```");
  });

  it("is short if nothing drifted", () => {
    const text = asMarkdown(clean());
    expect(text).toContain("## No SIP drift");
    expect(text).not.toContain("<details>");
    expect(text.length).toBeLessThan(400);
  });

  it("stays below GitHub's limit and says what was left out", () => {
    const text = asMarkdown(largeReport(2_000, 1_000));
    expect(text.length).toBeLessThanOrEqual(MARKDOWN_LIMIT);
    const [, left = "", all = ""] = /Left out, .*?: ([\d,]+) of ([\d,]+) drifted stacks of the table;/.exec(text) ?? [];
    const rows = text.split("\n").filter((line) => line.startsWith("| ")).length - 2;
    expect(rows + Number(left)).toBe(Number(all.replace(",", "")));
    expect(text).toMatch(/of 1,000 details of stacks\. `--format html` shows everything\.\n$/);
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  });

  it("has the same structure whatever the names: no markup, link, mention or reference of theirs", () => {
    expectOwnMarkup(hostileReport());
    fc.assert(fc.property(anyReport(), expectOwnMarkup), { numRuns: 50 });
  });

  function expectOwnMarkup(report: Report) {
    const text = asMarkdown(report);
    expect(text.length).toBeLessThanOrEqual(MARKDOWN_LIMIT);
    const outside = text.replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, "").replaceAll("`--format html`", "");
    expect(outside).not.toMatch(/<(?!\/?(?:code|details|summary)>)|@|\]\(|`|:\/\/|www\./);
    // What is left are the characters of headings, of emphasis, and of references to characters.
    expect(outside.replace(/^##+ /gm, "").replace(/&#\d+;/g, "")).not.toMatch(/[#[\]~_\\]/);
    expect(outside.replace(/<code>.*?<\/code>/g, "")).not.toMatch(/&#(35|64);(?!&#8203;)/);
    for (const line of outside.split("\n").filter((it) => it.startsWith("|"))) {
      expect(line.split("|")).toHaveLength(7);
    }
  }
});

describe("as JUnit", () => {
  const suiteOf = (report: Report) => {
    const [suite] = elementsOf(parseMarkup(asJunit(report)), "testsuite");
    if (!suite) {
      throw new Error("There is no test suite");
    }
    return { suite, cases: elementsOf(suite, "testcase") };
  };

  it("has a test case for each stack: a failure, an error, a skipped one or a success", () => {
    const { suite, cases } = suiteOf(sampleReport());
    expect(suite.attributes).toMatchObject({
      tests: "100",
      failures: "8",
      errors: "2",
      skipped: "1",
      timestamp: "2026-10-08T03:12:40.000Z",
    });
    const result = (number: number) => {
      const found = cases.find(({ attributes }) => attributes.name === stackName(number));
      return found?.children.map(({ name }) => name).filter((name) => name !== "system-out");
    };
    expect([7, 30, 95, 1].map(result)).toEqual([["failure"], ["error"], ["skipped"], []]);
  });

  it("says in the failure what differs, on which side, and how to repair it", () => {
    const [failure] = elementsOf(suiteOf(sampleReport()).suite, "failure");
    expect(failure?.attributes).toMatchObject({
      type: "open",
      message: expect.stringMatching(/^Open to anyone: InboundAuth office: /),
    });
    expect(failure?.text).toContain("Side: LiveKit. Since: new.");
    expect(failure?.text).toContain('~ allowedAddresses: [] => ["203.0.113.7/32", "203.0.113.8/32"]');
    expect(failure?.text).toContain("To repair it: pulumi up --stack acme/telephony/customer-007");
  });

  it("keeps hostile names as text", () => {
    const names = suiteOf(hostileReport()).cases.map(({ attributes }) => attributes.name);
    for (const name of HOSTILE.filter((it) => !/[\p{Cc}\p{Cf}\p{Cs}]/u.test(it))) {
      expect(names).toContain(name);
    }
  });

  it("is well-formed XML whatever the names", () => {
    fc.assert(
      fc.property(anyReport(), (report) => {
        const xml = asJunit(report);
        const elements = allElements(parseMarkup(xml)).map(({ name }) => name);
        expect(elements.filter((name) => name === "testcase")).toHaveLength(report.stacks.length);
        expect(elements.filter((name) => !ELEMENTS.has(name))).toEqual([]);
        expect(xml).not.toMatch(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u);
      }),
    );
  });

  const ELEMENTS = new Set(
    "testsuites testsuite properties property testcase failure error skipped system-out".split(" "),
  );
});

describe("as SARIF", () => {
  interface Sarif {
    version: string;
    runs: [
      {
        tool: { driver: { rules: { id: string; help: { text: string } }[] } };
        invocations: [
          { executionSuccessful: boolean; toolExecutionNotifications: { level: string; message: { text: string } }[] },
        ];
        results: {
          ruleId: string;
          ruleIndex: number;
          level: string;
          message: { text: string };
          locations: [{ physicalLocation: object; logicalLocations: [{ fullyQualifiedName: string }] }];
          partialFingerprints: Record<string, string>;
        }[];
      },
    ];
  }
  const runOf = (report: Report) => {
    const log: Sarif = JSON.parse(asSarif(report));
    expect(log.version).toBe("2.1.0");
    return log.runs[0];
  };
  const fingerprints = (report: Report) =>
    runOf(report).results.map((result) => result.partialFingerprints["drift/v1"]);

  it("has a result for each finding, with its rule, level and URN", () => {
    const { results, tool } = runOf(sampleReport());
    expect(results).toHaveLength(9 + 1);
    for (const { ruleId, ruleIndex } of results) {
      expect(tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
      expect(tool.driver.rules[ruleIndex]?.help.text).not.toBe("");
    }
    expect(results[0]).toMatchObject({
      ruleId: "open",
      level: "error",
      message: { text: expect.stringContaining("acme/telephony/customer-007: InboundAuth office: inbound trunk") },
      locations: [
        {
          physicalLocation: { artifactLocation: { uri: "Pulumi.yaml" } },
          logicalLocations: [{ fullyQualifiedName: expect.stringMatching(/^urn:pulumi:customer-007::.*::office$/) }],
        },
      ],
    });
    expect(runOf(largeReport(70, 14)).results.map(({ level }) => level)).toEqual(
      expect.arrayContaining(["error", "warning", "note"]),
    );
  });

  it("gives a finding the same fingerprint in the next run, and two findings different ones", () => {
    const before = sampleReport();
    const later = {
      ...before,
      generatedAt: "2026-10-09T03:12:40.000Z",
      stacks: before.stacks.map((stack) => ({
        ...stack,
        findings: stack.findings.map((finding) => ({
          ...finding,
          isNew: false,
          problem: `still: ${finding.problem}`,
        })),
      })),
    };
    expect(fingerprints(later)).toEqual(fingerprints(before));
    expect(new Set(fingerprints(before)).size).toBe(10);
  });

  it("keeps what an earlier check found in a stack that can't be checked now, so that no alert is closed", () => {
    const kept = runOf(sampleReport()).results.filter(({ message }) =>
      message.text.includes("An earlier check found it."),
    );
    expect(kept.map(({ message }) => message.text.split("\n")[0])).toEqual([
      expect.stringMatching(/^acme\/telephony\/customer-031: SipTrunk reception: inbound trunk \S+ is gone$/),
    ]);
  });

  it("reports stacks that failed or were not checked as notifications", () => {
    const [invocation] = runOf(sampleReport()).invocations;
    expect(invocation.executionSuccessful).toBe(false);
    expect(invocation.toolExecutionNotifications.map(({ level }) => level)).toEqual(["error", "error", "warning"]);
    expect(invocation.toolExecutionNotifications[0]?.message.text).toContain(
      "customer-030: The state of acme/telephony/customer-030 is not a state",
    );
    expect(runOf(clean()).invocations[0].executionSuccessful).toBe(true);
  });

  it("writes no placeholder and no link into a message", () => {
    fc.assert(
      fc.property(anyReport(), (report) => {
        for (const { message } of runOf(report).results) {
          expect(message.text.replaceAll("{{", "").replaceAll("}}", "")).not.toMatch(/[{}]|\]\(/);
        }
      }),
    );
  });
});
