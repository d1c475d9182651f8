/** `livekit-sip audit`: reports what is dangerous or unmanaged on a LiveKit project. Writes nothing. */

import { Session } from "../lifecycle/session";
import { printable } from "../printable";
import type { Console } from "./console";
import { FINDINGS, SUCCESS } from "./exit-codes";
import { type Finding, findingsIn } from "./findings";
import { inventoryOf } from "./inventory";
import { liveKitIds, readDeployment } from "./state";
import { readTextFile } from "./text-file";

export interface AuditOptions {
  readonly state?: readonly string[];
  readonly format: "text" | "json";
}

/** @returns the exit code */
export async function auditProject(options: AuditOptions, env: NodeJS.ProcessEnv, console: Console): Promise<number> {
  const managed =
    options.state &&
    new Set(options.state.flatMap((path) => liveKitIds(readDeployment(path, readTextFile("--state", path)))));
  const { account } = new Session(() => undefined, env, { say: () => {} });
  const inventory = await inventoryOf(account);
  const { inbound, outbound, rules } = inventory;
  const findings = findingsIn({ ...inventory, ...(managed && { managed }) });
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
