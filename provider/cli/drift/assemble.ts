/** Puts a report together from what was found in each stack. Pure. */

import { printable } from "../../printable";
import type { Difference } from "./differences";
import type { Ignored } from "./ignore";
import type { Previous } from "./previous";
import {
  type Finding,
  type Group,
  REPORT_VERSION,
  type Report,
  SEVERITIES,
  type StackReport,
  type Unmanaged,
} from "./report";
import { mostSevere } from "./severity";
import { KINDS } from "./sip-stack";

/** What a check says of one stack. */
export interface Outcome {
  /** organization/project/stack, printable. */
  readonly stack: string;
  readonly updatedAt?: string;
  readonly differences: readonly Difference[];
  readonly remarks: readonly string[];
  readonly answers: readonly { readonly resource: string; readonly status: string }[];
  /** Why it failed, as sentences. */
  readonly failure?: string;
  /** Why it was not checked, or not as a whole, as sentences. */
  readonly problem?: string;
}

/** Everything else that a report says. */
export interface Context extends Pick<Report, "generatedAt" | "project" | "way" | "phoneSystemsAsked"> {
  readonly unmanaged: readonly Unmanaged[];
  readonly previous: Previous;
  readonly ignored: Ignored;
}

export function assemble(outcomes: readonly Outcome[], context: Context): Report {
  const { previous, ignored, unmanaged, generatedAt, project, way, phoneSystemsAsked } = context;
  let ignoredCount = 0;
  const stacks = outcomes.map((outcome) => {
    const kept = ignored.applyTo(outcome.stack, outcome.differences);
    ignoredCount += kept.ignored;
    return stackReport(
      outcome,
      previous.dated(outcome.stack, kept.differences.toSorted(byOrder), generatedAt),
      previous,
    );
  });
  const having = (status: StackReport["status"]) => stacks.filter((it) => it.status === status).length;
  return {
    version: REPORT_VERSION,
    generatedAt,
    project: printable(project),
    way,
    phoneSystemsAsked,
    counts: {
      stacks: stacks.length,
      inSync: having("in-sync"),
      drifted: having("drifted"),
      failed: having("failed"),
      notChecked: having("not-checked"),
      ignored: ignoredCount,
    },
    stacks: stacks.toSorted(bySeverity),
    groups: groupsIn(stacks),
    unmanaged: [...unmanaged],
    resolved: previous.resolved(
      new Set(stacks.flatMap(({ stack, status }) => (status === "failed" || status === "not-checked" ? [] : [stack]))),
      new Map(outcomes.map(({ stack, differences }) => [stack, differences])),
    ),
  };
}

function stackReport(outcome: Outcome, findings: Finding[], previous: Previous): StackReport {
  const { stack, updatedAt, remarks, answers, failure, problem } = outcome;
  const reason = failure ?? problem;
  const status =
    findings.length > 0
      ? "drifted"
      : failure !== undefined
        ? "failed"
        : problem !== undefined
          ? "not-checked"
          : "in-sync";
  const before = status === "failed" || status === "not-checked" ? previous.lastFindings(stack) : [];
  const isRepairable = findings.some(({ side }) => side !== "phone-system");
  return {
    stack,
    status,
    ...(reason !== undefined && { reason: printable(reason) }),
    ...(findings.length > 0 && { severity: mostSevere(findings.map(({ severity }) => severity)) }),
    ...(updatedAt !== undefined && { updatedAt }),
    findings,
    ...(before.length > 0 && { before }),
    remarks: remarks.map((it) => printable(it)),
    ...(isRepairable && { repair: `pulumi up --stack ${shellWord(stack)}` }),
    phoneSystems: answers.map(({ resource, status: answer }) => ({
      resource: printable(resource),
      status: printable(answer),
    })),
  };
}

/** The most severe difference first; among equal ones, a SipTrunk before what refers to it. */
function byOrder(a: Difference, b: Difference): number {
  const kinds: readonly string[] = KINDS;
  return (
    rank(a.severity) - rank(b.severity) ||
    kinds.indexOf(a.type) - kinds.indexOf(b.type) ||
    (`${a.urn} ${a.side}` < `${b.urn} ${b.side}` ? -1 : 1)
  );
}

/** Somebody copies the command into a shell. */
function shellWord(text: string): string {
  return /^[\w./@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

const STATUS_ORDER: readonly StackReport["status"][] = ["drifted", "failed", "not-checked", "in-sync"];

function bySeverity(a: StackReport, b: StackReport): number {
  return (
    STATUS_ORDER.indexOf(a.status) - STATUS_ORDER.indexOf(b.status) ||
    rank(a.severity) - rank(b.severity) ||
    (a.stack < b.stack ? -1 : 1)
  );
}

function rank(severity: StackReport["severity"]): number {
  return severity === undefined ? SEVERITIES.length : SEVERITIES.indexOf(severity);
}

/** The causes that two stacks or more have in common. */
function groupsIn(stacks: readonly StackReport[]): Group[] {
  const byCause = new Map<string, Group>();
  for (const { stack, findings } of stacks) {
    for (const finding of findings) {
      const cause = causeOf(finding);
      const group = byCause.get(cause) ?? { cause, severity: finding.severity, side: finding.side, stacks: [] };
      byCause.set(cause, { ...group, stacks: [...new Set([...group.stacks, stack])] });
    }
  }
  return [...byCause.values()]
    .filter(({ stacks }) => stacks.length > 1)
    .sort((a, b) => rank(a.severity) - rank(b.severity) || b.stacks.length - a.stacks.length);
}

/** Ids and digests differ from stack to stack. */
function causeOf({ type, problem }: Finding): string {
  return `${type}: ${problem.replace(/\b(ST|SDR)_\w+/g, "…").replace(/ \(digest \w+\)/g, "")}`;
}
