/** The formats of `livekit-sip changed`, by name. Apart from the code that writes them, which only the command loads. */

export const CHANGED_FORMATS = ["text", "json", "github", "gitlab"] as const;

export type ChangedFormat = (typeof CHANGED_FORMATS)[number];
