/** Keeps track of the objects that belong to this stack. */

import type { OwnerKey } from "../livekit/trunks";

/**
 * The ids that this stack owns: those in its state and those that this process created. Ids are needed because names prove
 * nothing: two state backends can each have a stack of the same name.
 */
export class Own {
  /** The holders of each id, as kind and owner, most recent last. */
  private readonly holdersById = new Map<string, Set<string>>();
  private readonly idsByHolder = new Map<string, Set<string>>();
  private readonly formerOwners = new Map<string, string>();
  private readonly newOwners = new Map<string, string>();
  private readonly declaredOwners = new Set<string>();
  private readonly takenOver = new Set<string>();
  private readonly takenOverByHolder = new Map<string, readonly string[]>();

  /** Records Pulumi or LiveKit ids that a resource has in its state. */
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

  /** The key to a resource's objects: its current, former and new name, and all ids that it has, or takes over, under them. */
  keyOf(kind: string, owner: string): OwnerKey {
    const names = [owner, this.formerOwner(kind, owner), this.newOwner(kind, owner)];
    const owners = [...new Set(names.filter((name) => name !== undefined))];
    const holders = owners.map((name) => `${kind} ${name}`);
    const ids = holders.flatMap((it) => [
      ...(this.idsByHolder.get(it) ?? []),
      ...(this.takenOverByHolder.get(it) ?? []),
    ]);
    return { owners, ids: new Set(ids) };
  }

  /** Records LiveKit ids that a resource takes over in this plan. `pulumi up` then makes them this stack's own. */
  takeOver(kind: string, owner: string, ids: readonly string[]): void {
    this.takenOverByHolder.set(`${kind} ${owner}`, ids);
    for (const id of ids) {
      this.takenOver.add(id);
    }
  }

  /** Whether this stack owns an id, or will once the plan has been applied. */
  willHave(id: string): boolean {
    return this.has(id) || this.takenOver.has(id);
  }

  /** The owner of the resource of this kind that has an id in its state. */
  ownerOf(kind: string, id: string): string | undefined {
    return this.ownersOf(kind, id).at(-1);
  }

  /** Whether another declared resource has the same id, because it took over this resource's objects. */
  isHeldByAnother(kind: string, owner: string, id: string): boolean {
    const same = [owner, this.newOwner(kind, owner)];
    return this.ownersOf(kind, id).some((it) => !same.includes(it) && this.isDeclared(kind, it));
  }

  /** Records that the program declares a resource, and the name that its state has for it. */
  declare(kind: string, owner: string, former: unknown): void {
    this.declaredOwners.add(`${kind} ${owner}`);
    if (typeof former === "string" && former !== owner) {
      this.declaredOwners.add(`${kind} ${former}`);
      this.formerOwners.set(`${kind} ${owner}`, former);
      this.newOwners.set(`${kind} ${former}`, owner);
    }
  }

  /** Whether the program has declared this resource so far. Declarations arrive one after another. */
  isDeclared(kind: string, owner: string): boolean {
    return this.declaredOwners.has(`${kind} ${owner}`);
  }

  /** The name in the state of a resource that the program has renamed or moved. */
  formerOwner(kind: string, owner: string): string | undefined {
    return this.formerOwners.get(`${kind} ${owner}`);
  }

  /** The new name of a resource that the program has renamed or moved. */
  private newOwner(kind: string, former: string): string | undefined {
    return this.newOwners.get(`${kind} ${former}`);
  }

  private ownersOf(kind: string, id: string): string[] {
    const prefix = `${kind} `;
    const holders = [...(this.holdersById.get(id) ?? [])];
    return holders.filter((it) => it.startsWith(prefix)).map((it) => it.slice(prefix.length));
  }
}
