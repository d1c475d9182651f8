/** What a benchmark run measures, from its command line. */

import { parseArgs } from "node:util";
import { livekitServerAvailability, type Platform } from "../tests/support/livekit-platform";

/** The measured operations, named as in the table. */
export const OPERATIONS = ["up", "preview", "refresh", "no-op", "destroy"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** A quick run leaves out the no-op, which takes long and adds little. */
const QUICK_OPERATIONS = "up,preview,refresh,destroy";

/**
 * The subjects: this package; resources that do nothing, with as many properties or with only the program's own
 * arguments; and the provider that one would write first.
 */
export const SUBJECTS = ["livekit", "floor", "arguments", "straightforward"] as const;
export type Subject = (typeof SUBJECTS)[number];

const PLATFORMS = ["emulator", "livekit-server"] as const satisfies readonly Platform["name"][];

/**
 * An operation without a goal that is expected to take longer than this, in seconds, is measured once, or not at all if
 * it creates or empties the stack.
 */
export const LONG_S = 30;

/** The straightforward provider is left out if its preview is expected to take longer than this, in seconds. */
export const TOO_LONG_S = 120;

export interface Options {
  readonly customers: readonly number[];
  /**
   * How often each operation is measured. Undefined: the usual number of times, or once for a slow operation without a
   * goal.
   */
  readonly runs: number | undefined;
  readonly usualRuns: number;
  /** The same for operations that create or empty a stack. */
  readonly upRuns: number | undefined;
  readonly operations: readonly Operation[];
  /** Milliseconds added to each call to the server. */
  readonly latencies: readonly number[];
  readonly platforms: readonly Platform["name"][];
  readonly subjects: readonly Subject[];
  /** Whether every subject was requested by name, so that none is left out. */
  readonly allSubjects: boolean;
  /** The number of trunks in the account for comparing lists by ids and by pages. 0 skips that. */
  readonly account: number;
  readonly output: string;
  /** Keeps the figures of earlier runs in the output file. */
  readonly append: boolean;
}

export const USAGE = `npm run bench -- [options]
  --quick                        100 customers on the emulator, 3 runs, up and destroy once, no no-op; under ten minutes
  --customers 100,1000           a SipTrunk, an InboundAuth and a DispatchRule each
  --runs 5                       measurements of each operation; without it, one of what takes over half a minute and has no goal
  --operations ${OPERATIONS.join(",")}
  --latency 0,50                 milliseconds that each call takes longer
  --platform ${PLATFORMS.join(",")}   without it, the real server, or the emulator where that can't be had
  --subjects ${SUBJECTS.join(",")}   without it, the last is left out where it takes minutes
  --account 10000                trunks in the account that listing is measured in; 0 leaves it out
  --output bench/results.md      its figures are kept beside it, in .json
  --append                       adds to the figures that are there: a long run can be made in parts
`;

/** @throws TypeError with a message for the user */
export function readOptions(args: readonly string[]): Options | undefined {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean" },
      quick: { type: "boolean" },
      append: { type: "boolean" },
      customers: text,
      runs: text,
      operations: text,
      latency: text,
      platform: text,
      subjects: text,
      account: text,
      output: text,
    },
  });
  if (values.help) {
    return undefined;
  }
  const quick = values.quick === true;
  const runs = values.runs === undefined ? undefined : numbers("--runs", values.runs)[0];
  return {
    customers: numbers("--customers", values.customers ?? (quick ? "100" : "100,1000")),
    runs,
    usualRuns: quick ? 3 : 5,
    upRuns: runs ?? (quick ? 1 : undefined),
    operations: choices("--operations", values.operations ?? (quick ? QUICK_OPERATIONS : undefined), OPERATIONS),
    latencies: numbers("--latency", values.latency ?? "0,50"),
    platforms: values.platform ? choices("--platform", values.platform, PLATFORMS) : defaultPlatforms(quick),
    subjects: choices("--subjects", values.subjects, SUBJECTS),
    account: numbers("--account", values.account ?? (quick ? "1000" : "10000"))[0] ?? 0,
    allSubjects: values.subjects !== undefined,
    output: values.output ?? "bench/results.md",
    append: values.append === true,
  };
}

function defaultPlatforms(quick: boolean): Options["platforms"] {
  if (quick) {
    return ["emulator"];
  }
  const server = livekitServerAvailability();
  if (!server.available) {
    process.stderr.write(`Without the real server: ${server.reason}\n`);
  }
  return [server.available ? "livekit-server" : "emulator"];
}

function numbers(flag: string, text: string): number[] {
  const values = text.split(",").map(Number);
  if (!values.every((value) => Number.isInteger(value) && value >= 0)) {
    throw new TypeError(`${flag} takes whole numbers, not ${text}`);
  }
  return values;
}

function choices<Choice extends string>(flag: string, text: string | undefined, from: readonly Choice[]): Choice[] {
  const chosen = text === undefined ? from : text.split(",").map((word) => one(flag, word, from));
  return from.filter((choice) => chosen.includes(choice));
}

function one<Choice extends string>(flag: string, word: string, from: readonly Choice[]): Choice {
  const found = from.find((choice) => choice === word);
  if (found === undefined) {
    throw new TypeError(`${flag} takes ${from.join(", ")}, not ${word}`);
  }
  return found;
}
