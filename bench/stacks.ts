/** A subject's stack on a platform of its own, with operations that are timed. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ExportedResource, TestStack } from "../provider/testing/test-stack";
import { CliStack, findPulumiCli, type Stack } from "../tests/support/cli-stack";
import { HostWatch } from "../tests/support/host-watch";
import { type Platform, startEmulatorPlatform, startLiveKitServer } from "../tests/support/livekit-platform";
import type { Operation, Scenario, Subject } from "./scenario";
import { startSlowProxy } from "./slow-proxy";

/** What one operation took. */
export interface Sample {
  readonly seconds: number;
  /** Processor time of engine, program and provider host together. NaN if the system does not report it. */
  readonly processorSeconds: number;
  /** Calls to LiveKit. */
  readonly calls: number;
  /** Peak memory of the provider host. 0 if no host was seen. */
  readonly hostMB: number;
}

const OPERATE: Readonly<Record<Operation, (stack: Stack) => ReturnType<Stack["up"]>>> = {
  up: (stack) => stack.up({ refresh: false }),
  preview: (stack) => stack.preview({ refresh: false, expectNoChanges: true }),
  refresh: (stack) => stack.preview({ refresh: true, expectNoChanges: true }),
  "no-op": (stack) => stack.up({ refresh: false, expectNoChanges: true }),
  destroy: (stack) => stack.destroy({ refresh: false }),
};

/** Starts a platform with a proxy in front. */
export async function startPlatform(name: Platform["name"]) {
  const platform = await (name === "emulator" ? startEmulatorPlatform() : startLiveKitServer());
  const proxy = await startSlowProxy(platform.url);
  const { apiKey, apiSecret } = platform;
  const stop = async () => {
    proxy.stop();
    await platform.stop();
  };
  const env = { LIVEKIT_URL: proxy.url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
  return { platform, proxy, env, stop };
}

/**
 * Whether the engine writes its state only at the end of `up` and `destroy`. The in-process engine always does. The CLI
 * does when told to; otherwise it writes the whole state after every step, which takes ten minutes for 3000 resources.
 */
export function savesOnce({ customers, operations }: Scenario): boolean {
  const isMeasured = operations.includes("up") || operations.includes("destroy");
  return !findPulumiCli() || customers > 300 || !isMeasured;
}

export class BenchStack {
  private constructor(
    readonly subject: Subject,
    private readonly stack: Stack,
    private readonly hosts: HostWatch,
    private readonly livekit: Awaited<ReturnType<typeof startPlatform>>,
  ) {}

  /** Creates an empty stack. */
  static async create(scenario: Scenario, subject: Subject): Promise<BenchStack> {
    const livekit = await startPlatform(scenario.platform);
    const hosts = new HostWatch();
    const env = {
      ...livekit.env,
      ...hosts.env,
      BENCH_SUBJECT: subject,
      BENCH_CUSTOMERS: String(scenario.customers),
      ...(savesOnce(scenario) && { PULUMI_SKIP_CHECKPOINTS: "true" }),
    };
    const options = { projectDir: join(__dirname, "programs"), stack: "bench", env, color: false };
    const stack = findPulumiCli() ? CliStack.create({ ...options, quiet: true }) : TestStack.create(options);
    return new BenchStack(subject, await stack, hosts, livekit);
  }

  /** @throws with everything that was printed, if the operation fails or changes what it should not change */
  async run(operation: Operation, latencyMs: number): Promise<Sample> {
    const { proxy } = this.livekit;
    proxy.latencyMs = latencyMs;
    proxy.calls = 0;
    this.hosts.forget();
    const [start, before] = [performance.now(), childrensProcessorTime()];
    process.once("exit", this.#kill);
    const { exitCode, text } = await OPERATE[operation](this.stack);
    process.removeListener("exit", this.#kill);
    const [seconds, after] = [(performance.now() - start) / 1000, childrensProcessorTime()];
    if (exitCode !== 0) {
      throw new Error(`${operation} of ${this.subject} ended with ${exitCode}:\n${text.slice(-8_000)}`);
    }
    const processorSeconds = this.stack instanceof CliStack ? after - before : Number.NaN;
    return { seconds, processorSeconds, calls: proxy.calls, hostMB: this.hosts.peakMemory() / 1e6 };
  }

  /** A CLI that still runs would outlive this process. */
  readonly #kill = (): void => {
    if (this.stack instanceof CliStack) {
      this.stack.kill();
    }
  };

  /** The subject's resources in the state. */
  async resources(): Promise<ExportedResource[]> {
    const { deployment } = await this.stack.exportState();
    return (deployment.resources ?? []).filter(({ type }) => /:(SipTrunk|InboundAuth|DispatchRule)$/.test(type));
  }

  async stop(): Promise<void> {
    await this.stack.dispose();
    await this.livekit.stop();
    this.hosts.dispose();
  }
}

/**
 * The processor time in seconds of all ended descendants of this process, to which the in-process engine does not
 * belong. Only Linux reports it.
 */
function childrensProcessorTime(): number {
  try {
    // proc(5): cutime and cstime are the 14th and 15th field after the command in parentheses, in ticks of 10 ms.
    const [, fields = ""] = readFileSync("/proc/self/stat", "utf8").split(") ");
    const [user, system] = fields.split(" ").slice(13, 15);
    return (Number(user) + Number(system)) / 100;
  } catch {
    return Number.NaN;
  }
}
