/** Prints property values and their differences as the CLI's `--diff` does. */

import { colors, type Op, type Paint, symbols } from "./operations";
import { isInternal, isObject, type Properties, Reference, Secret, Unknown, type Value } from "./property";
import { diffProperties, keysOf, type ObjectDiff, type ValueDiff } from "./property-diff";
import { type DecodeText, lineDiff } from "./text";

export interface PrintStyle {
  paint: Paint;
  /** Finds the JSON or YAML in a text. */
  decodeText: DecodeText;
}

/** Prints values at one depth, as part of one operation. */
export class Printer {
  constructor(
    private readonly style: PrintStyle,
    private readonly indent: number,
    private readonly op: Op,
    private readonly prefix: boolean,
  ) {}

  /** All properties, one per line. */
  properties(properties: Properties): string {
    const width = widest(Object.keys(properties));
    return Object.keys(properties)
      .sort()
      .filter((key) => !isInternal(key))
      .map((key) => this.property(key, properties[key] ?? null, width))
      .join("");
  }

  property(key: string, value: Value, width: number): string {
    return this.#title(key, width) + this.#value(value);
  }

  /** A difference, including the values that did not change. */
  diff(diff: ObjectDiff): string {
    const keys = keysOf(diff);
    const width = widest(keys);
    return keys.map((key) => this.propertyDiff(key, width, diff)).join("");
  }

  /** One property of a difference. */
  propertyDiff(key: string, width: number, diff: ObjectDiff): string {
    const title = (printer: Printer) => printer.#title(key, width);
    const same = diff.sames.get(key);
    if (same !== undefined && isWorthPrinting(same)) {
      return this.#as("same", false).property(key, same, width);
    }
    return this.#change(key, diff, title);
  }

