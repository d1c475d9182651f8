/** No link in the repository's Markdown is dead. Links to other sites are only checked for being well-formed: tests use no network. */

import { existsSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { anchorsOf, markdownFiles, readPage, root, withoutCode } from "./support/markdown";

/** The targets of a page's links and pictures, with their lines. */
function linksIn(page: string): { target: string; line: number }[] {
  return withoutCode(page)
    .split("\n")
    .flatMap((text, index) => {
      const inline = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
      const reference = [...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/g)];
      const html = [...text.matchAll(/\b(?:href|src)="([^"]+)"/g)];
      return [...inline, ...reference, ...html].map(([, target = ""]) => ({ target, line: index + 1 }));
    });
}

/** What is wrong with a link. Undefined if it leads somewhere. */
function problemOf(target: string, file: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) {
    return /^(https|mailto):/.test(target) && URL.canParse(target) ? undefined : "is not a link to a site with https";
  }
  const [path = "", anchor] = target.split("#");
  const to = path === "" ? file : normalize(join(dirname(file), decodeURIComponent(path)));
  if (relative(root, join(root, to)).startsWith("..") || !existsSync(join(root, to))) {
    return "leads to nothing";
  }
  if (anchor === undefined) {
    return undefined;
  }
  if (statSync(join(root, to)).isDirectory() || !to.endsWith(".md")) {
    return /^L\d+(-L\d+)?$/.test(anchor) ? undefined : "has an anchor in something that is no Markdown";
  }
  return anchorsOf(readPage(to)).has(anchor) ? undefined : "leads to no heading";
}

test.each(markdownFiles())("every link of %s leads somewhere", (file) => {
  const dead = linksIn(readPage(file)).flatMap(({ target, line }) => {
    const problem = problemOf(target, file);
    return problem === undefined ? [] : [`${file}:${line}: ${target} ${problem}`];
  });
  expect(dead).toEqual([]);
});

test("every guide is in the index", () => {
  const index = readPage("docs/README.md");
  const missing = markdownFiles()
    .filter((file) => /^docs\/[^/]+\.md$/.test(file) && file !== "docs/README.md")
    .filter((file) => !index.includes(`](${file.slice("docs/".length)}`));
  expect(missing).toEqual([]);
});

test("dead links are found", () => {
  const page =
    "[a](docs/none.md) [b](#nowhere) [c](docs/drift.md#formats) `[d](e.md)` [f](http://example.com)\n\n# Here\n";
  expect(linksIn(page).map(({ target }) => target)).toEqual([
    "docs/none.md",
    "#nowhere",
    "docs/drift.md#formats",
    "http://example.com",
  ]);
  expect(problemOf("docs/none.md", "README.md")).toBe("leads to nothing");
  expect(problemOf("#nowhere", "README.md")).toBe("leads to no heading");
  expect(problemOf("docs/drift.md#formats", "README.md")).toBeUndefined();
  expect(problemOf("http://example.com", "README.md")).toBeDefined();
});
