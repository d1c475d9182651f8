/**
 * The report as one self-contained page. It loads nothing, and its policy lets nothing but its own style and script run. Without
 * scripts it is a complete document; the script only filters, sorts, copies and switches the theme. Pure.
 */

import { createHash } from "node:crypto";
import { fleet, headline, method } from "./html-fleet";
import { SCRIPT } from "./html-script";
import { type Anchored, anchored, card, nameOf, quietRow, reasonRow } from "./html-stack";
import { STYLE } from "./html-style";
import { Html, html } from "./html-text";
import { symbols, triangleOf } from "./html-triangle";
import { type Group, type Report, SEVERITIES, SEVERITY_TITLES, SIDES, STATUSES, type StackReport } from "./report";
import { amount, count, resourceOf, SIDE_TITLES, STATUS_TITLES } from "./words";

export function asHtml(report: Report): string {
  return `<!doctype html>\n${page(report).text}\n`;
}

type Status = StackReport["status"];

/** Constants of this package, which are no text from outside. */
const STYLE_HTML = new Html(STYLE);
const SCRIPT_HTML = new Html(SCRIPT);

const POLICY = [
  "default-src 'none'",
  `style-src '${hashOf(STYLE)}'`,
  `script-src '${hashOf(SCRIPT)}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

function page(report: Report): Html {
  const stacks = anchored(report.stacks);
  const of = (status: Status) => stacks.filter(({ stack }) => stack.status === status);
  const sections = STATUSES.map((status) => [status, of(status)] as const);
  return html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="format-detection" content="telephone=no">
<title>${headline(report)} · SIP drift · ${report.project}</title>
<link rel="icon" href="${icon(report)}">
<style>${STYLE_HTML}</style>
<script>${SCRIPT_HTML}</script>
</head>
<body>
${symbols(of("drifted").map(({ stack }) => triangleOf(stack)))}
<a class="skip" href="#stacks">Skip to the stacks</a>
<header>
<div class="bar"><p class="brand">SIP drift</p><button type="button" id="theme" class="js">Theme: system</button></div>
<h1>${headline(report)}</h1>
${method(report)}
</header>
<main>
${fleet(
  report,
  sections.flatMap(([, them]) => them.map(({ stack }) => stack)),
)}
${groups(report, stacks)}
<div id="stacks" tabindex="-1">
${stacks.length > 0 && filters(report)}
${sections.map(([status, them]) => stackSection(status, them, report))}
</div>
${unmanaged(report)}
${resolved(report)}
</main>
<footer><p>Written by <code>livekit-sip drift</code>. It changed nothing, and this page loads nothing.</p></footer>
</body>
</html>`;
}

/** A triangle in the tab: red if something drifted. */
function icon({ counts }: Report): string {
  const colour = counts.drifted > 0 ? "%23c8372d" : counts.failed > 0 ? "%23b7791f" : "%232f8f67";
  return `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M8 2L15 14H1Z' fill='${colour}'/%3E%3C/svg%3E`;
}

function stackSection(status: Status, stacks: readonly Anchored[], report: Report): Html | false {
  return (
    stacks.length > 0 &&
    html`<section class="stacks" aria-labelledby="${status}"><h2 id="${status}" tabindex="-1">${STATUS_TITLES[status]} <span class="number">${amount(stacks.length)}</span></h2>${listOf(status, stacks, report)}</section>`
  );
}

function listOf(status: Status, stacks: readonly Anchored[], report: Report): Html {
  switch (status) {
    case "drifted":
      return html`<ul class="cards">${stacks.map((stack) => card(stack, report))}</ul>`;
    case "in-sync":
      return html`<details><summary>Show the names</summary><ul class="names">${stacks.map(quietRow)}</ul></details>`;
    default:
      return html`<ul class="rows">${stacks.map((stack) => reasonRow(stack, report))}</ul>`;
  }
}

