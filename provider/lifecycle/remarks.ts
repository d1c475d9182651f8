/** Remarks to the user. Only properties can appear in the plan itself; the host's output appears in Pulumi's diagnostics. */

import { nameOf } from "../livekit/ownership";
import { printable } from "../printable";
import type { Session } from "./session";

/** Prints remarks about a resource, each once. A remark completes a sentence that begins with the resource. */
export function tell(session: Session, kind: string, owner: unknown, remarks: readonly string[]): void {
  for (const remark of remarks) {
    const line = printable(`${kind} "${nameOf(String(owner))}" ${remark}`);
    if (!session.told.has(line)) {
      session.told.add(line);
      session.say(line, kind, String(owner));
    }
  }
}

/** The part of a remark that names the arguments which a takeover changes on LiveKit, and those that are not known yet. */
export function changesThere(changed: readonly string[], unknown: readonly string[]): string {
  const changes = changed.length > 0 ? ` and changes ${changed.join(", ")} there` : "";
  const mayChange =
    unknown.length > 0
      ? `; ${unknown.join(", ")} may change too, but ${unknown.length === 1 ? "is" : "are"} not known yet`
      : "";
  return `${changes}${mayChange}`;
}
