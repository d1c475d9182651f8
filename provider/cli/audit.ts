/** `livekit-sip audit`: reports what is dangerous or unmanaged on a LiveKit project. Writes nothing. */

import { readFileSync } from "node:fs";
import { Session } from "../lifecycle/session";
import { printable } from "../printable";
import { CommandError } from "./command-error";
import type { Console } from "./console";
import { FINDINGS, SUCCESS } from "./exit-codes";
import { type Finding, findingsIn } from "./findings";
import { liveKitIds, readState } from "./state";

export interface AuditOptions {
  readonly state?: readonly string[];
  readonly format: "text" | "json";
}

/** @returns the exit code */
export async function auditProject(options: AuditOptions, env: NodeJS.ProcessEnv, console: Console): Promise<number> {
  const managed =
    options.state && new Set(options.state.flatMap((path) => liveKitIds(readState(path, fileText(path)))));
  const { account } = new Session(() => undefined, env, { say: () => {} });
  const [inbound, outbound, rules] = await Promise.all([
    account.inbound.all(),
    account.outbound.all(),
    account.rules.all(),
  ]);
  const findings = findingsIn({ inbound, outbound, rules, ...(managed && { managed }) });
  const counts = { inboundTrunks: inbound.length, outboundTrunks: outbound.length, dispatchRules: rules.length };
  const { project } = account.connection;
  console.say(
    options.format === "json"
      ? JSON.stringify({ version: 1, project, ...counts, findings: findings.map(printableFinding) }, null, 2)
      : asText(
          findings,
          `${project}: inbound trunks: ${inbound.length}, outbound trunks: ${outbound.length}, dispatch rules: ${rules.length}`,
        ),
  );
  return findings.length > 0 ? FINDINGS : SUCCESS;
}

function printableFinding(finding: Finding): Finding {
  return {
    ...finding,
    name: printable(finding.name, 200),
    problem: printable(finding.problem),
    fix: printable(finding.fix),
  };
}

function asText(findings: readonly Finding[], inventory: string): string {
  const lines = findings.flatMap(({ code, kind, id, name, problem, fix }) => [
    `${code}: ${kind} ${id}${name === "" ? "" : ` "${name}"`}`,
    `  ${problem} ${fix}`,
  ]);
  const total = findings.length === 0 ? "no findings" : `${findings.length} finding${findings.length === 1 ? "" : "s"}`;
  return [...lines, `${inventory}; ${total}`].map((line) => printable(line).replace(/^ {1}(?=\S)/, "  ")).join("\n");
}

function fileText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CommandError(
      `--state: ${path} can't be read: ${error instanceof Error ? error.message : "unknown error"}.`,
    );
  }
}
