/**
 * Reads configuration files and their includes: supports wildcards, limits number and size, and reports errors as sentences.
 * Whatever a path leads to, reading it ends: only regular files are read.
 */

import { isUtf8 } from "node:buffer";
import { closeSync, constants, openSync, readdirSync, readSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { codeOf, type Fail } from "./errors";
import { wildcard } from "./wildcard";

export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/** The most files that are read for one credential: enough for a directory with a file for each of many thousand users. */
const MAX_FILES = 20_000;

/** The most bytes that are read for one credential. */
const MAX_BYTES = 32 * 1024 * 1024;

/** The most lines that are read for one credential. */
const MAX_LINES = 2_000_000;

/** The most names of folders and files that the wildcards of one credential may look at. */
const MAX_NAMES = 100_000;

/** The most alternatives that the braces of one pattern may stand for. */
const MAX_ALTERNATIVES = 1000;

/** The longest path that an include may name: PATH_MAX of Linux. */
const MAX_PATH = 4096;

/** How many bytes are read at a time. */
const CHUNK = 1024 * 1024;

/** The files that are read for one credential. */
export class ConfigFiles {
  private files = 0;
  private bytes = 0;
  private lines = 0;
  private names = 0;

  constructor(private readonly fail: Fail) {}

  /** @throws CredentialReadError if the file can't be read or is not UTF-8 */
  read(path: string): ConfigFile {
    const bytes = this.wording(path, () => this.bytesOf(path));
    if (!isUtf8(bytes)) {
      throw this.fail(
        `${path}, line ${firstBadLine(bytes)}: the text is not UTF-8: convert the file, for example with iconv -f latin1 -t utf-8`,
      );
    }
    for (const byte of bytes) {
      this.lines += byte === 0x0a || byte === 0x0d ? 1 : 0;
    }
    if (this.lines > MAX_LINES) {
      throw this.fail(`the files have more than ${MAX_LINES} lines: set \`file\` to one that includes less`);
    }
    return { path, text: bytes.toString("utf8") };
  }

  /** The files that match a pattern, in the order of glob(3). A relative pattern is resolved in `directory`. */
  matching(pattern: string, directory: string): ConfigFile[] {
    const path = isAbsolute(pattern) ? pattern : join(directory, pattern);
    if (path.length > MAX_PATH) {
      throw this.fail(
        `an include names a path of more than ${MAX_PATH} characters: check the quotation marks around it`,
      );
    }
    return this.alternatives(path)
      .flatMap((alternative) => this.expand(alternative))
      .map((found) => this.read(found));
  }

  private bytesOf(path: string): Buffer {
    const stats = statSync(path);
    if (!stats.isFile()) {
      throw this.fail(
        `${path} ${stats.isDirectory() ? "is a directory: name the file in it" : "is not a regular file: name a file"}`,
      );
    }
    // If it has become a named pipe meanwhile, opening it does not wait for the other end.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      this.files++;
      const chunks: Buffer[] = [];
      for (;;) {
        const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(stats.size, 4095) + 1));
        const length = readSync(file, chunk, 0, chunk.length, null);
        this.bytes += length;
        if (this.files > MAX_FILES || this.bytes > MAX_BYTES) {
          throw this.fail(
            `the files include more than ${MAX_FILES} files or ${MAX_BYTES / 1024 / 1024} MiB: set \`file\` to one that includes less`,
          );
        }
        if (length === 0) {
          return Buffer.concat(chunks);
        }
        chunks.push(chunk.subarray(0, length));
      }
    } finally {
      closeSync(file);
    }
  }

  /** Expands `a{b,c}d` to `abd` and `acd`. Nested braces are not expanded. */
  private alternatives(pattern: string): string[] {
    let expanded = [""];
    let rest = pattern;
    for (;;) {
      const braces = /\{([^{}]*,[^{}]*)\}/.exec(rest);
      if (!braces) {
        return expanded.map((start) => start + rest);
      }
      const [all, choices = ""] = braces;
      const before = rest.slice(0, braces.index);
      const words = choices.split(",");
      if (expanded.length * words.length > MAX_ALTERNATIVES) {
        throw this.fail(
          `the braces in an #include stand for more than ${MAX_ALTERNATIVES} paths: use wildcards, or several #include lines`,
        );
      }
      expanded = expanded.flatMap((start) => words.map((word) => start + before + word));
      rest = rest.slice(braces.index + all.length);
    }
  }

  /** The regular files that match a path with wildcards, sorted. */
  private expand(pattern: string): string[] {
    const [root = "", ...parts] = pattern.split("/");
    let paths = [root];
    for (const part of parts) {
      paths = paths.flatMap((folder) => this.step(folder, part));
    }
    return paths.filter((path) => this.isFile(path)).sort(byCodePoint);
  }

  /** Extends a path by one part: to every entry of the folder that matches it. */
  private step(folder: string, part: string): string[] {
    if (!/[*?[\\]/.test(part)) {
      return [`${folder}/${part}`];
    }
    const names = this.wording(folder, () => entriesOf(folder));
    this.names += names.length;
    if (this.names > MAX_NAMES) {
      throw this.fail(
        `the wildcards of its includes match more than ${MAX_NAMES} names: name the folders without wildcards`,
      );
    }
    const matches = wildcard(part);
    return names
      .filter((name) => (!name.startsWith(".") || part.startsWith(".")) && matches(name))
      .map((name) => `${folder}/${name}`);
  }

  private isFile(path: string): boolean {
    return this.wording(path, () => {
      try {
        return statSync(path).isFile();
      } catch (error) {
        // A name without wildcards is not looked up in its folder before.
        if (ABSENT.has(codeOf(error) ?? "")) {
          return false;
        }
        throw error;
      }
    });
  }

  /** Replaces Node's error, which quotes the path as a configuration file writes it, with our own words. */
  private wording<Result>(path: string, use: () => Result): Result {
    try {
      return use();
    } catch (error) {
      const code = codeOf(error);
      throw code === undefined
        ? error
        : this.fail(`${path || "/"} ${PROBLEMS[code] ?? `can't be read (${code}): check its path`}`);
    }
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist on this machine: check the path, which is relative to the program's folder",
  ENOTDIR: "does not exist on this machine: check the path, which is relative to the program's folder",
  EACCES: "may not be read by the user that runs the program: grant it read access",
  EPERM: "may not be read by the user that runs the program: grant it read access",
  ELOOP: "is a symbolic link to itself: name a file",
  ENAMETOOLONG: "is longer than a path can be: check the path",
  ERR_INVALID_ARG_VALUE: "contains a NUL character: check the path",
};

/** The errors for which there is nothing of that name. */
const ABSENT: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder || "/");
  } catch (error) {
    if (ABSENT.has(codeOf(error) ?? "")) {
      return [];
    }
    throw error;
  }
}

/** The number of the first line that is not UTF-8. No character of UTF-8 contains the byte of a line feed. */
export function firstBadLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, start);
    const stop = end < 0 ? bytes.length : end;
    if (!isUtf8(bytes.subarray(start, stop))) {
      break;
    }
    start = stop + 1;
  }
  return line;
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
