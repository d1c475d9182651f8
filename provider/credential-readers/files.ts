/** Reads configuration files with their includes: paths with wildcards, bounded in number and size, errors as sentences. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { codeOf, type Fail } from "./errors";

/** A file that was read. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** How many files one reading may read: a directory with a file for each of many thousand users, and no more. */
const MAX_FILES = 20_000;

/** How much one reading may read, in bytes. */
const MAX_BYTES = 256 * 1024 * 1024;

/** The files of one reading. */
export class ConfigFiles {
  private files = 0;
  private bytes = 0;

  constructor(private readonly fail: Fail) {}

  /** @throws CredentialReadError when the file can't be read */
  read(path: string): ConfigFile {
    try {
      this.spend(statSync(path).size);
      return { path, text: readFileSync(path, "utf8").replace(/^\uFEFF/, "") };
    } catch (error) {
      throw this.unreadable(path, error);
    }
  }

  /** The files that a pattern names, in the order of their names; a relative one is looked for in `directory`. */
  matching(pattern: string, directory: string): ConfigFile[] {
    const path = isAbsolute(pattern) ? pattern : join(directory, pattern);
    try {
      return expand(path).map((found) => this.read(found));
    } catch (error) {
      throw this.unreadable(path, error);
    }
  }

  /** What Node says of a path holds the path as a file has it: it is put in our words. */
  private unreadable(path: string, error: unknown): unknown {
    const code = codeOf(error);
    return code === undefined
      ? error
      : this.fail(`the file ${path} ${PROBLEMS[code] ?? `can't be read (${code}): check its path`}`);
  }

  private spend(size: number): void {
    this.files++;
    this.bytes += size;
    if (this.files > MAX_FILES || this.bytes > MAX_BYTES) {
      throw this.fail(
        `the files include more than ${MAX_FILES} files or ${MAX_BYTES / 1024 / 1024} MiB: set \`file\` to one that includes less`,
      );
    }
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist on this machine: check the path, which is relative to the program's folder",
  ENOTDIR: "does not exist on this machine: check the path, which is relative to the program's folder",
  EACCES: "may not be read by the user that runs the program: grant it read access",
  EPERM: "may not be read by the user that runs the program: grant it read access",
  EISDIR: "is a directory: name the file in it",
};

/** The regular files that a path with the wildcards of glob(7) and braces stands for, sorted. */
function expand(pattern: string): string[] {
  const found = alternatives(pattern).flatMap((path) => {
    const [root = "", ...parts] = path.split("/");
    return parts.reduce<string[]>((folders, part) => folders.flatMap((folder) => step(folder, part)), [root]);
  });
  return found.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** One part of a path further: into every entry of the folder that the part matches. */
function step(folder: string, part: string): string[] {
  if (!/[*?[]/.test(part)) {
    return [`${folder}/${part}`];
  }
  const wanted = wildcard(part);
  return entriesOf(folder)
    .filter((name) => wanted.test(name) && (!name.startsWith(".") || part.startsWith(".")))
    .map((name) => `${folder}/${name}`);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder || "/").sort();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") {
      return [];
    }
    throw error;
  }
}

/** A file name with *, ? and [sets] as a regular expression. */
function wildcard(part: string): RegExp {
  const source = part.replace(/\[!?[^\]/]+\]|\*+|\?|[^*?[]+|\[/g, (piece) => {
    if (piece.startsWith("*")) {
      return "[^/]*";
    }
    if (piece === "?") {
      return "[^/]";
    }
    if (piece.length > 2 && piece.startsWith("[")) {
      const negated = piece.startsWith("[!");
      const set = piece.slice(negated ? 2 : 1, -1);
      return `[${negated ? "^" : ""}${set.replace(/[\\\]^]/g, "\\$&")}]`;
    }
    return piece.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  });
  try {
    return new RegExp(`^${source}$`, "s");
  } catch {
    // A set like [z-a]: it matches nothing.
    return /(?!)/;
  }
}

/** `a{b,c}d` as `abd` and `acd`; braces within braces are left as they are. */
function alternatives(pattern: string): string[] {
  const [, before = "", choices = "", after = ""] = /^(.*?)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(pattern) ?? [];
  if (choices === "") {
    return [pattern];
  }
  const rest = alternatives(after);
  return choices.split(",").flatMap((choice) => rest.map((end) => before + choice + end));
}
