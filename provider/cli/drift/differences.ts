/** Turns what a comparison found into the findings of a report. Pure. */

import { IN_SYNC } from "../../lifecycle/resource";
import type { Props } from "../../lifecycle/values";
import { printable } from "../../printable";
import { ACCEPTS } from "../../voip/status";
import { planLines } from "./plan-lines";
import type { Finding } from "./report";
import { containsEncrypted } from "./revealed";
import { mostSevere, severityOf } from "./severity";
import type { SipResource } from "./sip-stack";

/** A finding, before it is known since when it has been there. */
export type Difference = Omit<Finding, "firstSeen" | "isNew">;

/** What a refresh returns of a resource: undefined if it is gone. */
export type Refreshed = { readonly inputs: Props; readonly outputs: Props } | undefined;

const GONE = "gone from LiveKit";

/**
 * The difference between LiveKit and what was applied, or none.
 *
 * @param applied the state, completed as far as possible without decrypting it
 */
export function platformDifference(resource: SipResource, applied: Props, found: Refreshed): Difference[] {
  const now = found ? String(found.outputs.platformStatus ?? IN_SYNC) : GONE;
  const drift = found ? (found.outputs.platformDrift ?? []) : [GONE];
  // A refresh that was saved has left in the state what it found. What it compared with is encrypted.
  const before = String(applied.platformStatus ?? IN_SYNC);
  const saved = before === IN_SYNC ? [] : (applied.platformDrift ?? [before]);
  const fields = [...new Set([...entriesOf(saved), ...entriesOf(drift)])];
  if (fields.length === 0) {
    return [];
  }
  // What a refresh has found already may still be so.
  const isMore = entriesOf(drift).some((entry) => !entriesOf(saved).includes(entry));
  const words = [
    ...(before === IN_SYNC ? [] : [`${before}, when the stack was last refreshed`]),
    ...(isMore ? [now] : []),
  ];
  const { credentialFingerprint: old } = applied;
  const { credentialFingerprint: other } = found?.inputs ?? {};
  // A saved refresh has put what it found in the place of what was applied.
  const isKnown = before === IN_SYNC;
  const isOther = isKnown && typeof old === "string" && typeof other === "string" && old !== other;
  return [
    {
      ...named(resource),
      severity: mostSevere(fields.map(severityOf)),
      side: "platform",
      fields,
      problem: printable(words.join("; since then: ")),
      plan:
        found && isKnown
          ? planLines(resource.kind, withoutSecrets(found.inputs, resource), { ...applied, platformStatus: IN_SYNC })
          : [],
      ...(isOther && { fingerprint: { applied: old, found: other } }),
    },
  ];
}

/** What LiveKit has in place of an argument that is secret, or has a secret in it, may be that secret. */
function withoutSecrets(found: Props, { state }: SipResource): Props {
  return Object.fromEntries(Object.entries(found).filter(([argument]) => !containsEncrypted(state[argument])));
}

/**
 * The difference that a phone system rejects the credential.
 *
 * @param isOld whether it was not asked in this run, and the status is from the state
 */
export function rejection(resource: SipResource, status: string, isOld: boolean): Difference {
  return {
    ...named(resource),
    severity: "rejected",
    side: "phone-system",
    fields: ["voipStatus"],
    problem: isOld ? `${status}, when it was last asked` : status,
    plan: planLines(resource.kind, { voipStatus: status }, { voipStatus: ACCEPTS }),
  };
}

/** How a report names a resource. */
export function named({ name, kind, urn }: SipResource) {
  return { resource: printable(name, NAME_LIMIT), type: kind, urn: printableUrn(urn) };
}

/** A URN with its parts made printable, and its separators kept. */
function printableUrn(urn: string): string {
  const [stack = "", project = "", type = "", ...name] = urn.split("::");
  return [stack, project, type, name.join("::")].map((part) => printable(part, NAME_LIMIT)).join("::");
}

/** The most characters of a name. */
export const NAME_LIMIT = 300;

function entriesOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map((it) => printable(String(it), NAME_LIMIT));
}
