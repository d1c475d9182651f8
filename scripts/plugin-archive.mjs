// Makes the archives of the native provider for a release, under the names that `pulumi plugin install` looks for:
//
//   node scripts/plugin-archive.mjs [folder]
//
// Each holds plugin/ and the npm package. Pulumi installs the package's dependencies when it unpacks the archive. The content is the same for
// every platform, because it is JavaScript.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const PLATFORMS = ["darwin", "linux", "windows"].flatMap((system) => [`${system}-amd64`, `${system}-arm64`]);

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { version, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const folder = resolve(process.argv[2] ?? ".");
mkdirSync(folder, { recursive: true });
const stage = mkdtempSync(join(tmpdir(), "plugin-archive-"));
try {
  for (const file of ["PulumiPlugin.yaml", "index.js"]) {
    cpSync(join(root, "plugin", file), join(stage, file));
  }
  const npm = (...args) => execFileSync("npm", args, { cwd: root, encoding: "utf8" });
  const [{ filename }] = JSON.parse(npm("pack", "--json", "--ignore-scripts", "--pack-destination", stage));
  const plugin = JSON.parse(readFileSync(join(root, "plugin", "package.json"), "utf8"));
  const dependencies = {
    "@pulumi/pulumi": peerDependencies["@pulumi/pulumi"],
    "pulumi-livekit-sip": `file:${filename}`,
    // Pulumi reads the tsconfig.json of the program before it starts a plugin, and its own TypeScript does not know today's options.
    typescript: "^5.9.0",
  };
  writeFileSync(join(stage, "package.json"), `${JSON.stringify({ ...plugin, version, dependencies }, undefined, 2)}\n`);
  const [first, ...others] = PLATFORMS.map((platform) =>
    join(folder, `pulumi-resource-livekit-sip-v${version}-${platform}.tar.gz`),
  );
  execFileSync("tar", ["-czf", first, "-C", stage, "."]);
  for (const other of others) {
    cpSync(first, other);
  }
} finally {
  rmSync(stage, { recursive: true, force: true });
}
