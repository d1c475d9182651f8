/** The plugin's folder: what Pulumi finds in it, wherever the package comes from. tests/native-programs.test.ts adds it with the Pulumi CLI. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { testInWholeMatrix } from "./support/matrix";
import { copyRepository, makeArchive, unpackTarball } from "./support/packed";

const TIMEOUT_MS = 300_000;
const root = join(__dirname, "..");

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plugin-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What the plugin in a folder prints first: the port, if all is well. */
function start(plugin: string, args: readonly string[] = []) {
  const { stdout, stderr } = spawnSync(process.execPath, [...args, join(plugin, "index.js")], { encoding: "utf8" });
  return { stdout, stderr };
}

test("an old Node.js is named in one sentence", () => {
  const old = join(folder, "old.js");
  writeFileSync(
    old,
    `Object.defineProperties(process, { version: { value: "v18.20.8" }, versions: { value: { node: "18.20.8" } } });`,
  );
  expect(start(join(root, "plugin"), ["--require", old])).toEqual({
    stdout: "",
    stderr: "pulumi-livekit-sip needs Node.js 20 or later, and this is v18.20.8: update Node.js.\n",
  });
});

test("a missing build is named in one sentence", () => {
  cpSync(join(root, "plugin"), join(folder, "plugin"), { recursive: true });
  expect(start(join(folder, "plugin"))).toEqual({
    stdout: "",
    stderr: "pulumi-livekit-sip is not built: run `node install.js` in the plugin's folder.\n",
  });
});

test("missing packages are named in one sentence", () => {
  expect(start(join(unpackTarball(folder), "plugin"))).toEqual({
    stdout: "",
    stderr: "pulumi-livekit-sip lacks a package that it needs: run `node install.js` in the plugin's folder.\n",
  });
});

/** Where the package may come from, each with the folder that has the PulumiPlugin.yaml. */
const SOURCES: readonly { readonly source: string; readonly lay: () => string }[] = [
  { source: "an unpacked tarball", lay: () => join(unpackTarball(folder), "plugin") },
  {
    source: "a clone of the Git repository",
    lay: () => {
      copyRepository(folder);
      return join(folder, "plugin");
    },
  },
  {
    source: "the archive of a release",
    lay: () => {
      const stage = join(folder, "unpacked");
      mkdirSync(stage);
      execFileSync("tar", ["xzf", makeArchive(join(folder, "archives")), "-C", stage]);
      return stage;
    },
  },
];

describe("from", () => {
  testInWholeMatrix.each(SOURCES)(
    "$source, the plugin starts after Pulumi has run npm in its folder",
    async ({ lay }) => {
      const plugin = lay();
      // CI runs the tests with npm's option to ignore scripts, which would be handed on.
      execFileSync("npm", ["install", "--loglevel=error", "--ignore-scripts=false"], {
        cwd: plugin,
        stdio: ["ignore", "ignore", "inherit"],
      });
      const { main } = JSON.parse(readFileSync(join(plugin, "package.json"), "utf8"));
      const started = spawn(process.execPath, [join(plugin, main)]);
      try {
        const port = await new Promise((resolve) => {
          createInterface(started.stdout).once("line", resolve);
          started.once("exit", (code) => resolve(`ended with ${code}`));
        });
        expect(port).toMatch(/^\d+$/);
      } finally {
        started.kill("SIGKILL");
      }
    },
    TIMEOUT_MS,
  );
});
