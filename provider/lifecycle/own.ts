/** What belongs to this stack. */

import type { OwnerKey } from "../livekit/trunks";

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

  /** How the objects of a resource are found: by its name, and by the ids that it holds under whichever name its state has it. */
  keyOf(kind: string, owner: string): OwnerKey {
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
