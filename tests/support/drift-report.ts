/** Reports of drift checks: one to look at, large ones, ones with hostile texts, and arbitrary ones. */

import fc from "fast-check";
import {
  type Finding,
  type Report,
  reportSchema,
  SEVERITIES,
  type Severity,
  SIDES,
  type StackReport,
} from "../../provider/cli/drift/report";

/** When the check of every sample began. */
export const CHECKED_AT = "2026-10-08T03:12:40.000Z";

const PROJECT = "acme-voice.livekit.cloud (key APIac…4f1e)";

/** What an operator might find: what was tampered with, and how the report says it. */
type Tampering = "platform-password" | "phone-system" | "allowlist" | "rule" | "trunk" | "numbers" | "not-applied";

/** The stack of a customer. */
export function stackName(number: number): string {
  return `acme/telephony/customer-${String(number).padStart(3, "0")}`;
}

/** A stack without drift. */
export function inSync(number: number): StackReport {
  return {
    stack: stackName(number),
    status: "in-sync",
    updatedAt: "2026-10-02T09:30:00.000Z",
    findings: [],
    remarks: [],
    phoneSystems: [{ resource: "reception", status: "accepts the credential" }],
  };
}

/** A stack in which somebody has tampered with something. */
export function drifted(number: number, tampering: Tampering, seen: Partial<Finding> = {}): StackReport {
  const stack = stackName(number);
  const found = { ...findingOf(number, tampering), ...seen };
  const rejects = tampering === "phone-system";
  return {
    ...inSync(number),
    status: "drifted",
    severity: found.severity,
    findings: [found],
    ...(rejects ? {} : { repair: `pulumi up --stack ${stack}` }),
    phoneSystems: [{ resource: "reception", status: rejects ? REJECTION : "accepts the credential" }],
  };
}

/** A stack that could not be read. */
export function failed(number: number, reason: string): StackReport {
  return { stack: stackName(number), status: "failed", reason, findings: [], remarks: [], phoneSystems: [] };
}

/** A stack that was left out. */
export function notChecked(number: number, reason: string): StackReport {
  return { ...failed(number, reason), status: "not-checked" };
}

/** Two customers have the same provider. */
const REJECTION = "sip.provider.example rejects the credential (401)";

function findingOf(number: number, tampering: Tampering): Finding {
  const id = (kind: string) => `${kind}_${(number * 7_919 + 104_729).toString(36).padStart(4, "x")}Rq`;
  const hex = (seed: number) => (Math.imul(number + seed, 2_654_435_761) >>> 0).toString(16).padStart(8, "0");
  const found = (
    type: string,
    resource: string,
    rest: Pick<Finding, "severity" | "side" | "fields" | "problem" | "plan"> & Partial<Finding>,
  ): Finding => ({
    resource,
    type,
    urn: `urn:pulumi:customer-${String(number).padStart(3, "0")}::telephony::pulumi-nodejs:dynamic/livekit:${type}::${resource}`,
    firstSeen: CHECKED_AT,
    isNew: true,
    ...rest,
  });
  const status = (problem: string) => ({ property: "platformStatus", found: `"${problem}"`, declared: '"in sync"' });
  switch (tampering) {
    case "platform-password": {
      const problem = "password changed outside Pulumi";
      const fingerprint = { applied: hex(1), found: hex(2) };
      return found("SipTrunk", "reception", {
        severity: "credential",
        side: "platform",
        fields: ["password"],
        problem,
        plan: [
          { property: "credentialFingerprint", found: `"${fingerprint.found}"`, declared: `"${fingerprint.applied}"` },
          status(problem),
        ],
        fingerprint,
      });
    }
    case "phone-system":
      return found("SipTrunk", "reception", {
        severity: "rejected",
        side: "phone-system",
        fields: ["voipStatus"],
        problem: REJECTION,
        plan: [{ property: "voipStatus", found: `"${REJECTION}"`, declared: '"accepts the credential"' }],
      });
    case "allowlist": {
      const open = `inbound trunk ${id("ST")} is OPEN TO ANYONE`;
      const problem = `${open}; allowedAddresses changed outside Pulumi`;
      return found("InboundAuth", "office", {
        severity: "open",
        side: "platform",
        fields: [open, "allowedAddresses"],
        problem,
        plan: [
          { property: "allowedAddresses", found: "[]", declared: '["203.0.113.7/32", "203.0.113.8/32"]' },
          status(problem),
        ],
      });
    }
    case "rule": {
      const problem = "gone from LiveKit";
      return found("DispatchRule", "assistant", {
        severity: "routing",
        side: "platform",
        fields: [problem],
        problem,
        plan: [],
      });
    }
    case "trunk": {
      const problem = `inbound trunk ${id("ST")} is gone`;
      return found("SipTrunk", "reception", {
        severity: "routing",
        side: "platform",
        fields: [problem],
        problem,
        plan: [status(problem)],
      });
    }
    case "numbers":
      return found("SipTrunk", "reception", {
        severity: "routing",
        side: "platform",
        fields: ["numbers"],
        problem: "numbers changed outside Pulumi",
        plan: [
          { property: "numbers", found: '["+12025550123"]', declared: '["+12025550123", "+12025550124"]' },
          status("numbers changed outside Pulumi"),
        ],
      });
    case "not-applied":
      return found("SipTrunk", "reception", {
        severity: "other",
        side: "declared",
        fields: ["ringingTimeout"],
        problem: "ringingTimeout is declared, but was never applied",
        plan: [{ property: "ringingTimeout", found: "30", declared: "45" }],
      });
  }
}

