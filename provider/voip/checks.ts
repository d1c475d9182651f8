/** The credential checks of one Pulumi operation: bounded in number at a time, and each credential shown only once. */

import { bulkhead } from "cockatiel";
import { type CheckResult, type CredentialQuery, checkCredential } from "./credential-check";

/** How many VoIP systems are asked at the same time. */
export const CHECKS_AT_ONCE = 32;

/** How long an answer stands, in milliseconds, so that a long-lived process does not go by an old one. */
const ANSWER_TTL_MS = 60_000;

export class CredentialChecks {
  private readonly answers = new Map<string, { readonly at: number; readonly result: Promise<CheckResult> }>();
  private readonly places = bulkhead(CHECKS_AT_ONCE, Number.POSITIVE_INFINITY);

  constructor(private readonly check: (query: CredentialQuery) => Promise<CheckResult> = checkCredential) {}

  /** What the VoIP system says. The same question within a minute is not asked again. */
  ask(query: CredentialQuery): Promise<CheckResult> {
    const key = JSON.stringify(query);
    const known = this.answers.get(key);
    if (known && Date.now() - known.at < ANSWER_TTL_MS) {
      return known.result;
    }
    const result = this.places.execute(() => this.check(query));
    this.answers.set(key, { at: Date.now(), result });
    return result;
  }
}
