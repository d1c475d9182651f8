/**
 * FreeSWITCH's preprocessor (switch_xml.c): joins the files of a configuration and replaces variables, line by line, as
 * FreeSWITCH does before it parses XML. Pure: the caller provides included files. No command is ever run.
 */

import type { Fail } from "./errors";
import type { ConfigFile } from "./files";

/** Finds the files that an include names, given the including file. */
export type Include = (pattern: string, from: ConfigFile) => readonly ConfigFile[];

/** The maximum depth of includes. */
const MAX_DEPTH = 100;

/** The most characters of a line, before and after its variables are replaced. FreeSWITCH cuts longer lines into two. */
const MAX_LINE = 1024 * 1024;

/** The most characters that a configuration may have when all variables are replaced. */
const MAX_TEXT = 64 * 1024 * 1024;

/** Marks the name of an unset variable in the text, so that it only becomes an error if the value is needed. */
const UNSET = { open: "\uE000", close: "\uE001" };
const UNSET_NAME = /\uE000([^\uE001]*)\uE001/;

/** The first unset variable in a text. Undefined if there is none. */
export function unsetVariable(text: string): string | undefined {
  return UNSET_NAME.exec(text)?.[1];
}

/** A configuration as FreeSWITCH parses it, and where its text comes from. */
export interface Preprocessed {
  readonly text: string;
  /** The file and line of a position in the text. */
  placeOf(position: number): string;
}

/**
 * The XML text of a configuration, with its includes.
 *
 * @param variables what FreeSWITCH sets by itself or with commands, as far as the caller knows; files may override them
 * @throws CredentialReadError naming file and line, if it is included endlessly, uses `exec` or grows without bounds
 */
export function preprocess(
  file: ConfigFile,
  include: Include,
  variables: Readonly<Record<string, string>>,
  fail: Fail,
): Preprocessed {
  const preprocessor = new Preprocessor(include, variables, fail);
  preprocessor.read(file, []);
  return preprocessor.result();
}

/** Where a line is, for its commands and its errors. */
interface Place {
  readonly file: ConfigFile;
  readonly line: number;
  readonly chain: readonly string[];
  readonly fail: Fail;
}

class Preprocessor {
  /** The parts of the text, with the positions where they start and the lines that they come from. */
  private readonly parts: string[] = [];
  private readonly starts: number[] = [];
  private readonly paths: string[] = [];
  private readonly lines: number[] = [];
  private length = 0;
  /** By name in lower case: FreeSWITCH ignores the case of variables. */
  private readonly variables = new Map<string, string>();

  constructor(
    private readonly include: Include,
    variables: Readonly<Record<string, string>>,
    private readonly fail: Fail,
  ) {
    for (const [name, value] of Object.entries(variables)) {
      this.variables.set(name.toLowerCase(), value);
    }
  }

  result(): Preprocessed {
    const { starts, paths, lines } = this;
    return {
      text: this.parts.join(""),
      placeOf: (position) => {
        let low = 0;
        for (let high = starts.length; low + 1 < high; ) {
          const middle = (low + high) >>> 1;
          [low, high] = (starts[middle] ?? 0) <= position ? [middle, high] : [low, middle];
        }
        return `${paths[low]}, line ${lines[low]}`;
      },
    };
  }

  read(file: ConfigFile, including: readonly string[]): void {
    if (including.includes(file.path) || including.length >= MAX_DEPTH) {
      throw this.fail(
        `${file.path} includes itself, or is included more than ${MAX_DEPTH} files deep: remove the include`,
      );
    }
    const chain = [...including, file.path];
    let line = 1;
    let inComment = false;
    // A carriage return ends a line too, but counts as one line with the line feed.
    for (const raw of file.text.split(/(?<=[\r\n])/)) {
      const number = line;
      line += raw.endsWith("\n") ? 1 : 0;
      const place: Place = {
        file,
        line: number,
        chain,
        fail: (problem) => this.fail(`${file.path}, line ${number}: ${problem}`),
      };
      // FreeSWITCH drops such lines completely, whatever else they contain.
      if (raw.includes("<include>") || raw.includes("</include>") || raw.includes("<?")) {
        continue;
      }
      const expanded = this.expand(raw, place);
      const commentEnd = inComment ? expanded.indexOf("-->") : -1;
      if (!inComment || commentEnd >= 0) {
        inComment = this.line(inComment ? expanded.slice(commentEnd + "-->".length) : expanded, place);
      }
    }
  }

  /** Returns whether a `<!--#…` comment is still open at the end of the line. */
  private line(line: string, place: Place): boolean {
    const tag = line.search(/X-pre-process/i);
    if (tag >= 0) {
      if (line[tag - 1] === "<") {
        this.tag(line.slice(tag), place);
      }
      return false;
    }
    const comment = line.indexOf("<!--#");
    if (comment < 0) {
      this.write(line, place);
      return false;
    }
    const end = line.indexOf("-->", comment);
    this.write(line.slice(0, comment) + (end < 0 ? "" : line.slice(end + "-->".length)), place);
    this.comment(line.slice(comment + "<!--#".length, end < 0 ? undefined : end), place);
    return end < 0;
  }

