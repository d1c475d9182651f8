/** `npm run bench`: measures, prints the tables and writes them down. */

import { writeFileSync } from "node:fs";
import { measureListing } from "./account";
import { expectedSeconds, measure, plan } from "./measure";
import { readOptions, USAGE } from "./options";
import { render } from "./report";
import { measureStartUp } from "./start-up";

const SIDE_RUNS = 5;

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
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
    const listings = [];
    for (const platform of options.account > 0 ? options.platforms : []) {
      listings.push(...(await measureListing(platform, options.account, SIDE_RUNS, say)));
    }
    const results = await measure(options, say);
    const command = ["npm run bench --", ...args].join(" ");
    const text = render({ ...results, startUp, listings }, options, command, (Date.now() - start) / 60_000);
    writeFileSync(options.output, text);
    process.stdout.write(`${text}\nWritten to ${options.output}.\n`);
    return 0;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}
