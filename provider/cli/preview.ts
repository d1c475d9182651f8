/** `livekit-sip preview`: the plans of some stacks, for a comment on a pull request. Changes nothing. */

import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { CommandError } from "./command-error";
import type { Console } from "./console";
import { atOnce } from "./drift/at-once";
import { FAILURE, SUCCESS } from "./exit-codes";
import { outcomeOf, type Plan, plansFile, withoutSecrets } from "./plans";
import { PulumiCli } from "./pulumi";

export interface PreviewOptions {
  readonly dir: string;
  readonly stacks: string;
  readonly parallel?: number;
  readonly timeout: number;
  readonly output: string;
}

/** @returns the exit code */
export async function previewStacks(
  options: PreviewOptions,
  env: NodeJS.ProcessEnv,
  console: Console,
): Promise<number> {
  const stacks = wordsOf(options.stacks);
  const cli = await PulumiCli.find(resolve(options.dir), env);
  if (!cli) {
    throw new CommandError("The Pulumi CLI was not found on PATH: install it.");
  }
  const step = atOnce(options.parallel ?? availableParallelism(), stacks.length, console.progress("Previewing"));
  const plans = await Promise.all(
    stacks.map((stack) =>
      step(async () => {
        const plan = await planOf(cli, stack, options.timeout * 1000, env);
        console.say(`${stack}: ${outcomeOf(plan)}\n${plan.text}`);
        return plan;
      }),
    ),
  );
  try {
    writeFileSync(options.output, plansFile(plans));
  } catch (error) {
    throw new CommandError(
      `--output: ${options.output} can't be written: ${error instanceof Error ? error.message : ""}.`,
    );
  }
  return plans.every(({ succeeded }) => succeeded) ? SUCCESS : FAILURE;
}

/** Names of stacks with spaces between them. */
export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

async function planOf(cli: PulumiCli, stack: string, timeoutMs: number, env: NodeJS.ProcessEnv): Promise<Plan> {
  try {
    const args = ["preview", "--diff", "--color", "never", "--suppress-progress", `--stack=${stack}`];
    const { code, output, errors } = await cli.finish(args, { timeoutMs });
    return { stack, succeeded: code === 0, text: withoutSecrets(code === 0 ? output : output + errors, env) };
  } catch (error) {
    if (error instanceof CommandError) {
      return { stack, succeeded: false, text: error.message };
    }
    throw error;
  }
}
