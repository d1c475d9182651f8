/** `livekit-sip drift`: which stacks of a fleet differ from LiveKit or from their phone systems. Changes nothing. */

import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { Session } from "../lifecycle/session";
import { CommandError } from "./command-error";
import type { Console } from "./console";
import { assemble } from "./drift/assemble";
import { atOnce } from "./drift/at-once";
import { projectIn, stacksOf } from "./drift/backend";
import { type CheckStack, checkAll, findUnmanaged, loadStates } from "./drift/check";
import { compareStack } from "./drift/compare";
import type { Format } from "./drift/format-names";
import { formatted } from "./drift/formats";
import { Ignored } from "./drift/ignore";
import { PhoneSystems } from "./drift/phone-systems";
import { previewStack } from "./drift/preview";
import { Previous, readReport } from "./drift/previous";
import type { Report } from "./drift/report";
import { matching } from "./drift/stacks";
import { folderStacks } from "./drift/state-folder";
import { DRIFT, FAILURE, SUCCESS } from "./exit-codes";
import { inventoryOf } from "./inventory";
import { PulumiCli } from "./pulumi";

export interface DriftOptions {
  readonly dir: string;
  readonly stacks: string;
  readonly state?: string;
  readonly viaCli?: boolean;
  readonly preview?: boolean;
  readonly parallel?: number;
  readonly timeout: number;
  readonly voip?: boolean;
  readonly previous?: string;
  readonly ignore?: string;
  readonly format: Format;
  readonly output?: string;
}

/** How many states are read at the same time from files or over the network. */
const READS_AT_ONCE = 32;

/** @returns the exit code */
export async function checkDrift(options: DriftOptions, env: NodeJS.ProcessEnv, console: Console): Promise<number> {
  const now = new Date();
  const ignored = options.ignore === undefined ? Ignored.NOTHING : Ignored.read(options.ignore, now);
  const previous = new Previous(options.previous === undefined ? undefined : readReport(options.previous));
  const { account } = new Session(() => undefined, env, { say: () => {} });
  const { stacks: all, startsProcesses } = await stored(options, env);
  const selected = all.filter(({ name }) => matching(options.stacks)(name));
  if (selected.length === 0) {
    throw new CommandError(
      all.length === 0
        ? "The project has no stacks."
        : `--stacks: no stack matches "${options.stacks}". There are ${all.length}, for example ${all[0]?.name}.`,
    );
  }
  const loaded = await loadStates(
    selected,
    startsProcesses ? availableParallelism() : READS_AT_ONCE,
    console.progress("Reading states"),
  );
  // A wrong address or key is reported once, and before it takes long.
  await inventoryOf(account);
  const phoneSystems = options.voip ? new PhoneSystems() : undefined;
  const outcomes = await checkAll(
    loaded,
    options.preview
      ? await previews(options, env, console.progress("Previewing"), selected.length)
      : (stack) => compareStack(stack, { account, env, phoneSystems }),
  );
  const names = new Map(loaded.map(({ name }, index) => [selected[index]?.name, name]));
  const report = assemble(outcomes, {
    generatedAt: now.toISOString(),
    project: account.connection.project,
    way: options.preview ? "preview" : "states",
    phoneSystemsAsked: options.preview || phoneSystems !== undefined,
    unmanaged: await findUnmanaged(
      loaded,
      all.map(({ name }) => names.get(name) ?? name),
      account,
    ),
    previous,
    ignored,
  });
  print(report, options, console);
  for (const sentence of ignored.expired) {
    console.note(sentence);
  }
  return statusOf(report);
}

/** How to check stacks by previews, a few at a time. */
async function previews(
  { dir, parallel, timeout }: DriftOptions,
  env: NodeJS.ProcessEnv,
  onProgress: (done: number, total: number) => void,
  total: number,
): Promise<CheckStack> {
  const cli = await PulumiCli.find(resolve(dir), env);
  if (!cli) {
    throw new CommandError(
      "--preview needs the Pulumi CLI, and none was found on PATH: install it, or leave --preview out.",
    );
  }
  const step = atOnce(parallel ?? availableParallelism(), total, onProgress);
  return (stack) => step(() => previewStack(cli, stack.name, timeout * 1000));
}

async function stored({ state, dir, viaCli }: DriftOptions, env: NodeJS.ProcessEnv) {
  return state === undefined
    ? await stacksOf(projectIn(resolve(dir)), env, viaCli ?? false)
    : { stacks: folderStacks(state), startsProcesses: false };
}

function print(report: Report, { format, output }: DriftOptions, console: Console): void {
  const text = formatted(report, format, console.width);
  if (output === undefined) {
    console.say(text);
    return;
  }
  try {
    writeFileSync(output, `${text}\n`);
  } catch (error) {
    throw new CommandError(`--output: ${output} can't be written: ${error instanceof Error ? error.message : ""}.`);
  }
}

function statusOf({ counts: { drifted, failed } }: Report): number {
  return drifted > 0 ? DRIFT : failed > 0 ? FAILURE : SUCCESS;
}
