"use strict";
// Loaded into every Node process of an operation through NODE_OPTIONS (host-watch.ts), but only acts in the
// provider's. It records the process id and the peak memory, and can set a wrong clock.

const { appendFileSync } = require("node:fs");
const { join } = require("node:path");

const { HOST_WATCH_FOLDER: folder, HOST_WATCH_CLOCK_MS: ahead } = process.env;

if (folder && /dynamic-provider|run-plugin/.test(process.argv[1] ?? "")) {
  // Appends, because a host that is killed between truncating and writing the file would leave it empty.
  const note = () => appendFileSync(join(folder, String(process.pid)), `${process.resourceUsage().maxRSS}\n`);
  note();
  setInterval(note, 50).unref();
  if (ahead) {
    const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...args) {
        super(...(args.length > 0 ? args : [RealDate.now() + Number(ahead)]));
      }

      static now() {
        return RealDate.now() + Number(ahead);
      }
    };
  }
}
