/** The report of an earlier run (`--previous`): since when a difference has been there, and what is resolved. */

import { CommandError } from "../command-error";
import { readTextFile } from "../text-file";
import type { Difference } from "./differences";
import { type Finding, REPORT_VERSION, type Report, reportSchema, SEVERITIES } from "./report";

/** @throws CommandError if it is not a report, or one of another version */
export function readReport(path: string): Report {
  const text = readTextFile("--previous", path);
  try {
    return reportSchema.parse(JSON.parse(text));
  } catch {
    throw new CommandError(
      `--previous: ${path} is not a report of version ${REPORT_VERSION}: write one with \`livekit-sip drift --format json\`.`,
    );
  }
}

/** The same difference has the same key in every report. */
function keyOf(stack: string, { urn, side }: Pick<Finding, "urn" | "side">): string {
  return JSON.stringify([stack, urn, side]);
}

/** The lower, the more severe. */
function rankOf({ severity }: Pick<Finding, "severity">): number {
  return SEVERITIES.indexOf(severity);
}

/** The findings of an earlier report that are not found any more. */
export interface Missing {
  readonly resolved: readonly Finding[];
  /** Those that this run could not have found: they may still be there. */
  readonly unknown: readonly Finding[];
}

/** What an earlier report knew. Without one, everything is new. */
export class Previous {
  private readonly findings: ReadonlyMap<string, Finding>;

  constructor(private readonly report: Report | undefined) {
    this.findings = new Map(
      (report?.stacks ?? []).flatMap(({ stack, findings, before = [] }) =>
        [...findings, ...before].map((finding): [string, Finding] => [keyOf(stack, finding), finding]),
      ),
    );
  }

  /** Dates the differences of a stack. One that has become more severe is new: whoever has seen it before must look again. */
  dated(stack: string, differences: readonly Difference[], now: string): Finding[] {
    return differences.map((difference) => {
      const before = this.findings.get(keyOf(stack, difference));
      const known = before && rankOf(difference) >= rankOf(before) ? before : undefined;
      return { ...difference, firstSeen: known?.firstSeen ?? now, isNew: known === undefined };
    });
  }

  /**
   * What was found in a stack and is not found now, by whether this run could have found it.
   *
   * @param found the current differences, with those that are ignored
   */
  missing(stack: string, found: readonly Difference[], isKnown: (finding: Finding) => boolean): Missing {
    const { findings = [], before = [] } = this.report?.stacks.find((it) => it.stack === stack) ?? {};
    const current = new Set(found.map((it) => keyOf(stack, it)));
    const missing = [...findings, ...before].filter((it) => !current.has(keyOf(stack, it)));
    return { resolved: missing.filter(isKnown), unknown: missing.filter((it) => !isKnown(it)) };
  }
}
