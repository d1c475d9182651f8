/**
 * Parses Asterisk's configuration files: sections, templates, includes and comments, as Asterisk 18 to 23 read them
 * (main/config.c). Pure: the caller provides included files. No message contains the content of a line.
 */

import type { Fail } from "./errors";
import type { ConfigFile } from "./files";

/** A section. Its options include those inherited from templates, before its own. */
export interface Section {
  readonly name: string;
  /** Whether it is a template, `[name](!)`: only inherited from, never used itself. */
  template: boolean;
  /** Name and value, in order. For an option with a single value, the last one counts. */
  readonly options: [name: string, value: string][];
}

/** Finds the files that an #include names. Empty if there are none. */
export type Include = (pattern: string) => readonly ConfigFile[];

/** The maximum depth of includes, as in Asterisk. */
const MAX_DEPTH = 10;

/**
 * Reads a configuration file and its includes.
 *
 * @throws CredentialReadError naming file and line, if Asterisk would reject the file too, and for #exec, which is never run
 */
export function parseConfig(file: ConfigFile, include: Include, fail: Fail): Section[] {
  const parser = new Parser(include, fail);
  parser.read(file, []);
  return parser.sections;
}

/** The last value of an option in a section. Undefined if it has none. */
export function optionOf({ options }: Section, name: string): string | undefined {
  return options.findLast(([option]) => option.toLowerCase() === name)?.[1];
}

class Parser {
  readonly sections: Section[] = [];
  private current?: Section;

  constructor(
    private readonly include: Include,
    private readonly fail: Fail,
  ) {}

  read(file: ConfigFile, including: readonly string[]): void {
    if (including.includes(file.path) || including.length >= MAX_DEPTH) {
      throw this.fail(
        `${file.path} includes itself, or is included more than ${MAX_DEPTH} files deep: remove the #include`,
      );
    }
    const chain = [...including, file.path];
    let comments = 0;
    for (const [index, line] of file.text.split("\n").entries()) {
      const { text, depth } = uncommented(line, comments);
      comments = depth;
      const failHere: Fail = (problem) => this.fail(`${file.path}, line ${index + 1}: ${problem}`);
      this.line(text.trim(), chain, failHere);
    }
  }

  private line(text: string, chain: readonly string[], fail: Fail): void {
    if (text === "") {
      return;
    }
    if (text.startsWith("[")) {
      this.header(text, fail);
    } else if (text.startsWith("#")) {
      this.directive(text.slice(1), chain, fail);
    } else {
      this.option(text.replace(/^\\/, ""), fail);
    }
  }

  /** `[name]`, `[name](!)`, `[name](template,…)`, `[name](+)`. */
  private header(text: string, fail: Fail): void {
    const [, name, , modifiers = ""] = /^\[([^\]]*)\](\(([^)]*)\))?/.exec(text) ?? [];
    if (name === undefined || (/^\[[^\]]*\]\(/.test(text) && !text.includes(")"))) {
      throw fail("a section header is not closed: add the missing ] or )");
    }
    let section: Section = { name, template: false, options: [] };
    let isNew = true;
    for (const modifier of modifiers.split(",").filter((part) => part !== "")) {
      if (modifier === "!") {
        section.template = true;
      } else if (modifier.startsWith("+")) {
        const added = section;
        section = this.added(name, modifier.slice(1), fail);
        section.template ||= added.template;
        section.options.push(...added.options);
        isNew = false;
      } else {
        const base = this.sections.find((candidate) => sameName(candidate.name, modifier));
        if (!base) {
          throw fail("a section inherits from one that does not exist above it: define the template first");
        }
        section.options.push(...base.options.map(([option, value]): [string, string] => [option, value]));
      }
    }
    if (isNew) {
      this.sections.push(section);
    }
    this.current = section;
  }

  /** The section that `(+)` extends: the first of that name or, with a filter, the first with the options in the filter. */
  private added(name: string, filter: string, fail: Fail): Section {
    const conditions = filter
      .split("&")
      .map((part) => part.split("=").map((word) => word.trim()))
      .filter(([option]) => option !== "");
    const templates = conditions.find(([option]) => option === "TEMPLATES")?.[1]?.toLowerCase();
    const section = this.sections.find(
      (candidate) =>
        sameName(candidate.name, name) &&
        (templates === "restrict" ? candidate.template : templates === "include" || !candidate.template) &&
        conditions.every(
          ([option = "", value = ""]) =>
            option === "TEMPLATES" || candidate.options.some(([own, has]) => own === option && has === value),
        ),
    );
    if (!section) {
      throw fail("a section adds to one that does not exist above it: define that one first, or remove the (+)");
    }
    return section;
  }

  /** Handles `#include` and `#tryinclude`. `#exec` is an error, and unknown directives are ignored, as Asterisk does. */
  private directive(text: string, chain: readonly string[], fail: Fail): void {
    const [, word = "", argument = ""] = /^(\S*)\s*(.*)$/s.exec(text) ?? [];
    const directive = word.toLowerCase();
    if (directive === "exec") {
      throw fail(
        "#exec runs a command, which a preview never does: write the command's output to a file, and #include that file instead",
      );
    }
    if ((directive !== "include" && directive !== "tryinclude") || argument === "") {
      return;
    }
    const files = this.include(argument.replace(/^"(.*)"$|^<(.*)>$/s, "$1$2"));
    if (files.length === 0 && directive === "include") {
      throw fail("#include names a file that does not exist: check it, or use #tryinclude");
    }
    // Lines before the first header of an included file belong to the including section.
    const outer = this.current;
    for (const file of files) {
      this.read(file, chain);
    }
    this.current = outer;
  }

  /** `name = value`, `name => value`, `name += value`. */
  private option(text: string, fail: Fail): void {
    const section = this.current;
    if (!section) {
      throw fail("a line comes before the first [section]: move it into one");
    }
    const equals = text.indexOf("=");
    if (equals < 0) {
      return;
    }
    const appends = text[equals - 1] === "+";
    const name = text.slice(0, appends ? equals - 1 : equals).trim();
    const value = text.slice(equals + 1);
    const before = appends ? section.options.findLast(([option]) => option === name) : undefined;
    if (before) {
      before[1] = (before[1] + value).trim();
    } else if (name !== "") {
      section.options.push([name, (appends ? value : value.replace(/^>/, "")).trim()]);
    }
  }
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/**
 * Removes the comments from a line: from `;` to the end of the line, and from `;--` to `--;` across lines, nested. `\;` is a
 * semicolon. `depth` is the number of open block comments.
 */
function uncommented(line: string, depth: number): { text: string; depth: number } {
  let text = "";
  let open = depth;
  let commentStart = 0;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? "";
    if (character !== ";") {
      text += open > 0 ? "" : character;
    } else if (line[at - 1] === "\\") {
      text = open > 0 ? text : `${text.slice(0, -1)};`;
    } else if (line.startsWith(";--", at) && line[at + 3] !== "-") {
      open++;
      at += 2;
      commentStart = at + 1;
    } else if (open > 0) {
      if (at - commentStart >= 2 && line.slice(at - 2, at) === "--") {
        open--;
        commentStart = at + 1;
      }
    } else {
      break;
    }
  }
  return { text, depth: open };
}
