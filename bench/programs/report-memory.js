// Loaded into every process of a measured operation: the host of dynamic providers writes down its peak memory, in kB, a few times
// a second, because the engine ends it without notice.

const { writeFileSync } = require("node:fs");
const { join } = require("node:path");

if (process.argv[1]?.includes("dynamic-provider")) {
  const file = join(process.env.BENCH_MEMORY, String(process.pid));
  setInterval(() => writeFileSync(file, String(process.resourceUsage().maxRSS)), 250).unref();
}
