/**
 * The report of `livekit-sip drift`, as `--format json` prints it and every other format shows it. It holds no secret, and all its texts
 * are printable. `drift-report.schema.json` is made from this schema.
 */

import { z } from "zod";

/** The version of the report's format. A field that is added does not change it. */
export const REPORT_VERSION = 1;

/** The states of a stack, in the order of a report. */
export const STATUSES = ["drifted", "failed", "not-checked", "in-sync"] as const;

/** What is at stake, the most severe first. */
export const SEVERITIES = ["open", "rejected", "credential", "routing", "other"] as const;

/** What a severity means, as a heading. */
export const SEVERITY_TITLES: Readonly<Record<Severity, string>> = {
  open: "Open to anyone",
  rejected: "Credential rejected by the phone system",
  credential: "Credential or callers changed",
  routing: "Calls go elsewhere or nowhere",
  other: "Other settings",
};

/** The corners of the triangle: the Pulumi stack, LiveKit, and the customer's phone system. */
export const SIDES = ["declared", "platform", "phone-system"] as const;

/** A property as the plan shows it. Values are what the plan may show: nothing secret. */
const planLine = z.object({
  property: z.string(),
  found: z.string().describe("What was found, as text."),
  declared: z.string().describe("What the stack declares, as text."),
});

const finding = z.object({
  resource: z.string().describe("The resource's name in the program."),
  type: z.string().describe("The resource's type, for example SipTrunk."),
  urn: z.string(),
  severity: z.enum(SEVERITIES),
  side: z.enum(SIDES).describe("The side that differs from the declaration."),
  fields: z.array(z.string()).describe("The arguments that differ, and other differences in words: an entry for each."),
  problem: z.string().describe("What differs, as one sentence."),
  plan: z.array(planLine),
  fingerprint: z
    .object({ applied: z.string(), found: z.string() })
    .optional()
    .describe("The fingerprints of the applied password and of the one that was found."),
  firstSeen: z.string().describe("When a report first had this finding (ISO 8601)."),
  isNew: z.boolean().describe("Whether the previous report did not have it. Always true without a previous report."),
});

const stack = z.object({
  stack: z.string().describe("organization/project/stack, as far as they are known."),
  status: z.enum(STATUSES),
  reason: z.string().optional().describe("Why it failed or was not checked, as sentences."),
  severity: z.enum(SEVERITIES).optional().describe("The most severe one of its findings."),
  updatedAt: z.string().optional().describe("When the stack was last updated (ISO 8601), if its state says so."),
  findings: z.array(finding),
  before: z
    .array(finding)
    .optional()
    .describe("Findings of earlier reports that this one could not check. They may still be there."),
  remarks: z.array(z.string()).describe("What could not be compared or asked, as sentences."),
  repair: z.string().optional().describe("The command that repairs the drift."),
  phoneSystems: z
    .array(z.object({ resource: z.string(), status: z.string() }))
    .describe("The phone systems' answers, by the names of the SipTrunks."),
});

const group = z.object({
  cause: z.string().describe("What the findings have in common: the same difference of the same kind of resource."),
  severity: z.enum(SEVERITIES),
  side: z.enum(SIDES),
  stacks: z.array(z.string()),
});

const unmanaged = z.object({
  id: z.string(),
  kind: z.enum(["inbound trunk", "outbound trunk", "dispatch rule"]),
  name: z.string(),
  reason: z.string().describe("Why it counts as unmanaged, as a sentence."),
});

const resolved = z.object({ stack: z.string(), resource: z.string(), type: z.string(), problem: z.string() });

export const reportSchema = z.object({
  version: z.literal(REPORT_VERSION),
  generatedAt: z.string().describe("When the check began (ISO 8601)."),
  project: z.string().describe("The LiveKit project: its host or id, and the name of its API key."),
  way: z
    .enum(["states", "preview"])
    .describe("states: compared with the last states. preview: by a preview of each program."),
  phoneSystemsAsked: z.boolean().describe("Whether the phone systems were asked."),
  counts: z.object({
    stacks: z.number(),
    inSync: z.number(),
    drifted: z.number(),
    failed: z.number(),
    notChecked: z.number(),
    ignored: z.number().describe("Findings that --ignore left out."),
  }),
  stacks: z.array(stack).describe("The most severe first, then failed, not checked and in sync; within these by name."),
  groups: z.array(group).describe("Causes that two or more stacks have in common, the most severe first."),
  unmanaged: z.array(unmanaged).describe("What is on LiveKit and belongs to none of the stacks."),
  resolved: z.array(resolved).describe("The findings of the previous report that this one checked and did not find."),
});

export type Report = z.output<typeof reportSchema>;
export type StackReport = Report["stacks"][number];
export type Finding = StackReport["findings"][number];
export type PlanLine = Finding["plan"][number];
export type Group = Report["groups"][number];
export type Unmanaged = Report["unmanaged"][number];
export type Severity = (typeof SEVERITIES)[number];
export type Side = (typeof SIDES)[number];
