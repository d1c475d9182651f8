/** Runs the Pulumi CLI in the folder of a project. Secrets go through its standard input, never through arguments or files. */

import { spawn } from "node:child_process";
import { delimiter } from "node:path";
import { z } from "zod";
import { CommandError } from "./command-error";
import { readDeployment, type StateResource } from "./state";

/** From this version on, `pulumi import` takes the whole state of a resource from its file. */
export const IMPORTS_STATE: Version = [3, 254];

type Version = readonly [major: number, minor: number];

const configValues = z.record(z.string(), z.object({ value: z.string().optional() }));

export interface RunOptions {
  /** What the CLI reads from its standard input. */
  readonly input?: string;
  /** A descriptor that the CLI inherits as its third. */
  readonly fd?: number;
  /** Environment variables besides the user's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Shows the output while the CLI runs. */
  readonly isShown?: boolean;
  /** After how many milliseconds the CLI is stopped. Default: never. */
  readonly timeoutMs?: number;
}

/** The CLI was stopped, because it took too long. */
export class CliTooSlow extends CommandError {}

/** The CLI, in the folder of one project. */
export class PulumiCli {
  private constructor(
    readonly version: Version,
    private readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /**
   * The CLI on PATH, or undefined if there is none. npx puts packages' commands in front of PATH, and npm's package `pulumi` may be there
   * without the binary that it downloads.
   */
  static async find(folder: string, env: NodeJS.ProcessEnv): Promise<PulumiCli | undefined> {
    const { PATH = "" } = env;
    const installed = PATH.split(delimiter).filter((path) => !path.includes("node_modules"));
    for (const candidate of [env, { ...env, PATH: installed.join(delimiter) }]) {
      const version = await versionIn(folder, candidate);
      if (version) {
        return new PulumiCli(version, folder, candidate);
      }
    }
    return undefined;
  }

  isAtLeast([major, minor]: Version): boolean {
    return this.version[0] > major || (this.version[0] === major && this.version[1] >= minor);
  }

  /** @throws CommandError with the CLI's own words if it fails, and CliTooSlow if it was stopped */
  async run(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const { output, errors, code } = await this.finish(args, options);
    if (code !== 0) {
      const said = (errors.trim() === "" ? output : errors).trim().split("\n").slice(0, 12).join("\n");
      throw new CommandError(
        `\`pulumi ${args.slice(0, 2).join(" ")}\` failed: ${options.isShown ? "see above." : said}`,
      );
    }
    return output;
  }

  /**
   * Runs the CLI, and leaves it to the caller what its exit code means.
   *
   * @throws CliTooSlow if it was stopped
   */
  async finish(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const { isLate, ...finished } = await execute(args, this.folder, { ...this.env, ...options.env }, options);
    if (isLate) {
      throw new CliTooSlow(
        `\`pulumi ${args[0]}\` was stopped, because it took longer than ${(options.timeoutMs ?? 0) / 1000} s.`,
      );
    }
    return finished;
  }

  /** Selects a stack and creates it if it does not exist. */
  async select(stack: string): Promise<void> {
    await this.run(["stack", "select", "--create", "--stack", stack]);
  }

  /** The organization of the stack's full name, as programs see it. */
  async organization(stack: string): Promise<string> {
    const parts = stack.split("/");
    if (parts.length > 1 && parts[0]) {
      return parts[0];
    }
    const { url } = z.object({ url: z.string().optional() }).parse(JSON.parse(await this.run(["whoami", "--json"])));
    // On every other backend, Pulumi uses this word.
    return url?.startsWith("http") ? (await this.run(["org", "get-default"])).trim() : "organization";
  }

  async resources(stack: string): Promise<readonly StateResource[]> {
    return readDeployment("The stack", await this.run(["stack", "export", "--stack", stack])).resources;
  }

  /** The stack's configuration, decrypted: keys with the project's name in front. */
  async config(stack: string): Promise<ReadonlyMap<string, string>> {
    const text = await this.run(["config", "--show-secrets", "--json", "--stack", stack]);
    const values = Object.entries(configValues.parse(JSON.parse(text)));
    return new Map(values.flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value] as const])));
  }

  async setSecret(stack: string, key: string, value: string): Promise<void> {
    await this.run(["config", "set", "--secret", "--stack", stack, "--raw", key], { input: value });
  }
}

async function versionIn(folder: string, env: NodeJS.ProcessEnv): Promise<Version | undefined> {
  const { output } = await execute(["version"], folder, env).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") {
      return { output: "" };
    }
    throw error;
  });
  const [, major, minor] = /v?(\d+)\.(\d+)\./.exec(output) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor)];
}

/** What the CLI printed, and its exit code. */
export interface Finished {
  readonly output: string;
  readonly errors: string;
  readonly code: number | null;
}

interface Ended extends Finished {
  /** Whether it was stopped because it took too long. */
  readonly isLate: boolean;
}

/** How long the CLI may take to cancel what it does before it is killed, in milliseconds. */
const CANCEL_MS = 10_000;

function execute(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  { input, fd, isShown = false, timeoutMs }: RunOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", [...args, "--non-interactive"], {
      cwd,
      env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      stdio: [
        input === undefined ? "ignore" : "pipe",
        isShown ? "inherit" : "pipe",
        isShown ? "inherit" : "pipe",
        ...(fd === undefined ? [] : [fd]),
      ],
    });
    let [output, errors] = ["", ""];
    let isLate = false;
    let killer: NodeJS.Timeout | undefined;
    const stop = () => {
      isLate = true;
      child.kill("SIGINT");
      killer = setTimeout(() => child.kill("SIGKILL"), CANCEL_MS);
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(stop, timeoutMs);
    child.stdout?.on("data", (part: Buffer) => {
      output += part;
    });
    child.stderr?.on("data", (part: Buffer) => {
      errors += part;
    });
    child.stdin?.on("error", () => {
      // The CLI has ended without reading everything. Its exit code says why.
    });
    child.stdin?.end(input);
    child.on("error", (error) => {
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      clearTimeout(killer);
      resolve({ output, errors, code, isLate });
    });
  });
}
