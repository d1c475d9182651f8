// Runs what depends on Node on another version of it, with the in-process engine and the emulator: how processes start, how
// providers are serialized, crypto, HTTP and sockets. smoke has each kind of resource in one stack's whole life. The binary
// comes from npm and stays in node_modules/.cache.
//   npm run test:node -- 22 [arguments of jest]

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const SUITES = [
  "smoke",
  "quickstart",
  "package",
  "credential-readers",
  "livekit-emulator",
  "connection",
  "digest",
  "sip-transport",
];
/** Neither the real server nor the compiler depends on the Node that runs the tests. */
const LEFT_OUT = ["livekit-server", "has types that reject"];

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [version = "", ...jestArguments] = process.argv.slice(2);

if (!/^\d+(\.\d+){0,2}$/.test(version)) {
  process.stderr.write("Name the version of Node, for example: npm run test:node -- 22\n");
  process.exit(1);
}

/** The path of the binary. Installs it if it is missing. */
function install() {
  const { platform, arch } = process;
  // The packages that npm's `node` package chooses from.
  const name = `${platform === "darwin" && arch === "arm64" ? "node-bin" : "node"}-${platform}-${arch}`;
  const folder = join(root, "node_modules", ".cache", `node-${version}`);
  const binary = join(folder, "node_modules", name, "bin", "node");
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const npm = [
      "install",
      "--prefix",
      folder,
      "--no-save",
      "--no-package-lock",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
    ];
    const { status } = spawnSync("npm", [...npm, `${name}@${version}`], { cwd: folder, stdio: "inherit" });
    if (status !== 0 || !existsSync(binary)) {
      process.stderr.write(`npm could not install ${name}@${version}: see above.\n`);
      process.exit(1);
    }
  }
  return binary;
}

const node = install();
const suites = SUITES.map((suite) => join("tests", `${suite}.test.ts`));
const jest = createRequire(import.meta.url).resolve("jest/bin/jest");
// Whoever passes a pattern chooses the tests.
const chosen = jestArguments.some((argument) => /^(-t|--testNamePattern)\b/.test(argument));
const names = chosen ? [] : ["--testNamePattern", `^(?!.*(${LEFT_OUT.join("|")}))`];
const { status } = spawnSync(node, [jest, ...names, ...jestArguments, "--runTestsByPath", ...suites], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) },
});
process.exit(status ?? 1);
