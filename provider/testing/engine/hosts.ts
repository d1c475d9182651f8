/** The provider hosts of an operation: one for each provider configuration in the state or the program. */

import type { Project } from "./project";
import { equalProperties, type Properties } from "./property";
import { ProviderHost } from "./provider-host";
import { providerUrn, type ResourceState } from "./state";

/** Starts each host when it is first needed, and stops them all. */
export class Hosts {
  readonly #running: { config: Properties; host: ProviderHost }[] = [];
  readonly #registered = new Map<string, ProviderHost>();

  constructor(
    private readonly project: Project,
    private readonly engineAddress: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly onOutput: (line: string) => void,
  ) {}

  /** The host with this configuration, started if it is not running. */
  start(config: Properties): ProviderHost {
    const running = this.#running.find((other) => equalProperties(other.config, config));
    if (running) {
      return running.host;
    }
    const host = new ProviderHost(this.project, this.engineAddress, this.env, config, this.onOutput);
    this.#running.push({ config, host });
    return host;
  }

  /** Remembers the configuration with which the program registered a provider. */
  register(provider: ResourceState): void {
    this.#registered.set(provider.urn, this.start(provider.inputs));
  }

  /** The host for a resource. The program's configuration wins over the one in the state. */
  find(state: ResourceState, resources: ResourceState[]): ProviderHost | undefined {
    if (!state.custom || state.provider === "") {
      return undefined;
    }
    const urn = providerUrn(state.provider);
    const registered = this.#registered.get(urn);
    if (registered) {
      return registered;
    }
    const provider = resources.find((other) => other.urn === urn && !other.delete);
    if (!provider) {
      throw new Error(`the state holds no provider for ${state.urn}`);
    }
    return this.start(provider.inputs);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map(({ host }) => host.stop()));
  }
}
