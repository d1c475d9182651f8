/** Folders for programs that a test writes. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(__dirname, "..", "..");

/** A folder in which programs find this package. */
export class ProgramFolder {
  readonly path = mkdtempSync(join(tmpdir(), "import-"));

  constructor() {
    const modules = join(this.path, "node_modules");
    mkdirSync(modules);
    symlinkSync(ROOT, join(modules, "pulumi-livekit-sip"));
    symlinkSync(join(ROOT, "node_modules", "@pulumi"), join(modules, "@pulumi"));
    symlinkSync(join(ROOT, "node_modules", "@types"), join(modules, "@types"));
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(this.path, name), content);
    }
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