/** A report of these stacks, in its order, with the right counts. */
export function reportOf(stacks: readonly StackReport[], rest: Partial<Report> = {}): Report {
  const order = ["drifted", "failed", "not-checked", "in-sync"];
  const rank = ({ status, severity }: StackReport) =>
    order.indexOf(status) * 10 + (severity ? SEVERITIES.indexOf(severity) : 0);
  const sorted = stacks.toSorted((a, b) => rank(a) - rank(b) || (a.stack < b.stack ? -1 : 1));
  const number = (status: StackReport["status"]) => sorted.filter((stack) => stack.status === status).length;
  return reportSchema.parse({
    version: 1,
    generatedAt: CHECKED_AT,
    project: PROJECT,
    way: "states",
    phoneSystemsAsked: true,
    counts: {
      stacks: sorted.length,
      inSync: number("in-sync"),
      drifted: number("drifted"),
      failed: number("failed"),
      notChecked: number("not-checked"),
      ignored: 0,
    },
    stacks: sorted,
    groups: [],
    unmanaged: [],
    resolved: [],
    ...rest,
  });
}

/** A fleet of a hundred customers of which eight were tampered with: every section has something to show. */
export function sampleReport(): Report {
  const since = (firstSeen: string) => ({ firstSeen, isNew: false });
  const both = drifted(58, "platform-password", since("2026-10-05T03:10:00.000Z"));
  const special = new Map<number, StackReport>([
    [7, drifted(7, "allowlist")],
    [17, drifted(17, "platform-password", since("2026-10-05T03:10:00.000Z"))],
    [23, drifted(23, "phone-system")],
    [41, drifted(41, "rule", since("2026-10-07T21:12:00.000Z"))],
    [
      58,
      {
        ...both,
        findings: [...both.findings, drifted(58, "rule").findings[0] ?? both.findings[0]].filter(isFinding),
      },
    ],
    [66, drifted(66, "platform-password", since("2026-10-05T03:10:00.000Z"))],
    [72, drifted(72, "phone-system", since("2026-09-12T03:11:00.000Z"))],
    [89, drifted(89, "trunk")],
    [
      30,
      failed(
        30,
        "The state of acme/telephony/customer-030 is not a state, or only half of one: write it with `pulumi stack export --file <file>`.",
      ),
    ],
    [
      31,
      {
        ...failed(
          31,
          "https://api.pulumi.example answered 503 to /api/stacks/acme/telephony/customer-031/export: try again later.",
        ),
        before: drifted(31, "trunk", since("2026-10-06T03:10:00.000Z")).findings,
      },
    ],
    [95, notChecked(95, "It has no SipTrunk, InboundAuth or DispatchRule.")],
  ]);
  const stacks = Array.from({ length: 100 }, (_, index) => special.get(index + 1) ?? inSync(index + 1));
  const remarked = stacks.map((stack) =>
    stack.stack === stackName(12)
      ? {
          ...stack,
          remarks: ['SipTrunk "reception": unreachable: pbx.customer-012.example: no answer within 3 s.'],
        }
      : stack,
  );
  const report = reportOf(remarked);
  return {
    ...report,
    counts: { ...report.counts, ignored: 3 },
    groups: [
      {
        cause: `SipTrunk: ${REJECTION}`,
        severity: "rejected",
        side: "phone-system",
        stacks: [23, 72].map(stackName),
      },
      {
        cause: "SipTrunk: password changed outside Pulumi",
        severity: "credential",
        side: "platform",
        stacks: [17, 58, 66].map(stackName),
      },
    ],
    unmanaged: [
      { id: "ST_4kQe1mLpXw", kind: "inbound trunk", name: "test by Jo", reason: "It carries no marker of a stack." },
      { id: "ST_9hBv7cRtYz", kind: "outbound trunk", name: "", reason: "It carries no marker of a stack." },
    ],
    resolved: [
      { stack: stackName(3), resource: "reception", type: "SipTrunk", problem: "numbers changed outside Pulumi" },
      {
        stack: stackName(44),
        resource: "office",
        type: "InboundAuth",
        problem: "allowedAddresses changed outside Pulumi",
      },
    ],
  };
}

