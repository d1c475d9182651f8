/** Runs steps: those of one resource in order, those of different resources in parallel. */

import { Secret } from "./property";
import { ProviderError } from "./provider-host";
import type { Step } from "./steps";

/** The resource is protected. Other deletions continue. */
export class ProtectedError extends Error {}

/** Called before and after each step. */
export interface StepObserver {
  before(step: Step): void;
  /** Called when the step is over. `error` is why it failed. */
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
   * @param keepGoing - whether the other chains continue after a failure, as in a refresh
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

  /** Whether a failure has ended the operation. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Starts a chain of steps. Resolves when it is over, failed or not. */
  run(chain: Step[]): Promise<void> {
    const running = this.#chain(chain).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  /** Runs steps in parallel. Resolves when all are over. */
  async runAll(steps: Step[]): Promise<void> {
    await Promise.all(steps.map((step) => this.run([step])));
  }

  /** Starts no more steps. */
  stop(): void {
    if (!this.#stopped) {
      this.#stopped = true;
      this.onStop();
    }
  }

  /** Resolves when no step is running. */
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

/** Makes outputs secret if the input of the same name is secret, or if `additionalSecretOutputs` names them. */
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

/** Whether the resource exists even though the step failed. */
export function isPartial(error: Error | undefined): boolean {
  return error instanceof ProviderError && error.partial !== undefined;
}
