/** `npm run bench`: measures, prints the tables and writes them to files. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Listing, measureListing } from "./account";
import { expectedSeconds, measure, plan } from "./measure";
import { type Options, readOptions, USAGE } from "./options";
import { machine, merge, type Report, render } from "./report";
import { measureStartUp } from "./start-up";

const SIDE_RUNS = 5;

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  // Everything temporary goes into one folder, which is removed however the process ends.
  const folder = mkdtempSync(join(tmpdir(), "livekit-sip-bench-"));
  process.env.TMPDIR = folder;
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => process.exit(130));
  }
  try {
    const options = readOptions(args);
    if (!options) {
      process.stdout.write(USAGE);
      return 0;
    }
    const steps = plan(options);
    const minutes = steps.reduce((sum, step) => sum + expectedSeconds(step), 60) / 60;
    say(`${steps.length} measurements, about ${minutes.toFixed(0)} minutes on an idle machine of two cores.`);
    const start = Date.now();
    const startUp = await measureStartUp(SIDE_RUNS);
    const listings: Listing[] = [];
    for (const platform of options.account > 0 ? options.platforms : []) {
      listings.push(...(await measureListing(platform, options.account, SIDE_RUNS, say)));
    }
    const results = await measure(options, say);
    const command = ["npm run bench --", ...args].join(" ");
    const made = { command, machine: machine(), minutes: (Date.now() - start) / 60_000 };
    const report = merge(options.append ? earlier(data(options)) : undefined, {
      ...results,
      startUp,
      listings,
      parts: [made],
    });
    const text = render(report);
    writeFileSync(options.output, text);
    writeFileSync(data(options), `${JSON.stringify(report, undefined, 1)}\n`);
    process.stdout.write(`${text}\nWritten to ${options.output}.\n`);
    return 0;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

/** The file for the raw figures. */
function data({ output }: Options): string {
  return output.replace(/\.md$/, "").concat(".json");
}

function earlier(file: string): Report | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}
