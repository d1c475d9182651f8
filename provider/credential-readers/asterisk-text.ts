/** How Asterisk trims, compares and decodes text (asterisk/strings.h, main/config.c). Pure. */

import { isUtf8 } from "node:buffer";
import type { Fail } from "./errors";

/** Cuts leading and trailing bytes below 33, and nothing else: a no-break space, for example, is part of a password. */
export function stripped(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) < 33) {
    start++;
  }
  while (end > start && text.charCodeAt(end - 1) < 33) {
    end--;
  }
  return text.slice(start, end);
}

/** Like {@link stripped}, and removes the quotation marks around what is left. */
export function unquoted(text: string): string {
  const inner = stripped(text);
  const mark = inner[0];
  return inner.length > 1 && (mark === '"' || mark === "'") && inner.endsWith(mark) ? inner.slice(1, -1) : inner;
}

/** Whether two names are equal for strcasecmp(3), which ignores the case of ASCII letters. */
export function sameName(a: string, b: string): boolean {
  return folded(a) === folded(b);
}

/** A name for comparing with {@link sameName}, or as a key. */
export function folded(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Whether Asterisk takes a value for "yes". */
export function isTrue(value: string): boolean {
  return /^(yes|true|y|t|1|on)$/i.test(value);
}

/**
 * The values that Asterisk's database drivers read from a column: its parts between semicolons, without blanks at their ends and
 * decoded from `^XX`. Empty parts are left out. Asterisk 22.10 keeps blanks at the start of a value (measured with its PostgreSQL
 * driver); here they are cut too, because nobody means them.
 */
export function realtimeValues(name: string, column: string, fail: Fail): string[] {
  return column
    .split(";")
    .map((part) => realtimeDecoded(name, stripped(part), fail))
    .filter((value) => value !== "")
    .map((value) => (value === " " ? "" : value));
}

function realtimeDecoded(name: string, part: string, fail: Fail): string {
  if (/\^[\da-f]?$/i.test(part)) {
    // Asterisk would read beyond the end of the text.
    throw fail(`its ${name} ends within a ^XX: write ^5E for a ^`);
  }
  if (!part.includes("^")) {
    return part;
  }
  const bytes = Buffer.from(part, "utf8")
    .toString("latin1")
    .replace(/\^([\da-f]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  // A text in C ends at the first NUL.
  const [text = ""] = bytes.split("\0", 1);
  const decoded = Buffer.from(text, "latin1");
  if (!isUtf8(decoded)) {
    throw fail(`its ${name} is not UTF-8 once ^XX is decoded: write the ^XX of UTF-8`);
  }
  return decoded.toString("utf8");
}

/** A value as Asterisk writes it into a column. */
export function realtimeEncoded(value: string): string {
  return value.replace(/[;^]/g, (character) => (character === ";" ? "^3B" : "^5E"));
}
