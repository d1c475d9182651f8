/** The report as JUnit XML, which every CI system shows: one test case for each stack. Pure. */

import { type Finding, type Report, SEVERITY_TITLES, type StackReport } from "./report";
import {
  fingerprintLines,
  lastKnown,
  methodOf,
  planText,
  resourceOf,
  SIDE_REMEDIES,
  SIDE_TITLES,
  sinceOf,
  summaryOf,
} from "./words";

/** The suite's name, and the class of its test cases. */
const SUITE = "livekit-sip drift";

export function asJunit(report: Report): string {
  const { counts, generatedAt, project } = report;
  const attributes = {
    name: SUITE,
    tests: report.stacks.length,
    failures: counts.drifted,
    errors: counts.failed,
    skipped: counts.notChecked,
    time: 0,
    ...(Number.isNaN(Date.parse(generatedAt)) ? {} : { timestamp: generatedAt }),
  };
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    `  ${open("testsuite", attributes)}`,
    "    <properties>",
    `      ${empty("property", { name: "project", value: project })}`,
    `      ${empty("property", { name: "method", value: methodOf(report) })}`,
    `      ${empty("property", { name: "summary", value: summaryOf(report) })}`,
    "    </properties>",
    ...report.stacks.map((stack) => testCase(stack, report)),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function testCase(stack: StackReport, report: Report): string {
  const attributes = { name: stack.stack, classname: SUITE, time: 0 };
  const content = [result(stack, report), remarks(stack)].filter((part) => part !== undefined);
  return content.length === 0
    ? `    ${empty("testcase", attributes)}`
    : [`    ${open("testcase", attributes)}`, ...content.map((part) => `      ${part}`), "    </testcase>"].join("\n");
}

function result(stack: StackReport, report: Report): string | undefined {
  const { status, reason = "", severity, findings, repair } = stack;
  const explained = [reason, ...lastKnown(stack, report)].join("\n");
  switch (status) {
    case "in-sync":
      return undefined;
    case "failed":
      return `${open("error", { type: "failed", message: reason })}${escaped(explained)}</error>`;
    case "not-checked":
      return empty("skipped", { message: explained.replaceAll("\n", " ") });
    case "drifted": {
      const title = severity === undefined ? "Drifted" : SEVERITY_TITLES[severity];
      const message = [title, ...findings.slice(0, 1).map(problemOf)].join(": ");
      const lines = [
        ...findings.flatMap((finding) => linesOf(finding, report)),
        ...(reason === "" ? [] : [reason]),
        ...(repair === undefined ? [] : [`To repair it: ${repair}`]),
      ];
      return `${open("failure", { type: severity ?? "drifted", message })}${escaped(lines.join("\n"))}</failure>`;
    }
  }
}

function problemOf(finding: Finding): string {
  return `${resourceOf(finding)}: ${finding.problem}`;
}

function linesOf(finding: Finding, report: Report): string[] {
  const { severity, side, plan, urn } = finding;
  return [
    problemOf(finding),
    `  ${SEVERITY_TITLES[severity]}. Side: ${SIDE_TITLES[side]}. Since: ${sinceOf(finding, report)}.`,
    ...[...plan.map(planText), ...fingerprintLines(finding)].map((line) => `  ${line}`),
    `  ${SIDE_REMEDIES[side]}`,
    `  ${urn}`,
  ];
}

function remarks({ remarks, phoneSystems }: StackReport): string | undefined {
  const lines = [...phoneSystems.map(({ resource, status }) => `phone system of ${resource}: ${status}`), ...remarks];
  return lines.length === 0 ? undefined : `<system-out>${escaped(lines.join("\n"))}</system-out>`;
}

type Attributes = Readonly<Record<string, string | number>>;

function open(name: string, attributes: Attributes): string {
  return `<${[name, ...Object.entries(attributes).map(([key, value]) => `${key}="${escaped(String(value))}"`)].join(" ")}>`;
}

function empty(name: string, attributes: Attributes): string {
  return open(name, attributes).replace(/>$/, "/>");
}

/** What XML 1.0 can't contain in any form, and direction overrides, which would show a name as another one. */
const FORBIDDEN =
  /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

function escaped(text: string): string {
  return text.replace(FORBIDDEN, "").replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
