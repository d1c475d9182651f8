/**
 * Runs the commands of the README and the guides, block by block, as a reader would: in an empty folder, with the packed package, the
 * Pulumi CLI, the LiveKit emulator and a phone system. A page may say, in comments that are not displayed, what its reader has already:
 * `<!-- given: … -->` holds shell commands. A block with `file=<name>` is the content of that file. A shell block that can't run
 * here says `not run: <why>` after its language.
 */

import { spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { SipRegistrar } from "../provider/testing/sip-registrar";
import { findPulumiCli } from "./support/cli-stack";
import { expectNoCanary, password } from "./support/examples";
import { type CodeBlock, codeBlocks, markdownFiles, readPage, root } from "./support/markdown";
import { scenario, testWithProcesses as test } from "./support/matrix";
import { installPacked } from "./support/packed";

const PAGES = markdownFiles().filter((file) => /^(README|docs\/[^/]+)\.md$/.test(file));
const SHELL = ["sh", "bash", "shell", "console"];
const NOT_RUN = /^not run: (.+)/;

const isShell = ({ language }: CodeBlock) => SHELL.includes(language);
const isRun = (block: CodeBlock) => isShell(block) && !NOT_RUN.test(block.info);
const fileName = ({ info }: CodeBlock) => /^file=(\S+)$/.exec(info)?.[1];

/** What a reader does on a page, in its order. */
type Step = { readonly line: number; readonly commands: string };

function stepsOf(page: string): Step[] {
  const blocks = codeBlocks(page).flatMap((block): Step[] => {
    const file = fileName(block);
    if (file !== undefined) {
      return [{ line: block.line, commands: `cat > ${file} <<'END OF FILE'\n${block.text}\nEND OF FILE` }];
    }
    return isRun(block) ? [{ line: block.line, commands: block.text }] : [];
  });
  const given = [...page.matchAll(/<!-- given:([\s\S]*?)-->/g)].map(({ index, 1: commands = "" }) => ({
    line: page.slice(0, index).split("\n").length,
    commands,
  }));
  return [...blocks, ...given].sort((a, b) => a.line - b.line);
}

/** What stands in a page's commands and files for a reader's own values. */
interface World {
  readonly livekit: Pick<LiveKitEmulator, "url" | "apiKey" | "apiSecret" | "sipHost">;
  readonly pbx: Pick<SipRegistrar, "host">;
}

function ownValues({ livekit, pbx }: World): readonly (readonly [placeholder: string, value: string])[] {
  return [
    ["wss://<your project>.livekit.cloud", livekit.url],
    ["<API key>", livekit.apiKey],
    ["<API secret>", livekit.apiSecret],
    ["<host of livekit/sip>", livekit.sipHost ?? ""],
    ["<path or Git address of this repository>", root],
    ["<earlier version>", "0.1.0"],
    ["<version>", "0.1.0"],
    ["<this repository>", root],
    ["<organization>", "acme"],
    ["<owner>/<repository>", "acme/fleet"],
    ["pbx.acme.com", pbx.host],
  ];
}

function filledIn(text: string, world: World): string {
  return ownValues(world).reduce((filled, [placeholder, value]) => filled.replaceAll(placeholder, value), text);
}

const cli = findPulumiCli();
const needsCli = (page: string) =>
  stepsOf(page).some(({ commands }) => /^\s*(pulumi|npx livekit-sip) /m.test(commands));

let home: string;
/** Where the package is installed. Not above the pages' folders, in which Node.js would look for packages. */
let packed: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "docs-commands-"));
  packed = join(home, "packed");
  mkdirSync(packed);
  installPacked(packed);
  mkdirSync(join(packed, "node_modules", ".bin"));
  symlinkSync("../pulumi-livekit-sip/dist/cli/main.js", join(packed, "node_modules", ".bin", "livekit-sip"));
  const bin = join(home, "bin");
  mkdirSync(bin);
  const program = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/bin/bash\n${text}`);
    chmodSync(join(bin, name), 0o755);
  };
  program("npm", NPM);
  program("pulumi", PULUMI);
}, 120_000);

afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Installs this package as if it were published. This repository is installed already, and its demo needs no new build. */
const NPM = `
case "$1 $2" in
  "ci ") ;;
  "run demo") cd "$REPOSITORY" && PATH="\${PATH#*:}" exec node scripts/demo.mjs ;;
  install*|update*)
    mkdir -p node_modules
    ln -sfn "$PACKED"/node_modules/* "$PACKED/node_modules/.bin" node_modules/
    # Only a project that asks for TypeScript gets it.
    grep -q '\btypescript\b' <<<"$* $(cat package.json 2>/dev/null)" || rm -f node_modules/typescript ;;
  *) PATH="\${PATH#*:}" exec npm "$@" ;;
esac
`;

/** Gives the answers that the CLI would ask for on a terminal. */
const PULUMI = `
answer() { if [ "$1" = livekit:apiSecret ]; then printf %s "$API_SECRET"; else printf %s "$PASSWORD"; fi; }
case "$1 $2 $3 $#" in
  "config set --secret 4") answer "$4" | exec "$CLI" "$@" ;;
  "new "*)
    stack=dev
    [ "$3" = --stack ] && stack=$4
    "$CLI" "$@" --yes --config "livekit:url=$URL" --config "livekit:apiKey=$API_KEY" --config extension=1011 \\
      --config "address=$PBX" --config country=US </dev/null
    for key in livekit:apiSecret password; do answer $key | "$CLI" config set --secret $key --stack "$stack"; done ;;
  *) exec "$CLI" "$@" </dev/null ;;
esac
`;

