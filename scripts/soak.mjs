// Runs the stateful property test of tests/model.test.ts for longer than CI can.
//   npm run soak [-- --runs 20000] [--seed <the seed of an earlier run>]
// Prints its seed first. Exits with 0 if everything held, otherwise with 1, after fast-check has printed the shortest
// failing run.

import { spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function count(text, option) {
  if (/^\d+$/.test(text)) {
    return text;
  }
  process.stderr.write(`--${option} must be a whole number, for example --${option} 2000.\n`);
  process.exit(1);
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "20000" },
    seed: { type: "string", default: String(randomInt(2 ** 31)) },
  },
});
const runs = count(values.runs, "runs");
const seed = count(values.seed, "seed");
process.stdout.write(`${runs} runs, seed ${seed}\n`);

const jest = createRequire(import.meta.url).resolve("jest/bin/jest");
const { status } = spawnSync(process.execPath, [jest, "tests/model.test.ts", "--runInBand"], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, MODEL_RUNS: runs, MODEL_SEED: seed },
});
process.exit(status === 0 ? 0 : 1);
