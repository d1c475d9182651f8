/** The words that every format of a drift report uses. Pure. */

import type { Finding, PlanLine, Report, Side, StackReport } from "./report";

/** The sides of the triangle, as titles. */
export const SIDE_TITLES: Readonly<Record<Side, string>> = {
  declared: "Declaration",
  platform: "LiveKit",
  "phone-system": "Phone system",
};

/** What it means that a side differs, as a sentence. */
export const SIDE_MEANINGS: Readonly<Record<Side, string>> = {
  declared: "The program declares something that was never applied.",
  platform: "LiveKit no longer has what the stack declares.",
  "phone-system": "The phone system does not accept what the stack declares.",
};

/** How to repair what differs on a side, as a sentence. */
export const SIDE_REMEDIES: Readonly<Record<Side, string>> = {
  declared: "The repair command applies it.",
  platform: "The repair command writes what is declared to LiveKit.",
  "phone-system":
    "No command can change the phone system. Set the declared user name and password there, or declare the ones that it has.",
};

/** The statuses of a stack, in words. */
export const STATUS_TITLES: Readonly<Record<StackReport["status"], string>> = {
  drifted: "Drifted",
  failed: "Failed",
  "not-checked": "Not checked",
  "in-sync": "In sync",
};

/** How a check was made, as a sentence. */
export const WAY_MEANINGS: Readonly<Record<Report["way"], string>> = {
  states: "Compared with each stack's last state.",
  preview: "Compared by a preview of each stack's program.",
};

/** A finding with the stack that it belongs to. */
export interface Located {
  readonly stack: StackReport;
  readonly finding: Finding;
}

/** All findings, in the order of the stacks. */
export function findingsOf({ stacks }: Report): Located[] {
  return stacks.flatMap((stack) => stack.findings.map((finding) => ({ stack, finding })));
}

/** The stacks of one status, in the report's order. */
export function withStatus({ stacks }: Report, status: StackReport["status"]): StackReport[] {
  return stacks.filter((stack) => stack.status === status);
}

/** A number with its noun, for example `1 stack` and `1,200 stacks`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${amount(number)} ${number === 1 ? noun : plural}`;
}

/** A number as people read it: `1,200`. */
export function amount(number: number): string {
  return number.toLocaleString("en-US");
}

/** What a report found, as one line. */
export function summaryOf({ counts, unmanaged, resolved }: Report): string {
  const parts = [
    counts.drifted === 0
      ? `No drift in ${count(counts.stacks, "stack")}`
      : `${amount(counts.drifted)} of ${count(counts.stacks, "stack")} drifted`,
    `${amount(counts.inSync)} in sync`,
    counts.failed > 0 && `${amount(counts.failed)} failed`,
    counts.notChecked > 0 && `${amount(counts.notChecked)} not checked`,
    resolved.length > 0 && `${amount(resolved.length)} resolved`,
    unmanaged.length > 0 && `${amount(unmanaged.length)} unmanaged on LiveKit`,
    counts.ignored > 0 && `${count(counts.ignored, "finding")} ignored`,
  ];
  return parts.filter((part) => part !== false).join(", ");
}

/** What was compared with what, as sentences. */
export function methodOf({ way, phoneSystemsAsked }: Report): string {
  return `${WAY_MEANINGS[way]} The phone systems were ${phoneSystemsAsked ? "" : "not "}asked.`;
}

/** A time as `2026-10-08 03:12 UTC`. A text that is no time stays as it is. */
export function moment(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : `${time.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The time between two moments in its largest unit, for example `3 days`. Undefined if one of them is no time. */
export function howLong(from: string, to: string): string | undefined {
  const elapsed = Date.parse(to) - Date.parse(from);
  if (Number.isNaN(elapsed)) {
    return undefined;
  }
  if (elapsed >= DAY_MS) {
    return count(Math.floor(elapsed / DAY_MS), "day");
  }
  return elapsed >= HOUR_MS
    ? count(Math.floor(elapsed / HOUR_MS), "hour")
    : count(Math.max(0, Math.floor(elapsed / MINUTE_MS)), "minute");
}

/** Since when a finding has been there: `new`, or for how long. */
export function sinceOf({ isNew, firstSeen }: Finding, { generatedAt }: Report): string {
  return isNew ? "new" : (howLong(firstSeen, generatedAt) ?? firstSeen);
}

/** What earlier checks found in a stack and this one could not check, as sentences. */
export function lastKnown(
  { before = [] }: Pick<StackReport, "before">,
  { generatedAt }: Pick<Report, "generatedAt">,
): string[] {
  return before.map((finding) => {
    const age = howLong(finding.firstSeen, generatedAt);
    return `The last check that reached it found ${resourceOf(finding)}: ${finding.problem}${age === undefined ? "" : ` (for ${age})`}.`;
  });
}

/** What makes a finding of one report the same as one of the next: where it is. */
export function identityOf(stack: string, { urn, side }: Pick<Finding, "urn" | "side">): string {
  return JSON.stringify([stack, urn, side]);
}

/** A line of a plan: `~ numbers: found => declared`. */
export function planText({ property, found, declared }: PlanLine): string {
  return `~ ${property}: ${found} => ${declared}`;
}

/** A line with the fingerprints of a finding, if it has any. */
export function fingerprintLines({ fingerprint }: Finding): string[] {
  return fingerprint ? [`fingerprint: found ${fingerprint.found}, applied ${fingerprint.applied}`] : [];
}

/** A finding's resource, for example `SipTrunk reception`. */
export function resourceOf({ type, resource }: Pick<Finding, "type" | "resource">): string {
  return `${type} ${resource}`;
}
