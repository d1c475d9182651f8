/** What the programs of all languages have in common: the layout of lists and objects, texts in quotes, and comments that nothing in them can end. Pure. */

import { INVISIBLE, printable } from "../printable";

/** The longest line, in characters. */
const WIDTH = 120;

/** What is left of a line for a key and the brackets around it. */
const REST = 40;

/** How items are put between brackets. */
export interface Brackets {
  readonly open: string;
  readonly close: string;
  /** One level of indentation. */
  readonly step: string;
  /** What is between a bracket and the items on one line. Default: nothing. */
  readonly pad?: string;
}

/** Items on one line if they fit, otherwise each on a line of its own. */
export function enclosed(items: readonly string[], { open, close, step, pad = "" }: Brackets, indent: string): string {
  const space = items.length === 0 ? "" : pad;
  const line = `${open}${space}${items.join(", ")}${space}${close}`;
  const isShort = indent.length + line.length <= WIDTH - REST && !line.includes("\n");
  return isShort ? line : `${open}\n${items.map((item) => `${indent}${step}${item},\n`).join("")}${indent}${close}`;
}

/** Comment lines, without anything that could end them. */
export function comment(text: string, mark: "//" | "#" = "//"): string {
  const words = printable(text, 4_000).split(" ");
  const lines = [""];
  for (const word of words) {
    const last = lines.length - 1;
    const line = `${lines[last]} ${word}`;
    if (line.length > WIDTH - 4 && lines[last] !== "") {
      lines.push(` ${word}`);
    } else {
      lines[last] = line;
    }
  }
  return lines.map((line) => `${mark}${line.trimEnd()}\n`).join("");
}

/** A text as JSON has it. Invisible characters are escaped too, in the language's own way, so that a reviewer sees them. */
export function quoted(text: string, escaped: (character: string) => string): string {
  return JSON.stringify(text).replace(CONTROL, escaped).replace(INVISIBLE, escaped);
}

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** The escapes of Go, Python and YAML: those of JSON, and one for a whole character that does not fit into four digits. */
export function quotedByCodePoint(text: string): string {
  // They have no escape for half of a character.
  return quoted(text.replace(/\p{Cs}/gu, "\ufffd"), (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}
