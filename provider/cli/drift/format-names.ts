/** The formats of a report, by name. Apart from the code that writes them, which only a check loads. */

export const FORMATS = ["text", "json", "markdown", "junit", "sarif", "html"] as const;

export type Format = (typeof FORMATS)[number];
