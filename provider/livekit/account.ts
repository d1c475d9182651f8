/**
 * What is on the platform, listed once per kind and shared by everything that one Pulumi operation asks: the engine calls
 * check() and diff() one after the other, so a call per resource would cost every customer its latency.
 */

import type { Connection } from "./connection";
import type { InboundTrunk, OutboundTrunk, Rule } from "./messages";
import { listInbound, listOutbound, listRules } from "./sip-api";

/** How long a listing is trusted, in milliseconds, so that a long-lived process does not plan on old data. */
export const LISTING_TTL_MS = 60_000;

/** One kind of object, by id. */
export class Listing<Item extends { readonly id: string }> {
  private listed?: { readonly at: number; readonly items: Promise<Map<string, Item>> };

  constructor(
    private readonly list: () => Promise<Item[]>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Everything of this kind: from the listing while it is fresh, else listed anew. Callers at the same time share one call. */
  async all(): Promise<readonly Item[]> {
    return [...(await this.items()).values()];
  }

  /** Everything of this kind as it is now, whatever the listing says. */
  async fresh(): Promise<readonly Item[]> {
    this.listed = undefined;
    return this.all();
  }

  /** Takes over the answer to one of our own writes. */
  async put(item: Item): Promise<void> {
    (await this.listed?.items)?.set(item.id, item);
  }

  /** Takes over that an object is gone. */
  async remove(id: string): Promise<void> {
    (await this.listed?.items)?.delete(id);
  }

  private items(): Promise<Map<string, Item>> {
    if (!this.listed || this.now() - this.listed.at > LISTING_TTL_MS) {
      const items = this.list().then((list) => new Map(list.map((item) => [item.id, item])));
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

/** The SIP objects of one LiveKit project. */
export class Account {
  readonly inbound: Listing<InboundTrunk>;
  readonly outbound: Listing<OutboundTrunk>;
  readonly rules: Listing<Rule>;

  constructor(readonly connection: Connection) {
    this.inbound = new Listing(() => listInbound(connection));
    this.outbound = new Listing(() => listOutbound(connection));
    this.rules = new Listing(() => listRules(connection));
  }
}
