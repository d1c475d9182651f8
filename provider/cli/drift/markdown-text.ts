/** Text from others in Markdown: nothing in it becomes markup, a link or a notification. Pure. */

import { printable } from "../../printable";

/** GitHub takes a mention, a reference or an address only if its parts touch. This space has no width. */
const APART = "&#8203;";

/** A text within a sentence or a cell of a table. It mentions nobody and links to nothing. */
export function prose(text: string, limit?: number): string {
  return withoutMarkup(printable(text, limit))
    .replace(/&#(?:35|58|64|87|119);/g, `$&${APART}`)
    .replace(/\bGH(?=-\d)/gi, `$&${APART}`)
    .replace(/\b(?=\d*[a-f])[\da-f]{7,40}\b/g, (hash) => `${hash.slice(0, 4)}${APART}${hash.slice(4)}`);
}

/** A text as code, within a sentence, a cell of a table or HTML. GitHub and GitLab look for no mentions there. */
export function code(text: string, limit?: number): string {
  const content = withoutMarkup(printable(text, limit).trim());
  return content === "" ? "" : `<code>${content}</code>`;
}

/** Lines as a block of code. Nothing if there is none. */
export function codeBlock(lines: readonly string[]): string {
  return fenced(lines.map((line) => printable(line)));
}

/** Lines that are safe to print as a block of code. Nothing if there is none. */
export function fenced(content: readonly string[]): string {
  if (content.length === 0) {
    return "";
  }
  const fence = "`".repeat(Math.max(3, ...content.map((line) => longestRun(line) + 1)));
  return [`${fence}text`, ...content, fence].join("\n");
}

/**
 * Writes what Markdown or HTML could take for markup, and the start of an address, as references to characters: these are never
 * markup.
 */
function withoutMarkup(text: string): string {
  return text.replace(/[&<>"'`*_~[\](){}\\|$@#!]|^[-+=]|(?<=^\d+)\.|--|:(?=\/\/)|w(?=ww\.)/gi, (characters) =>
    [...characters].map((character) => `&#${character.codePointAt(0)};`).join(""),
  );
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
