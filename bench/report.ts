/** Renders the measurements as tables of ratios, with the goals and whether they are met. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { findPulumiCli } from "../tests/support/cli-stack";
import type { Listing } from "./account";
import type { Measurement, Results, StateSize } from "./measure";
import type { Subject } from "./options";
import type { Spent, StartUp } from "./start-up";
import { median } from "./statistics";

export interface Report extends Results {
  readonly startUp: StartUp;
  readonly listings: readonly Listing[];
  /** The runs that the report consists of. */
  readonly parts: readonly { readonly command: string; readonly machine: string; readonly minutes: number }[];
}

/** Adds a run to earlier ones. New measurements replace old ones of the same kind. */
export function merge(earlier: Report | undefined, run: Report): Report {
  if (!earlier) {
    return run;
  }
  const key = ({ platform, customers, latencyMs, operation, subject }: Measurement) =>
    [platform, customers, latencyMs, operation, subject].join();
  const size = ({ customers, subject }: StateSize) => [customers, subject].join();
  const listing = ({ platform, trunks, way }: Listing) => [platform, trunks, way].join();
  return {
    measurements: merged(earlier.measurements, run.measurements, key),
    states: merged(earlier.states, run.states, size),
    listings: merged(earlier.listings, run.listings, listing),
    startUp: run.startUp,
    parts: [...earlier.parts, ...run.parts],
  };
}

function merged<Item>(old: readonly Item[], added: readonly Item[], key: (item: Item) => string): Item[] {
  return [...new Map([...old, ...added].map((item) => [key(item), item])).values()];
}

/** LiveKit's page size, from which the allowed calls of a preview are computed. */
const PAGE_SIZE = 1000;

/** The whole of results.md. */
export function render(report: Report): string {
  const sections = [
    "# Benchmark",
    report.parts
      .map(({ command, machine, minutes }) => `- \`${command}\`, ${minutes.toFixed(0)} minutes: ${machine}`)
      .join("\n"),
    explanation(),
    ...(report.measurements.length > 0 ? ["## Operations", operations(report)] : []),
    "## Goals",
    goals(report),
    ...(report.states.length > 0 ? ["## State", states(report.states)] : []),
    "## Start-up",
    startUp(report.startUp),
    ...(report.listings.length > 0 ? ["## A large account", listings(report.listings)] : []),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** The machine, as one line. */
export function machine(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, "../node_modules/@pulumi/pulumi/package.json"), "utf8"));
  const cli = findPulumiCli();
  const name = cli ? `Pulumi CLI ${execFileSync(cli, ["version"], { encoding: "utf8" }).trim()}` : "in-process engine";
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${cpus().length} cores (${processor}), ${memory} GiB memory, Node ${process.version}, @pulumi/pulumi ${version}, ${name}, ${new Date().toISOString().slice(0, 10)}.`;
}

function explanation(): string {
  return (
    "A customer is a SipTrunk, an InboundAuth and a DispatchRule. The floor is the same program with resources that do nothing, with the same inputs and outputs in " +
    "number and size; *own arguments* is the same without the properties that this package adds to what the program gives. The straightforward provider calls livekit-server-sdk and lists in every diff and read. Their runs alternate; times are medians of as many runs as the " +
    "column says, ratios are medians of the ratios of neighbouring runs. *preview* and *no-op* (an `up` without changes) are without refresh, *refresh* is a preview with it. Latency is added to each call to the server. " +
    "*Saved once*: the state is written at the end alone, by the CLI with PULUMI_SKIP_CHECKPOINTS; else it writes a state in a file anew after every step, which for 3000 resources takes ten minutes, whatever they are. " +
    "*Processor* is the processor time of engine, program and host together, which other work on the machine disturbs less."
  );
}

function operations({ measurements }: Report): string {
  const rows = measurements
    .filter(({ subject }) => subject === "livekit")
    .map((ours) => {
      const floor = peer(measurements, ours, "floor");
      const own = peer(measurements, ours, "arguments");
      const naive = peer(measurements, ours, "straightforward");
      return [
        ours.platform,
        ours.customers,
        `${ours.latencyMs} ms`,
        ours.savesOnce ? `${ours.operation}, saved once` : ours.operation,
        ours.times.length,
        seconds(ours),
        seconds(floor),
        ratio(ours.times, floor?.times),
        ratio(ours.processorTimes, floor?.processorTimes),
        ratio(ours.times, own?.times),
        seconds(naive),
        ratio(naive?.times, ours.times),
        ours.calls,
        naive?.calls ?? "–",
        megabytes(ours.hostMemory),
        megabytes(floor?.hostMemory),
      ];
    });
  return table(
    [
      "platform",
      "N",
      "latency",
      "operation",
      "runs",
      "this package",
      "floor",
      "× floor",
      "processor × floor",
      "× own arguments",
      "straightforward",
      "× this package",
      "calls",
      "straightforward's calls",
      "host's peak memory",
      "floor's",
    ],
    rows,
  );
}

interface Goal {
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
  /** Why a missed goal was missed. */
  readonly why?: string;
}

function goals({ measurements, states, startUp }: Report): string {
  const ours = measurements.filter(({ subject }) => subject === "livekit");
  const found: Goal[] = [
    ...ours.flatMap((measurement) => [
      ...operationGoals(measurement, peer(measurements, measurement, "floor")),
      ...ownArgumentsGoals(measurement, peer(measurements, measurement, "arguments")),
    ]),
    {
      goal: "start-up of the host: at most 150 ms over bare @pulumi/pulumi",
      measured: `${startUp.load.time.toFixed(0)} ms (${startUp.load.processorTime.toFixed(0)} ms of processor time)`,
      met: startUp.load.time <= 150,
    },
    ...states
      .filter(({ subject }) => subject === "livekit")
      .slice(0, 1)
      .map(({ provider }) => {
        const largest = Math.max(...Object.values(provider));
        return { goal: "`__provider`: at most 2 kB", measured: `${largest} bytes`, met: largest <= 2000 };
      }),
  ];
  return table(
    ["goal", "measured", ""],
    found.map(({ goal, measured, met, why }) => [goal, measured, met ? "met" : `**MISSED**${why ? `: ${why}` : ""}`]),
  );
}

/** What profiles of the host and the program showed. */
const LEFT = {
  "saved once":
    "four calls to LiveKit for each customer, in fetch and in the server on the same cores; where the state is written after every step they hardly show",
  properties: "most of it is the number of properties, which the floor carries too",
  preview: "with fewer customers than 1000, loading the package in host and program shows",
};

/** The goals are set for 1000 customers, but runs with fewer customers must meet them too. */
function operationGoals(ours: Measurement, floor: Measurement | undefined): Goal[] {
  const { platform, customers, latencyMs, operation, calls } = ours;
  const where = `${platform}, N = ${customers}, ${latencyMs} ms`;
  const found: Goal[] = [];
  if (operation === "preview" || operation === "refresh") {
    const allowed = 3 + 3 * Math.floor(customers / PAGE_SIZE);
    found.push({
      goal: `${where}: ${operation} in at most 3 + pages calls`,
      measured: `${calls} calls`,
      met: calls <= allowed,
    });
  }
  if (!floor) {
    return found;
  }
  const times = median(ratios(ours.times, floor.times));
  if (operation === "preview" && latencyMs === 0) {
    found.push({
      goal: `${where}: preview at most 1.10 × floor`,
      measured: `${times.toFixed(2)} ×`,
      met: times <= 1.1,
      ...(customers < 1000 && { why: LEFT.preview }),
    });
  }
  if (operation === "preview" && latencyMs > 0) {
    const over = median(ours.times.map((time, run) => time - (floor.times[run] ?? Number.NaN))) / 1000;
    found.push({
      goal: `${where}: preview at most floor + 2 s`,
      measured: `floor + ${over.toFixed(2)} s`,
      met: over <= 2,
    });
  }
  if (operation === "up") {
    found.push({
      goal: `${where}: first up at most 1.25 × floor`,
      measured: `${times.toFixed(2)} ×`,
      met: times <= 1.25,
      ...(ours.savesOnce && { why: LEFT["saved once"] }),
    });
  }
  if (operation === "destroy" && latencyMs === 0) {
    found.push({
      goal: `${where}: destroy at most 2 × floor`,
      measured: `${times.toFixed(2)} ×`,
      met: times <= 2,
      ...(ours.savesOnce && { why: LEFT["saved once"] }),
    });
  }
  return found;
}

function ownArgumentsGoals(ours: Measurement, own: Measurement | undefined): Goal[] {
  const { platform, customers, latencyMs, operation } = ours;
  if (!own || operation !== "preview") {
    return [];
  }
  const times = median(ratios(ours.times, own.times));
  return [
    {
      goal: `${platform}, N = ${customers}, ${latencyMs} ms: preview at most 1.20 × the program's own arguments`,
      measured: `${times.toFixed(2)} ×`,
      met: times <= 1.2,
      why: LEFT.properties,
    },
  ];
}

