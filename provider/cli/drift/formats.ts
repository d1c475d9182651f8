/** Writes a report in a format. */

import type { Format } from "./format-names";
import type { Report } from "./report";

/** @param width the width of the terminal, in characters */
export function formatted(report: Report, format: Format, width: number): string {
  switch (format) {
    case "text":
      return `${JSON.stringify(report.counts)} ${width}`;
    default:
      return JSON.stringify(report, null, 2);
  }
}
