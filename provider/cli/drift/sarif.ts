/** The report as SARIF 2.1.0, for code scanning: a rule for each severity, a result for each finding. Pure. */

import { createHash } from "node:crypto";
import { type Report, SEVERITIES, SEVERITY_TITLES, type Severity } from "./report";
import { identityOf, type Located, planText, resourceOf, SIDE_MEANINGS, SIDE_REMEDIES, sinceOf } from "./words";

/** The identifier of the format's schema. */
const SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

const LEVELS: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  open: "error",
  rejected: "error",
  credential: "error",
  routing: "warning",
  other: "note",
};

/** What a severity means and what to do. */
const HELP: Readonly<Record<Severity, string>> = {
  open: "Anyone can call in. Run the repair command at once, then look for calls that nobody expected.",
  rejected:
    "The phone system does not accept the declared credential, so calls fail. Set the declared user name and password there, or declare the new ones.",
  credential:
    "LiveKit has another credential than the stack declares, or lets other callers in. Calls fail, or unexpected ones get through. The repair command writes what is declared.",
  routing:
    "Calls go elsewhere or nowhere: a trunk, a rule, a number or an address differs. The repair command writes what is declared.",
  other: "A setting differs from the declaration. The repair command writes what is declared, or change the program.",
};

/** GitHub shows only results that have a file. The program's project file is in every repository. */
const FILE = "Pulumi.yaml";

export function asSarif(report: Report): string {
  const notifications = report.stacks.flatMap(({ stack, status, reason = "" }) =>
    status === "failed" || status === "not-checked"
      ? [{ level: status === "failed" ? "error" : "warning", message: { text: message(`${stack}: ${reason}`) } }]
      : [],
  );
  const start = new Date(report.generatedAt);
  const log = {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "livekit-sip drift", rules: SEVERITIES.map(ruleOf) } },
        automationDetails: { id: `livekit-sip drift/${report.project}/` },
        invocations: [
          {
            executionSuccessful: report.counts.failed === 0,
            ...(Number.isNaN(start.getTime()) ? {} : { startTimeUtc: start.toISOString() }),
            toolExecutionNotifications: notifications,
          },
        ],
        results: report.stacks.flatMap((stack) => [
          ...stack.findings.map((finding) => resultOf({ stack, finding }, report)),
          // Without these, code scanning would close what nobody has repaired.
          ...(stack.before ?? []).map((finding) => resultOf({ stack, finding }, report)),
        ]),
      },
    ],
  };
  return JSON.stringify(log, null, 2);
}

function ruleOf(severity: Severity) {
  return {
    id: severity,
    name: SEVERITY_TITLES[severity].replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: `${SEVERITY_TITLES[severity]}.` },
    fullDescription: { text: HELP[severity] },
    help: { text: HELP[severity] },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { tags: severity === "open" ? ["sip", "security"] : ["sip"], ...securityOf(severity) },
  };
}

/** GitHub sorts security findings by a number from 0 to 10. */
function securityOf(severity: Severity) {
  return severity === "open" ? { "security-severity": "9.0" } : {};
}

function resultOf({ stack, finding }: Located, report: Report) {
  const { severity, side, problem, plan, urn, resource } = finding;
  const lines = [
    `${stack.stack}: ${resourceOf(finding)}: ${problem}`,
    `${SIDE_MEANINGS[side]} ${SIDE_REMEDIES[side]}`,
    ...plan.map(planText),
    ...(stack.findings.includes(finding) ? [] : ["An earlier check found it. This one could not check the stack."]),
    ...(stack.repair === undefined ? [] : [`To repair it: ${stack.repair}`]),
  ];
  return {
    ruleId: severity,
    ruleIndex: SEVERITIES.indexOf(severity),
    level: LEVELS[severity],
    message: { text: message(lines.join("\n")) },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: FILE }, region: { startLine: 1 } },
        logicalLocations: [{ name: resource, fullyQualifiedName: urn, kind: "resource" }],
      },
    ],
    partialFingerprints: { "drift/v1": fingerprintOf({ stack, finding }) },
    properties: { stack: stack.stack, side, since: sinceOf(finding, report), firstSeen: finding.firstSeen },
  };
}

function fingerprintOf({ stack, finding }: Located): string {
  return createHash("sha256").update(identityOf(stack.stack, finding)).digest("hex").slice(0, 32);
}

/** A text as a message of SARIF, in which braces are placeholders and `[…](…)` is a link. */
function message(text: string): string {
  return text.replace(/[{}]/g, "$&$&").replace(/\](?=\()/g, "] ");
}
