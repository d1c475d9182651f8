/** Turns the events of an operation into the text that the CLI prints with `--diff`. */

import { colors, type Op, type Paint, painter, pastTense, summaryOrder, symbols } from "./operations";
import { indentation, isWorthPrinting, Printer, type PrintStyle, widest } from "./printer";
import { isInternal, type Properties } from "./property";
import { diffProperties, keysOf, type ObjectDiff } from "./property-diff";
import type { Diagnostic } from "./results";
import { tidyStackOutputs } from "./stack-outputs";
import { stackType } from "./state";
import type { ShownStep } from "./steps";
import type { DecodeText } from "./text";

const headline = "95;1";
const severityColors = { info: "", warning: "33", error: "31" };

/** The text of one operation, built event by event. */
export class Display {
  readonly #seen = new Map<string, ShownStep>();
  readonly #style: PrintStyle;
  readonly #paint: Paint;
  #text = "";

  /** @param planning - whether this is a preview */
  constructor(
    private readonly planning: boolean,
    color: boolean,
    decodeText: DecodeText,
  ) {
    this.#paint = painter(color);
    this.#style = { paint: this.#paint, decodeText };
  }

  /** The text so far. */
  get text(): string {
    return this.#text;
  }

  /** "Previewing update (dev):" */
  begin(label: string): void {
    this.#text += `${this.#paint(headline, `${label}:`)}\n`;
  }

  /** A step is about to run. */
  before(step: ShownStep): void {
    this.#seen.set(step.urn, step);
    if (step.op !== "refresh" && this.#isShown(step)) {
      this.#text += this.#header(step) + this.#details(step);
    }
  }

  /** A step has run, or the outputs of a component or of the stack are known. */
  after(step: ShownStep): void {
    if (!this.#isShown(step)) {
      return;
    }
    const refresh = this.#seen.get(step.urn)?.op === "refresh";
    if (refresh && step.op === "update") {
      this.#text += this.#header(step) + this.#details(step);
      return;
    }
    const outputs = this.#outputs(step, refresh);
    if (refresh && (step.op !== "refresh" || outputs || isStack(step))) {
      this.#text += this.#header(step);
    }
    if (outputs) {
      const indent = indentation(this.#indentOf(step) + 1, step.op, false);
      this.#text += `${this.#paint(colors[step.op], `${indent}--outputs:--`)}\n${outputs}`;
    }
  }

  /** A message from the program, the provider or the engine. */
  diagnostic({ severity, message }: Diagnostic): void {
    const prefix = severity === "info" ? "" : this.#paint(severityColors[severity], `${severity}: `);
    this.#text += `${prefix}${message}\n`;
  }

  /** The last lines: how many resources change, or have changed. */
  summary(changes: Record<string, number>, errored: number, seconds: number | undefined): void {
    const counted = summaryOrder.filter((op) => (changes[op] ?? 0) > 0);
    const total = counted.reduce((sum, op) => sum + (changes[op] ?? 0), 0);
    const same = changes.same ?? 0;
    const pieces = [
      ...(counted.length >= 2 ? [this.#paint("1", `${total} ${total === 1 ? "change" : "changes"}`)] : []),
      ...(same > 0 ? [`${same} unchanged`] : []),
    ];
    const lines = counted.map((op) => this.#paint(colors[op], `${symbols[op]}${changes[op]} ${this.#verb(op)}`));
    this.#text += [
      this.#paint(headline, "Resources:"),
      ...lines.map((line) => `    ${line}`),
      ...(pieces.length > 0 ? [`    ${pieces.join(". ")}`] : []),
      ...(errored > 0 ? [`    ${this.#paint("31", `${errored} errored`)}`] : []),
      ...(seconds === undefined ? [] : ["", `${this.#paint(headline, "Duration:")} ${Math.ceil(seconds)}s`]),
      "",
    ].join("\n");
  }

  #verb(op: Op): string {
    return this.planning ? `to ${op}` : pastTense[op];
  }

  #isShown(step: ShownStep): boolean {
    return isStack(step) || this.#isWorthShowing(step);
  }

  #isWorthShowing(step: ShownStep): boolean {
    if (step.op === "same") {
      return step.old?.protect !== step.new?.protect;
    }
    return step.logical || !["create-replacement", "delete-replaced"].includes(step.op);
  }

