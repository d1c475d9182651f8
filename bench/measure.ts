/** Measures the subjects side by side: after each operation of one subject, the others run the same operation. */

import type { ExportedResource } from "../provider/testing/test-stack";
import { findPulumiCli } from "../tests/support/cli-stack";
import { type Platform, startEmulatorPlatform, startLiveKitServer } from "../tests/support/livekit-platform";
import { LONG_S, type Operation, type Options, type Subject, TOO_LONG_S } from "./options";
import { SlowProxy } from "./slow-proxy";
import { BenchStack, type Sample } from "./stacks";

/** The measurements for one subject, operation, platform, latency and number of customers. */
export interface Measurement {
  readonly platform: Platform["name"];
  readonly customers: number;
  readonly latencyMs: number;
  readonly operation: Operation;
  readonly subject: Subject;
  /** Whether the engine wrote its state only at the end. */
  readonly savesOnce: boolean;
  /** Milliseconds per run, in order. Runs with the same index were measured side by side. */
  readonly times: number[];
  /** Processor time per run in milliseconds, for all processes together. Empty if it can't be known. */
  readonly processorTimes: number[];
  /** LiveKit calls of the last run. */
  calls: number;
  /** The highest peak memory of the provider host, in bytes. */
  hostMemory: number | undefined;
}

/** The state of one subject's stack after its first up. */
export interface StateSize {
  readonly customers: number;
  readonly subject: Subject;
  /** Average bytes of a resource in the state, by the last part of its type. */
  readonly bytes: Readonly<Record<string, number>>;
  /** Length of the serialized provider in the state, by the same key. */
  readonly provider: Readonly<Record<string, number>>;
}

export interface Results {
  readonly measurements: Measurement[];
  readonly states: StateSize[];
}

/** One step of the whole benchmark. */
interface Step {
  readonly platform: Platform["name"];
  readonly customers: number;
  readonly latencyMs: number;
  readonly operation: Operation;
  readonly subject: Subject;
  readonly savesOnce: boolean;
}

/**
 * From this many resources on, the engine writes its state only at the end of an `up` or a `destroy`. With a write
 * after each step, as the CLI does with a state file, 3000 resources take ten minutes, whatever they are.
 */
const SAVES_ONCE_FROM = 1_000;

/** A rough estimate of how long an operation of the CLI takes, in seconds. */
export function expectedSeconds({
  operation,
  customers,
  latencyMs,
  subject,
  savesOnce,
}: Omit<Step, "platform">): number {
  const resources = customers * 3;
  const saving = savesOnce ? 0 : resources ** 2 * 0.00005;
  // The straightforward provider waits for a list call in each diff, and the list grows with the customers.
  const perDiff = subject === "straightforward" ? (latencyMs + 5 + customers * 0.05) / 1000 : 0;
  switch (operation) {
    case "up":
      return 4 + resources * 0.012 + saving;
    case "destroy":
      return 3 + resources * (0.004 + latencyMs / 20_000) + saving;
    case "refresh":
      return 4 + resources * (0.012 + 3 * perDiff);
    default:
      return 3.5 + resources * (0.008 + perDiff);
  }
}

/**
 * How often an operation is measured: as requested, otherwise the usual number of times. A slow operation without a
 * goal is measured once, or not at all if it creates or empties the stack.
 */
function runsOf(options: Options, customers: number, latencyMs: number, operation: Operation): number {
  const asked = makesStack(operation) ? options.upRuns : options.runs;
  const savesOnce = writesOnce(customers);
  const longest = Math.max(
    ...subjectsFor(options, customers).map((subject) =>
      expectedSeconds({ operation, customers, latencyMs, subject, savesOnce }),
    ),
  );
  // The goals: the first up, at one latency, and a preview at each latency.
  const isGoal = operation === "preview" || (makesStack(operation) && latencyMs === options.latencies[0]);
  if (asked !== undefined || longest <= LONG_S || isGoal) {
    return asked ?? options.usualRuns;
  }
  return makesStack(operation) ? 0 : 1;
}

