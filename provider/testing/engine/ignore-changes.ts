/** The resource option `ignoreChanges`: the listed paths keep their recorded values, whatever the program says. */

import { isObject, map, type Properties, Secret, type Value } from "./property";

/** The inputs with the old values put back. `missed` lists the paths for which that is not possible. */
export function ignoreChanges(
  news: Properties,
  olds: Properties,
  paths: string[],
): { inputs: Properties; missed: string[] } {
  const inputs = copy(news);
  if (!isObject(inputs)) {
    return { inputs: news, missed: [] };
  }
  const missed = paths.filter((path) => !reset(olds, inputs, parsePath(path)));
  return { inputs, missed };
}

/** The names and indexes in a property path, such as `a.b[0]["c d"]`. */
export function parsePath(path: string): string[] {
  return [...path.matchAll(/\["([^"]*)"\]|\[([^\]]*)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, name]) => quoted ?? index ?? name ?? "",
  );
}

function copy(value: Value): Value {
  return map(value, (leaf) => (leaf instanceof Secret ? new Secret(copy(leaf.element)) : leaf));
}

function open(value: Value | undefined): Value {
  return value instanceof Secret ? open(value.element) : (value ?? null);
}

/** Copies the old value. Returns whether the path exists on both sides. */
function reset(oldParent: Value, newParent: Value, [key, ...rest]: string[]): boolean {
  const [old, next] = [open(oldParent), open(newParent)];
  if (key === undefined) {
    return false;
  }
  if (Array.isArray(old) && Array.isArray(next)) {
    return resetItems(old, next, key, rest);
  }
  if (isObject(old) && isObject(next)) {
    return resetFields(old, next, key, rest);
  }
  return !isContainer(old) && !isContainer(next);
}

function resetFields(old: Properties, next: Properties, key: string, rest: string[]): boolean {
  if (key === "*") {
    const keys = new Set([...Object.keys(old), ...Object.keys(next)]);
    return [...keys].map((each) => resetFields(old, next, each, rest)).every(Boolean);
  }
  const [oldValue, newValue] = [old[key], next[key]];
  if (rest.length > 0) {
    return oldValue === undefined || newValue === undefined ? oldValue === newValue : reset(oldValue, newValue, rest);
  }
  if (oldValue === undefined) {
    delete next[key];
  } else {
    next[key] = oldValue;
  }
  return true;
}

function resetItems(old: Value[], next: Value[], key: string, rest: string[]): boolean {
  if (key === "*") {
    const shared = Math.min(old.length, next.length);
    return Array.from({ length: shared }, (_, i) => resetItems(old, next, String(i), rest)).every(Boolean);
  }
  const index = Number(key);
  const [oldValue, newValue] = [old[index], next[index]];
  if (oldValue === undefined || newValue === undefined) {
    return oldValue === newValue;
  }
  if (rest.length > 0) {
    return reset(oldValue, newValue, rest);
  }
  next[index] = oldValue;
  return true;
}

function isContainer(value: Value): boolean {
  return Array.isArray(value) || isObject(value);
}
