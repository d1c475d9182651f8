/** The top of the page: the fleet at a glance, and how it was checked. Pure. */

import { type Html, html, time } from "./html-text";
import { type Report, SEVERITIES, SEVERITY_TITLES, type StackReport } from "./report";
import { amount, count, findingsOf, STATUS_TITLES, WAY_MEANINGS } from "./words";

/** What the check came to, in one short sentence. */
export function headline({ counts: { stacks, drifted, failed, notChecked } }: Report): string {
  const open = failed + notChecked;
  if (drifted > 0) {
    return `${amount(drifted)} of ${count(stacks, "stack")} drifted`;
  }
  if (stacks === 0) {
    return "There was no stack to check";
  }
  return open === 0
    ? `No drift in ${count(stacks, "stack")}`
    : `No drift found, but ${amount(open)} of ${count(stacks, "stack")} could not be checked`;
}

/** The kind of a cell in the strip: a severity, or a status without drift. */
type Kind = (typeof KINDS)[number];
const KINDS = [...SEVERITIES, "failed", "not-checked", "in-sync"] as const;

const TITLES: Readonly<Record<Kind, string>> = {
  ...SEVERITY_TITLES,
  ...STATUS_TITLES,
};

function kindOf({ status, severity }: StackReport): Kind {
  return status === "drifted" ? (severity ?? "other") : status;
}

/** The most stacks for each size of the strip's cells. */
const SIZES = [
  { most: 160, name: "large" },
  { most: 600, name: "medium" },
  { most: Number.POSITIVE_INFINITY, name: "small" },
] as const;

/** @param stacks - in the order of the page */
export function fleet(report: Report, stacks: readonly StackReport[]): Html {
  const { counts } = report;
  const kinds = stacks.map(kindOf);
  const legend = KINDS.flatMap((kind) => {
    const number = kinds.filter((it) => it === kind).length;
    return number > 0 ? [{ kind, number }] : [];
  });
  const fresh = findingsOf(report).filter(({ finding }) => finding.isNew).length;
  const size = SIZES.find(({ most }) => stacks.length <= most)?.name ?? "small";
  const alternative = `${count(stacks.length, "stack")}: ${legend.map(({ kind, number }) => `${amount(number)} ${TITLES[kind].toLowerCase()}`).join(", ")}`;
  return html`<section class="fleet" aria-labelledby="fleet"><h2 id="fleet" class="quiet">The fleet at a glance</h2>
<ul class="tiles">${[
    tile("drifted", counts.drifted, fresh > 0 && count(fresh, "new finding")),
    tile("failed", counts.failed),
    tile("not-checked", counts.notChecked),
    tile("in-sync", counts.inSync),
  ]}</ul>
${
  stacks.length > 0 &&
  html`<div class="strip ${size}" role="img" aria-label="${alternative}">${kinds.map(cell)}</div>
<ul class="legend">${legend.map(({ kind, number }) => html`<li><i class="cell ${kind}"></i><b>${amount(number)}</b> ${TITLES[kind]}</li>`)}</ul>`
}
</section>`;
}

/** Most stacks are in sync, so those cells are the shortest. */
function cell(kind: Kind): Html {
  return kind === "in-sync" ? html`<i></i>` : html`<i class="${kind}"></i>`;
}

function tile(status: StackReport["status"], number: number, note?: string | false): Html {
  const content = html`<b>${amount(number)}</b><span>${STATUS_TITLES[status]}</span>${note && html`<small>${note}</small>`}`;
  return number === 0
    ? html`<li class="tile none">${content}</li>`
    : html`<li class="tile ${status}"><a href="#${status}">${content}</a></li>`;
}

/** When and how the fleet was checked. */
export function method({ generatedAt, project, way, phoneSystemsAsked, counts }: Report): Html {
  return html`<div class="method">
<p>Checked ${time(generatedAt)}<span class="js" id="age"></span>, on <b><bdi>${project}</bdi></b>.</p>
<p>${WAY_MEANINGS[way]} ${phoneSystemsAsked ? "The phone systems were asked." : html`<b>The phone systems were not asked</b>, so a credential that only a phone system rejects is not in this report.`}${counts.ignored > 0 && ` ${count(counts.ignored, "finding")} ${counts.ignored === 1 ? "is" : "are"} ignored.`}</p>
</div>`;
}
