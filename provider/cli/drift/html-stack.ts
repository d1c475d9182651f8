/** The stacks on the page: a card that opens for each drifted one, a row for each other one. Pure. */

import { ACCEPTS } from "../../voip/status";
import { type Html, html, time } from "./html-text";
import { figure, sign, triangleOf } from "./html-triangle";
import { type Finding, type PlanLine, type Report, SEVERITY_TITLES, type StackReport } from "./report";
import { amount, howLong, lastKnown, resourceOf, SIDE_REMEDIES, SIDE_TITLES } from "./words";

/** A stack with the name that links to it. */
export interface Anchored {
  readonly stack: StackReport;
  readonly anchor: string;
}

/** Gives each stack an anchor that is made of its name, so that a link still works in the next report. */
export function anchored(stacks: readonly StackReport[]): Anchored[] {
  const used = new Map<string, number>();
  return stacks.map((stack) => {
    const slug = stack.stack
      .toLowerCase()
      .replace(/[^a-z\d]+/g, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 80);
    const number = (used.get(slug) ?? 0) + 1;
    used.set(slug, number);
    return { stack, anchor: `stack-${slug}${number === 1 ? "" : `--${number}`}` };
  });
}

/** A stack's name, its last part stressed: the parts before it are usually the same for all stacks. */
export function nameOf(stack: string): Html {
  const at = stack.lastIndexOf("/") + 1;
  return html`<bdi class="path">${at > 0 && html`<span>${stack.slice(0, at)}</span>`}${stack.slice(at)}</bdi>`;
}

/** What the filter looks for. */
function tags(findings: readonly Finding[]): Html | false {
  const severities = [...new Set(findings.map(({ severity }) => severity))].join(" ");
  const sides = [...new Set(findings.map(({ side }) => side))].join(" ");
  return findings.length > 0 && html` data-severity="${severities}" data-side="${sides}"`;
}

/** A drifted stack, which opens to everything that is known about it. */
export function card({ stack, anchor }: Anchored, report: Report): Html {
  const { severity = "other", findings } = stack;
  const latest = Math.max(...findings.map(({ firstSeen }) => Date.parse(firstSeen) || 0));
  const sides = [...new Set(findings.map(({ side }) => side))];
  const [first] = findings;
  return html`<li class="stack ${severity}" data-state="drifted" data-since="${latest}"${tags(findings)}>
<details${OPEN[report.counts.drifted === 1 ? "open" : "closed"]}><summary>
<h3>${nameOf(stack.stack)}</h3>
<span class="badge ${severity}">${SEVERITY_TITLES[severity]}</span>
<span class="what">${first && html`<bdi>${first.problem}</bdi>`}${findings.length > 1 && ` and ${findings.length - 1} more`}</span>
<span class="where">${sign(triangleOf(stack))}${sides.map((side) => SIDE_TITLES[side]).join(", ")}</span>
<span class="since">${since(findings, report)}</span>
</summary>
<div class="body" id="${anchor}" tabindex="-1">
${figure(triangleOf(stack))}
<div class="findings">${findings.map((finding) => findingBlock(finding, report))}${repair(stack)}</div>
${facts(stack)}
</div></details></li>`;
}

const OPEN = { open: html` open`, closed: html`` } as const;

/** Since when the most severe finding has been there, and how many others are new. */
function since([first, ...others]: readonly Finding[], report: Report): Html | false {
  const fresh = others.filter(({ isNew }) => isNew).length;
  return (
    first !== undefined &&
    html`${first.isNew ? html`<span class="new">New</span>` : (howLong(first.firstSeen, report.generatedAt) ?? "Time unknown")}${!first.isNew && fresh > 0 && html`, <span class="new">${amount(fresh)} new</span>`}`
  );
}

