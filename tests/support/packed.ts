/** The package as users get it: the packed tarball, laid out as npm install would. */

import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..", "..");

/** What a program finds beside the package: its dependencies as they are installed here. */
const BESIDE = [
  ...["@bufbuild", "@livekit", "cockatiel", "commander", "ipaddr.js", "libphonenumber-js", "livekit-server-sdk"],
  ...["yaml", "zod", "@pulumi/pulumi", "@pulumi/policy", "@types", "typescript"],
];

/**
 * Packs the package and unpacks it into the folder's node_modules.
 *
 * @returns the paths of the files in the tarball
 */
export function installPacked(folder: string): string[] {
  const run = (command: string, args: string[], cwd: string) => execFileSync(command, args, { cwd, encoding: "utf8" });
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root));
  run("tar", ["xzf", packed.filename], folder);
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@pulumi"), { recursive: true });
  for (const name of BESIDE) {
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  renameSync(join(folder, "package"), join(modules, "pulumi-livekit-sip"));
  return packed.files.map(({ path }: { path: string }) => path);
}