/** Whether an operation creates or empties the stack, and so writes the state of every resource. */
function makesStack(operation: Operation): boolean {
  return operation === "up" || operation === "destroy";
}

/** Whether the state is written only at the end. The in-process engine always does that. */
function writesOnce(customers: number): boolean {
  return findPulumiCli() === undefined || customers * 3 >= SAVES_ONCE_FROM;
}

/** The subjects. The straightforward provider is left out if it would take minutes and was not requested explicitly. */
function subjectsFor({ subjects, allSubjects, latencies }: Options, customers: number): readonly Subject[] {
  const expected = Math.max(
    ...latencies.map((latencyMs) =>
      expectedSeconds({
        operation: "preview",
        customers,
        latencyMs,
        subject: "straightforward",
        savesOnce: false,
      }),
    ),
  );
  return subjects.filter((subject) => subject !== "straightforward" || allSubjects || expected <= TOO_LONG_S);
}

/** Every step in order. Stacks are created and destroyed even if nobody asked to measure that. */
export function plan(options: Options): Step[] {
  const asked = (operation: Operation) => options.operations.includes(operation);
  const makes = asked("up") || asked("destroy");
  const steps: Step[] = [];
  for (const platform of options.platforms) {
    for (const customers of options.customers) {
      let isUp = false;
      // If a stack is not recreated for the next latency, it is kept for it.
      const isLastUse = (latencyMs: number) => {
        const next = options.latencies[options.latencies.indexOf(latencyMs) + 1];
        return next === undefined || (makes && runsOf(options, customers, next, "up") > 0);
      };
      for (const latencyMs of options.latencies) {
        const runs = (operation: Operation) => runsOf(options, customers, latencyMs, operation);
        const add = (operation: Operation, turn: number) => {
          const subjects = subjectsFor(options, customers);
          const savesOnce = makesStack(operation) && (writesOnce(customers) || !makes);
          const order = subjects.map((_, index) => subjects[(index + turn) % subjects.length]);
          steps.push(
            ...order
              .filter((subject) => subject !== undefined)
              .map((subject) => ({ platform, customers, latencyMs, operation, subject, savesOnce })),
          );
        };
        const rounds = makes ? runs("up") : 0;
        for (let turn = 0; turn < Math.max(rounds, 1); turn++) {
          if (!isUp) {
            add("up", turn);
          }
          isUp = true;
          if (turn === 0) {
            for (const operation of (["preview", "refresh", "no-op"] as const).filter(asked)) {
              for (let run = 0; run < runs(operation); run++) {
                add(operation, run);
              }
            }
          }
          if (turn < rounds - 1 || isLastUse(latencyMs)) {
            add("destroy", turn);
            isUp = false;
          }
        }
      }
    }
  }
  return steps;
}

/** Runs the steps. */
export async function measure(options: Options, say: (line: string) => void): Promise<Results> {
  const results: Results = { measurements: [], states: [] };
  const steps = plan(options);
  const progress = new Progress(steps, say);
  for (const platform of options.platforms) {
    for (const customers of options.customers) {
      const own = steps.filter((step) => step.platform === platform && step.customers === customers);
      await withSubjects(options, platform, customers, async (benches) => {
        for (const step of own) {
          await take(step, benches, results, progress, options);
        }
      });
    }
  }
  return results;
}

/** A subject with its own platform, so that all subjects can use the same numbers. */
interface Bench {
  readonly proxy: SlowProxy;
  readonly stack: BenchStack;
}

