/**
 * Runs once before all suites: does the shared builds, and prints one line for each missing component with how to
 * install it.
 */

import { join } from "node:path";
import { chromiumAvailability } from "./chromium";
import { findPulumiCli } from "./cli-stack";
import { kamailioAvailability } from "./kamailio";
import { actionlintAvailability } from "./linters";
import { installServer, livekitServerAvailability } from "./livekit-platform";
import { sippAvailability } from "./sipp";

async function prepare(): Promise<void> {
  // Pulumi's processes are most of what a test run costs.
  const lightStart = `--require "${join(__dirname, "light-start.js")}"`;
  process.env.NODE_OPTIONS = [process.env.NODE_OPTIONS, lightStart].filter(Boolean).join(" ");
  process.env.NODE_COMPILE_CACHE ??= join(__dirname, "..", "..", "node_modules", ".cache", "compiled");
  if (!findPulumiCli()) {
    process.stderr.write(
      "\nWithout the Pulumi CLI: the scenarios run on the in-process engine only. To run them on the CLI too, put `pulumi` on PATH.\n",
    );
  }
  need("Kamailio", kamailioAvailability(), "its tests are skipped");
  need("sipp", sippAvailability(), "its tests are skipped");
  need("Chromium", chromiumAvailability(), "the tests of the drift page are skipped");
  need("actionlint", actionlintAvailability(), "the workflows are not checked");
  const server = livekitServerAvailability();
  need("the real LiveKit server", server, "the suites run on the emulator only");
  if (server.available && !process.env.LIVEKIT_SERVER_BINARY) {
    await installServer();
  }
}

/** A missing component fails the run in CI. Elsewhere it prints one line with the consequences. */
function need(what: string, there: { available: true } | { available: false; reason: string }, without: string): void {
  if (there.available) {
    return;
  }
  const { CI } = process.env;
  if (CI !== undefined && CI !== "" && CI !== "false") {
    throw new Error(`CI needs ${what}: ${there.reason}`);
  }
  process.stderr.write(`\nWithout ${what}: ${without}. To run them too, ${there.reason}\n`);
}

export = prepare;