function isFinding(finding: Finding | undefined): finding is Finding {
  return finding !== undefined;
}

/** A large fleet. Every kind of drift is there in turn. */
export function largeReport(stacks: number, driftedStacks: number): Report {
  const kinds = ["platform-password", "phone-system", "allowlist", "rule", "trunk", "numbers", "not-applied"] as const;
  const every = Math.max(1, Math.floor(stacks / Math.max(1, driftedStacks)));
  let made = 0;
  return reportOf(
    Array.from({ length: stacks }, (_, index) => {
      if (index % every !== 0 || made >= driftedStacks) {
        return inSync(index + 1);
      }
      made += 1;
      return drifted(index + 1, kinds[made % kinds.length] ?? "trunk");
    }),
  );
}

/** Texts that try to be something else. The command never lets the invisible ones through; the formats must hold without it. */
export const HOSTILE = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "'><svg onload=alert(1)>",
  "</script><script>alert(1)</script>",
  "</style><style>*{display:none}</style>",
  "<!-- --><!--",
  "]]><x>",
  "&lt;b&gt; &amp; &#60;",
  "=cmd|' /C calc'!A0",
  "::error::owned",
  "##[error]owned ##vso[task.complete]",
  "@octocat closes #1, GH-2, acme/repo#3",
  "| cell | `code` ``` ~~~ [link](https://evil.example) ![x](https://evil.example/x.png)",
  "https://evil.example www.evil.example a@evil.example",
  "javascript:alert(1)",
  "\u202egnp.exe\u202c \u2066isolated",
  "\u001b[31mred\u0007\u0000\ud800",
  "__proto__",
  "{{0}} {0} $(reboot)",
  "</details></summary></table>",
  `very-long-${"x".repeat(400)}`,
  "電話交換機 מרכזיה 📞📞",
] as const;

