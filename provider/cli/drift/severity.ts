/** How severe a difference is, by the argument that differs or by the words of `platformStatus`. */

import { SEVERITIES, type Severity } from "./report";

/** Arguments that decide who is let in, and with which credential. */
const CREDENTIAL: ReadonlySet<string> = new Set(
  "username password credentialFingerprint method realm allowedAddresses allowedNumbers pin".split(" "),
);

/** Arguments that decide where calls go. */
const ROUTING: ReadonlySet<string> = new Set(
  (
    "type direction extension numbers numberFormat country destinationCountry address port transport mediaEncryption fixedIp fromHost " +
    "trunk trunks rule roomName roomPrefix randomize agents inboundNumbers"
  ).split(" "),
);

/** The sentences of the resources' comparisons, which are no argument's name. */
const SENTENCES: readonly (readonly [RegExp, Severity])[] = [
  [/OPEN TO ANYONE|EVERY TRUNK/, "open"],
  [/was opened outside Pulumi|has since been opened by|LiveKit hides (its|the) password/, "credential"],
  [/\b(is gone|gone from LiveKit|was never created|is closed|can't find)\b/, "routing"],
];

/** @param entry an entry of `platformDrift`: an argument, a path into one, or a sentence */
export function severityOf(entry: string): Severity {
  // No sentence begins with an argument's name.
  const [argument = ""] = /^\w+/.exec(entry) ?? [];
  if (CREDENTIAL.has(argument)) {
    return "credential";
  }
  if (ROUTING.has(argument)) {
    return "routing";
  }
  return SENTENCES.find(([words]) => words.test(entry))?.[1] ?? "other";
}

/** The lower, the more severe. */
export function rankOf(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

export function mostSevere(severities: readonly Severity[]): Severity {
  return SEVERITIES.find((severity) => severities.includes(severity)) ?? "other";
}
