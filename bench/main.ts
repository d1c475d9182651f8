/** `npm run bench`: measures, then prints the tables or adds them to the results. */

import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { version as sdk } from "@pulumi/pulumi/version";
import { findPulumiCli } from "../tests/support/cli-stack";
import { measureFleets } from "./fleet";
import { measure } from "./measure";
import { measureListing, measureLoading } from "./processes";
import { type Run, render } from "./report";
import { readOptions, USAGE } from "./scenario";

const RESULTS = join(__dirname, "results");

export async function main(args: readonly string[]): Promise<void> {
  if (args.includes("--help")) {
    console.log(USAGE);
    return;
  }
  // Everything temporary goes into one folder, which is removed however the process ends.
  const folder = mkdtempSync(join(tmpdir(), "livekit-sip-bench-"));
  process.env.TMPDIR = folder;
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => process.exit(130));
  }
  const start = Date.now();
  const { scenarios, account, fleets, platform, append } = readOptions(args);
  if (!findPulumiCli()) {
    console.error("There is no Pulumi CLI here: measuring the in-process engine, without its processor time.");
  }
  const tables: Required<Run["tables"]> = {
    operations: [],
    straightforward: [],
    native: [],
    state: [],
    loading: await measureLoading(),
    listing: account > 0 ? await measureListing(platform, account) : [],
    fleet: await measureFleets(platform, fleets),
  };
  for (const scenario of scenarios) {
    await measure(scenario, tables);
  }
  const run: Run = {
    date: new Date().toISOString().slice(0, 10),
    command: ["npm run bench --", ...args].join(" "),
    minutes: Math.round((Date.now() - start) / 60_000),
    machine: machine(),
    tables,
  };
  if (!append) {
    console.log(render([run]));
    return;
  }
  appendFileSync(`${RESULTS}.jsonl`, `${JSON.stringify(run)}\n`);
  const lines = readFileSync(`${RESULTS}.jsonl`, "utf8").trim().split("\n");
  writeFileSync(`${RESULTS}.md`, render(lines.map((line): Run => JSON.parse(line))));
  console.error("Added to bench/results.jsonl and bench/results.md.");
}

function machine(): string {
  const cli = findPulumiCli();
  const engine = cli
    ? `Pulumi CLI ${execFileSync(cli, ["version"], { encoding: "utf8" }).trim()}`
    : "in-process engine";
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${memory} GiB memory, Node ${process.version}, @pulumi/pulumi ${sdk}, ${engine}.`;
}