  #header(step: ShownStep): string {
    const { op, old } = step;
    const indent = this.#indentOf(step);
    const pseudo = ["create", "delete", "delete-replaced"].includes(op) ? colors[op] : "";
    const space = "    ".repeat(indent + 1);
    const retain = old?.retainOnDelete && ["delete", "replace"].includes(op) ? "[retain]" : "";
    return [
      `${indentation(indent, op, false)}${this.#paint(colors[op], symbols[op] + step.type)}: (${op}${retain})${lock(step)}\n`,
      old?.id ? this.#paint(pseudo, `${space}[id=${old.id}]\n`) : "",
      this.#paint(pseudo, `${space}[urn=${step.urn}]\n`),
    ].join("");
  }

  #details(step: ShownStep): string {
    const { op, old } = step;
    const next = step.new;
    if (op === "same") {
      return "";
    }
    const indent = this.#indentOf(step) + 1;
    const printer = new Printer(this.#style, indent, op, false);
    if (old && next && step.inputDiff) {
      return printer.diff(step.inputDiff);
    }
    const nextOutputs = next?.outputs && Object.keys(next.outputs).length > 0 ? next.outputs : undefined;
    if (!old || !next) {
      return printer.properties(next ? (nextOutputs ?? next.inputs) : (old?.inputs ?? {}));
    }
    const [olds, news] = nextOutputs ? [old.outputs ?? {}, nextOutputs] : [old.inputs, next.inputs];
    const diff = diffProperties(olds, news);
    return diff ? printer.diff(diff) : new Printer(this.#style, indent, "same", true).properties(news);
  }

  #outputs(step: ShownStep, refresh: boolean): string {
    if ((this.planning && !refresh && !isStack(step)) || (step.old && step.old.initErrors.length > 0)) {
      return "";
    }
    const showSames = !this.planning && isStack(step);
    const inputs = step.new?.outputs ? step.new.inputs : {};
    const outputs = step.new?.outputs ?? {};
    const diff = step.old?.outputs && this.#outputDiff(step.old.outputs, outputs, isStack(step));
    if (step.old?.outputs && !diff && !showSames) {
      return "";
    }
    const keys = diff ? keysOf(diff) : Object.keys(outputs).sort();
    const printer = new Printer(this.#style, this.#indentOf(step) + 1, step.op, false);
    return keys
      .filter((key) => diff || (!isInternal(key) && isWorthPrinting(outputs[key] ?? null)))
      .filter((key) => refresh || !isSameAsInput(key, inputs, outputs))
      .filter((key) => showSames || !diff?.sames.has(key))
      .map((key) =>
        diff
          ? printer.propertyDiff(key, widest(keys), diff)
          : printer.property(key, outputs[key] ?? null, widest(keys)),
      )
      .join("");
  }

  #outputDiff(olds: Properties, news: Properties, stack: boolean): ObjectDiff | undefined {
    const diff = diffProperties(olds, news);
    if (diff && this.planning && stack) {
      tidyStackOutputs(diff);
    }
    return diff;
  }

  #indentOf(step: ShownStep): number {
    let indent = 0;
    let parent = this.#seen.get((step.new ?? step.old)?.parent ?? "");
    while (parent) {
      indent += this.#isShown(parent) ? 1 : 0;
      parent = this.#seen.get((parent.new ?? parent.old)?.parent ?? "");
    }
    return indent;
  }
}

function isStack(step: ShownStep): boolean {
  return step.type === stackType;
}

function isSameAsInput(key: string, inputs: Properties, outputs: Properties): boolean {
  const [input, output] = [inputs[key], outputs[key]];
  return input !== undefined && !diffProperties({ [key]: output ?? null }, { [key]: input });
}

function lock(step: ShownStep): string {
  if (step.new && !step.new.protect && step.old?.protect) {
    return " 🔓";
  }
  return step.new?.protect || step.old?.protect ? " 🔒" : "";
}
