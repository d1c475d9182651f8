/**
 * The triangle of a stack: its declaration, LiveKit and the phone system, with the sides that differ marked. A page has few different
 * triangles, so each is drawn once as a symbol and used by name. Pure.
 */

import { ACCEPTS, isRejection } from "../../voip/status";
import { type Html, html } from "./html-text";
import { SIDES, type Side, type StackReport } from "./report";
import { SIDE_MEANINGS } from "./words";

/** What is known of a corner. */
type Corner = "agrees" | "differs" | "unknown";

/** The corners in the order of `SIDES`. */
export type Triangle = readonly [declared: Corner, platform: Corner, phoneSystem: Corner];

export function triangleOf({ findings, phoneSystems }: StackReport): Triangle {
  const differs = (side: Side): Corner => (findings.some((finding) => finding.side === side) ? "differs" : "agrees");
  const statuses = phoneSystems.map(({ status }) => status);
  const answered: Corner = statuses.some(isRejection)
    ? "differs"
    : statuses.length > 0 && statuses.every((status) => status === ACCEPTS)
      ? "agrees"
      : "unknown";
  return [differs("declared"), differs("platform"), differs("phone-system") === "differs" ? "differs" : answered];
}

/** What the drawing shows, as sentences. */
export function inWords(triangle: Triangle): string {
  const differing = SIDES.filter((_, index) => triangle[index] === "differs").map((side) => SIDE_MEANINGS[side]);
  const [, platform, phoneSystem] = triangle;
  return [
    ...differing,
    ...(platform === "agrees" && triangle[0] === "agrees" ? ["LiveKit has what the stack declares."] : []),
    ...(phoneSystem === "agrees" ? ["The phone system accepts the declared credential."] : []),
    ...(phoneSystem === "unknown" ? ["Whether the phone system accepts the declared credential is not known."] : []),
  ].join(" ");
}

/** The drawing, for an opened stack. */
export function figure(triangle: Triangle): Html {
  const words = inWords(triangle);
  return html`<figure class="triangle"><svg role="img" aria-label="Triangle of declaration, LiveKit and phone system. ${words}" viewBox="0 0 260 196"><use href="#${symbolOf(triangle)}"/></svg><figcaption>${words}</figcaption></figure>`;
}

/** The drawing as a small sign in a row. The words are beside it. */
export function sign(triangle: Triangle): Html {
  return html`<svg class="sign" aria-hidden="true" viewBox="0 0 26 24"><use href="#s${symbolOf(triangle)}"/></svg>`;
}

function symbolOf(triangle: Triangle): string {
  return `t-${triangle.map((corner) => corner.charAt(0)).join("")}`;
}

/** The symbols of all triangles that a page uses. */
export function symbols(triangles: readonly Triangle[]): Html {
  const distinct = [...new Map(triangles.map((triangle) => [symbolOf(triangle), triangle])).values()];
  return html`<svg class="symbols" aria-hidden="true"><defs>${distinct.map((triangle) => [large(triangle), small(triangle)])}</defs></svg>`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

const TOP: Point = { x: 130, y: 44 };
const LEFT: Point = { x: 48, y: 146 };
const RIGHT: Point = { x: 212, y: 146 };

function large(triangle: Triangle): Html {
  const [declared, platform, phoneSystem] = triangle;
  const left = declared === "differs" || platform === "differs" ? "differs" : platform;
  return html`<symbol id="${symbolOf(triangle)}" viewBox="0 0 260 196"><path class="edge calls" d="M72 146H188"/><text class="note" x="130" y="138">calls</text>${[
    edge(TOP, LEFT, left),
    edge(TOP, RIGHT, phoneSystem),
    corner(TOP, declared, { x: 130, y: 16 }, "Declared"),
    corner(LEFT, platform, { x: 48, y: 184 }, "LiveKit"),
    corner(RIGHT, phoneSystem, { x: 212, y: 184 }, "Phone system"),
  ]}</symbol>`;
}

/** A line between two corners, with a sign in its middle. */
function edge(from: Point, to: Point, state: Corner): Html {
  const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  return html`<path class="edge ${state}" d="M${from.x} ${from.y}L${to.x} ${to.y}"/><circle class="mark ${state}" cx="${middle.x}" cy="${middle.y}" r="11"/>${mark(middle, state)}`;
}

/** An equals sign, a struck one or a question mark. */
function mark({ x, y }: Point, state: Corner): Html {
  const equals = `M${x - 5} ${y - 2.5}h10m-10 5h10`;
  return state === "unknown"
    ? html`<text class="mark" x="${x}" y="${y + 5}">?</text>`
    : html`<path class="mark ${state}" d="${equals}${state === "differs" && `M${x + 3.5} ${y - 7}l-7 14`}"/>`;
}

function corner({ x, y }: Point, state: Corner, label: Point, name: string): Html {
  const inside =
    state === "differs"
      ? html`<path class="cross" d="M${x - 6} ${y - 6}l12 12m0-12l-12 12"/>`
      : state === "agrees"
        ? html`<path class="check" d="M${x - 7} ${y + 1}l5 5 9-11"/>`
        : html`<text class="query" x="${x}" y="${y + 6}">?</text>`;
  return html`<circle class="corner ${state}" cx="${x}" cy="${y}" r="17"/>${inside}<text class="name ${state}" x="${label.x}" y="${label.y}">${name}</text>`;
}

function small(triangle: Triangle): Html {
  const points: readonly Point[] = [
    { x: 13, y: 5 },
    { x: 5, y: 19 },
    { x: 21, y: 19 },
  ];
  const corners = points.map(({ x, y }, index) => {
    const state = triangle[index] ?? "unknown";
    return state === "differs"
      ? html`<path class="dot differs" d="M${x - 3} ${y - 3}l6 6m0-6l-6 6"/>`
      : html`<circle class="dot ${state}" cx="${x}" cy="${y}" r="2.5"/>`;
  });
  return html`<symbol id="s${symbolOf(triangle)}" viewBox="0 0 26 24"><path class="outline" d="M13 5L5 19H21Z"/>${corners}</symbol>`;
}