async function withSubjects(
  options: Options,
  platformName: Platform["name"],
  customers: number,
  work: (benches: ReadonlyMap<Subject, Bench>) => Promise<void>,
): Promise<void> {
  const ends: (() => Promise<void>)[] = [];
  try {
    const benches = new Map<Subject, Bench>();
    for (const subject of subjectsFor(options, customers)) {
      const platform = await (platformName === "emulator" ? startEmulatorPlatform() : startLiveKitServer());
      ends.unshift(() => platform.stop());
      const proxy = await SlowProxy.start(platform.url);
      ends.unshift(() => proxy.stop());
      const env = {
        LIVEKIT_URL: proxy.url,
        LIVEKIT_API_KEY: platform.apiKey,
        LIVEKIT_API_SECRET: platform.apiSecret,
        BENCH_CUSTOMERS: String(customers),
      };
      const savesOnce = writesOnce(customers) || !options.operations.some(makesStack);
      const stack = await BenchStack.create(subject, env, savesOnce);
      ends.unshift(() => stack.dispose());
      benches.set(subject, { proxy, stack });
    }
    await work(benches);
  } finally {
    for (const end of ends) {
      await end();
    }
  }
}

async function take(
  step: Step,
  benches: ReadonlyMap<Subject, Bench>,
  { measurements, states }: Results,
  progress: Progress,
  options: Options,
): Promise<void> {
  const { operation, subject, customers } = step;
  const bench = benches.get(subject);
  if (!bench) {
    throw new Error(`There is no stack for ${subject}.`);
  }
  const { proxy, stack } = bench;
  proxy.latencyMs = step.latencyMs;
  proxy.reset();
  const { milliseconds, processorMs, hostMemory } = await progress.during(step, () => stack.run(operation));
  if (options.operations.includes(operation)) {
    const { calls } = proxy;
    const spent = processorMs === undefined ? [] : [processorMs];
    const known = measurements.find((other) => isSame(other, step));
    if (known) {
      known.times.push(milliseconds);
      known.processorTimes.push(...spent);
      known.calls = calls;
      known.hostMemory = Math.max(known.hostMemory ?? 0, hostMemory ?? 0) || undefined;
    } else {
      measurements.push({ ...step, times: [milliseconds], processorTimes: spent, calls, hostMemory });
    }
  }
  if (operation === "up" && !states.some((state) => state.subject === subject && state.customers === customers)) {
    states.push(await stateSize(stack, subject, customers));
  }
}

function isSame(a: Step, b: Step): boolean {
  const keys = ["platform", "customers", "latencyMs", "operation", "subject"] as const;
  return keys.every((key) => a[key] === b[key]);
}

async function stateSize(stack: BenchStack, subject: Subject, customers: number): Promise<StateSize> {
  const byType = new Map<string, ExportedResource[]>();
  for (const resource of await stack.resources()) {
    const type = resource.type.split(":").at(-1) ?? resource.type;
    byType.set(type, [...(byType.get(type) ?? []), resource]);
  }
  const bytes: Record<string, number> = {};
  const provider: Record<string, number> = {};
  for (const [type, resources] of byType) {
    bytes[type] = Buffer.byteLength(JSON.stringify(resources)) / resources.length;
    provider[type] = String(resources[0]?.outputs?.__provider ?? "").length;
  }
  return { subject, customers, bytes, provider };
}

/** Prints what is being measured and the remaining time, estimated from the time so far. */
class Progress {
  #index = 0;
  #spent = 0;
  #expected = 0;

  constructor(
    private readonly steps: readonly Step[],
    private readonly say: (line: string) => void,
  ) {}

  async during(step: Step, work: () => Promise<Sample>): Promise<Sample> {
    const { platform, customers, latencyMs, operation, subject } = step;
    const what = `${platform}, N = ${customers}, ${latencyMs} ms: ${operation} of ${subject}`;
    this.#index += 1;
    const start = Date.now();
    const timer = setInterval(() => this.say(`  … ${what}, ${Math.round((Date.now() - start) / 1000)} s`), 15_000);
    try {
      const run = await work();
      const seconds = run.milliseconds / 1000;
      this.#spent += seconds;
      this.#expected += expectedSeconds(step);
      const left = this.steps.slice(this.#index).reduce((sum, next) => sum + expectedSeconds(next), 0);
      const minutes = (left * this.#spent) / this.#expected / 60;
      this.say(
        `[${this.#index}/${this.steps.length}] ${what}: ${seconds.toFixed(2)} s (about ${minutes.toFixed(1)} min left)`,
      );
      return run;
    } finally {
      clearInterval(timer);
    }
  }
}
