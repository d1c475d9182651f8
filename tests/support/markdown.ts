/** The repository's Markdown: its files, headings, links and code blocks. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(__dirname, "..", "..");

/** A fenced code block. */
export interface CodeBlock {
  readonly language: string;
  /** What stands after the language. GitHub does not show it. */
  readonly info: string;
  readonly text: string;
  /** The line of its first fence, from 1. */
  readonly line: number;
}

/** All Markdown files that are in git or new, relative to the root. */
export function markdownFiles(): string[] {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "*.md"];
  return execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim().split("\n").sort();
}

export function readPage(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** A page's code blocks, also those that are indented in a list. */
export function codeBlocks(page: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { fence: string; language: string; info: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of page.split("\n").entries()) {
    const [, fence = "", language = "", info = ""] = /^\s*(`{3,})(\S*) *(.*)$/.exec(line) ?? [];
    if (open) {
      if (line.trim() === open.fence) {
        const { lines, fence: _, ...rest } = open;
        blocks.push({ ...rest, text: lines.join("\n") });
        open = undefined;
      } else {
        open.lines.push(line);
      }
    } else if (fence) {
      open = { fence, language, info, line: index + 1, lines: [] };
    }
  }
  if (open) {
    throw new Error(`the code block of line ${open.line} is not closed`);
  }
  return blocks;
}

/** The page with its code, in blocks and in `backticks`, as blanks. Lines keep their numbers. */
export function withoutCode(page: string): string {
  const lines = page.split("\n");
  for (const { line, text } of codeBlocks(page)) {
    lines.fill("", line - 1, line + 1 + text.split("\n").length);
  }
  return lines.join("\n").replace(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, (code) => code.replace(/[^\n]/g, " "));
}

/** The anchors that GitHub makes of a page's headings. */
export function anchorsOf(page: string): Set<string> {
  const blocks = new Set(
    codeBlocks(page).flatMap(({ line, text }) => text.split("\n").map((_, index) => line + 1 + index)),
  );
  const anchors = new Set<string>();
  for (const [index, line] of page.split("\n").entries()) {
    const [, heading] = /^#{1,6} +(.*?) *#*$/.exec(line) ?? [];
    if (heading === undefined || blocks.has(index + 1)) {
      continue;
    }
    const anchor = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}\p{Pc}\- ]/gu, "")
      .replaceAll(" ", "-");
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) {
      unique = `${anchor}-${count}`;
    }
    anchors.add(unique);
  }
  return anchors;
}
