/** What one host process holds: the configuration, the account behind it, and what the program's resources lay claim to. */

import { Account } from "../livekit/account";
import { type ConfigReader, type Connection, readConnection } from "../livekit/connection";
import { nameOf } from "../livekit/ownership";
import { CredentialChecks } from "../voip/checks";

export class Session {
  readonly claims = new Claims();
  readonly checks = new CredentialChecks();
  /** What has been told already: the drift of a resource (diff() runs more than once), what stops all resources alike. */
  readonly told = new Set<string>();
  /** Ids of LiveKit objects that resources of this program are known to be: they are not in each other's way. */
  readonly managed = new Set<string>();
  private cached?: Account;

  constructor(
    private readonly config: ConfigReader,
    private readonly env: NodeJS.ProcessEnv = process.env,
    /** For tests that can't wait: see {@link Connection.pace}. */
    private readonly overrides: Pick<Connection, "pace"> = {},
  ) {}

  /** @throws ConfigurationError when the connection is not configured, or wrongly */
  get account(): Account {
    this.cached ??= new Account({ ...readConnection(this.config, this.env), ...this.overrides });
    return this.cached;
  }
}

/** Something that only one resource of a program may have. */
export interface Claim {
  readonly key: string;
  /** The claim in words, for the sentence that refuses it. */
  readonly words: string;
}

/** Finds two resources of one program that want the same thing, also while nothing of it exists yet. */
export class Claims {
  private readonly byClaimant = new Map<string, readonly Claim[]>();
  private readonly claimants = new Map<string, Set<string>>();

  /** Notes what `owner` claims, in place of what it claimed before. Returns what another resource claims already. */
  make(kind: string, owner: string, claims: readonly Claim[]): string[] {
    const claimant = `${kind} ${owner}`;
    for (const { key } of this.byClaimant.get(claimant) ?? []) {
      this.claimants.get(key)?.delete(claimant);
    }
    this.byClaimant.set(claimant, claims);
    const problems = new Map<string, string>();
    for (const { key, words } of claims) {
      const others = this.claimants.get(key) ?? new Set();
      for (const other of others) {
        const [otherKind = "", otherOwner = ""] = other.split(/ (.*)/s);
        problems.set(other, problems.get(other) ?? `${words} in ${otherKind} "${nameOf(otherOwner)}" too`);
      }
      this.claimants.set(key, others);
    }
    for (const { key } of claims) {
      this.claimants.get(key)?.add(claimant);
    }
    return [...problems.values()];
  }
}
