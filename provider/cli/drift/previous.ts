/** The report of an earlier run (`--previous`): since when a difference has been there, and what is resolved. */

import { CommandError } from "../command-error";
import { readTextFile } from "../text-file";
import type { Difference } from "./differences";
import { type Finding, REPORT_VERSION, type Report, reportSchema } from "./report";

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

  /** Dates the differences of a stack. */
  dated(stack: string, differences: readonly Difference[], now: string): Finding[] {
    return differences.map((difference) => {
      const known = this.findings.get(keyOf(stack, difference));
      return { ...difference, firstSeen: known?.firstSeen ?? now, isNew: known === undefined };
    });
  }

  /** What was found in a stack that can't be checked now. */
  lastFindings(stack: string): Finding[] {
    const { findings = [], before = [] } = this.report?.stacks.find((it) => it.stack === stack) ?? {};
    return [...findings, ...before];
  }

  /**
   * The findings that are gone from the stacks that were checked.
   *
   * @param found the current differences by stack, with those that are ignored
   */
  resolved(checked: ReadonlySet<string>, found: ReadonlyMap<string, readonly Difference[]>): Report["resolved"] {
    return (this.report?.stacks ?? [])
      .filter(({ stack }) => checked.has(stack))
      .flatMap(({ stack, findings, before = [] }) => {
        const current = new Set((found.get(stack) ?? []).map((it) => keyOf(stack, it)));
        return [...findings, ...before]
          .filter((it) => !current.has(keyOf(stack, it)))
          .map(({ resource, type, problem }) => ({ stack, resource, type, problem }));
      });
  }
}
