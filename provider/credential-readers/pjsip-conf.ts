/**
 * Parses Asterisk's configuration files: sections, templates, includes and comments, as Asterisk 18 to 23 read them
 * (main/config.c). Pure: the caller provides included files. No message contains the content of a line.
 */

import { folded, sameName, stripped, unquoted } from "./asterisk-text";
import type { Fail } from "./errors";
import type { ConfigFile } from "./files";
import { posixRegex } from "./posix-regex";

/** An option of a section, and where it is written. */
export interface Option {
  readonly name: string;
  readonly value: string;
  readonly file: string;
  readonly line: number;
  /** Whether it depends on Asterisk's version what a `+=` was appended to. */
  readonly unsure?: true;
}

/** A section. Its options include those inherited from templates, before its own. */
export interface Section {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** Whether it is a template, `[name](!)`: only inherited from, never used itself. */
  template: boolean;
  /** In order. For an option with a single value, the last one counts. */
  readonly options: Option[];
}

/** Finds the files that an #include names. Empty if there are none. */
export type Include = (pattern: string) => readonly ConfigFile[];

/** The maximum depth of includes, as in Asterisk. */
const MAX_DEPTH = 10;

/** The maximum depth of block comments, as in Asterisk. */
const MAX_COMMENTS = 128;

/** Asterisk cuts longer names of sections off, in bytes. */
const MAX_NAME = 79;

/** Asterisk skips lines of this many bytes or more, without the line feed. */
const TOO_LONG = 8191;

/**
 * How much templates and additions may cost: one for each option that is copied, and one for each character that is compared.
 * Doubling templates would need more memory than there is.
 */
const MAX_WORK = 5_000_000;

/**
 * Reads a configuration file and its includes.
 *
 * @param onUnclosedComment called with the place of a block comment that hides the rest of a file, which Asterisk accepts
 * @throws CredentialReadError naming file and line, if Asterisk would reject the file too, and for #exec, which is never run
 */
export function parseConfig(
  file: ConfigFile,
  include: Include,
  fail: Fail,
  onUnclosedComment: (place: string) => void = () => {},
): Section[] {
  const parser = new Parser(include, fail, onUnclosedComment);
  parser.load([file], []);
  return parser.sections;
}

/** The last value of an option in a section. Undefined if it has none. */
export function optionOf({ options }: Pick<Section, "options">, name: string): string | undefined {
  return options.findLast((option) => sameName(option.name, name))?.value;
}

/** The first value of an option in a section. Undefined if it has none. */
export function firstOptionOf({ options }: Pick<Section, "options">, name: string): string | undefined {
  return options.find((option) => sameName(option.name, name))?.value;
}

/** Where a line is, for its options and for its errors. */
interface Place {
  readonly file: string;
  readonly line: number;
  readonly fail: Fail;
}

class Parser {
  readonly sections: Section[] = [];
  /** The sections by the names that they are looked up by. */
  private readonly byName = new Map<string, Section[]>();
  /** The section that an included file begins in. */
  private current?: Section;
  private work = 0;

  constructor(
    private readonly include: Include,
    private readonly fail: Fail,
    private readonly onUnclosedComment: (place: string) => void,
  ) {}

  /** Reads the files of one #include. An open comment and an open section continue in the next file, as in Asterisk. */
  load(files: readonly ConfigFile[], including: readonly string[]): void {
    const comments = new Comments();
    let section = this.current;
    for (const [index, { path, text }] of files.entries()) {
      if (including.includes(path) || including.length >= MAX_DEPTH) {
        throw this.fail(
          `${path} includes itself, or is included more than ${MAX_DEPTH} files deep: remove the #include`,
        );
      }
      const chain = [...including, path];
      const lines = (index === 0 ? text.replace(/^\uFEFF/, "") : text).split("\n");
      for (const [number, line] of lines.entries()) {
        const place: Place = {
          file: path,
          line: number + 1,
          fail: (problem) => this.fail(`${path}, line ${number + 1}: ${problem}`),
        };
        if (line.includes("\0")) {
          throw place.fail("the line contains a NUL character: name a text file");
        }
        if (!isTooLong(line)) {
          const content = stripped(comments.without(line, place));
          section = content === "" ? section : this.line(content, section, chain, place);
        }
      }
    }
    if (comments.openedAt !== undefined) {
      this.onUnclosedComment(comments.openedAt);
    }
  }