  /** `<X-PRE-PROCESS cmd="…" data="…"/>` */
  private tag(text: string, place: Place): void {
    const end = text.indexOf("/>");
    const inside = end < 0 ? text : text.slice(0, end);
    const command = attribute(inside, "cmd");
    const data = command && attribute(command.rest, "data");
    if (command && data) {
      this.command(command.value, data.value, place);
    }
  }

  /** `<!--#set name=value-->` */
  private comment(text: string, place: Place): void {
    const [line = ""] = text.split(/[\r\n]/, 1);
    const blank = line.indexOf(" ");
    if (blank < 0) {
      return;
    }
    const argument = line.slice(blank + 1);
    const open = argument.indexOf('"');
    const close = open < 0 ? -1 : argument.indexOf('"', open + 1);
    this.command(line.slice(0, blank), close < 0 ? argument : argument.slice(open + 1, close), place);
  }

  private command(name: string, argument: string, place: Place): void {
    const command = name.toLowerCase();
    if (command === "set") {
      const equals = argument.indexOf("=");
      if (equals >= 0) {
        const variable = argument.slice(0, equals).replace(/^(.*[^ ]|) *$/s, "$1");
        this.variables.set(variable.toLowerCase(), disarmed(withoutLeadingBlanks(argument.slice(equals + 1))));
      }
    } else if (command === "include") {
      const variable = unsetVariable(argument);
      if (variable !== undefined) {
        throw place.fail(`the include uses ${unsetSentence(variable)}`);
      }
      for (const included of this.include(argument, place.file)) {
        this.read(included, place.chain);
      }
    } else if (command === "exec") {
      throw place.fail(
        "the output of a command is included (exec), which a preview never runs: write the output to a file, and include that file instead",
      );
    }
    // exec-set, stun-set and env-set ask a command, a server or FreeSWITCH's environment, so their variables stay unset.
  }

  /** Replaces `$${name}`. What replaces it is not looked at again. */
  private expand(line: string, place: Place): string {
    if (line.length > MAX_LINE) {
      throw place.fail(`the line is longer than ${MAX_LINE} characters: break it into several`);
    }
    if (!line.includes("$${")) {
      return line;
    }
    const ends = closingBraces(line);
    const parts: string[] = [];
    let length = 0;
    let from = 0;
    for (let at = line.indexOf("$${"); at >= 0; ) {
      const end = ends.get(at + 2);
      if (end !== undefined) {
        const name = line.slice(at + 3, end);
        const value =
          this.variables.get(name.toLowerCase()) ?? UNSET.open + name.replace(/[^\w.-]/g, "_") + UNSET.close;
        parts.push(line.slice(from, at), value);
        length += value.length;
        from = end + 1;
      }
      if (length > MAX_LINE) {
        throw place.fail(`the line grows beyond ${MAX_LINE} characters with its variables: shorten their values`);
      }
      at = line.indexOf("$${", end === undefined ? at + 1 : from);
    }
    parts.push(line.slice(from));
    return parts.join("");
  }

  private write(text: string, place: Place): void {
    if (text === "") {
      return;
    }
    this.parts.push(text);
    this.starts.push(this.length);
    this.paths.push(place.file.path);
    this.lines.push(place.line);
    this.length += text.length;
    if (this.length > MAX_TEXT) {
      throw place.fail(
        `the configuration grows beyond ${MAX_TEXT / 1024 / 1024} million characters here: set \`file\` to the root of the directory alone`,
      );
    }
  }
}

/** The value of an attribute, found as FreeSWITCH finds it: the next quotation marks after the name and an equals sign. */
function attribute(text: string, name: string): { value: string; rest: string } | undefined {
  const found = text.search(new RegExp(name, "i"));
  const equals = found < 0 ? -1 : text.indexOf("=", found);
  const open = equals < 0 ? -1 : text.indexOf('"', equals);
  if (open < 0) {
    return undefined;
  }
  const close = text.indexOf('"', open + 1);
  return close < 0
    ? { value: text.slice(open + 1), rest: "" }
    : { value: text.slice(open + 1, close), rest: text.slice(close + 1) };
}

/** For each opening brace that is closed, the position of the closing one. */
function closingBraces(line: string): ReadonlyMap<number, number> {
  const ends = new Map<number, number>();
  const open: number[] = [];
  for (const { index, 0: brace } of line.matchAll(/[{}]/g)) {
    if (brace === "{") {
      open.push(index);
    } else {
      const start = open.pop();
      if (start !== undefined) {
        ends.set(start, index);
      }
    }
  }
  return ends;
}

function withoutLeadingBlanks(text: string): string {
  let start = 0;
  while (text[start] === " ") {
    start++;
  }
  return text.slice(start);
}

/** FreeSWITCH turns `${` in the value of a variable into `%{`. */
function disarmed(value: string): string {
  return value.replace(/\$(\\*\{)/g, "%$1");
}

/** Describes the problem with a value that needs an unset variable, and the fix. */
export function unsetSentence(variable: string): string {
  return `the variable ${variable}, which no file sets (FreeSWITCH sets it by itself or with a command): set it in \`variables\`, or set \`file\` to freeswitch.xml if vars.xml sets it`;
}
