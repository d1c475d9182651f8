/** Collects what happens in an operation: text, steps, counts and messages. */

import { Display } from "./display";
import type { Op } from "./operations";
import { type Diagnostic, type OperationResult, propertyChanges, type StepResult } from "./results";
import type { Scrubber } from "./scrubber";
import { nameOf } from "./state";
import { type ShownStep, type Step, showStep } from "./steps";
import type { DecodeText } from "./text";

export interface ReportOptions {
  kind: "update" | "refresh" | "destroy";
  preview: boolean;
  stack: string;
  color: boolean;
  decodeText: DecodeText;
  /** Removes secrets from messages. */
  scrubber: Scrubber;
  /** Knows the secrets of the configuration. These are also removed from inside other values. */
  configScrubber: Scrubber;
}

const running = { update: "Updating", refresh: "Refreshing", destroy: "Destroying" };

/** The report of one operation. */
export class Report {
  readonly #display: Display;
  readonly #steps: StepResult[] = [];
  readonly #diagnostics: Diagnostic[] = [];
  readonly #changes: Record<string, number> = {};
  readonly #started = Date.now();
  readonly #conceal = (text: string): string => this.options.configScrubber.scrub(text);
  #held: Diagnostic[] | undefined;
  #errored = 0;

  constructor(private readonly options: ReportOptions) {
    this.#display = new Display(options.preview, options.color, options.decodeText);
    const label = options.preview ? `Previewing ${options.kind}` : running[options.kind];
    this.#display.begin(`${label} (${options.stack})`);
  }

  /** Holds the program's output back: the program starts while the refresh is still running. */
  hold(): void {
    this.#held = [];
  }

  /** Reports the output that was held back, or drops it. */
  release(forget: boolean): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    if (!forget) {
      for (const diagnostic of held) {
        this.diagnostic(diagnostic);
      }
    }
  }

  /** Reports the program's output, or holds it back. */
  programSays(diagnostic: Diagnostic): void {
    if (this.#held) {
      this.#held.push(diagnostic);
    } else {
      this.diagnostic(diagnostic);
    }
  }

  diagnostic(diagnostic: Diagnostic): void {
    const scrubbed = { ...diagnostic, message: this.options.scrubber.scrub(diagnostic.message) };
    this.#diagnostics.push(scrubbed);
    this.#display.diagnostic(scrubbed);
  }

  error(message: string, urn?: string): void {
    this.diagnostic({ severity: "error", ...(urn && { urn }), message });
  }

  /** A step begins. */
  before(step: Step): void {
    if (step.internal) {
      return;
    }
    const shown = showStep(step, this.#conceal);
    this.#display.before(shown);
    if (!this.#isRefresh(step)) {
      this.#steps.push(stepResult(shown, propertyChanges(shown.old?.inputs ?? {}, shown.new?.inputs ?? {})));
    }
  }

  /** A step has ended. */
  after(step: Step, error: Error | undefined): void {
    if (error) {
      const urn = step.internal ? undefined : step.urn;
      this.error(this.options.preview ? `Preview failed: ${error.message}` : error.message, urn);
      this.#errored += this.options.preview ? 0 : 1;
      return;
    }
    if (step.internal) {
      return;
    }
    const op = this.#resultOf(step);
    if (step.logical || (this.#isRefresh(step) && this.options.kind === "refresh")) {
      this.#changes[op] = (this.#changes[op] ?? 0) + 1;
    }
    const shown = showStep(step, this.#conceal, op);
    if (this.#isRefresh(step)) {
      this.#steps.push(stepResult(shown, propertyChanges(shown.old?.outputs ?? {}, shown.new?.outputs ?? {})));
    }
    const custom = (step.new ?? step.old)?.custom;
    if (this.options.preview || custom || this.#isRefresh(step) || step.op === "delete") {
      this.#display.after(shown);
    }
  }

  /** The outputs of a component or of the stack are known. */
  outputs(step: Step): void {
    this.#display.after(showStep(step, this.#conceal));
  }

  /** Whether anything changes. */
  get hasChanges(): boolean {
    return Object.entries(this.#changes).some(([op, count]) => op !== "same" && count > 0);
  }

  /** Finishes the report. */
  finish(succeeded: boolean, expectNoChanges: boolean): OperationResult {
    const { preview } = this.options;
    const seconds = preview ? undefined : (Date.now() - this.#started) / 1000;
    this.#display.summary(this.#changes, this.#errored, seconds);
    const unexpected = succeeded && expectNoChanges && this.hasChanges;
    if (unexpected) {
      this.error(`no changes were expected for ${this.#command()} but changes were proposed`);
    }
    return {
      succeeded: succeeded && !unexpected,
      exitCode: unexpected ? 7 : succeeded ? 0 : 1,
      steps: this.#steps,
      changes: this.#changes,
      text: this.#display.text,
      diagnostics: this.#diagnostics,
    };
  }

  #command(): string {
    return this.options.preview && this.options.kind === "update" ? "preview" : this.options.kind;
  }

  #isRefresh(step: Step): boolean {
    return step.op === "refresh";
  }

  #resultOf(step: Step): Op {
    return this.options.kind === "refresh" && this.#isRefresh(step) ? (step.refreshed ?? "same") : step.op;
  }
}

/** A step as plain values. For a refresh the diff is over outputs, for everything else over inputs. */
function stepResult(step: ShownStep, diff: StepResult["diff"]): StepResult {
  const id = step.old?.id || step.new?.id;
  return {
    op: step.op,
    urn: step.urn,
    type: step.type,
    name: nameOf(step.urn),
    ...(id && { id }),
    diff: step.op === "same" ? {} : diff,
  };
}