/** What a page's reader may have already: a stack that is up, or a fleet with these customers, all of them up. */
const GIVEN = `
stack() {
  mkdir phone && cd phone
  pulumi new "$REPOSITORY/templates/quickstart"
  pulumi up
}
fleet() {
  mkdir fleet && cd fleet
  pulumi new "$REPOSITORY/examples/fleet" --stack "$1"
  rm customers/*.yaml
  for customer; do
    printf 'type: extension\\nextension: "%s"\\naddress: %s\\ncountry: US\\ninbound:\\n  method: credentials\\n' \\
      "10$RANDOM" "$PBX" > "customers/$customer.yaml"
    pulumi stack select --create "$customer"
    pulumi config set livekit:url "$URL"
    pulumi config set livekit:apiKey "$API_KEY"
    pulumi config set --secret livekit:apiSecret
    pulumi config set --secret password
    pulumi up
  done
}
`;

/** Runs a page's steps in one shell, and returns what they printed. Throws with the block that failed. */
async function follow(file: string, folder: string, world: World): Promise<string> {
  const page = readPage(file);
  const script = stepsOf(page).map(({ line, commands }) => `echo "── ${file}:${line}"\n${filledIn(commands, world)}\n`);
  const scriptFile = join(folder, "commands.sh");
  writeFileSync(scriptFile, `set -euo pipefail\n${GIVEN}\ncd work\n${script.join("\n")}`);
  mkdirSync(join(folder, "work"));
  mkdirSync(join(folder, "state"));
  const { livekit, pbx } = world;
  const { LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET, ...ours } = process.env;
  const child = spawn("bash", [scriptFile], {
    cwd: folder,
    env: {
      ...ours,
      PATH: [join(home, "bin"), ...(cli ? [dirname(cli)] : []), process.env.PATH].join(delimiter),
      PULUMI_HOME: join(home, "pulumi"),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "docs",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_SKIP_CONFIRMATIONS: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PACKED: packed,
      CLI: cli ?? "",
      REPOSITORY: root,
      URL: livekit.url,
      API_KEY: livekit.apiKey,
      API_SECRET: livekit.apiSecret,
      PBX: pbx.host,
      PASSWORD: PASSWORD,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      text += part;
    });
  }
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) {
    throw new Error(`${file} ended with ${code}:\n${text.slice(-6_000)}`);
  }
  return text;
}

const PASSWORD = password("docs");

/** Phone systems are at the standard port, so each has a loopback address of its own. */
async function startPhoneSystem(): Promise<SipRegistrar> {
  const host = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  return SipRegistrar.start({ users: { 1011: PASSWORD }, host, port: 5060 });
}

/** What the pages printed. */
const printed = new Map<string, string>();

for (const file of PAGES.filter((page) => stepsOf(readPage(page)).length > 0)) {
  (cli || !needsCli(readPage(file)) ? scenario : scenario.skip)(
    `the commands of ${file} work`,
    async () => {
      const livekit = await LiveKitEmulator.start({ sip: true });
      const pbx = await startPhoneSystem();
      const folder = mkdtempSync(join(home, "page-"));
      try {
        const text = await follow(file, folder, { livekit, pbx });
        printed.set(file, text);
        expectNoCanary(text);
      } finally {
        await pbx.stop();
        await livekit.stop();
      }
    },
    600_000,
  );
}

/** The parts of a plan that differ from run to run. */
function comparable(line: string): string {
  return line
    .trim()
    .replace(/\b[0-9a-f]{8}\b/g, "<fingerprint>")
    .replace(/sip-trunk-[0-9a-f]+/, "sip-trunk-<id>")
    .replaceAll(/demo-[0-9a-f]{6}/g, "demo");
}

test("the demo prints the plans that the README and docs/why.md show", () => {
  const output =
    printed.get("README.md") ??
    spawnSync(process.execPath, ["scripts/demo.mjs"], { cwd: root, encoding: "utf8" }).stdout;
  const lines = output.split("\n").map(comparable);
  for (const file of ["README.md", "docs/why.md"]) {
    const shown = readPage(file)
      .split("<!-- demo -->")
      .slice(1)
      .flatMap((part) => codeBlocks(part)[0]?.text.split("\n") ?? []);
    expect(shown.length).toBeGreaterThan(3);
    let at = 0;
    for (const line of shown.map(comparable)) {
      const found = lines.indexOf(line, at);
      expect([file, line, found >= 0]).toEqual([file, line, true]);
      at = found + 1;
    }
  }
}, 600_000);

describe.each(PAGES)("%s", (file) => {
  const page = readPage(file);
  const shell = codeBlocks(page).filter(isShell);

  test("marks no block for another reason than that it can't run here, and says why", () => {
    const odd = codeBlocks(page).filter(
      (block) => block.info !== "" && !fileName(block) && !(isShell(block) && NOT_RUN.test(block.info)),
    );
    expect(odd.map(({ line, info }) => `${file}:${line}: ${info}`)).toEqual([]);
  });

  for (const { line, info } of shell.filter((block) => !isRun(block))) {
    test.skip(`line ${line} is not run: ${NOT_RUN.exec(info)?.[1]}`, () => undefined);
  }

  if (shell.length > 0) {
    test("has shell blocks that a shell can read, with placeholders that have a value", () => {
      const world = {
        livekit: { url: "url", apiKey: "key", apiSecret: "secret", sipHost: "sip" },
        pbx: { host: "pbx" },
      };
      for (const { text, line } of shell) {
        const filled = filledIn(text, world);
        const { status, stderr } = spawnSync("bash", ["-n"], { input: filled, encoding: "utf8" });
        expect([file, line, status, stderr]).toEqual([file, line, 0, ""]);
        expect([file, line, /<[a-zA-Z][^>\n]*>/.exec(filled)?.[0]]).toEqual([file, line, undefined]);
      }
    });
  }
});
