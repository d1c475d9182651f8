/** Makes sure that a project's program finds the packages that it imports. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { CommandError } from "./command-error";
import { PROVIDER_FOLDER } from "./languages/packages";
import type { PulumiCli } from "./pulumi";

/** The packages that the program of an import needs. */
const NEEDED = ["@pulumi/pulumi", "pulumi-livekit-sip", "@types/node/package.json"];

/**
 * Runs `npm install` in a folder, unless the packages are found from there already.
 *
 * @throws CommandError if it fails
 */
export async function requirePackages(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { resolve } = createRequire(join(folder, "index.js"));
  const isFound = (name: string) => {
    try {
      return resolve(name) !== "";
    } catch {
      return false;
    }
  };
  if (!NEEDED.every(isFound)) {
    await install(folder, env);
  }
}

/**
 * Installs the native provider into a folder, unless it is there already, and lets Pulumi write the SDK for the program's language and install
 * its packages.
 *
 * @throws CommandError if it fails
 */
export async function requireProvider(cli: PulumiCli, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  if (!existsSync(join(folder, PROVIDER_FOLDER))) {
    await install(folder, env);
  }
  // The only plugin that is needed is the one in the folder.
  await cli.run(["install", "--no-plugins"]);
}

async function install(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { code, errors } = await npmInstall(folder, env);
  if (code !== 0) {
    const [reason = ""] = errors.split("\n").filter((line) => /ERR|error/.test(line));
    throw new CommandError(
      `\`npm install\` failed in ${folder}: ${reason.trim()}. Install the packages of package.json there, then run the same command again to finish the import.`,
    );
  }
}

function npmInstall(cwd: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("npm", ["install", "--no-audit", "--no-fund"], {
      cwd,
      env,
      stdio: ["ignore", "ignore", "pipe"],
      shell: process.platform === "win32",
    });
    let errors = "";
    child.stderr.on("data", (part: Buffer) => {
      errors += part;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, errors }));
  });
}