  #change(key: string, diff: ObjectDiff, title: Title): string {
    const [added, deleted, updated] = [diff.adds.get(key), diff.deletes.get(key), diff.updates.get(key)];
    if (added !== undefined) {
      return this.#whole("create", added, title);
    }
    if (deleted !== undefined) {
      return this.#whole("delete", deleted, title);
    }
    return updated ? this.#as("update", true).#update(updated, title) : "";
  }

  #update(update: ValueDiff, title: Title): string {
    if (update.array) {
      return `${title(this) + this.#paint("[\n")}${this.#items(update.array)}${this.#closing("]\n")}`;
    }
    if (update.object) {
      return `${title(this)}${this.#paint("{\n")}${this.#deeper(1).diff(update.object)}${this.#closing("}\n")}`;
    }
    const [old, next] = [update.old, update.new];
    if (isWorthPrinting(old) && isWorthPrinting(next) && isPrimitive(old) && isPrimitive(next)) {
      return title(this) + this.#primitiveUpdate(old, next);
    }
    return (
      (isWorthPrinting(old) ? this.#whole("delete", old, title) : "") +
      (isWorthPrinting(next) ? this.#whole("create", next, title) : "")
    );
  }

  #items(array: ObjectDiff): string {
    const printer = this.#deeper(2);
    const indexes = keysOf(array).sort((a, b) => Number(a) - Number(b));
    return indexes
      .map((index) => {
        const title = (item: Printer) => item.#deeper(-1).#line(`[${index}]: `);
        const same = array.sames.get(index);
        const plain = printer.#as("same", false);
        return same === undefined ? printer.#change(index, array, title) : title(plain) + plain.#value(same);
      })
      .join("");
  }

  #primitiveUpdate(old: Value, next: Value): string {
    if (typeof old === "string" && typeof next === "string") {
      return this.#textUpdate(old, next);
    }
    const [from, to] = [this.#as("delete", true), this.#as("create", true)];
    return `${from.#primitive(old)}${this.#paint(" => ")}${to.#primitive(next)}\n`;
  }

  #textUpdate(old: string, next: string): string {
    const [from, to] = [this.style.decodeText(old), this.style.decodeText(next)];
    if (from && to) {
      const diff = diffProperties({ value: from.value }, { value: to.value })?.updates.get("value");
      const kind = from.kind === to.kind ? from.kind : `${from.kind} => ${to.kind}`;
      if (diff) {
        return this.#paint(`(${kind}) `) + this.#update(diff, () => "");
      }
    }
    if (old.includes("\n") || next.includes("\n")) {
      return `\n${lineDiff(old, next)
        .map(([op, line]) =>
          this.#deeper(1)
            .#as(op, op !== "same")
            .#line(`${line}\n`),
        )
        .join("")}`;
    }
    return `${this.#as("delete", true).#paint(quote(old))}${this.#paint(" => ")}${this.#as("create", true).#paint(quote(next))}\n`;
  }

  #whole(op: Op, value: Value, title: Title): string {
    const printer = this.#as(op, true);
    return title(printer) + printer.#value(value);
  }

  #value(value: Value): string {
    return `${this.#inline(value)}\n`;
  }

  #inline(value: Value): string {
    if (Array.isArray(value)) {
      const items = value.map((item, i) => this.#line(`    [${i}]: `) + this.#deeper(1).#value(item));
      return value.length === 0 ? this.#paint("[]") : `${this.#paint("[\n")}${items.join("")}${this.#closing("]")}`;
    }
    if (value instanceof Reference) {
      const fields = { URN: value.urn, ID: value.id ?? null, PackageVersion: value.packageVersion };
      const lines = Object.entries(fields).map(([key, field]) => this.#deeper(1).property(key, field, 3));
      return `${this.#paint("{\n")}${lines.join("")}${this.#closing("}")}`;
    }
    if (isObject(value)) {
      return Object.keys(value).length === 0
        ? this.#paint("{}")
        : `${this.#paint("{\n")}${this.#deeper(1).properties(value)}${this.#closing("}")}`;
    }
    return this.#primitive(value);
  }

  #primitive(value: Value): string {
    if (typeof value === "string") {
      const decoded = this.style.decodeText(value);
      return decoded
        ? `${this.#paint(`(${decoded.kind}) `)}${this.#inline(decoded.value)}\n`
        : this.#paint(quote(value));
    }
    if (value instanceof Secret) {
      return this.#paint("[secret]");
    }
    if (value instanceof Unknown) {
      return this.#paint("[unknown]");
    }
    return this.#paint(value === null ? "<null>" : String(value));
  }

  #title(name: string, width: number): string {
    return this.#line(`${name.padEnd(width)}: `);
  }

  #line(text: string): string {
    return this.#paint(indentation(this.indent, this.op, this.prefix) + text);
  }

  #closing(text: string): string {
    return this.#paint("    ".repeat(this.indent) + text);
  }

  #paint(text: string): string {
    return this.style.paint(colors[this.op], text);
  }

  #as(op: Op, prefix: boolean): Printer {
    return new Printer(this.style, this.indent, op, prefix);
  }

  #deeper(levels: number): Printer {
    return new Printer(this.style, this.indent + levels, this.op, this.prefix);
  }
}

type Title = (printer: Printer) => string;

/** The indentation of a line, ending with the operation's symbol. */
export function indentation(indent: number, op: Op, prefix: boolean): string {
  const space = "    ".repeat(indent);
  return prefix && space ? space.slice(0, -2) + symbols[op] : space;
}

/** The length of the longest key. Hidden keys count too, as in the CLI. */
export function widest(keys: string[]): number {
  return Math.max(0, ...keys.map((key) => key.length));
}

/** Whether a value is worth printing: null, "", [] and {} are not. */
export function isWorthPrinting(value: Value): boolean {
  return (
    value !== null &&
    value !== "" &&
    !(Array.isArray(value) && value.length === 0) &&
    !(isObject(value) && Object.keys(value).length === 0)
  );
}

function isPrimitive(value: Value): boolean {
  return !Array.isArray(value) && !isObject(value) && !(value instanceof Reference);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
