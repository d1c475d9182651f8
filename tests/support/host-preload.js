"use strict";
// Loaded into every Node process of an operation by NODE_OPTIONS (host-watch.ts); acts in Pulumi's host of dynamic providers alone.
// Says which process it is and how much memory it took at most, and can set its clock wrong.

const { appendFileSync } = require("node:fs");
const { join } = require("node:path");

const { HOST_WATCH_FOLDER: folder, HOST_WATCH_CLOCK_MS: ahead } = process.env;

if (folder && (process.argv[1] ?? "").includes("dynamic-provider")) {
  // Appended, because a host that is killed between emptying the file and writing it would have said nothing.
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
