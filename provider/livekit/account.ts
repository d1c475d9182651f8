/**
 * Caches what is on the platform: each kind of object is listed once and shared by a whole Pulumi operation. The engine calls
 * check() and diff() one after another, so a request per resource would slow every customer's preview down.
 */

import type { Connection } from "./connection";
import type { InboundTrunk, OutboundTrunk, Rule } from "./messages";
import * as sip from "./sip-api";

/** How long a listing is used, in milliseconds, so that a long-lived process does not plan on old data. */
export const LISTING_TTL_MS = 60_000;

/**
 * The maximum age of a listing for a deletion, in milliseconds. Destroying many customers lists again every few seconds, not once
 * per object.
 */
export const DELETION_TTL_MS = 5_000;

/** How long the response to one of our own writes can replace a read of the object, in milliseconds. */
const OWN_WRITE_TTL_MS = 30_000;

/**
 * Returns the keys by which an object can be looked up, besides its id. Pass the same function each time: each one has an index.
 */
export type KeysOf<Item> = (item: Item) => readonly string[];

/** All objects of one kind, accessible by id and by key. */
export class Listing<Item extends { readonly id: string }> {
  private listed?: { readonly at: number; readonly items: Promise<Items<Item>> };
  private readonly written = new Map<string, number>();

  constructor(
    private readonly list: () => Promise<Item[]>,
    private readonly now: () => number = Date.now,
  ) {}

  /** All objects of this kind, listed again if the listing is too old. Concurrent callers share one request. */
  async all(): Promise<readonly Item[]> {
    return (await this.items()).all();
  }

  /** The object with this id, from the listing. */
  async get(id: string): Promise<Item | undefined> {
    return (await this.items()).get(id);
  }

  /** The objects that have this key, from an index of the listing. */
  async having(keysOf: KeysOf<Item>, key: string): Promise<readonly Item[]> {
    return (await this.items()).having(keysOf, key);
  }

  /** All objects of this kind, listed again unless that happened within the last `maxAgeMs` milliseconds. */
  async fresh(maxAgeMs = 0): Promise<readonly Item[]> {
    if (this.listed && this.now() - this.listed.at >= maxAgeMs) {
      this.listed = undefined;
    }
    return this.all();
  }

  /**
   * Whether the listing has the response to our own recent write of this object, so that a read is unlikely to show anything new.
   */
  wasJustWritten(id: string): boolean {
    return this.now() - (this.written.get(id) ?? Number.NEGATIVE_INFINITY) < OWN_WRITE_TTL_MS;
  }

  /** Puts the response to one of our own writes into the listing. */
  async put(item: Item): Promise<void> {
    this.written.set(item.id, this.now());
    (await this.listed?.items)?.put(item);
  }

  /** Removes a deleted object from the listing. */
  async remove(id: string): Promise<void> {
    (await this.listed?.items)?.remove(id);
  }

  private items(): Promise<Items<Item>> {
    if (!this.listed || this.now() - this.listed.at > LISTING_TTL_MS) {
      const items = this.list().then((list) => new Items(list));
      const listed = { at: this.now(), items };
      this.listed = listed;
      items.catch(() => {
        if (this.listed === listed) {
          this.listed = undefined;
        }
      });
    }
    return this.listed.items;
  }
}

/** The listed objects, with an index for each key function that was used. */
class Items<Item extends { readonly id: string }> {
  private readonly byId: Map<string, Item>;
  private readonly indexes = new Map<KeysOf<Item>, Map<string, Set<string>>>();

  constructor(list: readonly Item[]) {
    this.byId = new Map(list.map((item) => [item.id, item]));
  }

  all(): readonly Item[] {
    return [...this.byId.values()];
  }

  get(id: string): Item | undefined {
    return this.byId.get(id);
  }

  having(keysOf: KeysOf<Item>, key: string): readonly Item[] {
    const ids = [...(this.index(keysOf).get(key) ?? [])];
    return ids.map((id) => this.byId.get(id)).filter((item) => item !== undefined);
  }

  put(item: Item): void {
    this.remove(item.id);
    this.byId.set(item.id, item);
    for (const [keysOf, index] of this.indexes) {
      add(index, keysOf, item);
    }
  }

  remove(id: string): void {
    const item = this.byId.get(id);
    this.byId.delete(id);
    for (const [keysOf, index] of this.indexes) {
      for (const key of item ? keysOf(item) : []) {
        index.get(key)?.delete(id);
      }
    }
  }

  private index(keysOf: KeysOf<Item>): Map<string, Set<string>> {
    let index = this.indexes.get(keysOf);
    if (!index) {
      index = new Map();
      this.indexes.set(keysOf, index);
      for (const item of this.byId.values()) {
        add(index, keysOf, item);
      }
    }
    return index;
  }
}

function add<Item extends { readonly id: string }>(
  index: Map<string, Set<string>>,
  keysOf: KeysOf<Item>,
  item: Item,
): void {
  for (const key of keysOf(item)) {
    const ids = index.get(key) ?? new Set();
    index.set(key, ids.add(item.id));
  }
}

/** The SIP objects of one LiveKit project. */
export class Account {
  readonly inbound: Listing<InboundTrunk>;
  readonly outbound: Listing<OutboundTrunk>;
  readonly rules: Listing<Rule>;

  private readonly turns = new Map<string, Promise<unknown>>();

  /** @param shared an account of the same project whose listings are used */
  constructor(
    readonly connection: Connection,
    shared?: Account,
  ) {
    this.inbound = shared?.inbound ?? new Listing(() => sip.inbound.list(connection));
    this.outbound = shared?.outbound ?? new Listing(() => sip.outbound.list(connection));
    this.rules = shared?.rules ?? new Listing(() => sip.rules.list(connection));
  }

  /**
   * Runs `work` after all earlier work for the same object. In an imported state, resources do not depend on each other, so
   * their deletions run at the same time, and on LiveKit an update that races a deletion can bring the object back.
   */
  async inTurn<Result>(id: string, work: () => Promise<Result>): Promise<Result> {
    const turn = (this.turns.get(id) ?? Promise.resolve()).then(work, work);
    this.turns.set(id, turn);
    return turn;
  }
}
