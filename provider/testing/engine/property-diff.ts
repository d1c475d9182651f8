/** How two sets of properties differ. */

import { equal, isInternal, isObject, type Properties, type Value } from "./property";

/** How two objects differ, by key. */
export interface ObjectDiff {
  adds: Map<string, Value>;
  deletes: Map<string, Value>;
  sames: Map<string, Value>;
  updates: Map<string, ValueDiff>;
}

/** How two values differ. `array` and `object` hold the differences per item. */
export interface ValueDiff {
  old: Value;
  new: Value;
  array?: ObjectDiff;
  object?: ObjectDiff;
}

/** How `olds` became `news`; undefined when they are equal. Properties that are internal to Pulumi are left out. */
export function diffProperties(olds: Properties, news: Properties): ObjectDiff | undefined {
  const diff: ObjectDiff = { adds: new Map(), deletes: new Map(), sames: new Map(), updates: new Map() };
  for (const key of new Set([...Object.keys(olds), ...Object.keys(news)])) {
    if (!isInternal(key)) {
      place(diff, key, olds[key], news[key]);
    }
  }
  return hasChanges(diff) ? diff : undefined;
}

/** The keys of a difference, in the order in which they are shown. */
export function keysOf(diff: ObjectDiff): string[] {
  const keys = [...diff.adds.keys(), ...diff.deletes.keys(), ...diff.sames.keys(), ...diff.updates.keys()];
  return [...new Set(keys)].sort();
}

/** The same difference without equal values, at every depth. */
export function changesOnly(diff: ObjectDiff): ObjectDiff {
  const updates = [...diff.updates].map(([key, update]): [string, ValueDiff] => [
    key,
    {
      ...update,
      ...(update.array && { array: changesOnly(update.array) }),
      ...(update.object && { object: changesOnly(update.object) }),
    },
  ]);
  return { ...diff, sames: new Map(), updates: new Map(updates) };
}

function hasChanges(diff: ObjectDiff): boolean {
  return diff.adds.size + diff.deletes.size + diff.updates.size > 0;
}

function place(diff: ObjectDiff, key: string, old: Value | undefined, next: Value | undefined): void {
  const change = diffValues(old ?? null, next ?? null);
  if (!change) {
    if (old !== undefined && next !== undefined) {
      diff.sames.set(key, old);
    }
  } else if (change.old === null) {
    diff.adds.set(key, change.new);
  } else if (change.new === null) {
    diff.deletes.set(key, change.old);
  } else {
    diff.updates.set(key, change);
  }
}

function diffValues(old: Value, next: Value): ValueDiff | undefined {
  if (Array.isArray(old) && Array.isArray(next)) {
    const array = diffArrays(old, next);
    return array && { old, new: next, array };
  }
  if (isObject(old) && isObject(next)) {
    const object = diffProperties(old, next);
    return object && { old, new: next, object };
  }
  return equal(old, next) ? undefined : { old, new: next };
}

function diffArrays(olds: Value[], news: Value[]): ObjectDiff | undefined {
  const diff: ObjectDiff = { adds: new Map(), deletes: new Map(), sames: new Map(), updates: new Map() };
  for (let i = 0; i < Math.max(olds.length, news.length); i++) {
    const [old, next] = [olds[i], news[i]];
    if (old === undefined) {
      diff.adds.set(String(i), next ?? null);
    } else if (next === undefined) {
      diff.deletes.set(String(i), old);
    } else {
      const change = diffValues(old, next);
      if (change) {
        diff.updates.set(String(i), change);
      } else {
        diff.sames.set(String(i), old);
      }
    }
  }
  return hasChanges(diff) ? diff : undefined;
}
