/** The package as users get it: the packed tarball, laid out as npm install would, the archive of a release, or the Git repository. */

import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const root = join(__dirname, "..", "..");

/** What a program finds beside the package: its dependencies as they are installed here. */
const BESIDE = [
  ...["@bufbuild", "@livekit", "cockatiel", "commander", "ipaddr.js", "libphonenumber-js", "livekit-server-sdk"],
  ...["yaml", "zod", "@pulumi/pulumi", "@pulumi/policy", "@types", "typescript"],
];

const run = (command: string, args: string[], cwd: string) => execFileSync(command, args, { cwd, encoding: "utf8" });

/**
 * Packs the package and unpacks it into the folder's node_modules.
 *
 * @returns the paths of the files in the tarball
 */
export function installPacked(folder: string): string[] {
  const { files } = unpack(folder);
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@pulumi"), { recursive: true });
  for (const name of BESIDE) {
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  renameSync(join(folder, "package"), join(modules, "pulumi-livekit-sip"));
  return files;
}

/** Packs the package into the folder and unpacks it there, without dependencies. Returns the package's folder. */
export function unpackTarball(folder: string): string {
  unpack(folder);
  return join(folder, "package");
}

/** Packs the package into the folder. Returns the tarball's path and the paths of the files in it. */
export function pack(folder: string): { tarball: string; files: string[] } {
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root));
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }: { path: string }) => path) };
}

/** Makes the archives of a release in the folder. Returns the path of the one for this platform; they are all the same. */
export function makeArchive(folder: string): string {
  run("node", [join(root, "scripts", "plugin-archive.mjs"), folder], root);
  const { version } = require("../../package.json");
  return join(folder, `pulumi-resource-livekit-sip-v${version}-linux-amd64.tar.gz`);
}

/** Copies what the Git repository has, and what is new and not ignored, into the folder. */
export function copyRepository(folder: string): void {
  const files = run("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], root).split("\0");
  for (const file of files.filter((name) => name !== "" && existsSync(join(root, name)))) {
    cpSync(join(root, file), join(folder, file));
  }
}

function unpack(folder: string): { files: string[] } {
  const { tarball, files } = pack(folder);
  run("tar", ["xzf", tarball], folder);
  return { files };
}
