/**
 * Makes text that others wrote harmless to print: whoever can change a trunk's name, a SIP reason phrase or a database row must
 * not be able to steer the terminal or the CI system that shows a plan. Everything may import this module.
 */

import { stripVTControlCharacters } from "node:util";

/** The most characters that one message keeps. */
export const PRINTABLE_LIMIT = 2000;

/**
 * A text in one line, without control characters and escape sequences, without invisible characters and those that turn the
 * direction of writing, without commands to a CI system, and cut with an ellipsis where it is longer than `limit`. Whatever
 * is made printable twice stays the same.
 */
export function printable(text: string, limit: number = PRINTABLE_LIMIT): string {
  // Nothing beyond this can be left over, and a text of megabytes must not cost seconds.
  const start = text.slice(0, 4 * limit);
  const visible = stripVTControlCharacters(start).replace(BREAKS, " ").replace(INVISIBLE, "");
  return bounded(withoutCommands(visible), limit, start.length < text.length);
}

/**
 * Whether the engine may print a value as it is: every text in it, keys included. The engine opens JSON within a text, so that one
 * with escapes in it is not what it looks like.
 */
export function isPrintable(value: unknown): boolean {
  if (typeof value === "string") {
    // The engine writes texts within quotation marks.
    const quoted = `"${value}"`;
    return !value.includes("\\") && printable(quoted) === quoted;
  }
  return typeof value !== "object" || value === null || Object.entries(value).every((pair) => pair.every(isPrintable));
}

/** Control characters, and the separators of lines and paragraphs. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/**
 * What shows nothing: format characters such as bidi overrides, whatever else may be ignored, lone surrogates, and code points
 * without a meaning. A parser that compares texts by culture passes over them, so they would hide a command.
 */
const INVISIBLE = /[\p{Cf}\p{Cs}\p{Cn}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Commands to CI systems, taken apart by spaces. `##[` (GitHub), `##vso[` (Azure) and `##teamcity[` count anywhere in a line, so two
 * number signs never stay together. GitHub's `::name …::` counts only at the beginning of a line, so `::` goes there, and
 * before whatever can be a name; within a line it stays in front of the end of an IPv6 address.
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
  // Half of a character that takes two units must not stay.
  return `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}
