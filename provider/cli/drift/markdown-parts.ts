/** A comment made of parts, each of which shows as many of its entries as fit. Pure. */

import { amount } from "./words";

/** The most characters of a comment on GitHub. */
export const MARKDOWN_LIMIT = 65_536;

/** What the note about what was left out may need. */
const NOTE = 1_000;

/** A part of the comment: a title and its entries, as many as fit. */
export interface Part {
  /** What its entries are, in the note about what was left out. */
  readonly entries: string;
  readonly before: string;
  readonly blocks: readonly string[];
  readonly after?: string;
  /** The most characters that it may use. Default: all that are left. */
  readonly most?: number;
}

/**
 * The comment, at most `limit` characters long.
 *
 * @param elsewhere where everything is, as a sentence
 */
export function assembled(head: string, parts: readonly Part[], limit: number, elsewhere: string): string {
  let text = `${head}\n`;
  const leftOut: string[] = [];
  for (const { entries, before, blocks, after = "", most = limit } of parts) {
    const room = Math.min(most, limit - NOTE - text.length - 1);
    let part = before;
    let fitting = 0;
    for (const block of blocks) {
      if (part.length + block.length + after.length > room) {
        break;
      }
      part += block;
      fitting += 1;
    }
    if (fitting > 0) {
      text += `\n${part}${after}`;
    }
    if (fitting < blocks.length) {
      leftOut.push(`${amount(blocks.length - fitting)} of ${amount(blocks.length)} ${entries}`);
    }
  }
  return leftOut.length === 0
    ? text
    : `${text}\n> Left out, because a comment is limited to ${amount(limit)} characters: ${leftOut.join("; ")}. ${elsewhere}\n`;
}

/** A section that opens on a click. */
export function folded(entries: string, title: string, blocks: readonly string[], most: number): Part {
  const before = `<details><summary>${title}: ${amount(blocks.length)}</summary>\n\n`;
  return { entries, before, blocks, after: "\n</details>\n", most };
}
