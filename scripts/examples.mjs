// Writes the examples of the reference in every Pulumi language, from their programs in YAML. The Pulumi CLI converts them, so it has to be on
// PATH, with its hosts of the languages.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXAMPLES, isWritten, LANGUAGES, SOURCE, topics } from "./example-files.mjs";

const plugin = join(EXAMPLES, "..", "..", "..", "plugin");
const folder = mkdtempSync(join(tmpdir(), "examples-"));
try {
  for (const topic of topics()) {
    const project = join(folder, topic);
    mkdirSync(project);
    const program = readFileSync(join(EXAMPLES, topic, SOURCE), "utf8");
    writeFileSync(join(project, "Pulumi.yaml"), `${program}packages:\n  livekit-sip: ${plugin}\n`);
    const languages = LANGUAGES.filter((language) => language.written && isWritten(topic, language));
    for (const { code, written, file } of languages) {
      const out = join(folder, `${topic}-${code}`);
      const options = ["--from", "yaml", "--language", code, "--out", out, "--generate-only"];
      execFileSync("pulumi", ["convert", ...options], { cwd: project, stdio: ["ignore", "ignore", "inherit"] });
      cpSync(join(out, written), join(EXAMPLES, topic, file));
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
