/**
 * YAML with positions. Refuses what a customer's file has no use for: several documents, anchors and aliases, tags, keys that are not
 * text. Errors never quote a value of the file, because it may hold a secret.
 */

import type { CST, Document, ErrorCode, ParsedNode } from "yaml";

type Yaml = typeof import("yaml");

/** Both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a value is in a file: keys and indexes from the top. */
export type Path = readonly (string | number)[];

export interface YamlFile {
  /** The value as JSON has it. */
  readonly value: unknown;
  /** The place of what a path leads to, or of its key, or of the nearest thing around it that exists. */
  positionOf(path: Path, part?: "key" | "value"): Position;
  /** A value as the file writes it. Undefined if it is not a scalar. */
  sourceOf(path: Path): string | undefined;
}

/** What is wrong with the YAML itself. */
export interface YamlProblems {
  readonly problems: readonly (Position & { readonly message: string })[];
}

interface Fault {
  readonly offset: number;
  readonly message: string;
}

/** The deepest nesting. The parser is recursive, and a stack overflow in it can end the process. */
const MAX_DEPTH = 100;

/** The most keys and values. The parser compares each key of a section with all others. */
const MAX_NODES = 20_000;

const TAG = "a tag (!…) has no use in a customer's file: remove it";

/** What the parser's errors mean. */
const MEANINGS: Partial<Record<ErrorCode, string>> = {
  TAB_AS_INDENT: "the line is indented with a tab, which YAML does not allow: use spaces",
  NON_STRING_KEY: "this key is not text: check its spelling",
  MISSING_CHAR: "a bracket, a quotation mark, a colon or a comma is missing here or above: add it",
  BAD_INDENT:
    "the line is not indented far enough, or a bracket above it is not closed: indent the settings of a section alike, and close it",
  BAD_SCALAR_START: "a value that begins with this character needs quotation marks: add them",
  TAG_RESOLVE_FAILED: TAG,
};

const ELSE = "this is not valid YAML: check the indentation, the colons and the quotation marks of the line";

/** Reads YAML. Only programs that read a file load the parser. */
export function parseYaml(text: string): YamlFile | YamlProblems {
  const yaml: Yaml = require("yaml");
  const lines = new yaml.LineCounter();
  const parser = new yaml.Parser(lines.addNewLine);
  const tokens = [...parser.parse(text)];
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const refused = (faults: readonly Fault[]): YamlProblems => {
    const distinct = new Map(faults.map((fault) => [`${fault.offset} ${fault.message}`, fault]));
    const ordered = [...distinct.values()].toSorted((a, b) => a.offset - b.offset);
    return { problems: ordered.map(({ offset, message }) => ({ ...positionAt(offset), message: `${message}.` })) };
  };
  const excess = tooLarge(tokens);
  if (excess) {
    return refused([excess]);
  }
  const composer = new yaml.Composer({ stringKeys: true, version: "1.2", logLevel: "silent" });
  const [document, ...others] = composer.compose(tokens, true, text.length);
  if (!document) {
    return refused([{ offset: 0, message: "the file is empty: write the customer's settings into it" }]);
  }
  const faults = [...faultsOf(document, text), ...others.map(secondDocument), ...unwanted(yaml, document)];
  if (faults.length > 0) {
    return refused(faults);
  }
  const lookUp = (path: Path) => find(yaml, document.contents, path);
  return {
    value: document.toJS(),
    positionOf: (path, part = "value") => {
      const { key, value, exact } = lookUp(path);
      const node = exact && part === "value" ? value : (key ?? value);
      return positionAt(node?.range[0] ?? 0);
    },
    sourceOf: (path) => {
      const { value, exact } = lookUp(path);
      return exact && yaml.isScalar(value) ? value.source : undefined;
    },
  };
}

/** Where a file becomes too deep or too long to be parsed, if it does. */
function tooLarge(tokens: readonly CST.Token[]): Fault | undefined {
  const open: { token: CST.Token; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  let nodes = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, depth } = next;
    nodes++;
    if (depth > MAX_DEPTH) {
      const message = `this is nested more than ${MAX_DEPTH} levels deep: check the brackets and the indentation`;
      return { offset: token.offset, message };
    }
    if (nodes + open.length > MAX_NODES) {
      return {
        offset: 0,
        message: `the file has more than ${MAX_NODES} keys and values, which no customer needs: check its content`,
      };
    }
    if (token.type === "document" && token.value) {
      open.push({ token: token.value, depth: depth + 1 });
    }
    for (const { key, value } of "items" in token ? token.items : []) {
      for (const part of [key, value]) {
        if (part) {
          open.push({ token: part, depth: depth + 1 });
        }
      }
    }
  }
  return undefined;
}

function faultsOf({ errors, warnings }: Document.Parsed, text: string): Fault[] {
  return [...errors, ...warnings].map(({ code, pos: [offset] }) => {
    if (code !== "DUPLICATE_KEY") {
      return { offset, message: MEANINGS[code] ?? ELSE };
    }
    const key = /^["']?([\w.-]+)/.exec(text.slice(offset, offset + 100))?.[1] ?? "this key";
    return { offset, message: `${key}: is there twice: keep one of the two` };
  });
}

function secondDocument({ range, contents }: Document.Parsed): Fault {
  return {
    offset: contents?.range[0] ?? range[0],
    message: "a second document begins here: a file is one customer, so move this to a file of its own",
  };
}

function unwanted(yaml: Yaml, document: Document.Parsed): Fault[] {
  const faults: Fault[] = [];
  yaml.visit(document, {
    Node: (_key, node) => {
      const offset = node.range?.[0] ?? 0;
      if (yaml.isAlias(node)) {
        faults.push({
          offset,
          message: "an alias (*…) has no use in a customer's file: write the value itself",
        });
      } else if (node.anchor !== undefined) {
        faults.push({ offset, message: "an anchor (&…) has no use in a customer's file: remove it" });
      } else if (node.tag !== undefined) {
        faults.push({ offset, message: TAG });
      }
    },
  });
  return faults;
}

interface Found {
  /** The key of the value. An item of a list, which has none, stands for itself. */
  readonly key?: ParsedNode;
  readonly value: ParsedNode | null;
  /** Whether this is what was looked for. */
  readonly exact: boolean;
}

/** What a path leads to, or the nearest thing around it. */
function find(yaml: Yaml, top: ParsedNode | null, path: Path): Found {
  let found: Found = { value: top, exact: true };
  for (const part of path) {
    const { value } = found;
    if (yaml.isMap<ParsedNode, ParsedNode | null>(value)) {
      const pair = value.items.find(({ key }) => yaml.isScalar(key) && String(key.value) === String(part));
      if (!pair) {
        return { ...found, exact: false };
      }
      found = { key: pair.key, value: pair.value, exact: true };
      continue;
    }
    const item = yaml.isSeq<ParsedNode>(value) ? value.items[Number(part)] : undefined;
    if (!item) {
      return { ...found, exact: false };
    }
    found = { key: item, value: item, exact: true };
  }
  return found;
}
