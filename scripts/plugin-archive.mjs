// Makes the archives of the native provider for a release, under the names that `pulumi plugin install` looks for:
//
//   node scripts/plugin-archive.mjs [folder]
//
// Each depends on the npm package, which is in it. Pulumi installs the dependencies when it unpacks the archive. The content is the same for
// every platform, because it is JavaScript.

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const PLATFORMS = ["darwin", "linux", "windows"].flatMap((system) => [`${system}-amd64`, `${system}-arm64`]);

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const { DEPENDENCIES } = createRequire(import.meta.url)("../plugin/install.js");
const folder = resolve(process.argv[2] ?? ".");
mkdirSync(folder, { recursive: true });
const stage = mkdtempSync(join(tmpdir(), "plugin-archive-"));
try {
  cpSync(join(root, "plugin", "PulumiPlugin.yaml"), join(stage, "PulumiPlugin.yaml"));
  const npm = (...args) => execFileSync("npm", args, { cwd: root, encoding: "utf8" });
  const [{ filename }] = JSON.parse(npm("pack", "--json", "--ignore-scripts", "--pack-destination", stage));
  const plugin = {
    name: "pulumi-resource-livekit-sip",
    version,
    private: true,
    main: "node_modules/pulumi-livekit-sip/plugin/index.js",
    dependencies: { ...DEPENDENCIES, "pulumi-livekit-sip": `file:${filename}` },
  };
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(plugin, undefined, 2)}\n`);
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
