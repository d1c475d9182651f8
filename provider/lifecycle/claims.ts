/** Things that only one resource of a program may have, such as a phone number. */

import { nameOf } from "../livekit/ownership";

/** Something that only one resource of a program may have. */
export interface Claim {
  readonly key: string;
  /** The claim in words: the beginning of the error message. */
  readonly words: string;
}

/** The claim to an object on LiveKit that is adopted, by its id. */
export function adoptionClaim(id: string | undefined): Claim[] {
  return id === undefined ? [] : [{ key: `adopt ${id}`, words: `adopt names ${id}` }];
}

/** Finds two resources of one program that want the same thing, even before either exists. */
export class Claims {
  private readonly byClaimant = new Map<string, readonly Claim[]>();
  private readonly claimants = new Map<string, Set<string>>();

  /** Drops the claims of a resource. */
  release(kind: string, owner: string): void {
    const claimant = `${kind} ${owner}`;
    for (const { key } of this.byClaimant.get(claimant) ?? []) {
      this.claimants.get(key)?.delete(claimant);
    }
    this.byClaimant.delete(claimant);
  }

  /** Replaces the claims of a resource. Returns one problem for each other resource that already has one of them. */
  make(kind: string, owner: string, claims: readonly Claim[]): string[] {
    const claimant = `${kind} ${owner}`;
    this.release(kind, owner);
    this.byClaimant.set(claimant, claims);
    const problems = new Map<string, string>();
    for (const { key, words } of claims) {
      const others = this.claimants.get(key) ?? new Set();
      for (const other of others) {
        const [otherKind = "", otherOwner = ""] = other.split(/ (.*)/s);
        problems.set(
          other,
          problems.get(other) ?? `${words}, but ${otherKind} "${nameOf(otherOwner)}" uses it too: change one of them.`,
        );
      }
      this.claimants.set(key, others);
    }
    for (const { key } of claims) {
      this.claimants.get(key)?.add(claimant);
    }
    return [...problems.values()];
  }
}
