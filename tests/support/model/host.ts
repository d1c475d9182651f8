/**
 * Pulumi's dynamic-provider host in this process: the same lifecycles that provider/host.ts passes to the real one, for
 * one operation, with the same conversions. It can be killed, as SIGKILL kills the real one: running calls are then
 * never answered.
 */

import type { Methods } from "../../../provider/dynamic/methods";
import { providersIn } from "../../../provider/host";
import { Session } from "../../../provider/lifecycle/session";
import type { Props } from "../../../provider/lifecycle/values";
import type { Kind } from "../../../provider/lifecycles";
import { openSecrets, type Properties } from "../../../provider/testing/engine/property";
import { type Provider, ProviderError, type ReadResult } from "../../../provider/testing/engine/provider-host";
import { type ResourceState, typeOf } from "../../../provider/testing/engine/state";
import { decode } from "../../../provider/testing/engine/wire";

/**
 * Represents the serialized provider in inputs and state. Like the real host, this one fails for a resource without it.
 */
export const PROVIDER_KEY = "__provider";

/** Short delays, because there are thousands of runs, and few attempts, so that some faults outlast them. */
const PACE = { initialDelayMs: 1, maxDelayMs: 2, maxAttempts: 4 };

/** The host of one operation. */
export class ModelHost implements Provider {
  readonly #providers: Record<Kind, Methods>;
  readonly #running = new Set<Promise<unknown>>();
  #kill: (error: Error) => void = () => undefined;
  readonly #death = new Promise<never>((_, reject) => {
    this.#kill = reject;
  });

  constructor(config: Readonly<Record<string, string>>) {
    this.#providers = providersIn(new Session((key) => config[key], {}, { pace: PACE }));
    this.#death.catch(() => undefined);
  }

  /** Abandons all running calls without an answer. */
  kill(): void {
    this.#kill(new Error("the dynamic provider host was killed"));
  }

  /** Waits for the calls that a killed host had begun. Their requests to LiveKit fail, so they have no effect. */
  async drained(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async check(urn: string, olds: Properties, news: Properties) {
    const { inputs, failures = [] } = await this.#run(() => this.#of(urn, news).check(copy(olds), copy(news)));
    return { inputs: { ...wire(inputs), ...providerOf(news) }, failures };
  }

  async diff(state: ResourceState, news: Properties) {
    const outputs = state.outputs ?? {};
    providerOf(outputs);
    const diff = await this.#run(() => this.#of(state.urn, news).diff(state.id, copy(outputs), copy(news)));
    const { changes, replaces = [], deleteBeforeReplace = false } = diff;
    return {
      changes: changes === undefined ? "unknown" : changes ? "some" : "none",
      replaces,
      deleteBeforeReplace,
    } as const;
  }

  async create(urn: string, inputs: Properties) {
    const { id, outs } = await this.#write(() => this.#of(urn, inputs).create(copy(inputs)));
    return { id, outputs: { ...wire(outs), ...providerOf(inputs) } };
  }

  async update(old: ResourceState, news: Properties): Promise<Properties> {
    const olds = copy(old.outputs ?? {});
    const { outs } = await this.#write(() => this.#of(old.urn, news).update(old.id, olds, copy(news)));
    return { ...wire(outs), ...providerOf(news) };
  }

  async delete(state: ResourceState): Promise<void> {
    const outputs = state.outputs ?? {};
    await this.#run(() => this.#of(state.urn, outputs).delete(state.id, copy(outputs)));
  }

  async read(state: ResourceState): Promise<ReadResult> {
    const outputs = state.outputs ?? {};
    const provider = providerOf(outputs);
    const {
      id = "",
      props,
      inputs,
    } = await this.#write(() => this.#of(state.urn, outputs).read(state.id, copy(outputs)));
    return {
      id,
      outputs: { ...wire(props), ...provider },
      inputs: inputs && { ...wire(inputs), ...provider },
    };
  }

  #of(urn: string, props: Properties): Methods {
    providerOf(props);
    const type = typeOf(urn);
    for (const kind of ["SipTrunk", "InboundAuth", "DispatchRule"] as const) {
      if (type.endsWith(`:${kind}`)) {
        return this.#providers[kind];
      }
    }
    throw new Error(`the model has no resource type ${type}`);
  }

  async #run<Result>(work: () => Promise<Result>): Promise<Result> {
    const running = work();
    this.#running.add(running);
    running.then(
      () => this.#running.delete(running),
      () => this.#running.delete(running),
    );
    return Promise.race([this.#death, running]);
  }

  /** For calls whose error may say that the resource exists anyway (grpcResponseFromError of @pulumi/pulumi's host). */
  async #write<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#run(work);
    } catch (error) {
      if (error instanceof Error && "id" in error && "properties" in error && "reasons" in error) {
        const reasons = Array.isArray(error.reasons) ? error.reasons.map(String) : [];
        throw new ProviderError(error.message, { id: String(error.id), outputs: wire(error.properties), reasons });
      }
      throw error;
    }
  }
}

/** The provider of a resource, without which the host can do nothing with it. */
function providerOf(props: Properties): Properties {
  const provider = props[PROVIDER_KEY];
  if (provider === undefined) {
    throw new Error("the resource has lost its provider");
  }
  return { [PROVIDER_KEY]: provider };
}

function copy(props: Properties): Props {
  return structuredClone(props);
}

/**
 * Converts values as a protobuf Struct would, with an error for what it can't carry, as in the host. The model's engine
 * keeps secrets in plain text.
 */
function wire(props: unknown): Properties {
  refuseUndefined(props);
  const carried: Readonly<Record<string, unknown>> = JSON.parse(JSON.stringify(props ?? {}));
  return openSecrets(Object.fromEntries(Object.entries(carried).map(([key, value]) => [key, decode(value)])));
}

function refuseUndefined(value: unknown): void {
  for (const [key, item] of Object.entries(value ?? {})) {
    if (item === undefined) {
      throw new Error(`the provider returned undefined for ${key}, which the host can't pass on`);
    }
    if (typeof item === "object") {
      refuseUndefined(item);
    }
  }
}
