/** Writes a report in a format. */

import type { Format } from "./format-names";
import { asHtml } from "./html";
import { asJunit } from "./junit";
import { asMarkdown } from "./markdown";
import type { Report } from "./report";
import { asSarif } from "./sarif";
import { asText } from "./text";

/** @param width the width of the terminal in characters, or undefined for a file */
export function formatted(report: Report, format: Format, width: number | undefined): string {
  switch (format) {
    case "text":
      return asText(report, width === undefined ? {} : { width });
    case "json":
      return JSON.stringify(report, null, 2);
    case "markdown":
      return asMarkdown(report);
    case "junit":
      return asJunit(report);
    case "sarif":
      return asSarif(report);
    case "html":
      return asHtml(report);
  }
}
