/** Reads configuration files and their includes: supports wildcards, limits number and size, and reports errors as sentences. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { codeOf, type Fail } from "./errors";

export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** The most files that are read for one credential: enough for a directory with a file for each of many thousand users. */
const MAX_FILES = 20_000;

/** The most bytes that are read for one credential. */
const MAX_BYTES = 256 * 1024 * 1024;

/** The files that are read for one credential. */
export class ConfigFiles {
  private files = 0;
  private bytes = 0;

  constructor(private readonly fail: Fail) {}

  /** @throws CredentialReadError if the file can't be read */
  read(path: string): ConfigFile {
    try {
      this.spend(statSync(path).size);
      return { path, text: readFileSync(path, "utf8").replace(/^\uFEFF/, "") };
    } catch (error) {
      throw this.unreadable(path, error);
    }
  }

  /** The files that match a pattern, sorted by name. A relative pattern is resolved in `directory`. */
  matching(pattern: string, directory: string): ConfigFile[] {
    const path = isAbsolute(pattern) ? pattern : join(directory, pattern);
    try {
      return expand(path).map((found) => this.read(found));
    } catch (error) {
      throw this.unreadable(path, error);
    }
  }

  /** Replaces Node's error, which quotes the path as a configuration file writes it, with our own words. */
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

/** The regular files that match a path with glob(7) wildcards and braces, sorted. */
function expand(pattern: string): string[] {
  const found = alternatives(pattern).flatMap((path) => {
    const [root = "", ...parts] = path.split("/");
    return parts.reduce<string[]>((folders, part) => folders.flatMap((folder) => step(folder, part)), [root]);
  });
  return found.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** Extends a path by one part: to every entry of the folder that matches it. */
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

/** Converts a file name with *, ? and [sets] to a regular expression. */
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
    // An invalid set, such as [z-a], matches nothing.
    return /(?!)/;
  }
}

/** Expands `a{b,c}d` to `abd` and `acd`. Nested braces are not expanded. */
function alternatives(pattern: string): string[] {
  const [, before = "", choices = "", after = ""] = /^(.*?)\{([^{}]*,[^{}]*)\}(.*)$/s.exec(pattern) ?? [];
  if (choices === "") {
    return [pattern];
  }
  const rest = alternatives(after);
  return choices.split(",").flatMap((choice) => rest.map((end) => before + choice + end));
}
