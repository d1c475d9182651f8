/**
 * The report as a comment on a pull request or an issue: a summary, a table of the drifted stacks, the rest to unfold. It is never
 * longer than GitHub takes, and says what was left out. Pure.
 */

import { assembled, folded, MARKDOWN_LIMIT, type Part } from "./markdown-parts";
import { code, codeBlock, prose } from "./markdown-text";
import { type Report, SEVERITY_TITLES, type StackReport } from "./report";
import {
  count,
  fingerprintLines,
  lastKnown,
  methodOf,
  moment,
  planText,
  resourceOf,
  SIDE_REMEDIES,
  SIDE_TITLES,
  STATUS_TITLES,
  sinceOf,
  summaryOf,
  withStatus,
} from "./words";

/** The most characters of a text in a table or a list, so that one customer's name can't use up the comment. */
const TEXT_LIMIT = 240;

export function asMarkdown(report: Report): string {
  const head = [
    `## ${report.counts.drifted > 0 ? "SIP drift" : "No SIP drift"}: ${code(report.project, 200)}`,
    `**${summaryOf(report)}.**`,
    `${prose(moment(report.generatedAt), 60)}. ${methodOf(report)}`,
  ].join("\n\n");
  const drifted = withStatus(report, "drifted");
  const parts: Part[] = [
    {
      entries: "drifted stacks of the table",
      before: "| Severity | Stack | Side | What | Since |\n| --- | --- | --- | --- | --- |\n",
      blocks: drifted.map((stack) => `${tableRow(stack, report)}\n`),
      most: 24_000,
    },
    folded(
      "failed stacks",
      "Failed",
      withStatus(report, "failed").map((stack) => reasonOf(stack, report)),
      8_000,
    ),
    folded(
      "causes",
      "The same cause in several stacks",
      report.groups.map(
        ({ cause, severity, side, stacks }) =>
          `- ${count(stacks.length, "stack")}, ${SEVERITY_TITLES[severity].toLowerCase()}, ${SIDE_TITLES[side]}: ${prose(cause, TEXT_LIMIT)}\n`,
      ),
      6_000,
    ),
    folded(
      "unmanaged objects",
      "On LiveKit, but in none of the stacks",
      report.unmanaged.map(
        ({ id, kind, name, reason }) =>
          `- ${kind} ${code(id, 100)}${name === "" ? "" : ` (${code(name, 100)})`}: ${prose(reason, TEXT_LIMIT)}\n`,
      ),
      6_000,
    ),
    folded(
      "resolved findings",
      "Resolved since the previous report",
      report.resolved.map(
        (it) => `- ${code(it.stack, 200)}, ${code(resourceOf(it), 200)}: ${prose(it.problem, TEXT_LIMIT)}\n`,
      ),
      6_000,
    ),
    folded(
      "stacks that were not checked",
      "Not checked",
      withStatus(report, "not-checked").map((stack) => reasonOf(stack, report)),
      4_000,
    ),
    { entries: "details of stacks", before: "### Details\n\n", blocks: drifted.map((stack) => details(stack, report)) },
  ];
  return assembled(head, parts, MARKDOWN_LIMIT, "`--format html` shows everything.");
}

function tableRow({ stack, severity, findings }: StackReport, report: Report): string {
  const [first] = findings;
  const others = findings.length - 1;
  const cells = [
    severity === undefined ? "" : SEVERITY_TITLES[severity],
    code(stack, 200),
    [...new Set(findings.map(({ side }) => SIDE_TITLES[side]))].join(", "),
    first === undefined
      ? ""
      : `${code(resourceOf(first), 120)}: ${prose(first.problem, TEXT_LIMIT)}${others > 0 ? ` (and ${others} more)` : ""}`,
    first === undefined ? "" : prose(sinceOf(first, report), 60),
  ];
  return `| ${cells.join(" | ")} |`;
}

function reasonOf(stack: StackReport, report: Report): string {
  const sentences = [stack.reason ?? "", ...lastKnown(stack, report)];
  return `- ${code(stack.stack, 200)}: ${sentences.map((it) => prose(it, TEXT_LIMIT)).join(" ")}\n`;
}

/** The findings of one stack and how to repair them, as the text of an issue. */
export function stackMarkdown(stack: StackReport, report: Report): string {
  return [...detailsOf(stack, report), `${prose(moment(report.generatedAt), 60)}. ${methodOf(report)}`].join("\n\n");
}

function details(stack: StackReport, report: Report): string {
  const { severity } = stack;
  const title = severity === undefined ? STATUS_TITLES[stack.status] : SEVERITY_TITLES[severity];
  const summary = `<details><summary>${code(stack.stack, 200)}: ${title}</summary>`;
  return [summary, ...detailsOf(stack, report), "</details>\n\n"].join("\n\n");
}

function detailsOf({ findings, remarks, phoneSystems, repair, reason }: StackReport, report: Report): string[] {
  return [
    ...findings.map((finding) =>
      [
        `**${SIDE_TITLES[finding.side]}**, ${code(resourceOf(finding), 200)}, ${prose(sinceOf(finding, report), 60)}: ${prose(finding.problem, 600)}`,
        codeBlock([...finding.plan.map(planText), ...fingerprintLines(finding)]),
      ]
        .filter((part) => part !== "")
        .join("\n\n"),
    ),
    ...phoneSystems.map(
      ({ resource, status }) => `Phone system of ${code(resource, 100)}: ${prose(status, TEXT_LIMIT)}`,
    ),
    ...[...(reason === undefined ? [] : [reason]), ...remarks].map((remark) => prose(remark, TEXT_LIMIT)),
    ...(findings.some(({ side }) => side === "phone-system") ? [SIDE_REMEDIES["phone-system"]] : []),
    ...(repair === undefined ? [] : [`To repair it:\n\n${codeBlock([repair])}`]),
  ];
}
