/** What a run measures: the usual scenarios, and the options that change them. */

import { parseArgs } from "node:util";
import { livekitServerAvailability, type Platform } from "../tests/support/livekit-platform";

export const OPERATIONS = ["up", "preview", "refresh", "no-op", "destroy"] as const;
export type Operation = (typeof OPERATIONS)[number];

/**
 * This package; resources that do nothing, with as many properties as this package's or with the program's own arguments
 * only; the provider that one would write first; the native provider, and one that does nothing, with as many properties.
 */
export const SUBJECTS = ["livekit", "floor", "arguments", "straightforward", "native", "native-floor"] as const;
export type Subject = (typeof SUBJECTS)[number];

const PLATFORMS = ["emulator", "livekit-server"] as const satisfies readonly Platform["name"][];

/** A program of one size, on one platform. */
export interface Scenario {
  readonly platform: Platform["name"];
  readonly customers: number;
  readonly subjects: readonly Subject[];
  readonly operations: readonly Operation[];
  /** Milliseconds added to each call to LiveKit. With the values after the first, only the preview is measured. */
  readonly latencies: readonly number[];
  /** How often each operation is measured, except `up` and `destroy`. */
  readonly runs: number;
  /** How often `up` and `destroy` are measured. */
  readonly ups: number;
}

export interface Options {
  readonly scenarios: readonly Scenario[];
  /** The number of trunks of each kind in the account that is listed. 0: no listing. */
  readonly account: number;
  /** How many stacks the fleets have whose drift is looked for. */
  readonly fleets: readonly number[];
  readonly platform: Platform["name"];
  readonly append: boolean;
}

/** The straightforward provider takes minutes with more than 100 customers. */
const FAST = ["livekit", "floor", "arguments"] as const;
const USUAL = {
  quick: { subjects: FAST, operations: ["up", "preview", "refresh", "destroy"], runs: 2, ups: 1 },
  small: { subjects: SUBJECTS, operations: OPERATIONS, runs: 5, ups: 3 },
  large: { subjects: FAST, operations: OPERATIONS, runs: 3, ups: 1 },
} as const;

export const USAGE = `npm run bench -- [options]

Takes most of an hour. Uses the Pulumi CLI and livekit-server where they are installed, else the in-process engine and
the emulator.

  --quick                takes a few minutes: 100 customers on the emulator
  --customers 100,1000   each has a SipTrunk, an InboundAuth and a DispatchRule; 0 skips that
  --subjects ${SUBJECTS.join(",")}
  --operations ${OPERATIONS.join(",")}
  --latency 0,50         milliseconds added to each call to LiveKit; with the values after the first, only preview is measured
  --runs 5               how often each operation is measured
  --platform emulator    or livekit-server
  --account 10000        trunks of each kind in an account that is listed; 0 skips that
  --fleet 10,1000        stacks of fleets whose drift is looked for; 0 skips that
  --append               adds the run to bench/results.jsonl and bench/results.md, instead of printing it`;

/** @throws TypeError with a message for the user */
export function readOptions(args: readonly string[]): Options {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: flag,
      append: flag,
      customers: text,
      subjects: text,
      operations: text,
      latency: text,
      runs: text,
      platform: text,
      account: text,
      fleet: text,
    },
  });
  const { quick } = values;
  const server = livekitServerAvailability();
  if (!server.available && !quick) {
    console.error(`There is no livekit-server here: ${server.reason}`);
  }
  const usualPlatform = quick || !server.available ? "emulator" : "livekit-server";
  const [platform = usualPlatform] = choices("--platform", values.platform, PLATFORMS) ?? [];
  const [runs] = numbers("--runs", values.runs) ?? [];
  const sizes = numbers("--customers", values.customers) ?? (quick ? [100] : [100, 1000]);
  const scenarios = sizes.flatMap((customers) => {
    if (customers === 0) {
      return [];
    }
    const usual = USUAL[quick ? "quick" : customers > 100 ? "large" : "small"];
    return {
      platform,
      customers,
      subjects: choices("--subjects", values.subjects, SUBJECTS) ?? usual.subjects,
      operations: choices("--operations", values.operations, OPERATIONS) ?? usual.operations,
      latencies: numbers("--latency", values.latency) ?? [0, 50],
      runs: runs ?? usual.runs,
      ups: runs ?? usual.ups,
    };
  });
  const [account = quick ? 1000 : 10_000] = numbers("--account", values.account) ?? [];
  const fleets = (numbers("--fleet", values.fleet) ?? (quick ? [10] : [10, 100, 300, 1000])).filter((it) => it > 0);
  return { scenarios, account, fleets, platform, append: values.append };
}

function numbers(option: string, text: string | undefined): number[] | undefined {
  const values = text?.split(",").map(Number);
  if (values?.some((value) => !Number.isInteger(value) || value < 0)) {
    throw new TypeError(`${option} takes whole numbers, not ${text}`);
  }
  return values;
}

function choices<Choice extends string>(option: string, text: string | undefined, all: readonly Choice[]) {
  const words = text?.split(",");
  const unknown = words?.find((word) => !all.some((choice) => choice === word));
  if (unknown !== undefined) {
    throw new TypeError(`${option} takes ${all.join(", ")}, not ${unknown}`);
  }
  return words && all.filter((choice) => words.includes(choice));
}
