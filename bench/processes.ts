/** What is measured in Node processes of its own: loading the package, and listing a large account. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { fill } from "../tests/support/large-account";
import type { Platform } from "../tests/support/livekit-platform";
import type { Cells } from "./report";
import { startPlatform } from "./stacks";
import { median, rounded } from "./statistics";

const RUNS = 5;

const LOAD = `
require("@pulumi/pulumi");
const [start, before] = [performance.now(), process.cpuUsage()];
require(process.argv[1]);
const [ms, { user, system }] = [performance.now() - start, process.cpuUsage(before)];
console.log(JSON.stringify({ ms, processorMs: (user + system) / 1000 }));`;

/** Lists both kinds of trunks, as a preview does: the given ids, or all. */
const LIST = `
const sip = require("./dist/livekit/sip-api.js");
const { readConnection } = require("./dist/livekit/connection.js");
const [inbound, outbound] = JSON.parse(process.argv[1]);
const connection = readConnection(() => undefined, process.env);
const start = performance.now();
Promise.all([sip.inbound.list(connection, inbound), sip.outbound.list(connection, outbound)]).then((lists) => {
  const ms = performance.now() - start;
  const memoryMB = process.resourceUsage().maxRSS * 1024 / 1e6;
  const ids = lists.map((list) => list.slice(0, 10).map(({ id }) => id));
  console.log(JSON.stringify({ ms, memoryMB, ids }));
});`;

export async function measureLoading(): Promise<Cells[]> {
  const load = async (where: string, module: string) => {
    const runs = await inProcesses<{ ms: number; processorMs: number }>(LOAD, module);
    const processor = median(runs.map(({ processorMs }) => processorMs));
    return { where, runs: RUNS, ms: rounded(median(runs.map(({ ms }) => ms))), "processor, ms": rounded(processor) };
  };
  return [await load("provider host", "pulumi-livekit-sip/host"), await load("program", "pulumi-livekit-sip")];
}

/** Fills an account, then lists all of it by pages and some of it by ids. */
export async function measureListing(name: Platform["name"], trunks: number): Promise<Cells[]> {
  const { platform, proxy, env, stop } = await startPlatform(name);
  await fill(platform, { inbound: trunks, outbound: trunks, rules: 0 });
  const list = async (listed: string, ids: readonly string[][]) => {
    [proxy.calls, proxy.bytes] = [0, 0];
    const runs = await inProcesses<{ ms: number; memoryMB: number; ids: string[][] }>(LIST, JSON.stringify(ids), env);
    const row = {
      platform: name,
      "trunks of each kind": trunks,
      listed,
      runs: RUNS,
      ms: rounded(median(runs.map(({ ms }) => ms))),
      calls: proxy.calls / RUNS,
      bytes: rounded(proxy.bytes / RUNS),
      "peak memory, MB": rounded(median(runs.map(({ memoryMB }) => memoryMB))),
    };
    return { row, ids: runs[0]?.ids ?? [] };
  };
  const all = await list("all, by pages", []);
  const some = await list("10 inbound and 10 outbound, by ids", all.ids);
  await stop();
  return [all.row, some.row];
}

/** Runs a script several times, each in a new process. */
async function inProcesses<Answer>(script: string, argument: string, env?: Record<string, string>): Promise<Answer[]> {
  const options = { cwd: join(__dirname, ".."), env: { ...process.env, ...env } };
  const answers: Answer[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script, argument], options);
    answers.push(JSON.parse(stdout));
  }
  return answers;
}
