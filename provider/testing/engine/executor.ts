/** Carries out steps: those of one resource one after the other, those of different resources at the same time. */

import { Secret } from "./property";
import { ProviderError } from "./provider-host";
import type { Step } from "./steps";

/** Refused because the resource is protected: other deletions still go on. */
export class ProtectedError extends Error {}

/** Who wants to know how steps fare. */
export interface StepObserver {
  before(step: Step): void;
  /** Called once the step is over; `error` tells why it failed. */
  after(step: Step, error: Error | undefined): void;
}

/** Runs chains of steps. */
export class Executor {
  readonly #running = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  readonly failed: Step[] = [];
  #free: number;
  #stopped = false;

  /**
   * @param parallel - how many chains run at the same time
   * @param keepGoing - whether a failure leaves the other chains alone, as in a refresh
   * @param onStop - called at the first failure that ends the operation
   */
  constructor(
    parallel: number,
    private readonly observer: StepObserver,
    private readonly keepGoing: boolean,
    private readonly onStop: () => void = () => undefined,
  ) {
    this.#free = parallel;
  }

  /** Whether a failure ended the operation. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Starts a chain of steps; resolves when it is over, failed or not. */
  run(chain: Step[]): Promise<void> {
    const running = this.#chain(chain).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  /** Starts steps at the same time; resolves when all are over. */
  async runAll(steps: Step[]): Promise<void> {
    await Promise.all(steps.map((step) => this.run([step])));
  }

  /** Starts nothing more. */
  stop(): void {
    if (!this.#stopped) {
      this.#stopped = true;
      this.onStop();
    }
  }

  /** Resolves when nothing runs any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.all(this.#running);
    }
  }

  async #chain(chain: Step[]): Promise<void> {
    await this.#acquire();
    try {
      for (const step of chain) {
        if (this.#stopped || !(await this.#step(step))) {
          return;
        }
      }
    } finally {
      this.#release();
    }
  }

  async #step(step: Step): Promise<boolean> {
    this.observer.before(step);
    let complete: (() => void) | undefined;
    let failure: Error | undefined;
    try {
      complete = await step.apply();
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    keepSecrets(step);
    this.observer.after(step, failure);
    if (!failure) {
      complete?.();
      return true;
    }
    this.failed.push(step);
    if (!this.keepGoing && !(failure instanceof ProtectedError)) {
      this.stop();
    }
    return false;
  }

  async #acquire(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next) {
      next();
    } else {
      this.#free++;
    }
  }
}

/** Outputs are secret where the input of the same name is, and where the resource says so. */
function keepSecrets(step: Step): void {
  const { outputs, inputs, additionalSecretOutputs } = step.new ?? {};
  if (!outputs || !inputs || step.op === "replace") {
    return;
  }
  for (const [key, output] of Object.entries(outputs)) {
    const secret = inputs[key] instanceof Secret || (key !== "id" && additionalSecretOutputs?.includes(key));
    if (secret && !(output instanceof Secret)) {
      outputs[key] = new Secret(output);
    }
  }
}

/** Whether a failure left the resource behind all the same. */
export function isPartial(error: Error | undefined): boolean {
  return error instanceof ProviderError && error.partial !== undefined;
}