function findingBlock(finding: Finding, report: Report): Html {
  const { side, severity, problem, plan, fingerprint, firstSeen, isNew } = finding;
  const age = isNew ? undefined : howLong(firstSeen, report.generatedAt);
  return html`<section class="finding">
<h4><bdi>${resourceOf(finding)}</bdi></h4>
<p class="problem"><strong>${SIDE_TITLES[side]} differs:</strong> <bdi>${problem}</bdi></p>
${
  fingerprint &&
  html`<dl class="prints"><div><dt>Fingerprint applied</dt><dd><code>${fingerprint.applied}</code></dd></div><div><dt>Fingerprint found</dt><dd><code class="found">${fingerprint.found}</code></dd></div></dl>`
}
${plan.length > 0 && html`<ul class="plan" aria-label="Plan">${plan.map(planLine)}</ul>`}
<p class="meta">${SEVERITY_TITLES[severity]}. ${isNew ? "New: first seen in this check" : html`First seen ${time(firstSeen)}`}${age !== undefined && `, ${age} before this check`}.</p>
</section>`;
}

/** A line as in a Pulumi plan. */
function planLine({ property, found, declared }: PlanLine): Html {
  return html`<li><span class="tilde">~</span> <bdi>${property}</bdi>: <del><bdi>${found}</bdi></del> =&gt; <ins><bdi>${declared}</bdi></ins></li>`;
}

function repair({ stack, repair, findings }: StackReport): Html {
  const isElsewhere = findings.some(({ side }) => side === "phone-system");
  return html`<section class="repair"><h4>Repair</h4>
${isElsewhere && html`<p>${SIDE_REMEDIES["phone-system"]}</p>`}
${
  repair !== undefined &&
  html`<div class="command"><code><bdi>${repair}</bdi></code><button type="button" class="copy js" aria-label="Copy the command that repairs ${stack}">Copy</button></div>`
}
${repair === undefined && !isElsewhere && html`<p>The report names no command.</p>`}
</section>`;
}

/** What else is known of a stack. */
function facts({ updatedAt, phoneSystems, remarks, findings, reason }: StackReport): Html | false {
  const entries = [
    ...(reason === undefined ? [] : [html`<div><dt>Not all was checked</dt><dd><bdi>${reason}</bdi></dd></div>`]),
    ...(updatedAt === undefined ? [] : [html`<div><dt>Stack last updated</dt><dd>${time(updatedAt)}</dd></div>`]),
    ...phoneSystems.map(
      ({ resource, status }) =>
        html`<div><dt>Phone system of <bdi>${resource}</bdi></dt><dd><bdi>${status}</bdi></dd></div>`,
    ),
    ...[...new Set(findings.map(({ urn }) => urn))].map(
      (urn) => html`<div><dt>URN</dt><dd class="urn"><bdi>${urn}</bdi></dd></div>`,
    ),
    ...remarks.map((remark) => html`<div><dt>Remark</dt><dd><bdi>${remark}</bdi></dd></div>`),
  ];
  return entries.length > 0 && html`<dl class="facts">${entries}</dl>`;
}

/** A stack that failed or was not checked, with the reason. */
export function reasonRow({ stack: it, anchor }: Anchored, report: Report): Html {
  const { stack, status, reason = "", remarks, before = [] } = it;
  const notes = [...lastKnown(it, report), ...remarks];
  return html`<li class="stack row ${status}" id="${anchor}" tabindex="-1" data-state="${status}"${tags(before)}><h3>${nameOf(stack)}</h3><p><bdi>${reason}</bdi></p>${notes.map((note) => html`<p class="meta"><bdi>${note}</bdi></p>`)}</li>`;
}

/** A stack in sync, with a remark on what could not be proven. */
export function quietRow({ stack: { stack, phoneSystems, remarks }, anchor }: Anchored): Html {
  const unproven = phoneSystems.filter(({ status }) => status !== ACCEPTS);
  const notes = [...unproven.map(({ resource, status }) => `${resource}: ${status}`), ...remarks];
  return html`<li class="stack" id="${anchor}" data-state="in-sync">${nameOf(stack)}${notes.map((note) => html`<p class="meta"><bdi>${note}</bdi></p>`)}</li>`;
}
