/**
 * The report of `livekit-sip drift`, as `--format json` prints it and every other format shows it. It holds no secret, and all its texts
 * are printable. `drift-report.schema.json` is made from this schema.
 */

import { z } from "zod";

/** The version of the report's format. A field that is added does not change it. */
export const REPORT_VERSION = 1;

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
  /** What was found, as text. */
  found: z.string(),
  /** What the stack declares, as text. */
  declared: z.string(),
});

const finding = z.object({
  /** The resource's name in the program. */
  resource: z.string(),
  /** The resource's type, for example `SipTrunk`. */
  type: z.string(),
  urn: z.string(),
  severity: z.enum(SEVERITIES),
  /** The side that differs from the declaration. */
  side: z.enum(SIDES),
  /** The arguments that differ, and other differences in words: an entry for each. */
  fields: z.array(z.string()),
  /** What differs, as one sentence. */
  problem: z.string(),
  plan: z.array(planLine),
  /** The fingerprints of the applied password and of the one that was found. */
  fingerprint: z.object({ applied: z.string(), found: z.string() }).optional(),
  /** When a report first had this finding (ISO 8601). */
  firstSeen: z.string(),
  /** Whether the previous report did not have it. Always true without a previous report. */
  isNew: z.boolean(),
});

const stack = z.object({
  /** organization/project/stack, as far as they are known. */
  stack: z.string(),
  status: z.enum(["drifted", "failed", "not-checked", "in-sync"]),
  /** Why it failed or was not checked, as sentences. */
  reason: z.string().optional(),
  /** The most severe one of its findings. */
  severity: z.enum(SEVERITIES).optional(),
  /** When the stack was last updated (ISO 8601), if its state says so. */
  updatedAt: z.string().optional(),
  findings: z.array(finding),
  /** The findings of the last report that could check the stack, if this one could not. */
  before: z.array(finding).optional(),
  /** What could not be compared or asked, as sentences. */
  remarks: z.array(z.string()),
  /** The command that repairs the drift. */
  repair: z.string().optional(),
  /** The phone systems' answers, by the names of the SipTrunks. */
  phoneSystems: z.array(z.object({ resource: z.string(), status: z.string() })),
});

const group = z.object({
  /** What the findings have in common: the same difference of the same kind of resource. */
  cause: z.string(),
  severity: z.enum(SEVERITIES),
  side: z.enum(SIDES),
  stacks: z.array(z.string()),
});

const unmanaged = z.object({
  id: z.string(),
  kind: z.enum(["inbound trunk", "outbound trunk", "dispatch rule"]),
  name: z.string(),
  /** Why it counts as unmanaged, as a sentence. */
  reason: z.string(),
});

const resolved = z.object({ stack: z.string(), resource: z.string(), type: z.string(), problem: z.string() });

export const reportSchema = z.object({
  version: z.literal(REPORT_VERSION),
  /** When the check began (ISO 8601). */
  generatedAt: z.string(),
  /** The LiveKit project: its host or id, and the name of its API key. */
  project: z.string(),
  /** `states`: compared with the last states. `preview`: by a preview of each program. */
  way: z.enum(["states", "preview"]),
  /** Whether the phone systems were asked. */
  phoneSystemsAsked: z.boolean(),
  counts: z.object({
    stacks: z.number(),
    inSync: z.number(),
    drifted: z.number(),
    failed: z.number(),
    notChecked: z.number(),
    /** Findings that `--ignore` left out. */
    ignored: z.number(),
  }),
  /** The most severe first, then failed, not checked and in sync; within these by name. */
  stacks: z.array(stack),
  /** Causes that two or more stacks have in common, the most severe first. */
  groups: z.array(group),
  /** What is on LiveKit and belongs to none of the stacks. */
  unmanaged: z.array(unmanaged),
  /** The findings of the previous report that are gone. */
  resolved: z.array(resolved),
});

export type Report = z.output<typeof reportSchema>;
export type StackReport = Report["stacks"][number];
export type Finding = StackReport["findings"][number];
export type PlanLine = Finding["plan"][number];
export type Group = Report["groups"][number];
export type Unmanaged = Report["unmanaged"][number];
export type Severity = (typeof SEVERITIES)[number];
export type Side = (typeof SIDES)[number];
