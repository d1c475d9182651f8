/** Queues the program's requests until the engine takes them, and refuses them once the operation is over. */

import { Refusal } from "./monitor";
import type { Program } from "./program";
import type { Properties } from "./property";
import { Queue } from "./queue";
import type { Goal, Registration } from "./registration";
import type { ResourceState } from "./state";

/** Something that the program did. */
export type ProgramEvent =
  | { is: "registration"; registration: Registration }
  | { is: "outputs"; urn: string; outputs: Properties; done: () => void }
  | { is: "end"; outcome: Awaited<Program["outcome"]> };

/** Takes a program's requests and hands them to the engine. */
export class Registrar {
  readonly #queue = new Queue<ProgramEvent>();
  /** Refuses the program's calls that still wait for an answer. */
  readonly #refuse = new Set<() => void>();
  #defaultProvider: Promise<string> | undefined;

  /**
   * @param providerConfig - the configuration of the default provider
   * @param onProvider - called with the default provider once it is registered
   */
  constructor(
    private readonly providerConfig: Properties,
    private readonly onProvider: (provider: ResourceState) => void,
  ) {}

  /** The next thing that the program did. Undefined when the operation is over. */
  next(): Promise<ProgramEvent | undefined> {
    return this.#queue.next();
  }

  /** The program has ended. */
  end(outcome: Awaited<Program["outcome"]>): void {
    this.#queue.push({ is: "end", outcome });
  }

  /** Registers a resource. Resolves when it exists. */
  register(goal: Goal): Promise<ResourceState> {
    return this.#ask<ResourceState>((done) => ({ is: "registration", registration: { goal, done } }));
  }

  /** Sets the outputs of a component or of the stack. */
  registerOutputs(urn: string, outputs: Properties): Promise<void> {
    return this.#ask<void>((done) => ({ is: "outputs", urn, outputs, done }));
  }

  /** The reference of the default provider. It is registered when the first resource needs it. */
  defaultProvider(packageName: string): Promise<string> {
    if (packageName !== "pulumi-nodejs") {
      const message = `${packageName}: the testing engine runs dynamic resources only`;
      return Promise.reject(new Refusal(message, "UNIMPLEMENTED"));
    }
    this.#defaultProvider ??= this.#registerProvider();
    return this.#defaultProvider;
  }

  /** Refuses all waiting and all future requests. */
  close(): void {
    this.#queue.close();
    for (const refuse of this.#refuse) {
      refuse();
    }
    this.#refuse.clear();
  }

  async #registerProvider(): Promise<string> {
    const provider = await this.register(providerGoal(this.providerConfig));
    this.onProvider(provider);
    return `${provider.urn}::${provider.id}`;
  }

  #ask<T>(event: (done: (answer: T) => void) => ProgramEvent): Promise<T> {
    return new Promise((resolve, reject) => {
      const refuse = () => reject(new Refusal("the operation is over", "UNAVAILABLE"));
      this.#refuse.add(refuse);
      const done = (answer: T) => {
        this.#refuse.delete(refuse);
        resolve(answer);
      };
      if (!this.#queue.push(event(done))) {
        refuse();
      }
    });
  }
}

function providerGoal(inputs: Properties): Goal {
  return {
    type: "pulumi:providers:pulumi-nodejs",
    name: "default",
    custom: true,
    inputs,
    parent: "",
    protect: undefined,
    dependencies: [],
    propertyDependencies: {},
    provider: "",
    deleteBeforeReplace: undefined,
    ignoreChanges: [],
    additionalSecretOutputs: [],
    aliases: [],
    replaceOnChanges: [],
    retainOnDelete: undefined,
    deletedWith: "",
    replaceWith: [],
  };
}
