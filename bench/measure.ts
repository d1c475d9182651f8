/** Runs a scenario in rounds. In each, all subjects run the same operation, one after the other. */

import type { Cells, Run } from "./report";
import type { Operation, Scenario, Subject } from "./scenario";
import { BenchStack, type Sample, savesOnce } from "./stacks";
import { median, rounded } from "./statistics";

/** By subject. Samples with the same index were measured in the same round. */
type Samples = Partial<Record<Subject, Sample[]>>;

interface Round {
  readonly operation: Operation;
  readonly latency: number;
  /** Each turn starts with another subject. */
  readonly turn: number;
}

/** The rounds in order. A stack goes up and is destroyed even if that is not measured. */
function* rounds({ operations, latencies, runs, ups }: Scenario): Generator<Round> {
  const [first = 0] = latencies;
  const isRebuilt = operations.includes("up") || operations.includes("destroy");
  for (let turn = 0; turn < (isRebuilt ? ups : 1); turn++) {
    yield { operation: "up", latency: first, turn };
    for (const latency of turn === 0 ? latencies : []) {
      for (const operation of latency === first ? (["preview", "refresh", "no-op"] as const) : (["preview"] as const)) {
        for (let run = 0; run < (operations.includes(operation) ? runs : 0); run++) {
          yield { operation, latency, turn: run };
        }
      }
    }
    yield { operation: "destroy", latency: first, turn };
  }
}

/** Measures, and adds to the tables. */
export async function measure(scenario: Scenario, tables: Required<Run["tables"]>): Promise<void> {
  const { platform, customers, subjects } = scenario;
  const stacks: BenchStack[] = [];
  for (const subject of subjects) {
    stacks.push(await BenchStack.create(scenario, subject));
  }
  const measured = new Map<string, { row: Cells; samples: Samples }>();
  for (const { operation, latency, turn } of rounds(scenario)) {
    const isMeasured = scenario.operations.includes(operation);
    const savedOnce = (operation === "up" || operation === "destroy") && savesOnce(scenario);
    const name = savedOnce ? `${operation}, saved once` : operation;
    const row = { platform, N: customers, latency: `${latency} ms`, operation: name };
    const what = `${platform}, N = ${customers}, ${latency} ms: ${name}`;
    const samples: Samples = measured.get(what)?.samples ?? {};
    const first = turn % stacks.length;
    for (const stack of [...stacks.slice(first), ...stacks.slice(0, first)]) {
      const sample = await stack.run(operation, isMeasured ? latency : 0);
      console.error(`${what} of ${stack.subject}: ${sample.seconds.toFixed(2)} s`);
      samples[stack.subject] = [...(samples[stack.subject] ?? []), sample];
      if (operation === "up" && turn === 0) {
        tables.state.push(await stateCells(stack, customers));
      }
    }
    if (isMeasured) {
      measured.set(what, { row, samples });
    }
  }
  for (const stack of stacks) {
    await stack.stop();
  }
  for (const { row, samples } of measured.values()) {
    const { livekit, straightforward, native, "native-floor": nativeFloor } = samples;
    if (livekit) {
      tables.operations.push({ ...row, ...operationCells(samples) });
    }
    if (native) {
      tables.native.push({
        ...row,
        runs: native.length,
        "native provider, s": seconds(native),
        "its floor, s": seconds(nativeFloor),
        "× its floor": compared(native, nativeFloor, ratio),
        "dynamic resources, s": seconds(livekit),
        "× dynamic resources": compared(native, livekit, ratio),
        "its calls": native.at(-1)?.calls ?? null,
      });
    }
    if (straightforward) {
      tables.straightforward.push({
        ...row,
        s: seconds(straightforward),
        "× this package": compared(straightforward, livekit, ratio),
        "its calls": straightforward.at(-1)?.calls ?? null,
      });
    }
  }
}

function operationCells({ livekit, floor, arguments: own }: Samples): Cells {
  return {
    runs: (livekit ?? floor ?? own)?.length ?? null,
    "this package, s": seconds(livekit),
    "floor, s": seconds(floor),
    "× floor": compared(livekit, floor, ratio),
    "over floor, s": compared(livekit, floor, (ours, theirs) => ours - theirs),
    "processor × floor": compared(livekit, floor, ratio, "processorSeconds"),
    "× own arguments": compared(livekit, own, ratio),
    calls: livekit?.at(-1)?.calls ?? null,
    "host, MB": peak(livekit),
    "floor's host, MB": peak(floor),
  };
}

async function stateCells(stack: BenchStack, customers: number): Promise<Cells> {
  const bytes: Record<string, number> = { SipTrunk: 0, InboundAuth: 0, DispatchRule: 0 };
  let provider = 0;
  for (const resource of await stack.resources()) {
    const type = resource.type.split(":").at(-1) ?? "";
    bytes[type] = (bytes[type] ?? 0) + Buffer.byteLength(JSON.stringify(resource));
    provider = Math.max(provider, String(resource.outputs?.__provider ?? "").length);
  }
  const averages = Object.entries(bytes).map(([type, sum]) => [type, rounded(sum / customers)]);
  const subject = stack.subject === "livekit" ? "this package" : stack.subject;
  return { N: customers, subject, ...Object.fromEntries(averages), "longest `__provider`": provider };
}

const ratio = (a: number, b: number) => a / b;

function seconds(samples: readonly Sample[] | undefined): number | null {
  return samples ? rounded(median(samples.map((sample) => sample.seconds)), 2) : null;
}

function peak(samples: readonly Sample[] | undefined): number | null {
  return samples ? rounded(Math.max(...samples.map(({ hostMB }) => hostMB))) : null;
}

/** The median over the rounds. */
function compared(
  ours: readonly Sample[] | undefined,
  theirs: readonly Sample[] | undefined,
  compare: (ours: number, theirs: number) => number,
  key: "seconds" | "processorSeconds" = "seconds",
): number | null {
  const values = ours?.map((sample, round) => compare(sample[key], theirs?.[round]?.[key] ?? Number.NaN)) ?? [];
  return values.length > 0 && values.every(Number.isFinite) ? rounded(median(values), 2) : null;
}
