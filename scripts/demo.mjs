// A demo of the main use, on this machine only: bring the quickstart up, change a password behind Pulumi's back (on
// LiveKit, then in the phone system), see the change in the plan, and repair it.
//   npm run demo                          against the testing kit's LiveKit emulator
//   LIVEKIT_URL=… LIVEKIT_API_KEY=… LIVEKIT_API_SECRET=… npm run demo      against that server; leaves nothing behind

import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SipClient } from "livekit-server-sdk";
import { LiveKitEmulator, SipRegistrar, TestStack } from "pulumi-livekit-sip/testing";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stackName = `demo-${randomBytes(3).toString("hex")}`;
const newPassword = () => `Demo-${randomBytes(12).toString("base64url")}-1a`;
const secrets = { receptionPassword: newPassword(), supportPassword: newPassword() };
const changedPassword = newPassword();
const rotatedPassword = newPassword();

const cleanups = [];
let printed = "";

function say(text) {
  process.stdout.write(`\n── ${text}\n`);
}

function show(text) {
  printed += text;
  process.stdout.write(text);
}

/** Prints what it is waiting for, every few seconds. */
async function during(what, work) {
  const start = Date.now();
  const timer = setInterval(() => {
    process.stderr.write(`   … ${what}, ${Math.round((Date.now() - start) / 1000)} s\n`);
  }, 5000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * The Pulumi CLI: an installed one, or else the one that npm's pulumi package (node_modules/.bin) finds or downloads.
 * Undefined if neither works, for example without a network.
 */
function findCli() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const isNpm = (folder) => folder.endsWith(join("node_modules", ".bin"));
  for (const folder of [...folders.filter((path) => !isNpm(path)), join(root, "node_modules", ".bin")]) {
    const command = join(folder, "pulumi");
    const { status, stdout } = spawnSync(command, ["version"], { encoding: "utf8", timeout: 120_000 });
    if (status === 0) {
      return { command, version: stdout.trim() };
    }
  }
  return undefined;
}

/** The demo's stack on the Pulumi CLI, with its own state in a temporary folder. */
function cliStack(command, environment, config) {
  const home = mkdtempSync(join(tmpdir(), "pulumi-livekit-sip-demo-"));
  cleanups.push(() => rmSync(home, { recursive: true, force: true }));
  const configFile = join(home, "Pulumi.demo.yaml");
  const env = {
    ...process.env,
    ...environment,
    PULUMI_BACKEND_URL: `file://${home}`,
    PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  const color = process.stdout.isTTY ? "always" : "never";
  const run = (args, input) =>
    new Promise((resolve, reject) => {
      const child = spawn(command, [...args, "--non-interactive", "--color", color], {
        cwd: root,
        env,
        stdio: "pipe",
      });
      let text = "";
      const keep = (data) => {
        text += data;
      };
      child.stdout.on("data", keep);
      child.stderr.on("data", keep);
      child.on("error", reject);
      child.on("close", (exitCode) => resolve({ exitCode, text }));
      child.stdin.end(input ?? "");
    });
  const stack = ["--stack", stackName, "--config-file", configFile];
  return {
    async init() {
      await run(["stack", "init", stackName]);
      for (const [key, value] of Object.entries(config)) {
        await run(["config", "set", key, value, ...stack]);
      }
      for (const [key, value] of Object.entries(secrets)) {
        await this.setSecret(key, value);
      }
    },
    setSecret: (key, value) => run(["config", "set", "--secret", key, ...stack], value),
    preview: (expectNoChanges) =>
      run(["preview", "--diff", ...(expectNoChanges ? ["--expect-no-changes"] : []), ...stack]),
    up: () => run(["up", "--yes", "--skip-preview", "--diff", ...stack]),
    destroy: () => run(["destroy", "--yes", "--skip-preview", ...stack]),
  };
}

/** The demo's stack on the in-process engine. */
function inProcessStack(environment, config) {
  let stack;
  return {
    async init() {
      stack = await TestStack.create({
        projectDir: root,
        stack: stackName,
        config,
        secrets,
        env: environment,
        color: process.stdout.isTTY === true,
      });
      cleanups.push(() => stack.dispose());
    },
    setSecret: async (key, value) => stack.setConfig(key, value, { secret: true }),
    preview: (expectNoChanges) => stack.preview({ expectNoChanges }),
    up: () => stack.up(),
    destroy: () => stack.destroy(),
  };
}

async function platform() {
  const { LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET } = process.env;
  if (LIVEKIT_URL) {
    say(`Platform: the LiveKit server at ${LIVEKIT_URL}`);
    return { LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET };
  }
  const emulator = await LiveKitEmulator.start();
  cleanups.push(() => emulator.stop());
  say(`Platform: the LiveKit emulator of pulumi-livekit-sip/testing, at ${emulator.url}`);
  return { LIVEKIT_URL: emulator.url, LIVEKIT_API_KEY: emulator.apiKey, LIVEKIT_API_SECRET: emulator.apiSecret };
}

/** The phone system of the quickstart's extension: the testing kit's SIP registrar. */
async function phoneSystem() {
  const pbx = await SipRegistrar.start({ users: { 1011: secrets.receptionPassword } });
  cleanups.push(() => pbx.stop());
  say(`Phone system: the SIP registrar of pulumi-livekit-sip/testing, at ${pbx.host}:${pbx.port}`);
  return pbx;
}

async function objectsOn(client) {
  const lists = [client.listSipInboundTrunk(), client.listSipOutboundTrunk(), client.listSipDispatchRule()];
  return (await Promise.all(lists)).flat().length;
}

function must(condition, message) {
  if (!condition) {
    throw new Error(message);
  }
}

async function succeed(what, result) {
  must(result.exitCode === 0, `${what} failed:\n${result.text}`);
}

async function cleanUp() {
  for (const cleanup of cleanups.splice(0).reverse()) {
    try {
      await cleanup();
    } catch (error) {
      process.stderr.write(`\n${error.message}\n`);
      process.exitCode = 1;
    }
  }
}

async function demo() {
  const environment = await platform();
  const pbx = await phoneSystem();
  const cli = await during("looking for the Pulumi CLI", async () => findCli());
  say(
    cli
      ? `Engine: the Pulumi CLI ${cli.version}`
      : "Engine: the in-process engine of pulumi-livekit-sip/testing (no Pulumi CLI on PATH, and none could be fetched)",
  );
  const config = { pbxAddress: pbx.host, pbxPort: String(pbx.port) };
  const stack = cli ? cliStack(cli.command, environment, config) : inProcessStack(environment, config);
  const url = environment.LIVEKIT_URL.replace(/^ws/, "http");
  const outsider = new SipClient(url, environment.LIVEKIT_API_KEY, environment.LIVEKIT_API_SECRET);
  const before = await objectsOn(outsider);
  await stack.init();

  let isUp = true;
  const destroy = async () => {
    if (isUp) {
      isUp = false;
      await succeed("destroy", await during("pulumi destroy", () => stack.destroy()));
    }
  };
  cleanups.push(destroy);

  say("pulumi up: the quickstart (examples/quickstart), on an empty stack");
  await succeed("up", await during("pulumi up", () => stack.up()));
  process.stdout.write(
    "   2 trunks of either kind, who may call in on each, and a dispatch rule are on the platform.\n",
  );

  say("Somebody changes the password of the outbound trunk on the platform, behind Pulumi's back");
  const trunk = (await outsider.listSipOutboundTrunk()).filter(
    ({ name, metadata }) => name === "reception" && metadata.includes(`/${stackName}/`),
  )[0];
  must(trunk, "The outbound trunk is not there.");
  await outsider.updateSipOutboundTrunkFields(trunk.sipTrunkId, { authPassword: changedPassword });

  say("pulumi preview --diff");
  const drift = await during("pulumi preview", () => stack.preview(false));
  show(drift.text);
  must(
    /~ credentialFingerprint/.test(drift.text) && /~ platformStatus/.test(drift.text),
    "The plan does not show the drift.",
  );

  say("pulumi up");
  const repaired = await during("pulumi up", () => stack.up());
  printed += repaired.text;
  await succeed("up", repaired);
  process.stdout.write("   The password on the platform is the declared one again.\n");

  say("Now somebody changes the password of extension 1011 in the phone system alone");
  pbx.setPassword("1011", rotatedPassword);

  say("pulumi preview --diff");
  const elsewhere = await during("pulumi preview", () => stack.preview(false));
  show(elsewhere.text);
  must(/~ voipStatus/.test(elsewhere.text), "The plan does not show what was changed in the phone system.");

  say("pulumi up, which can't change the phone system");
  const refused = await during("pulumi up", () => stack.up());
  printed += refused.text;
  must(refused.exitCode !== 0, "pulumi up went on with a password that the phone system rejects.");
  process.stdout.write(`${/^.*Updating SipTrunk.*$/m.exec(refused.text)?.[0] ?? refused.text}\n`);

  say("The stack takes the new password over: pulumi config set --secret receptionPassword, pulumi up");
  await stack.setSecret("receptionPassword", rotatedPassword);
  const followed = await during("pulumi up", () => stack.up());
  printed += followed.text;
  await succeed("up", followed);
  process.stdout.write("   Declared, on LiveKit and in the phone system it is the same password again.\n");

  say("pulumi preview --diff --expect-no-changes");
  const empty = await during("pulumi preview", () => stack.preview(true));
  show(empty.text);
  await succeed("preview --expect-no-changes", empty);

  say("pulumi destroy");
  await destroy();
  must((await objectsOn(outsider)) === before, "Something was left behind on the platform.");
  const leaked = [...Object.values(secrets), changedPassword, rotatedPassword].some((password) =>
    printed.includes(password),
  );
  must(!leaked, "A password was printed.");
  process.stdout.write("   Nothing is left behind on the platform, and no password was printed.\n");
}

let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    if (!interrupted) {
      interrupted = true;
      process.stderr.write("\n── Interrupted: cleaning up\n");
      cleanUp().finally(() => process.exit(130));
    }
  });
}

try {
  await demo();
} catch (error) {
  if (!interrupted) {
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
} finally {
  if (!interrupted) {
    await cleanUp();
  }
}