/** A report in which every text is hostile. */
export function hostileReport(texts: readonly string[] = HOSTILE): Report {
  let next = 0;
  const text = () => texts[next++ % texts.length] ?? "";
  const finding = (): Finding => ({
    resource: text(),
    type: text(),
    urn: text(),
    severity: SEVERITIES[next % SEVERITIES.length] ?? "open",
    side: SIDES[next % SIDES.length] ?? "platform",
    fields: [text()],
    problem: text(),
    plan: [{ property: text(), found: text(), declared: text() }],
    fingerprint: { applied: text(), found: text() },
    firstSeen: text(),
    isNew: false,
  });
  const stacks = texts.flatMap((name, index): StackReport[] => {
    const findings = [finding(), finding()];
    const rest = { updatedAt: text(), remarks: [text()], phoneSystems: [{ resource: text(), status: text() }] };
    return [
      {
        ...rest,
        stack: name,
        status: "drifted",
        severity: findings[0]?.severity ?? "open",
        findings,
        reason: text(),
        repair: text(),
      },
      {
        ...rest,
        stack: `${name} ${index}`,
        status: index % 2 === 0 ? "failed" : "not-checked",
        reason: text(),
        findings: [],
        before: [finding()],
      },
    ];
  });
  return {
    ...reportOf(stacks),
    project: text(),
    groups: texts.map(() => ({ cause: text(), severity: "routing", side: "platform", stacks: [text(), text()] })),
    unmanaged: texts.map(() => ({ id: text(), kind: "dispatch rule", name: text(), reason: text() })),
    resolved: texts.map(() => ({ stack: text(), resource: text(), type: text(), problem: text() })),
  };
}

/** Any report of arbitrary texts, hostile ones among them. */
export function anyReport(): fc.Arbitrary<Report> {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom(...HOSTILE),
    fc
      .array(
        fc.constantFrom("<", ">", '"', "'", "&", "--", "]]>", "\n", "`", "|", "@x", "#1", "::error::", "\u202e", "a"),
        { maxLength: 8 },
      )
      .map((parts) => parts.join("")),
  );
  const severity: fc.Arbitrary<Severity> = fc.constantFrom(...SEVERITIES);
  const side = fc.constantFrom(...SIDES);
  const finding = fc.record(
    {
      resource: text,
      type: text,
      urn: text,
      severity,
      side,
      fields: fc.array(text, { maxLength: 2 }),
      problem: text,
      plan: fc.array(fc.record({ property: text, found: text, declared: text }), { maxLength: 2 }),
      fingerprint: fc.record({ applied: text, found: text }),
      firstSeen: text,
      isNew: fc.boolean(),
    },
    {
      requiredKeys: ["resource", "type", "urn", "severity", "side", "fields", "problem", "plan", "firstSeen", "isNew"],
    },
  );
  const stack = fc.record(
    {
      stack: text,
      status: fc.constantFrom("drifted", "failed", "not-checked", "in-sync"),
      reason: text,
      severity,
      updatedAt: text,
      findings: fc.array(finding, { maxLength: 2 }),
      before: fc.array(finding, { maxLength: 2 }),
      remarks: fc.array(text, { maxLength: 2 }),
      repair: text,
      phoneSystems: fc.array(fc.record({ resource: text, status: text }), { maxLength: 2 }),
    },
    { requiredKeys: ["stack", "status", "findings", "remarks", "phoneSystems"] },
  );
  return fc
    .record({
      project: text,
      generatedAt: text,
      way: fc.constantFrom("states" as const, "preview" as const),
      phoneSystemsAsked: fc.boolean(),
      stacks: fc.array(stack, { maxLength: 4 }),
      groups: fc.array(fc.record({ cause: text, severity, side, stacks: fc.array(text, { maxLength: 2 }) }), {
        maxLength: 2,
      }),
      unmanaged: fc.array(
        fc.record({
          id: text,
          kind: fc.constantFrom("inbound trunk", "outbound trunk", "dispatch rule"),
          name: text,
          reason: text,
        }),
        { maxLength: 2 },
      ),
      resolved: fc.array(fc.record({ stack: text, resource: text, type: text, problem: text }), { maxLength: 2 }),
    })
    .map(({ stacks, ...rest }) => ({ ...reportOf(stacks), ...rest }));
}
