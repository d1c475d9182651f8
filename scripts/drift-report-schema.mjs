// Makes drift-report.schema.json, the JSON Schema of what `livekit-sip drift --format json` prints, from the report's zod schema.

import { createRequire } from "node:module";
import { z } from "zod";

/** The text of the file. */
export function driftReportSchema() {
  const { reportSchema } = createRequire(import.meta.url)("../dist/cli/drift/report.js");
  const { $schema, ...json } = z.toJSONSchema(reportSchema, { target: "draft-7", io: "output", reused: "ref" });
  const title = "The report of livekit-sip drift";
  return `${JSON.stringify({ $schema, title, ...open(json) }, undefined, 2)}\n`;
}

/** A later version of the package may add fields, which is no new version of the report. */
function open(part) {
  if (Array.isArray(part)) {
    return part.map(open);
  }
  if (typeof part !== "object" || part === null) {
    return part;
  }
  const { additionalProperties: _, ...rest } = part;
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, open(value)]));
}
