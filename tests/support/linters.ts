/** Linters that .ci/run installs. */

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** The path of actionlint: from PATH, or where `go install` puts it. */
export function findActionlint(): string | undefined {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    join(process.env.GOPATH ?? join(homedir(), "go"), "bin"),
  ];
  return folders.map((folder) => join(folder, "actionlint")).find((path) => existsSync(path));
}

/** Whether the workflows can be checked. If not, one line that says what to install. */
export function actionlintAvailability(): { available: true } | { available: false; reason: string } {
  return findActionlint() !== undefined
    ? { available: true }
    : { available: false, reason: "run go install github.com/rhysd/actionlint/cmd/actionlint@latest" };
}
