/** import-report.md: what was declared and why, and what was left alone. Pure. */

import { printable } from "../printable";
import type { ImportPlan } from "./plan";
import type { Program } from "./program";

export interface ReportContext {
  /** organization/project/stack */
  readonly stack: string;
  /** The LiveKit project. */
  readonly project: string;
  /** The file of the program. */
  readonly programFile: string;
}

export function writeReport(
  plan: ImportPlan,
  programs: readonly Program[],
  { stack, project, programFile }: ReportContext,
): string {
  const { trunks, rules, leftAlone } = plan;
  const secrets = programs.flatMap((program) => program.secrets);
  const style = programs.some((program) => program.style === "one") ? "one" : "each";
  const missing = secrets.filter(({ value }) => value === undefined);
  return [
    `# Import of LiveKit's SIP configuration into ${code(stack)}`,
    `LiveKit project: ${code(project)}. Nothing was changed there.`,
    `## Declared: ${count(trunks.length, "trunk")} and ${count(rules.length, "dispatch rule")}`,
    table(
      ["SipTrunk", "inbound", "outbound", "who may call in", "why"],
      trunks.map(({ trunk, auth, inbound, outbound, because, apart = because }) => [
        code(trunk.name),
        inbound?.id ?? "",
        outbound?.id ?? "",
        callers(auth?.inputs.method, inbound !== undefined),
        apart,
      ]),
    ),
    table(
      ["DispatchRule", "id", "name on LiveKit"],
      rules.map(({ rule }) => [code(rule.name), rule.id, String(rule.inputs.name ?? "")]),
    ),
    ...(leftAlone.length === 0
      ? []
      : [
          `## Left alone: ${leftAlone.length}`,
          "These stay as they are on LiveKit. The program does not manage them.",
          table(
            ["id", "what", "name", "why, and what to do"],
            leftAlone.map(({ id, kind, name, reason }) => [id, kind, name, reason]),
          ),
        ]),
    ...(secrets.length === 0
      ? []
      : [
          `## Secrets: ${secrets.length}`,
          `They are in the stack's encrypted configuration${style === "one" ? ", all in the value `secrets`" : ""}: ${secrets
            .map(({ key }) => code(key))
            .join(", ")}.`,
        ]),
    ...(missing.length === 0
      ? []
      : [
          `## Secrets that LiveKit hides: ${missing.length}`,
          "Set each to the phone system's password, and run the import again: it then puts the trunk into the state. `pulumi up` asks the phone system before it writes a password.",
          missing.map(({ key }) => `- \`pulumi config set --secret ${key}\``).join("\n"),
        ]),
    "## Check before you commit",
    `Headers, metadata and attributes whose names suggest a secret are in the encrypted configuration. All others are in ${code(programFile)} as they are: read them once.`,
  ]
    .filter((part) => part !== "")
    .join("\n\n")
    .concat("\n");
}

function callers(method: unknown, hasInbound: boolean): string {
  if (!hasInbound) {
    return "no inbound trunk";
  }
  return method === undefined ? "nobody (closed)" : method === "ip" ? "listed addresses" : "who knows the credential";
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) {
    return "";
  }
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A cell: nothing in it can end the cell or become a link, HTML or a mention. */
function cell(text: string): string {
  return printable(text, 1_000)
    .replace(/[\\|<>[\]*_@#]/g, (character) => (character === "_" ? "_" : `\\${character}`))
    .replaceAll("&", "&amp;");
}

function code(text: string): string {
  return `\`${printable(text, 200).replaceAll("`", "'")}\``;
}
