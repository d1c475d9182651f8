// Completes a package that npm has not installed. Pulumi runs `npm install` in this folder before it starts the plugin. A clone of the Git
// repository has neither dependencies nor code, and an unpacked tarball has no dependencies.

const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");

const root = join(__dirname, "..");
const inPackage = createRequire(join(root, "package.json"));

/** What Pulumi needs beside the package to start the plugin. */
exports.DEPENDENCIES = {
  "@pulumi/pulumi": inPackage("./package.json").peerDependencies["@pulumi/pulumi"],
  // Pulumi reads the tsconfig.json of the program first, and its own TypeScript does not know today's options.
  typescript: "^5.9.0",
};

function hasDependencies() {
  try {
    inPackage.resolve("@pulumi/pulumi/package.json");
    return true;
  } catch {
    return false;
  }
}

function npm(...args) {
  const isWindows = process.platform === "win32";
  const { status } = spawnSync(isWindows ? "npm.cmd" : "npm", args, { cwd: root, stdio: "inherit", shell: isWindows });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}

if (require.main === module) {
  const isBuilt = existsSync(join(root, "dist"));
  const quietly = ["--ignore-scripts", "--no-audit", "--no-fund"];
  if (!hasDependencies() && isBuilt) {
    const others = Object.entries(exports.DEPENDENCIES).map(([name, range]) => `${name}@${range}`);
    npm("install", "--omit=dev", "--save-prod", "--no-save", ...quietly, ...others);
  } else if (!hasDependencies()) {
    npm("ci", "--include=dev", ...quietly);
  }
  if (!isBuilt) {
    npm("run", "build");
  }
}
