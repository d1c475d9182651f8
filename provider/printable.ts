/**
 * Makes text from outside safe to print. Anybody who can change a trunk's name, a SIP reason phrase or a database row could
 * otherwise control the terminal or the CI system that shows a plan. Any module may import this one.
 */

import { stripVTControlCharacters } from "node:util";

/** The most characters that one message keeps. */
export const PRINTABLE_LIMIT = 2000;

/**
 * Puts a text on one line. Removes control characters, escape sequences, invisible characters and direction overrides, breaks up
 * CI commands, and cuts the text at `limit` with an ellipsis. Applying it twice changes nothing more.
 */
export function printable(text: string, limit: number = PRINTABLE_LIMIT): string {
  // Text beyond this point is cut off anyway, and a text of several megabytes must not take seconds.
  const start = text.slice(0, 4 * limit);
  return bounded(withoutCommands(visible(start)), limit, start.length < text.length);
}

/**
 * A text without control characters, escape sequences, invisible characters and direction overrides, on one line. Enough where no CI system
 * reads it, such as a comment.
 */
export function visible(text: string): string {
  return stripVTControlCharacters(text).replace(BREAKS, " ").replace(INVISIBLE, "");
}

/**
 * Whether the engine may print a value as it is, including every string and key in it. The engine parses JSON inside strings, so
 * a string with escapes can print as something else.
 */
export function isPrintable(value: unknown): boolean {
  if (typeof value === "string") {
    // The engine prints strings in quotation marks.
    const quoted = `"${value}"`;
    return !value.includes("\\") && printable(quoted) === quoted;
  }
  return typeof value !== "object" || value === null || Object.entries(value).every((pair) => pair.every(isPrintable));
}

/** Control characters, and the separators of lines and paragraphs. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/**
 * Characters that are not visible: format characters such as bidi overrides, other ignorable characters, lone surrogates and
 * unassigned code points. A parser with culture-aware comparison skips them, so they could hide a command.
 */
export const INVISIBLE = /[\p{Cf}\p{Cs}\p{Cn}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Breaks up CI commands with spaces. `##[` (GitHub), `##vso[` (Azure) and `##teamcity[` work anywhere in a line, so every `##` is
 * split. GitHub's `::name …::` works only at the start of a line, so `::` is split there, and wherever a command name could
 * follow. It is kept before what looks like the end of an IPv6 address.
 */
function withoutCommands(text: string): string {
  return text
    .replace(/#(?=#)/g, "# ")
    .replace(/^(\s*):(?=:)/, "$1: ")
    .replace(/:(?=:[a-z:])(?!:[\da-f]{1,4}(?![\w-]))/gi, ": ");
}

function bounded(text: string, limit: number, isCut: boolean): string {
  if (text.length <= limit && !isCut) {
    return text;
  }
  // Don't leave half of a surrogate pair.
  return `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
