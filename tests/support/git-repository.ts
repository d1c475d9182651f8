/** A git repository in a temporary folder, with commits that a test makes. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export class GitRepository {
  readonly path = mkdtempSync(join(tmpdir(), "repository-"));

  constructor() {
    this.git("init", "--quiet", "--initial-branch", "main");
    this.git("config", "user.name", "test");
    this.git("config", "user.email", "test@example.com");
    this.git("config", "commit.gpgsign", "false");
  }

  git(...args: string[]): string {
    return execFileSync("git", args, { cwd: this.path, encoding: "utf8" }).trim();
  }

  /** Writes files, or removes those without content, and commits everything. Returns the commit. */
  commit(files: Readonly<Record<string, string | undefined>>): string {
    for (const [name, content] of Object.entries(files)) {
      const file = join(this.path, name);
      if (content === undefined) {
        rmSync(file);
      } else {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, content);
      }
    }
    this.git("add", "--all");
    this.git("commit", "--quiet", "--allow-empty", "--message", "change");
    return this.git("rev-parse", "HEAD");
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
