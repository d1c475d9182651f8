/** The report for a terminal: a table of the findings, the other sections, and one summary line at the end. Pure. */

import { printable } from "../../printable";
import { columnsOf, row, wrap } from "./columns";
import { type Report, SEVERITY_TITLES } from "./report";
import {
  amount,
  count,
  findingsOf,
  type Located,
  lastKnown,
  methodOf,
  moment,
  resourceOf,
  SIDE_REMEDIES,
  SIDE_TITLES,
  STATUS_TITLES,
  sinceOf,
  summaryOf,
  withStatus,
} from "./words";

export interface TextOptions {
  /** The terminal's width in columns. Default: lines are not wrapped, so that each finding is one line. */
  readonly width?: number | undefined;
}

/** The most entries of a section other than the findings. */
const MOST_ENTRIES = 50;

/** The narrowest terminal that gets a table. */
const NARROWEST_TABLE = 88;

/** The most columns for the names of stacks. */
const WIDEST_STACK = 44;

const HEAD = ["SEVERITY", "STACK", "SIDE", "SINCE", "WHAT"] as const;

export function asText(report: Report, { width }: TextOptions = {}): string {
  const sections = [
    findings(report, width),
    repairs(report, width),
    section(
      "The same cause in several stacks",
      report.groups.map(({ cause, severity, side, stacks }) => [
        `${severity}, ${SIDE_TITLES[side]}, ${count(stacks.length, "stack")}: ${cause}`,
        ...stacks.slice(0, MOST_ENTRIES).map((name) => `  ${name}`),
        ...more(stacks.length),
      ]),
      width,
    ),
    section(
      "On LiveKit, but in none of the stacks",
      report.unmanaged.map(({ id, kind, name, reason }) => [
        `${kind} ${id}${name === "" ? "" : ` "${name}"`}: ${reason}`,
      ]),
      width,
    ),
    ...(["failed", "not-checked"] as const).map((status) =>
      section(
        STATUS_TITLES[status],
        withStatus(report, status).map((stack) => [
          `${stack.stack}: ${stack.reason ?? ""}`,
          ...lastKnown(stack, report).map((sentence) => `  ${sentence}`),
        ]),
        width,
      ),
    ),
    section(
      "Could not be compared or asked",
      report.stacks.flatMap(({ stack, status, reason, remarks }) =>
        [...(status === "drifted" && reason !== undefined ? [reason] : []), ...remarks].map((it) => [
          `${stack}: ${it}`,
        ]),
      ),
      width,
    ),
    section(
      "Resolved since the previous report",
      report.resolved.map((it) => [`${it.stack}: ${resourceOf(it)}: ${it.problem}`]),
      width,
    ),
    summary(report).flatMap((line) => wrapped(line, "", width)),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map(safe).join("\n"))
    .join("\n\n");
}

/** More than any line has: the parts are limited one by one. */
const LONGEST_LINE = 1_000_000;

/** A line that no terminal and no CI system takes for more than text. */
function safe(line: string): string {
  return printable(line, LONGEST_LINE).trimEnd();
}

function findings(report: Report, width: number | undefined): string[] {
  const rows = findingsOf(report).map((located) => cellsOf(located, report));
  if (rows.length === 0) {
    return [];
  }
  if (width !== undefined && width < NARROWEST_TABLE) {
    return rows.flatMap(([severity = "", stack = "", side = "", since = "", what = ""]) => [
      ...wrapped(stack, "", width),
      ...wrapped(`${severity}, ${side}, ${since}`, "  ", width),
      ...wrapped(what, "  ", width),
    ]);
  }
  const widest = HEAD.map((title, column) =>
    Math.max(title.length, ...rows.map((cells) => columnsOf(cells[column] ?? ""))),
  );
  const limited = widest.map((columns, index) => (HEAD[index] === "STACK" ? Math.min(columns, WIDEST_STACK) : columns));
  const before = (columns: readonly number[]) => columns.slice(0, -1).reduce((sum, it) => sum + it + 2, 0);
  const widths =
    width === undefined
      ? [...widest.slice(0, -1), undefined]
      : [...limited.slice(0, -1), Math.max(20, width - before(limited))];
  return [HEAD, ...rows].flatMap((cells) => row(cells, widths));
}

function cellsOf({ stack, finding }: Located, report: Report): string[] {
  return [
    finding.severity,
    stack.stack,
    SIDE_TITLES[finding.side],
    sinceOf(finding, report),
    `${resourceOf(finding)}: ${finding.problem}`,
  ].map((cell) => printable(cell));
}

/** The commands are not wrapped, so that they can be copied. */
function repairs(report: Report, width: number | undefined): string[] {
  const commands = report.stacks.flatMap(({ repair }) => repair ?? []);
  const elsewhere = new Set(
    findingsOf(report).flatMap(({ stack, finding }) => (finding.side === "phone-system" ? [stack.stack] : [])),
  );
  return [
    ...(commands.length === 0
      ? []
      : ["To repair:", ...commands.slice(0, MOST_ENTRIES).map((command) => `  ${command}`), ...more(commands.length)]),
    ...(elsewhere.size === 0
      ? []
      : wrapped(
          `The phone system differs in ${count(elsewhere.size, "stack")}. ${SIDE_REMEDIES["phone-system"]}`,
          "",
          width,
        )),
  ];
}

/** A title and entries of one or more lines each. */
function section(title: string, entries: readonly (readonly string[])[], width: number | undefined): string[] {
  return entries.length === 0
    ? []
    : [
        `${title}: ${amount(entries.length)}`,
        ...entries.slice(0, MOST_ENTRIES).flatMap((lines) => lines.flatMap((line) => wrapped(line, "  ", width))),
        ...more(entries.length),
      ];
}

function more(entries: number): string[] {
  return entries > MOST_ENTRIES
    ? [`  and ${amount(entries - MOST_ENTRIES)} more, which --format json and html list`]
    : [];
}

/** A line with an indent, wrapped; the lines after the first one are indented further. */
function wrapped(line: string, indent: string, width: number | undefined): string[] {
  const own = /^ */.exec(line)?.[0] ?? "";
  const before = `${indent}${own}`;
  const text = printable(line.slice(own.length));
  if (width === undefined) {
    return [`${before}${text}`];
  }
  return wrap(text, Math.max(20, width - before.length - 2)).map(
    (part, index) => `${before}${index === 0 ? "" : "  "}${part}`,
  );
}

function summary(report: Report): string[] {
  const { project, generatedAt } = report;
  const worst = report.stacks.find(({ severity }) => severity)?.severity;
  return [
    `${project}, ${moment(generatedAt)}. ${methodOf(report)}`,
    `${summaryOf(report)}${worst === undefined ? "" : `; the most severe: ${SEVERITY_TITLES[worst].toLowerCase()}`}.`,
  ];
}
