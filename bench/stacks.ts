/** A subject's stack, on the Pulumi CLI where there is one, with operations that are timed. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ExportedResource, TestStack } from "../provider/testing/test-stack";
import { CliStack, findPulumiCli, type Stack } from "../tests/support/cli-stack";
import { HostWatch } from "../tests/support/host-watch";
import type { Operation, Subject } from "./options";

/** What one operation took. */
export interface Sample {
  readonly milliseconds: number;
  /** Processor time of engine, program and provider host together. Undefined if the system does not report it. */
  readonly processorMs: number | undefined;
  /** Peak memory of the provider host in bytes. 0 if no host was seen. */
  readonly hostMemory: number;
}

const OPERATE: Readonly<Record<Operation, (stack: Stack) => ReturnType<Stack["up"]>>> = {
  up: (stack) => stack.up({ refresh: false }),
  preview: (stack) => stack.preview({ refresh: false, expectNoChanges: true }),
  refresh: (stack) => stack.preview({ refresh: true, expectNoChanges: true }),
  "no-op": (stack) => stack.up({ refresh: false, expectNoChanges: true }),
  destroy: (stack) => stack.destroy({ refresh: false }),
};

export class BenchStack {
  private constructor(
    private readonly stack: Stack,
    private readonly hosts: HostWatch,
  ) {}

  /**
   * Creates an empty stack.
   *
   * @param env - where the platform is, and what the program declares
   * @param savesOnce - the engine writes its state only at the end of an operation, not after every step
   */
  static async create(subject: Subject, env: Record<string, string>, savesOnce: boolean): Promise<BenchStack> {
    const hosts = new HostWatch();
    const options = {
      projectDir: join(__dirname, "programs"),
      stack: "bench",
      env: { ...env, ...hosts.env, BENCH_SUBJECT: subject, ...(savesOnce && { PULUMI_SKIP_CHECKPOINTS: "true" }) },
      color: false,
    };
    const stack = findPulumiCli() ? CliStack.create({ ...options, quiet: true }) : TestStack.create(options);
    return new BenchStack(await stack, hosts);
  }

  /** @throws with everything that was printed, if the operation fails or changes what it should not change */
  async run(operation: Operation): Promise<Sample> {
    this.hosts.forget();
    const [start, before] = [performance.now(), childrensProcessorTime()];
    const { exitCode, text } = await OPERATE[operation](this.stack);
    const [milliseconds, after] = [performance.now() - start, childrensProcessorTime()];
    if (exitCode !== 0) {
      throw new Error(`${operation} ended with ${exitCode}:\n${text.slice(-8_000)}`);
    }
    const isKnown = before !== undefined && after !== undefined && this.stack instanceof CliStack;
    return {
      milliseconds,
      processorMs: isKnown ? after - before : undefined,
      hostMemory: this.hosts.peakMemory(),
    };
  }

  /** The subject's resources in the state. */
  async resources(): Promise<ExportedResource[]> {
    const { deployment } = await this.stack.exportState();
    return (deployment.resources ?? []).filter(({ type }) => type.startsWith("pulumi-nodejs:dynamic/"));
  }

  async dispose(): Promise<void> {
    await this.stack.dispose();
    this.hosts.dispose();
  }
}

/**
 * The processor time in milliseconds of all ended descendants of this process. Only Linux reports it. The in-process
 * engine is no descendant.
 */
function childrensProcessorTime(): number | undefined {
  try {
    // proc(5): cutime and cstime are the 14th and 15th field after the command in parentheses, in ticks of 10 ms.
    const [, fields = ""] = readFileSync("/proc/self/stat", "utf8").split(/\) /);
    const [user, system] = fields.split(" ").slice(13, 15);
    return (Number(user) + Number(system)) * 10;
  } catch {
    return undefined;
  }
}
