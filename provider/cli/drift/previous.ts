/** The report of an earlier run (`--previous`): since when a difference has been there, and what is resolved. */

import { CommandError } from "../command-error";
import { readTextFile } from "../text-file";
import type { Difference } from "./differences";
import { type Finding, REPORT_VERSION, type Report, reportSchema } from "./report";
import { rankOf } from "./severity";
import { identityOf } from "./words";

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

/** The findings of an earlier report that are not found any more. */
export interface Missing {
  readonly resolved: readonly Finding[];
  /** Those that this run could not have found: they may still be there. */
  readonly unknown: readonly Finding[];
}

/** What an earlier report knew. Without one, everything is new. */
export class Previous {
  private readonly findings = new Map<string, readonly Finding[]>();

  constructor(report: Report | undefined) {
    for (const { stack, findings, before = [] } of report?.stacks ?? []) {
      this.findings.set(stack, [...this.of(stack), ...findings, ...before]);
    }
  }

  /** Dates the differences of a stack. One that has become more severe is new: whoever has seen it before must look again. */
  dated(stack: string, differences: readonly Difference[], now: string): Finding[] {
    const earlier = this.byIdentity(stack);
    return differences.map((difference) => {
      const before = earlier.get(identityOf(stack, difference));
      const known = before && rankOf(difference.severity) >= rankOf(before.severity) ? before : undefined;
      return { ...difference, firstSeen: known?.firstSeen ?? now, isNew: known === undefined };
    });
  }

  /**
   * What was found in a stack and is not found now, by whether this run could have found it.
   *
   * @param found the current differences, with those that are ignored
   */
  missing(stack: string, found: readonly Difference[], isKnown: (finding: Finding) => boolean): Missing {
    const current = new Set(found.map((it) => identityOf(stack, it)));
    const missing = this.of(stack).filter((it) => !current.has(identityOf(stack, it)));
    return { resolved: missing.filter(isKnown), unknown: missing.filter((it) => !isKnown(it)) };
  }

  private of(stack: string): readonly Finding[] {
    return this.findings.get(stack) ?? [];
  }

  private byIdentity(stack: string): ReadonlyMap<string, Finding> {
    return new Map(this.of(stack).map((finding) => [identityOf(stack, finding), finding]));
  }
}