function filters(report: Report): Html {
  const { counts } = report;
  const states = STATUSES.map((state) => [state, STATUS_TITLES[state]] as const);
  return html`<form class="filters js" id="filters" role="search" aria-label="Stacks">
<p class="wide"><label for="q">Search</label><input type="search" id="q" name="q" autocomplete="off" spellcheck="false" placeholder="Name, resource, problem"></p>
${choice("state", "State", [["", "All"], ...states])}
${choice("severity", "Severity", [["", "All"], ...SEVERITIES.map((severity) => [severity, SEVERITY_TITLES[severity]] as const)])}
${choice("side", "Side", [["", "All"], ...SIDES.map((side) => [side, SIDE_TITLES[side]] as const)])}
${choice("sort", "Sort by", [
  ["", "Severity"],
  ["name", "Name"],
  ["newest", "Newest first"],
  ["oldest", "Oldest first"],
])}
<p class="outcome"><output id="outcome" for="q state severity side" role="status">${count(counts.stacks, "stack")}</output><button type="reset" id="reset">Clear</button>${counts.drifted > 0 && html`<button type="button" id="all" aria-pressed="false">Open all</button>`}</p>
</form>`;
}

function choice(name: string, label: string, options: readonly (readonly [string, string])[]): Html {
  return html`<p><label for="${name}">${label}</label><select id="${name}" name="${name}">${options.map(([value, text]) => html`<option value="${value}">${text}</option>`)}</select></p>`;
}

/** The most causes that are shown before one has to unfold, so that the stacks are not far down. */
const MOST_GROUPS = 5;

function groups(report: Report, stacks: readonly Anchored[]): Html | false {
  const anchors = new Map(stacks.map(({ stack, anchor }) => [stack.stack, anchor]));
  const link = (name: string) => {
    const anchor = anchors.get(name);
    return anchor === undefined ? nameOf(name) : html`<a href="#${anchor}">${nameOf(name)}</a>`;
  };
  const list = (groups: readonly Group[]) =>
    html`<ul class="groups">${groups.map(
      ({ cause, severity, side, stacks }) => html`<li class="${severity}"><details><summary>
<h3><bdi>${cause}</bdi></h3><span class="badge ${severity}">${SEVERITY_TITLES[severity]}</span><span class="meta">${SIDE_TITLES[side]}, ${count(stacks.length, "stack")}</span>
</summary><ul class="links">${stacks.map((name) => html`<li>${link(name)}</li>`)}</ul></details></li>`,
    )}</ul>`;
  const rest = report.groups.slice(MOST_GROUPS);
  return (
    report.groups.length > 0 &&
    html`<section aria-labelledby="causes"><h2 id="causes">Shared causes <span class="number">${amount(report.groups.length)}</span></h2>
${list(report.groups.slice(0, MOST_GROUPS))}${rest.length > 0 && html`<details class="more"><summary>${count(rest.length, "more cause")}</summary>${list(rest)}</details>`}</section>`
  );
}

function unmanaged({ unmanaged }: Report): Html | false {
  return (
    unmanaged.length > 0 &&
    html`<section aria-labelledby="unmanaged"><h2 id="unmanaged">On LiveKit, in no stack <span class="number">${amount(unmanaged.length)}</span></h2>
<ul class="rows short">${unmanaged.map(
      ({ id, kind, name, reason }) =>
        html`<li class="row"><h3><bdi>${name === "" ? "(no name)" : name}</bdi></h3><p>${kind} <code><bdi>${id}</bdi></code></p><p class="meta"><bdi>${reason}</bdi></p></li>`,
    )}</ul></section>`
  );
}

function resolved({ resolved }: Report): Html | false {
  return (
    resolved.length > 0 &&
    html`<section aria-labelledby="resolved"><h2 id="resolved">Resolved since the previous report <span class="number">${amount(resolved.length)}</span></h2>
<ul class="rows short">${resolved.map(
      (it) =>
        html`<li class="row resolved"><h3>${nameOf(it.stack)}</h3><p><bdi>${resourceOf(it)}</bdi>: <bdi>${it.problem}</bdi></p></li>`,
    )}</ul></section>`
  );
}