  /** Returns the section that the next line belongs to. */
  private line(
    text: string,
    section: Section | undefined,
    chain: readonly string[],
    place: Place,
  ): Section | undefined {
    if (text.startsWith("[")) {
      return this.header(text, place);
    }
    if (text.startsWith("#")) {
      this.directive(text.slice(1), chain, place);
    } else {
      this.option(text, section, place);
    }
    return section;
  }

  /** `[name]`, `[name](!)`, `[name](template,…)`, `[name](+)`, `[name](+option=value&…)`. */
  private header(text: string, place: Place): Section {
    const end = text.indexOf("]");
    const opens = end >= 0 && text[end + 1] === "(";
    const close = opens ? text.indexOf(")", end) : end;
    if (close < 0) {
      throw place.fail("a section header is not closed: add the missing ] or )");
    }
    const added: Section = {
      name: Buffer.from(text.slice(1, end)).subarray(0, MAX_NAME).toString(),
      file: place.file,
      line: place.line,
      template: false,
      options: [],
    };
    let section = added;
    for (const modifier of opens ? text.slice(end + 2, close).split(",") : []) {
      if (modifier === "!") {
        section.template = true;
      } else if (modifier.startsWith("+")) {
        const extended = this.extended(added.name, modifier.slice(1), place);
        if (section === added) {
          extended.template ||= added.template;
          this.copy(added.options, extended, place);
        }
        section = extended;
      } else {
        const [base] = this.named(modifier);
        if (!base) {
          throw place.fail("a section inherits from one that does not exist above it: define the template first");
        }
        this.copy(base.options, section, place);
      }
    }
    if (section === added) {
      this.sections.push(section);
      const key = folded(section.name);
      const same = this.byName.get(key);
      if (same) {
        same.push(section);
      } else {
        this.byName.set(key, [section]);
      }
    }
    this.current = section;
    return section;
  }

  /** The sections with a name, in order. Asterisk takes an empty name for any. */
  private named(name: string): readonly Section[] {
    return name === "" ? this.sections : (this.byName.get(folded(name)) ?? []);
  }

  private copy(options: readonly Option[], into: Section, place: Place): void {
    this.spend(options.length, place);
    for (const option of [...options]) {
      into.options.push(option);
    }
  }

  private spend(cost: number, { fail }: Place): void {
    this.work += cost;
    if (this.work > MAX_WORK) {
      throw fail("the templates and additions up to here are too large for this reader: inherit from fewer sections");
    }
  }

  /** The section that `(+)` extends: the first of that name that is no template or, with a filter, that matches it. */
  private extended(name: string, filter: string, place: Place): Section {
    const accepts = this.filter(filter, place);
    const section = this.named(name).find((candidate) => {
      this.spend(1, place);
      return accepts(candidate);
    });
    if (!section) {
      throw place.fail("a section adds to one that does not exist above it: define that one first, or remove the (+)");
    }
    return section;
  }

  /**
   * The filter of an addition: `&` between conditions, each a regular expression for an option's name, `=`, and one for its value.
   * `TEMPLATES=include` accepts templates too, `TEMPLATES=restrict` only templates.
   */
  private filter(text: string, place: Place): (section: Section) => boolean {
    if (text === "") {
      return ({ template }) => !template;
    }
    const conditions = text.split("&").map((condition) => {
      const [name = "", value] = unquoted(condition).split("=").map(unquoted);
      return { name, value };
    });
    const templates = conditions.find(({ name }) => name === "TEMPLATES")?.value?.toLowerCase();
    const tests = conditions
      .filter(({ name }) => name !== "TEMPLATES")
      .map(({ name, value }) => (value === undefined ? () => false : this.condition(name, value, place)));
    return (section) =>
      (section.template ? templates === "include" || templates === "restrict" : templates !== "restrict") &&
      tests.every((test) => test(section));
  }

  private condition(name: string, value: string, place: Place): (section: Section) => boolean {
    const [names, values] = [posixRegex(name), posixRegex(value)];
    if (!names || !values) {
      throw place.fail(
        "an addition (+…) has a filter that this reader does not understand: expected option=value, in regular expressions without ( ) { }",
      );
    }
    return ({ options }) =>
      options.some((option) => {
        this.spend((name.length + 1) * option.name.length + (value.length + 1) * option.value.length, place);
        return names(option.name) && values(option.value);
      });
  }

