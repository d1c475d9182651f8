/** Once before all suites: builds what is built once, and says in a line each what can't run here and how to get it. */

import { findPulumiCli } from "./cli-stack";
import { installServer, livekitServerAvailability } from "./livekit-platform";

async function prepare(): Promise<void> {
  if (!findPulumiCli()) {
    process.stderr.write(
      "\nWithout the Pulumi CLI: the scenarios run on the in-process engine only. To run them on the CLI too, put `pulumi` on PATH.\n",
    );
  }
  const server = livekitServerAvailability();
  if (server.available) {
    if (!process.env.LIVEKIT_SERVER_BINARY) {
      await installServer();
    }
    return;
  }
  const { CI } = process.env;
  if (CI !== undefined && CI !== "" && CI !== "false") {
    throw new Error(`CI needs the real LiveKit server: ${server.reason}`);
  }
  process.stderr.write(
    `\nWithout the real LiveKit server: the suites run on the emulator only. To run them on it too, ${server.reason}\n`,
  );
}

export = prepare;
