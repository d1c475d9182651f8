/** What one host process holds: the configuration, the account behind it, and what the program's resources lay claim to. */

import { Account } from "../livekit/account";
import { type ConfigReader, type Connection, readConnection } from "../livekit/connection";
import { nameOf } from "../livekit/ownership";
import type { OwnerKey } from "../livekit/trunks";
import { CredentialChecks } from "../voip/checks";

export class Session {
  readonly claims = new Claims();
  readonly checks = new CredentialChecks();
  /** What has been told already: the drift of a resource (diff() runs more than once), what stops all resources alike. */
  readonly told = new Set<string>();
  readonly own = new Own();
  /** The numbers that each SipTrunk of the program is called by, by its owner: known before the trunk exists. */
  readonly calledNumbers = new Map<string, readonly string[]>();
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

/**
 * What this stack is known to own, so that it can be told from what another stack of the same name made: the ids that its state
 * holds and those that this process made. Names alone prove nothing: two state backends can hold stacks of one name.
 */
export class Own {
  /** Who holds an id, as kind and owner; who was recorded last comes last. */
  private readonly holdersById = new Map<string, Set<string>>();
  private readonly idsByHolder = new Map<string, Set<string>>();
  private readonly formerOwners = new Map<string, string>();
  private readonly newOwners = new Map<string, string>();
  private readonly declaredOwners = new Set<string>();
  private readonly takenOver = new Set<string>();

  /** Records ids of Pulumi or LiveKit that a resource's state holds. */
  add(kind: string, owner: string, ...ids: readonly unknown[]): void {
    const holder = `${kind} ${owner}`;
    for (const id of ids) {
      if (typeof id === "string") {
        const holders = this.holdersById.get(id) ?? new Set();
        holders.delete(holder);
        this.holdersById.set(id, holders.add(holder));
        this.idsByHolder.set(holder, (this.idsByHolder.get(holder) ?? new Set()).add(id));
      }
    }
  }

  has(id: string | undefined): boolean {
    return id !== undefined && this.holdersById.has(id);
  }

  /** How a SipTrunk's trunks are found: by its name, and by the ids that it holds under whichever name its state has it. */
  keyOf(owner: string): OwnerKey {
    const kind = "SipTrunk";
    const names = [owner, this.formerOwner(kind, owner), this.newOwner(kind, owner)];
    return { owner, ids: new Set(names.flatMap((name) => [...(this.idsByHolder.get(`${kind} ${name}`) ?? [])])) };
  }

  /** Records ids on LiveKit that the plan takes over: they become this stack's own with `pulumi up`. */
  takeOver(ids: readonly string[]): void {
    for (const id of ids) {
      this.takenOver.add(id);
    }
  }

  /** Whether an id is this stack's own already, or will be when the plan is carried out. */
  willHave(id: string): boolean {
    return this.has(id) || this.takenOver.has(id);
  }

  /** The owner of an id among the resources of a kind, by their states. */
  ownerOf(kind: string, id: string): string | undefined {
    return this.ownersOf(kind, id).at(-1);
  }

  /** Whether another resource that the program declares holds the same id: it has taken over what this one had. */
  isHeldByAnother(kind: string, owner: string, id: string): boolean {
    const same = [owner, this.newOwner(kind, owner)];
    return this.ownersOf(kind, id).some((it) => !same.includes(it) && this.isDeclared(kind, it));
  }

  /** Records that the program declares a resource, and under which name its state has it. */
  declare(kind: string, owner: string, former: unknown): void {
    this.declaredOwners.add(`${kind} ${owner}`);
    if (typeof former === "string" && former !== owner) {
      this.declaredOwners.add(`${kind} ${former}`);
      this.formerOwners.set(`${kind} ${owner}`, former);
      this.newOwners.set(`${kind} ${former}`, owner);
    }
  }

  /** Whether the program has declared this resource so far. Declarations come one after the other. */
  isDeclared(kind: string, owner: string): boolean {
    return this.declaredOwners.has(`${kind} ${owner}`);
  }

  /** The name that the state has for a resource which the program has renamed or moved. */
  formerOwner(kind: string, owner: string): string | undefined {
    return this.formerOwners.get(`${kind} ${owner}`);
  }

  /** The name that the program has given to a resource which the state knows by another one. */
  newOwner(kind: string, former: string): string | undefined {
    return this.newOwners.get(`${kind} ${former}`);
  }

  private ownersOf(kind: string, id: string): string[] {
    const prefix = `${kind} `;
    const holders = [...(this.holdersById.get(id) ?? [])];
    return holders.filter((it) => it.startsWith(prefix)).map((it) => it.slice(prefix.length));
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

  /** Takes back what a resource claims. */
  release(kind: string, owner: string): void {
    const claimant = `${kind} ${owner}`;
    for (const { key } of this.byClaimant.get(claimant) ?? []) {
      this.claimants.get(key)?.delete(claimant);
    }
    this.byClaimant.delete(claimant);
  }

  /** Notes what `owner` claims, in place of what it claimed before. Returns what another resource claims already. */
  make(kind: string, owner: string, claims: readonly Claim[]): string[] {
    const claimant = `${kind} ${owner}`;
    this.release(kind, owner);
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