  /** Handles `#include` and `#tryinclude`. `#exec` is an error, and unknown directives are ignored, as Asterisk does. */
  private directive(text: string, chain: readonly string[], { fail }: Place): void {
    let end = 0;
    while (end < text.length && text.charCodeAt(end) > 32) {
      end++;
    }
    const directive = folded(text.slice(0, end));
    const argument = stripped(text.slice(end));
    if (directive === "exec") {
      throw fail(
        "#exec runs a command, which a preview never does: write the command's output to a file, and #include that file instead",
      );
    }
    if ((directive !== "include" && directive !== "tryinclude") || argument === "") {
      return;
    }
    const closing = argument.startsWith("<") ? ">" : '"';
    const isQuoted = /^["<]/.test(argument) && argument.length > 1 && argument.endsWith(closing);
    const files = this.include(isQuoted ? argument.slice(1, -1) : argument);
    if (files.length === 0 && directive === "include") {
      throw fail("#include names a file that does not exist: check it, or use #tryinclude");
    }
    this.load(files, chain);
  }

  /** `name = value`, `name => value`, `name += value`. A backslash before the name makes its first character an ordinary one. */
  private option(line: string, section: Section | undefined, place: Place): void {
    if (!section) {
      throw place.fail("a line comes before the first [section]: move it into one");
    }
    const isEscaped = line.startsWith("\\");
    const text = isEscaped ? line.slice(1) : line;
    if (isEscaped && !(text.charCodeAt(0) > 32)) {
      throw place.fail("a backslash is followed by nothing: remove it");
    }
    const first = isEscaped ? 1 : 0;
    const equals = text.indexOf("=", first);
    if (equals < 0) {
      return;
    }
    const appends = equals > first && text[equals - 1] === "+";
    const name = stripped(text.slice(0, appends ? equals - 1 : equals));
    const value = text.slice(equals + 1);
    if (appends && this.append(section, name, value, place)) {
      return;
    }
    if (name !== "") {
      const { file, line: number } = place;
      const own = stripped(!appends && value.startsWith(">") ? value.slice(1) : value);
      section.options.push({ name, value: own, file, line: number });
    }
  }

  /** Appends to the last option of a name. Returns whether there is one. */
  private append({ options }: Section, name: string, value: string, place: Place): boolean {
    this.spend(options.length, place);
    const before = options.findLast((option) => option.name === name);
    if (!before) {
      return false;
    }
    this.spend(before.value.length, place);
    // Asterisk looks for the option again, by name and value in any case. Until 22.10 it takes the first one, later versions the last.
    const isMeant = (option: Option) =>
      sameName(option.name, name) && (before.value === "" || sameName(option.value, before.value));
    const at = options.findLastIndex(isMeant);
    options[at] = {
      name,
      value: stripped(before.value + value),
      file: place.file,
      line: place.line,
      ...(options.findIndex(isMeant) === at ? {} : { unsure: true }),
    };
    return true;
  }
}

/** Removes comments: from `;` to the end of the line, and from `;--` to `--;` across lines, nested. `\;` is a semicolon. */
class Comments {
  /** Where the comments begin that are open. */
  private readonly open: string[] = [];

  get openedAt(): string | undefined {
    return this.open[0];
  }

  without(line: string, { file, line: number, fail }: Place): string {
    const kept: string[] = [];
    let from = 0;
    // A backslash or dashes before this point have had their meaning.
    let seen = 0;
    for (let at = line.indexOf(";"); at >= 0; at = line.indexOf(";", seen)) {
      const isVisible = this.open.length === 0;
      const isEscaped = at > seen && line[at - 1] === "\\";
      if (isEscaped) {
        if (isVisible) {
          kept.push(line.slice(from, at - 1));
          from = at;
        }
        seen = at + 1;
      } else if (line.startsWith("--", at + 1) && line[at + 3] !== "-") {
        if (this.open.length === MAX_COMMENTS) {
          throw fail(
            `comments are nested more than ${MAX_COMMENTS} deep, at which Asterisk hangs: close them with --;`,
          );
        }
        if (isVisible) {
          kept.push(line.slice(from, at));
        }
        this.open.push(`${file}, line ${number}`);
        seen = at + 3;
      } else if (at >= seen + 2 && line.startsWith("--", at - 2)) {
        if (isVisible) {
          throw fail("--; closes a comment that is not open, and Asterisk ignores the lines after it: remove it");
        }
        this.open.pop();
        seen = at + 1;
        from = seen;
      } else if (isVisible) {
        kept.push(line.slice(from, at));
        return kept.join("");
      } else {
        seen = at + 1;
      }
    }
    return this.open.length === 0 ? kept.join("") + line.slice(from) : kept.join("");
  }
}

function isTooLong(line: string): boolean {
  return line.length * 3 >= TOO_LONG && Buffer.byteLength(line) >= TOO_LONG;
}
