/** Measures `livekit-sip drift` on fleets of one stack per customer, side by side with previews of each stack. */

import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { bulkhead } from "cockatiel";
import { findPulumiCli } from "../tests/support/cli-stack";
import { customer, deployed, type Exported, FleetFolder } from "../tests/support/fleet";
import type { Platform } from "../tests/support/livekit-platform";
import { ProgramFolder } from "../tests/support/program-folder";
import type { Cells } from "./report";
import { startPlatform } from "./stacks";
import { median, rounded } from "./statistics";

const RUNS = 3;

/** The sizes of the fleets that are previewed, in ascending order. Larger ones take hours. */
const PREVIEWED = [10, 100] as const;

/** How many previews run at the same time. */
const AT_ONCE = 2;

const COMMAND = join(__dirname, "..", "dist", "cli", "main.js");

/** Runs the command in a process that says at its end how much memory it took. */
const MEASURED = `
process.on("exit", () => require("fs").writeSync(2, "maxRSS " + process.resourceUsage().maxRSS));
require(process.argv.splice(1, 1)[0]);`;

interface Measured {
  readonly seconds: number;
  readonly memoryMB: number;
}

async function drift(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Measured> {
  const start = performance.now();
  const { stderr } = await promisify(execFile)(process.execPath, ["-e", MEASURED, COMMAND, "drift", ...args], {
    env,
    maxBuffer: 2 ** 30,
  });
  const [, kilobytes = "0"] = /maxRSS (\d+)/.exec(stderr) ?? [];
  return { seconds: (performance.now() - start) / 1000, memoryMB: (Number(kilobytes) * 1024) / 1e6 };
}

/** Rows for each size: by states that are read directly, by `pulumi stack export`, and by previews. */
export async function measureFleets(name: Platform["name"], sizes: readonly number[]): Promise<Cells[]> {
  const previews = sizes.length > 0 && findPulumiCli() ? await measurePreviews(name) : undefined;
  const rows: Cells[] = [];
  for (const stacks of sizes) {
    rows.push(...(await measureStates(name, stacks, previews?.secondsEach)));
  }
  return [...(previews?.rows ?? []), ...rows];
}

function row(
  platform: Platform["name"],
  stacks: number,
  way: string,
  runs: readonly Measured[],
  calls: number,
  previewSeconds: number | undefined,
): Cells {
  const seconds = median(runs.map((run) => run.seconds));
  return {
    platform,
    stacks,
    way,
    runs: runs.length,
    s: rounded(seconds, 2),
    "a loop of previews takes … times as long":
      previewSeconds === undefined ? null : rounded((previewSeconds * stacks) / seconds, 1),
    calls,
    "memory, MB": runs.some(({ memoryMB }) => memoryMB > 0) ? rounded(median(runs.map((run) => run.memoryMB))) : null,
  };
}

/** The command with the last states of a fleet, which were written without an engine. */
async function measureStates(
  name: Platform["name"],
  stacks: number,
  previewSeconds: number | undefined,
): Promise<Cells[]> {
  const { platform, proxy, env: connection, stop } = await startPlatform(name);
  const folder = new FleetFolder();
  try {
    const states: Record<string, Exported> = {};
    for (let index = 1; index <= stacks; index += 1) {
      const it = customer(index);
      states[it.name] = await deployed(platform, it);
    }
    const { dir, env: backend } = folder.project(states);
    const env = { ...process.env, ...connection, ...backend, PULUMI_HOME: join(folder.path, "home") };
    const measure = async (way: string, ...args: string[]) => {
      proxy.calls = 0;
      const runs: Measured[] = [];
      for (let run = 0; run < RUNS; run += 1) {
        runs.push(await drift(["--dir", dir, ...args], env));
      }
      return row(name, stacks, way, runs, proxy.calls / RUNS, previewSeconds);
    };
    const direct = await measure("states of a file backend");
    return findPulumiCli() ? [direct, await measure("states from pulumi stack export", "--via-cli")] : [direct];
  } finally {
    folder.dispose();
    await stop();
  }
}

/** Previews of real stacks: one after the other, a few at a time, and by the command. */
async function measurePreviews(name: Platform["name"]): Promise<{ secondsEach: number; rows: Cells[] }> {
  const { proxy, env: connection, stop } = await startPlatform(name);
  const program = new ProgramFolder();
  try {
    mkdirSync(join(program.path, "state"));
    program.write({
      "Pulumi.yaml": "name: fleet\nruntime: nodejs\nmain: index.ts\noptions:\n  refresh: always\n",
      "index.ts": PROGRAM,
    });
    const env = {
      ...process.env,
      ...connection,
      PULUMI_BACKEND_URL: `file://${join(program.path, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "bench",
      PULUMI_HOME: join(program.path, "home"),
    };
    const pulumi = (...args: string[]) =>
      promisify(execFile)("pulumi", [...args, "--non-interactive"], { cwd: program.path, env });
    const names: string[] = [];
    const forEach = async (stacks: readonly string[], atOnce: number, work: (stack: string) => Promise<unknown>) => {
      const places = bulkhead(atOnce, Number.POSITIVE_INFINITY);
      await Promise.all(stacks.map((stack) => places.execute(() => work(stack))));
    };
    const grow = async (size: number) => {
      const added = Array.from({ length: size - names.length }, (_, index) => `c${names.length + index + 1}`);
      await forEach(added, AT_ONCE, async (stack) => {
        await pulumi("stack", "init", stack, "--no-select");
        await pulumi("up", "--yes", "--skip-preview", "--stack", stack);
      });
      names.push(...added);
    };
    const loop = (atOnce: number) => async (): Promise<Measured> => {
      const start = performance.now();
      await forEach(names, atOnce, (stack) => pulumi("preview", "--refresh", "--stack", stack));
      return { seconds: (performance.now() - start) / 1000, memoryMB: 0 };
    };
    const measured = async (work: () => Promise<Measured>) => {
      proxy.calls = 0;
      const result = await work();
      return { result, calls: proxy.calls };
    };
    const args = ["--dir", program.path, "--preview", "--parallel", String(AT_ONCE)];
    await grow(PREVIEWED[0]);
    const one = await measured(loop(1));
    const secondsEach = one.result.seconds / names.length;
    const cells = (way: string, { result, calls }: typeof one) =>
      row(name, names.length, way, [result], calls, secondsEach);
    const rows = [cells("a loop of pulumi preview --refresh", one)];
    for (const size of PREVIEWED) {
      await grow(size);
      rows.push(cells(`the same, ${AT_ONCE} at a time`, await measured(loop(AT_ONCE))));
      rows.push(cells(`drift --preview --parallel ${AT_ONCE}`, await measured(() => drift(args, env))));
    }
    return { secondsEach, rows };
  } finally {
    program.dispose();
    await stop();
  }
}

const PROGRAM = `import * as pulumi from "@pulumi/pulumi";
import { DispatchRule, InboundAuth, SipTrunk } from "pulumi-livekit-sip";

const name = pulumi.getStack();
const trunk = new SipTrunk(name, {
  type: "extension",
  extension: String(5000 + Number(name.slice(1))),
  address: "pbx.acme.example",
  password: pulumi.secret("Bench-Password-1"),
  country: "US",
  voipCheck: "off",
});
new InboundAuth(name, { trunk, method: "credentials" });
new DispatchRule(name, { trunks: [trunk], rule: "individual" });
`;
