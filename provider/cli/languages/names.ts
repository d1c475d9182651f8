/** The languages that `livekit-sip import` writes programs for the native provider in. */

export const LANGUAGE_NAMES = ["typescript", "go", "python", "yaml"] as const;

export type LanguageName = (typeof LANGUAGE_NAMES)[number];
