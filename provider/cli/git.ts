/** Reads the history of a repository. Every argument that comes from outside stands where git takes it for a name, never for an option. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { z } from "zod";
import { printable } from "../printable";
import { CommandError } from "./command-error";

/** The most bytes that git may print: the names of a hundred thousand files. */
const MOST_BYTES = 64 * 1024 * 1024;

const failure = z.object({ code: z.union([z.number(), z.string()]).optional(), stderr: z.string().optional() });

/** git, in a folder of a repository. Paths are relative to this folder, and files outside it don't exist. */
export class Git {
  constructor(private readonly folder: string) {}

  /** The full hash of a commit. Undefined if the repository does not have it. */
  async commit(name: string): Promise<string | undefined> {
    const { code, output } = await this.run([
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      `${name}^{commit}`,
    ]);
    return code === 0 ? output.trim() : undefined;
  }

  /** Whether one commit is in the history of another, or the same. */
  async isAncestor(earlier: string, later: string): Promise<boolean> {
    return (await this.run(["merge-base", "--is-ancestor", earlier, later])).code === 0;
  }

  /** The files that differ between two commits. One that was renamed counts under both names. */
  changedFiles(from: string, to: string): Promise<string[]> {
    return this.list(["diff", "--name-only", "--no-renames", "--relative", "-z", from, to, "--"]);
  }

  /** The files in a folder at a commit. */
  files(commit: string, folder: string): Promise<string[]> {
    return this.list(["ls-tree", "--name-only", "-z", commit, "--", folder]);
  }

  private async list(args: readonly string[]): Promise<string[]> {
    const { code, output, errors } = await this.run(args);
    if (code !== 0) {
      throw new CommandError(`\`git ${args[0]}\` failed: ${printable(errors.trim(), 300)}`);
    }
    return output.split("\0").filter((name) => name !== "");
  }

  /** @throws CommandError if git is missing, or the folder is in no repository */
  private async run(args: readonly string[]): Promise<{ code: number; output: string; errors: string }> {
    try {
      const { stdout } = await promisify(execFile)("git", args, { cwd: this.folder, maxBuffer: MOST_BYTES });
      return { code: 0, output: stdout, errors: "" };
    } catch (error) {
      const { code, stderr = "" } = failure.parse(error);
      if (code === "ENOENT") {
        throw new CommandError(`git can't be run in ${this.folder}: install it, or check --dir.`);
      }
      if (typeof code !== "number" || stderr.includes("not a git repository") || stderr.includes("dubious ownership")) {
        throw new CommandError(`git can't read the repository of ${this.folder}: ${printable(stderr.trim(), 300)}`);
      }
      return { code, output: "", errors: stderr };
    }
  }
}
