/** The words for problems in a customer's file. */

import type { z } from "zod";
import type { Path } from "./yaml-file";

/** Arguments whose values may be secret: no error quotes them. */
const NEVER_QUOTED: ReadonlySet<string | number> = new Set([
  ...["username", "metadata", "headers", "headersToAttributes", "attributesToHeaders", "realm"],
  ...["agents", "attributes", "roomConfig", "triggers"],
]);

/** The longest value that is quoted. */
const MOST_QUOTED = 60;

/**
 * What is wrong with a value and how to fix it: the end of a sentence after the key, without its full stop.
 *
 * @param source - the value as the file writes it, if it is a scalar
 */
export function describeIssue(issue: z.core.$ZodIssue, path: Path, value: unknown, source: string | undefined): string {
  const isSecret = path.some((step) => NEVER_QUOTED.has(step));
  const quoted = !isSecret && source !== undefined && source.length <= MOST_QUOTED ? source : undefined;
  const subject = quoted === undefined ? "" : `${JSON.stringify(quoted)} `;
  if (issue.code === "invalid_type") {
    return wrongType(issue.expected, value, quoted);
  }
  if (issue.code === "invalid_value") {
    return `${subject}is not valid: write ${anyOf(issue.values.map(String))}`;
  }
  const { message } = issue;
  const first = message.charAt(0);
  if (first !== first.toLowerCase()) {
    return `${subject}is not valid: ${first.toLowerCase()}${message.slice(1)}`; // Zod's own message.
  }
  return first === '"' ? message : `${subject}${message}`;
}

const KINDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list, with a line - … for each item",
  record: "settings, indented below it",
  object: "settings, indented below it",
};

function wrongType(expected: string, value: unknown, source: string | undefined): string {
  if (value === null) {
    return "is empty: fill it in, or remove it";
  }
  if (value === undefined) {
    return "is missing: set it";
  }
  if (expected === "string" && (typeof value === "number" || typeof value === "boolean")) {
    const example = source === undefined ? "" : `: ${JSON.stringify(source)}`;
    return `must be text, and YAML reads this as ${typeof value === "number" ? "a number" : "true or false"}: put it in quotation marks${example}`;
  }
  return `must be ${KINDS[expected] ?? expected}: change it`;
}

function anyOf(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** The name that is most like a misspelt one. Undefined if none is like it. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(name.length / 3));
  return names
    .map((candidate) => ({ candidate, distance: distance(name.toLowerCase(), candidate.toLowerCase(), limit) }))
    .filter((it) => it.distance <= limit)
    .toSorted((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** How many letters differ (Levenshtein). Not worked out further than the limit. */
function distance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) > limit) {
    return limit + 1;
  }
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...to].entries()) {
      const [above = 0, before = 0, diagonal = 0] = [row[j + 1], next[j], row[j]];
      next.push(Math.min(above + 1, before + 1, diagonal + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row[to.length] ?? limit + 1;
}
