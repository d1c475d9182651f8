"use strict";
// Loaded into every Node process of an operation by NODE_OPTIONS (host-watch.ts); acts in Pulumi's host of dynamic providers alone.
// Says which process it is and how much memory it took at most, and can set its clock wrong.

const { writeFileSync } = require("node:fs");
const { join } = require("node:path");

const { HOST_WATCH_FOLDER: folder, HOST_WATCH_CLOCK_MS: ahead } = process.env;

if (folder && (process.argv[1] ?? "").includes("dynamic-provider")) {
  const note = () => writeFileSync(join(folder, String(process.pid)), String(process.resourceUsage().maxRSS));
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
