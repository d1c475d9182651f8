/**
 * What is on the platform, listed once per kind and shared by everything that one Pulumi operation asks: the engine calls
 * check() and diff() one after the other, so a call per resource would cost every customer its latency.
 */

import type { Connection } from "./connection";
import type { InboundTrunk, OutboundTrunk, Rule } from "./messages";
import * as sip from "./sip-api";

/** How long a listing is trusted, in milliseconds, so that a long-lived process does not plan on old data. */
export const LISTING_TTL_MS = 60_000;

/**
 * How old a listing may be for a deletion, in milliseconds: a destroy of many customers lists anew every few seconds, and not
 * once for each object.
 */
export const DELETION_TTL_MS = 5_000;

/** How long the answer to one of our own writes stands for a read of the object, in milliseconds. */
const OWN_WRITE_TTL_MS = 30_000;

/** The keys that a kind of object can be looked up by, beside its id. One function makes one index: pass the same each time. */
export type KeysOf<Item> = (item: Item) => readonly string[];

/** One kind of object, by id and by key. */
export class Listing<Item extends { readonly id: string }> {
  private listed?: { readonly at: number; readonly items: Promise<Items<Item>> };
  private readonly written = new Map<string, number>();

  constructor(
    private readonly list: () => Promise<Item[]>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Everything of this kind: from the listing while it is fresh, else listed anew. Callers at the same time share one call. */
  async all(): Promise<readonly Item[]> {
    return (await this.items()).all();
  }

  /** The object with this id, by the listing. */
  async get(id: string): Promise<Item | undefined> {
    return (await this.items()).get(id);
  }

  /** The objects that have this key, by the listing, without a look at all the others. */
  async having(keysOf: KeysOf<Item>, key: string): Promise<readonly Item[]> {
    return (await this.items()).having(keysOf, key);
  }

  /** Everything of this kind, listed anew unless that was done within the last `maxAgeMs` milliseconds. */
  async fresh(maxAgeMs = 0): Promise<readonly Item[]> {
    if (this.listed && this.now() - this.listed.at >= maxAgeMs) {
      this.listed = undefined;
    }
    return this.all();
  }

  /** Whether the listing holds the answer to one of our own writes of this object, and nothing has had much time to change it. */
  wasJustWritten(id: string): boolean {
    return this.now() - (this.written.get(id) ?? Number.NEGATIVE_INFINITY) < OWN_WRITE_TTL_MS;
  }

  /** Takes over the answer to one of our own writes. */
  async put(item: Item): Promise<void> {
    this.written.set(item.id, this.now());
    (await this.listed?.items)?.put(item);
  }

  /** Takes over that an object is gone. */
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

/** What was listed, with an index for each way in which it has been asked for. */
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

  constructor(readonly connection: Connection) {
    this.inbound = new Listing(() => sip.inbound.list(connection));
    this.outbound = new Listing(() => sip.outbound.list(connection));
    this.rules = new Listing(() => sip.rules.list(connection));
  }
}
