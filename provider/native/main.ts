/** The plugin's program. Pulumi starts it, reads the port from its first line of output, and stops it. */

import { serve } from "./server";

/** How often to look whether the engine still runs, in milliseconds. */
const PARENT_INTERVAL_MS = 1000;

async function main(): Promise<void> {
  const { version }: { version: string } = require("../../package.json");
  const address = process.argv.findLast((argument) => /^[\w.-]+:\d+$/.test(argument));
  process.stdout.write(`${await serve(version, address)}\n`);
  // Ctrl-C reaches every process of the terminal. The engine decides what ends, and what has begun must reach the state.
  process.on("SIGINT", () => undefined);
  // An engine that was killed does not stop its plugins.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || process.exit(), PARENT_INTERVAL_MS).unref();
}

void main();
