/** Puts a report together from what was found in each stack. Pure. */

import { printable } from "../../printable";
import { KINDS } from "../../resource-types";
import { isUnanswered } from "../../voip/status";
import type { Difference } from "./differences";
import type { Ignored } from "./ignore";
import type { Previous } from "./previous";
import {
  type Finding,
  type Group,
  REPORT_VERSION,
  type Report,
  SEVERITIES,
  STATUSES,
  type StackReport,
  type Unmanaged,
} from "./report";
import { mostSevere, rankOf } from "./severity";
import { lastKnown } from "./words";

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
  const resolved: Report["resolved"] = [];
  const stacks = outcomes.map((outcome) => {
    const { stack, differences } = outcome;
    const kept = ignored.applyTo(stack, differences);
    ignoredCount += kept.ignored;
    const missing = previous.missing(stack, differences, (finding) => isChecked(finding, outcome, context));
    resolved.push(...missing.resolved.map(({ resource, type, problem }) => ({ stack, resource, type, problem })));
    const findings = previous.dated(stack, kept.differences.toSorted(byOrder), generatedAt);
    return stackReport(outcome, findings, missing.unknown, generatedAt);
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
    resolved,
  };
}

/** Whether a run that does not find a difference shows that it is gone. */
function isChecked(
  { side, resource }: Finding,
  { failure, problem, answers }: Outcome,
  { way, phoneSystemsAsked }: Context,
): boolean {
  if (failure !== undefined || problem !== undefined) {
    return false;
  }
  switch (side) {
    case "declared":
      return way === "preview";
    case "phone-system":
      return (
        phoneSystemsAsked && answers.every((it) => printable(it.resource) !== resource || !isUnanswered(it.status))
      );
    case "platform":
      return true;
  }
}

function stackReport(
  outcome: Outcome,
  findings: Finding[],
  unknown: readonly Finding[],
  generatedAt: string,
): StackReport {
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
  const before = [...unknown];
  // Formats list them with a stack that failed or was not checked. With another, they are remarks.
  const isPartly = status === "drifted" || status === "in-sync";
  const isRepairable = findings.some(({ side }) => side !== "phone-system");
  return {
    stack,
    status,
    ...(reason !== undefined && { reason: printable(reason) }),
    ...(findings.length > 0 && { severity: mostSevere(findings.map(({ severity }) => severity)) }),
    ...(updatedAt !== undefined && { updatedAt }),
    findings,
    ...(before.length > 0 && { before }),
    remarks: [...remarks, ...(isPartly ? lastKnown({ before }, { generatedAt }) : [])].map((it) => printable(it)),
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

function bySeverity(a: StackReport, b: StackReport): number {
  return (
    STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) ||
    rank(a.severity) - rank(b.severity) ||
    (a.stack < b.stack ? -1 : 1)
  );
}

function rank(severity: StackReport["severity"]): number {
  return severity === undefined ? SEVERITIES.length : rankOf(severity);
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