function states(sizes: readonly StateSize[]): string {
  return table(
    ["N", "", "SipTrunk", "InboundAuth", "DispatchRule", "`__provider` of each"],
    sizes.map(({ customers, subject, bytes, provider }) => [
      customers,
      subject === "livekit" ? "this package" : subject,
      ...["SipTrunk", "InboundAuth", "DispatchRule"].map((type) => `${bytes[type]?.toFixed(0)} bytes`),
      Object.values(provider).join(", "),
    ]),
  );
}

function startUp({ load, firstCheck, program, runs }: StartUp): string {
  const row = (what: string, { time, processorTime }: Spent) => [what, time.toFixed(0), processorTime.toFixed(0)];
  return table(
    [`over bare @pulumi/pulumi, median of ${runs}`, "ms", "processor ms"],
    [
      row("provider host: loading the package", load),
      row("provider host: until the first check is answered, an empty account listed", firstCheck),
      row("program: loading the package", program),
    ],
  );
}

function listings(all: readonly Listing[]): string {
  return table(
    ["platform", "trunks of each kind", "listed", "runs", "ms", "calls", "bytes", "process's peak memory"],
    all.map(({ platform, trunks, way, runs, ms, calls, bytes, memory }) => [
      platform,
      trunks,
      way,
      runs,
      ms.toFixed(0),
      calls,
      bytes,
      megabytes(memory),
    ]),
  );
}

function peer(all: readonly Measurement[], ours: Measurement, subject: Subject): Measurement | undefined {
  const keys = ["platform", "customers", "latencyMs", "operation"] as const;
  return all.find((other) => other.subject === subject && keys.every((key) => other[key] === ours[key]));
}

function seconds(measurement: Measurement | undefined): string {
  return measurement ? `${(median(measurement.times) / 1000).toFixed(2)} s` : "–";
}

/** The median of the ratios of runs measured side by side. */
function ratio(a: readonly number[] | undefined, b: readonly number[] | undefined): string {
  return a?.length && b?.length ? median(ratios(a, b)).toFixed(2) : "–";
}

function ratios(a: readonly number[], b: readonly number[]): number[] {
  return a.map((time, run) => time / (b[run] ?? Number.NaN));
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "–" : `${(bytes / 1e6).toFixed(0)} MB`;
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
