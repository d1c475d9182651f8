/** What one LiveKit project holds, and how lists are paged. */

import { randomInt } from "node:crypto";
import type { Message } from "@bufbuild/protobuf";
import type { Pagination, SIPDispatchRuleInfo, SIPInboundTrunkInfo, SIPOutboundTrunkInfo } from "@livekit/protocol";

const ID_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const ID_LENGTH = 12;
const DEFAULT_PAGE_LIMIT = 1000;

/** A project as tests see it: copies with passwords in plain text, ordered by id. */
export interface ProjectState {
  /** The project's name. API keys with the same name share the project. */
  readonly name: string;
  inboundTrunks(): SIPInboundTrunkInfo[];
  outboundTrunks(): SIPOutboundTrunkInfo[];
  dispatchRules(): SIPDispatchRuleInfo[];
  /** The names of the rooms that calls created and nobody has deleted. */
  roomNames(): string[];
}

/** One project. Messages are copied on the way in and out. */
export class Project implements ProjectState {
  readonly inbound = new Table<SIPInboundTrunkInfo>();
  readonly outbound = new Table<SIPOutboundTrunkInfo>();
  readonly rules = new Table<SIPDispatchRuleInfo>();
  readonly rooms = new Set<string>();

  constructor(readonly name: string) {}

  inboundTrunks(): SIPInboundTrunkInfo[] {
    return this.inbound.list();
  }

  outboundTrunks(): SIPOutboundTrunkInfo[] {
    return this.outbound.list();
  }

  dispatchRules(): SIPDispatchRuleInfo[] {
    return this.rules.list();
  }

  roomNames(): string[] {
    return [...this.rooms].sort();
  }
}

/** Messages of one type by id, in id order. Fields that this version does not know are kept. */
export class Table<Item extends Message<Item>> {
  private readonly items = new Map<string, Item>();

  get(id: string): Item | undefined {
    return this.items.get(id)?.clone();
  }

  put(id: string, item: Item): void {
    this.items.set(id, item.clone());
  }

  /** Removes the item. Returns whether it was there. */
  delete(id: string): boolean {
    return this.items.delete(id);
  }

  /** Copies of the items that `matches` accepts, paged as in {@link Table.find}. */
  list(page?: Pagination, matches?: (item: Item) => boolean): Item[] {
    return this.find(page, matches).map((item) => item.clone());
  }

  /**
   * The items that `matches` accepts; do not change them. With a page, this follows the real server: it fetches pages
   * of `limit` (or 1000) items from `afterId` on, filters each, and stops at the first page without a match. So the
   * answer can hold more than `limit` items, and ends early when a whole page is filtered out (livekit/protocol,
   * livekit/types.go: listPageIter).
   */
  find(page?: Pagination, matches: (item: Item) => boolean = () => true): readonly Item[] {
    const ids = [...this.items.keys()].sort();
    if (!page) {
      return this.load(ids, matches).map(([, item]) => item);
    }
    const limit = page.limit > 0 ? page.limit : DEFAULT_PAGE_LIMIT;
    const found: Item[] = [];
    let start = 0;
    for (let after = page.afterId; ; ) {
      start = ids.findIndex((id, index) => index >= start && id > after);
      const batch = start < 0 ? [] : this.load(ids.slice(start, start + limit), matches);
      const last = batch.at(-1);
      if (!last) {
        return found;
      }
      found.push(...batch.map(([, item]) => item));
      [after] = last;
    }
  }

  private load(ids: readonly string[], matches: (item: Item) => boolean): [id: string, item: Item][] {
    const loaded: [string, Item][] = [];
    for (const id of ids) {
      const item = this.items.get(id);
      if (item && matches(item)) {
        loaded.push([id, item]);
      }
    }
    return loaded;
  }
}

/** A new id in LiveKit's form: a prefix and twelve characters. SCL_ stands for a SIP call, PA_ for a participant. */
export function newId(prefix: "ST_" | "SDR_" | "SCL_" | "PA_"): string {
  return prefix + randomName();
}

/** Twelve random characters, like the names that LiveKit generates. */
export function randomName(): string {
  return Array.from({ length: ID_LENGTH }, () => ID_ALPHABET[randomInt(ID_ALPHABET.length)]).join("");
}
