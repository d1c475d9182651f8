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

/** Marks the name of an unset variable in the text, so that it only becomes an error if the value is needed. */
const UNSET = { open: "\uE000", close: "\uE001" };
const UNSET_NAME = /\uE000([^\uE001]*)\uE001/;

/** The first unset variable in a text. Undefined if there is none. */
export function unsetVariable(text: string): string | undefined {
  return UNSET_NAME.exec(text)?.[1];
}

/**
 * The XML text of a configuration, with its includes.
 *
 * @param variables what FreeSWITCH sets by itself or with commands, as far as the caller knows; files may override them
 * @throws CredentialReadError naming the file, if it is included endlessly or uses `exec`
 */
export function preprocess(
  file: ConfigFile,
  include: Include,
  variables: Readonly<Record<string, string>>,
  fail: Fail,
): string {
  const preprocessor = new Preprocessor(include, new Map(Object.entries(variables)), fail);
  preprocessor.read(file, []);
  return preprocessor.text.join("\n");
}

class Preprocessor {
  readonly text: string[] = [];

  constructor(
    private readonly include: Include,
    private readonly variables: Map<string, string>,
    private readonly fail: Fail,
  ) {}

  read(file: ConfigFile, including: readonly string[]): void {
    if (including.includes(file.path) || including.length >= MAX_DEPTH) {
      throw this.fail(
        `${file.path} includes itself, or is included more than ${MAX_DEPTH} files deep: remove the include`,
      );
    }
    const chain = [...including, file.path];
    let inComment = false;
    for (const raw of file.text.split("\n")) {
      // FreeSWITCH drops such lines completely, whatever else they contain.
      if (/<include>|<\/include>|<\?/.test(raw)) {
        continue;
      }
      const expanded = this.expand(raw);
      const commentEnd = expanded.indexOf("-->");
      if (inComment && commentEnd < 0) {
        continue;
      }
      const line = inComment ? expanded.slice(commentEnd + 3) : expanded;
      inComment = this.line(line, file, chain);
    }
  }

  /** Returns whether a `<!--#…` comment is still open at the end of the line. */
  private line(line: string, file: ConfigFile, chain: readonly string[]): boolean {
    const tag = line.search(/X-pre-process/i);
    if (tag >= 0) {
      const [, command = "", argument = ""] =
        line[tag - 1] === "<"
          ? (/cmd[^=]*=[^"]*"([^"]*)".*?data[^=]*=[^"]*"([^"]*)"/i.exec(line.slice(tag)) ?? [])
          : [];
      this.command(command, argument, file, chain);
      return false;
    }
    const comment = line.indexOf("<!--#");
    if (comment < 0) {
      this.text.push(line);
      return false;
    }
    const end = line.indexOf("-->", comment);
    this.text.push(line.slice(0, comment) + (end < 0 ? "" : line.slice(end + 3)));
    const inside = line.slice(comment + "<!--#".length, end < 0 ? undefined : end).trim();
    const [, command = "", argument = ""] = /^(\S+)\s+(.*)$/.exec(inside) ?? [];
    this.command(command, /"([^"]*)"/.exec(argument)?.[1] ?? argument, file, chain);
    return end < 0;
  }

  private command(name: string, argument: string, file: ConfigFile, chain: readonly string[]): void {
    const command = name.toLowerCase();
    if (command === "set") {
      const [, variable, value] = /^([^=]*?) *= *(.*)$/s.exec(argument) ?? [];
      if (variable !== undefined && value !== undefined) {
        this.variables.set(variable, value);
      }
    } else if (command === "include") {
      const variable = unsetVariable(argument);
      if (variable !== undefined) {
        throw this.fail(`${file.path} includes files through ${unsetSentence(variable)}`);
      }
      for (const included of this.include(argument, file)) {
        this.read(included, chain);
      }
    } else if (command === "exec") {
      throw this.fail(
        `${file.path} includes the output of a command (exec), which a preview never runs: write the output to a file, and include that file instead`,
      );
    }
    // exec-set, stun-set and env-set ask a command, a server or FreeSWITCH's environment, so their variables stay unset.
  }

  /** Replaces `$${name}`. */
  private expand(line: string): string {
    return line.replace(/\$\$\{([^{}]*)\}/g, (_match, name: string) => {
      const value = this.variables.get(name);
      return value ?? UNSET.open + name.replace(/[^\w.-]/g, "_") + UNSET.close;
    });
  }
}

/** Describes the problem with a value that needs an unset variable, and the fix. */
export function unsetSentence(variable: string): string {
  return `the variable ${variable}, which no file sets (FreeSWITCH sets it by itself or with a command): set it in \`variables\`, or set \`file\` to freeswitch.xml if vars.xml sets it`;
}
