/** What a program asks of the engine: kept in order until the engine gets to it, refused once the operation is over. */

import { Refusal } from "./monitor";
import type { Program } from "./program";
import type { Properties } from "./property";
import { Queue } from "./queue";
import type { Goal, Registration } from "./registration";
import type { ResourceState } from "./state";

/** Something the program did. */
export type ProgramEvent =
  | { is: "registration"; registration: Registration }
  | { is: "outputs"; urn: string; outputs: Properties; done: () => void }
  | { is: "end"; outcome: Awaited<Program["outcome"]> };

/** Takes a program's requests and hands them to the engine. */
export class Registrar {
  readonly #queue = new Queue<ProgramEvent>();
  /** Calls of the program that still wait for an answer. */
  readonly #refuse = new Set<() => void>();
  #defaultProvider: Promise<string> | undefined;

  /**
   * @param providerConfig - the configuration with which the default provider is registered
   * @param onProvider - told the default provider once it is registered
   */
  constructor(
    private readonly providerConfig: Properties,
    private readonly onProvider: (provider: ResourceState) => void,
  ) {}

  /** The next thing the program did; undefined when the operation is over. */
  next(): Promise<ProgramEvent | undefined> {
    return this.#queue.next();
  }

  /** The program is over. */
  end(outcome: Awaited<Program["outcome"]>): void {
    this.#queue.push({ is: "end", outcome });
  }

  /** Asks for a resource; resolves when it is there. */
  register(goal: Goal): Promise<ResourceState> {
    return this.#ask<ResourceState>((done) => ({ is: "registration", registration: { goal, done } }));
  }

  /** Tells the outputs of a component or of the stack. */
  registerOutputs(urn: string, outputs: Properties): Promise<void> {
    return this.#ask<void>((done) => ({ is: "outputs", urn, outputs, done }));
  }

  /** The reference of the default provider, registered when the first resource needs it. */
  defaultProvider(packageName: string): Promise<string> {
    if (packageName !== "pulumi-nodejs") {
      const message = `${packageName}: the testing engine runs dynamic resources only`;
      return Promise.reject(new Refusal(message, "UNIMPLEMENTED"));
    }
    this.#defaultProvider ??= this.#registerProvider();
    return this.#defaultProvider;
  }

  /** Refuses what is still asked, and everything to come. */
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
