/** Text inside properties: JSON and YAML in strings, and differences of multi-line strings. */

import { isObject, type Value } from "./property";
import { decode } from "./wire";

/** The object or list in a string, and its format. */
export interface DecodedText {
  kind: "json" | "yaml";
  value: Value;
}

/** Finds the object or list that a string holds, if any. */
export type DecodeText = (text: string) => DecodedText | undefined;

/** Decodes JSON and, in multi-line strings, YAML. */
export function textDecoder(parseYaml: (text: string) => unknown[]): DecodeText {
  return (text) => {
    const trimmed = text.trim();
    const json = structured(() => JSON.parse(trimmed));
    if (json !== undefined) {
      return { kind: "json", value: json };
    }
    const yaml = /[\r\n]/.test(trimmed) ? structured(() => onlyDocument(parseYaml(trimmed))) : undefined;
    return yaml === undefined ? undefined : { kind: "yaml", value: yaml };
  };
}

/** The line-by-line difference of two texts, with some unchanged lines around each change. */
export function lineDiff(old: string, next: string): ["same" | "delete" | "create", string][] {
  const [olds, news] = [old.split("\n"), next.split("\n")];
  const start = olds.findIndex((line, i) => line !== news[i]);
  const head = start < 0 ? Math.min(olds.length, news.length) : start;
  let tail = 0;
  while (tail < Math.min(olds.length, news.length) - head && olds.at(-1 - tail) === news.at(-1 - tail)) {
    tail++;
  }
  const kept = (lines: string[]) => lines.filter((line) => line.trim() !== "");
  const before = kept(olds.slice(0, head));
  const after = tail > 0 ? kept(olds.slice(-tail)) : [];
  return [
    ...same(before.length > 3 ? ["...", ...before.slice(-2)] : before),
    ...kept(olds.slice(head, olds.length - tail)).map((line): ["delete", string] => ["delete", line]),
    ...kept(news.slice(head, news.length - tail)).map((line): ["create", string] => ["create", line]),
    ...same(after.length > 3 ? [...after.slice(0, 2), "..."] : after),
  ];
}

function same(lines: string[]): ["same", string][] {
  return lines.map((line) => ["same", line]);
}

function onlyDocument(documents: unknown[]): unknown {
  return documents.length === 1 ? documents[0] : undefined;
}

function structured(parse: () => unknown): Value | undefined {
  try {
    const parsed = decode(parse());
    return Array.isArray(parsed) || isObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
