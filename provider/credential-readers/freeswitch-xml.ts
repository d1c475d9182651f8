/**
 * Parses XML as FreeSWITCH does (switch_xml.c), which is not quite XML: an attribute's value may contain anything but its quotation
 * mark, and an unknown entity stays as it is. Pure. The time grows with the length alone, and elements may nest as deep as they like.
 */

import type { Fail } from "./errors";
import type { Preprocessed } from "./freeswitch-preprocessor";

export interface Element {
  readonly name: string;
  /** If an attribute occurs twice, the first one counts. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: Element[];
  /** Where its tag starts. */
  readonly position: number;
}

/** The elements that a directory is made of. Others, and what is inside them, are only checked for being closed. */
const OF_DIRECTORY: ReadonlySet<string> = new Set([
  "document",
  "include",
  "section",
  "domain",
  "groups",
  "group",
  "users",
  "user",
  "params",
  "param",
]);

/** The most elements and attributes that a configuration may have: enough for many thousand users with all that belongs to them. */
const MAX_PARTS = 4_000_000;

/**
 * The elements of a directory, without its text. It may have several roots, because a part of a directory has.
 *
 * @throws CredentialReadError naming file and line and what was expected there; never quotes the file
 */
export function parseXml(source: Preprocessed, fail: Fail): Element[] {
  return new Parser(source, fail).parse();
}

/** The children and attributes of all elements that are not kept. */
const OTHER: Element[] = [];
const NONE: ReadonlyMap<string, string> = new Map();

const NAME_END = /[\t\r\n />]/g;
const ATTRIBUTE_END = /[\t\r\n =/>]/g;
const BEFORE_VALUE = /[\t\r\n =]*/y;
const BLANKS = /[\t\n\v\f\r ]*/y;

class Parser {
  private readonly text: string;
  private readonly roots: Element[] = [];
  private readonly open: Element[] = [];
  private count = 0;
  private at = 0;

  constructor(
    private readonly source: Preprocessed,
    private readonly fail: Fail,
  ) {
    this.text = source.text;
  }

  parse(): Element[] {
    for (;;) {
      const start = this.text.indexOf("<", this.at);
      if (start < 0) {
        break;
      }
      this.at = start + 1;
      if (this.text.startsWith("!--", this.at)) {
        this.skipPast("-->", this.at + 3, start, "--> at the end of the comment");
      } else if (this.text.startsWith("![CDATA[", this.at)) {
        this.skipPast("]]>", this.at, start, "]]> at the end of the CDATA");
      } else if (this.text.startsWith("/", this.at)) {
        this.closeTag(start);
      } else {
        this.openTag(start);
      }
    }
    const unclosed = this.open.at(-1);
    if (unclosed) {
      throw this.malformed(unclosed.position, `</${nameOf(unclosed)}>`);
    }
    return this.roots;
  }

  private skipPast(end: string, from: number, start: number, expected: string): void {
    const found = this.text.indexOf(end, from);
    if (found < 0) {
      throw this.malformed(start, expected);
    }
    this.at = found + end.length;
  }

  private closeTag(start: number): void {
    const end = this.text.indexOf(">", start);
    const element = this.open.pop();
    if (end < 0 || !element || element.name !== this.text.slice(start + 2, end).replace(/[\t\r\n ].*$/s, "")) {
      const expected = element ? `</${nameOf(element)}>` : "an element";
      if (element) {
        this.open.push(element);
      }
      throw this.malformed(start, expected);
    }
    this.at = end + 1;
  }

  private openTag(start: number): void {
    if (!/[A-Za-z_:\u0080-\uFFFF]/.test(this.text[this.at] ?? "")) {
      // FreeSWITCH also reads document types, whose entities can grow without bounds.
      throw this.malformed(start, "an element or a comment, or &lt; for a < in a text");
    }
    this.spend(start);
    const name = this.until(NAME_END);
    const siblings = this.open.length === 0 ? this.roots : this.open.at(-1)?.children;
    const isKept = siblings !== OTHER && OF_DIRECTORY.has(name);
    const attributes = isKept ? new Map<string, string>() : undefined;
    const element: Element = {
      name,
      attributes: attributes ?? NONE,
      children: isKept ? [] : OTHER,
      position: start,
    };
    this.skip(BLANKS);
    for (;;) {
      const next = this.text[this.at];
      if (next === ">" || next === "/" || next === undefined) {
        break;
      }
      this.attribute(attributes, start);
      this.skip(BLANKS);
    }
    const isEmpty = this.text[this.at] === "/";
    this.at += isEmpty ? 1 : 0;
    if (this.text[this.at] !== ">") {
      throw this.malformed(start, "> at the end of the tag");
    }
    this.at++;
    if (isKept) {
      siblings?.push(element);
    }
    if (!isEmpty) {
      this.open.push(element);
    }
  }

  /** `name="value"`, `name='value'` or a name alone. */
  private attribute(attributes: Map<string, string> | undefined, tag: number): void {
    this.spend(tag);
    const name = this.until(ATTRIBUTE_END);
    let value = "";
    if (/[\t\r\n =]/.test(this.text[this.at] ?? "")) {
      this.skip(BEFORE_VALUE);
      const quote = this.text[this.at];
      if (quote === '"' || quote === "'") {
        const end = this.text.indexOf(quote, this.at + 1);
        if (end < 0) {
          throw this.malformed(tag, `a ${quote} at the end of an attribute's value`);
        }
        value = attributes ? decoded(this.text.slice(this.at + 1, end)) : "";
        this.at = end + 1;
      }
    }
    if (attributes?.has(name) === false) {
      attributes.set(name, value);
    }
  }

  private spend(position: number): void {
    if (++this.count > MAX_PARTS) {
      throw this.fail(
        `${this.source.placeOf(position)}: the configuration has more than ${MAX_PARTS} elements and attributes: set \`file\` to the root of the directory alone`,
      );
    }
  }

  /** The text up to a character that matches, or to the end. */
  private until(end: RegExp): string {
    end.lastIndex = this.at;
    const start = this.at;
    this.at = end.exec(this.text)?.index ?? this.text.length;
    return this.text.slice(start, this.at);
  }

  private skip(what: RegExp): void {
    what.lastIndex = this.at;
    this.at += what.exec(this.text)?.[0].length ?? 0;
  }

  private malformed(position: number, expected: string): Error {
    const element = this.open.at(-1);
    const place = element ? `inside <${nameOf(element)}>` : "outside of its elements";
    return this.fail(
      `the configuration is not well-formed XML ${place}: check ${this.source.placeOf(position)}, where FreeSWITCH expects ${expected}`,
    );
  }
}

/** An element's name for a message. Broken XML can turn a secret into a name. */
function nameOf({ name }: Element): string {
  return OF_DIRECTORY.has(name) ? name : "…";
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/** An attribute's value: line ends and tabs become blanks, and references are replaced. */
function decoded(value: string): string {
  return value
    .replace(/\r\n?/g, "\n")
    .replace(/&(?:(lt|gt|quot|apos|amp)|#(?:x([\da-f]+)|(\d+)));|[\t\n\v\f]/gi, (all, entity, hex, decimal) => {
      if (entity !== undefined) {
        return ENTITIES[entity] ?? all;
      }
      if (hex !== undefined || decimal !== undefined) {
        const code = Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16);
        return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all;
      }
      return " ";
    });
}
