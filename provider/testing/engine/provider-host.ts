/** `@pulumi/pulumi`'s own host of dynamic providers: one process, called over gRPC. */

import type { ServiceError } from "@grpc/grpc-js";
import type { IResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type Child, startNode } from "./children";
import type { Project } from "./project";
import { annotateSecrets, type Properties } from "./property";
import { nameOf, type ResourceState, typeOf } from "./state";
import { fromWire, toWire } from "./wire";

/** The answer of diff(). */
export interface ProviderDiff {
  changes: "none" | "some" | "unknown";
  replaces: string[];
  deleteBeforeReplace: boolean;
}

/** The answer of check(). */
export interface CheckResult {
  inputs: Properties;
  failures: { property: string; reason: string }[];
}

/** The answer of read(). Without an id, the resource is gone. */
export interface ReadResult {
  id: string;
  outputs: Properties;
  inputs: Properties | undefined;
}

/** An error from a provider. `partial` is set if the resource exists anyway. */
export class ProviderError extends Error {
  constructor(
    message: string,
    readonly partial?: { id: string; outputs: Properties; reasons: string[] },
  ) {
    super(message);
  }
}

/** The calls that the engine makes to a provider. */
export type Provider = Pick<ProviderHost, "check" | "diff" | "create" | "update" | "delete" | "read">;

/** A provider host. The constructor starts it; calls wait until it is up. */
export class ProviderHost {
  readonly #project: Project;
  readonly #child: Child;
  readonly #client: Promise<IResourceProviderClient>;

  constructor(
    project: Project,
    engineAddress: string,
    env: NodeJS.ProcessEnv,
    config: Properties,
    onOutput: (line: string) => void,
  ) {
    this.#project = project;
    let announcePort: (port: string) => void = () => undefined;
    const port = new Promise<string>((resolve) => {
      announcePort = resolve;
    });
    let announced = false;
    this.#child = startNode([project.sdk.hostScript, engineAddress], project.programDir, hostEnv(project, env), {
      onLine: (line, stream) => {
        if (stream === "stdout" && !announced) {
          announced = true;
          announcePort(line.trim());
        } else {
          onOutput(line);
        }
      },
    });
    const died = this.#child.exited.then((code) => {
      throw new Error(`the dynamic provider host ended with exit code ${code}`);
    });
    this.#client = Promise.race([port, died]).then((address) => this.#connect(address, config));
    this.#client.catch(() => undefined);
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }

  async check(urn: string, olds: Properties, news: Properties, preview: boolean): Promise<CheckResult> {
    const request = new this.#project.sdk.provider.CheckRequest();
    request.setUrn(urn);
    request.setName(nameOf(urn));
    request.setType(typeOf(urn));
    request.setOlds(this.#wire(olds, preview));
    request.setNews(this.#wire(news, preview));
    const client = await this.#client;
    const response = await call<{ getInputs(): Struct | undefined; getFailuresList(): Failure[] }>((done) =>
      client.check(request, done),
    );
    const inputs = fromWire(response.getInputs());
    annotateSecrets(inputs, news);
    const failures = response
      .getFailuresList()
      .map((failure) => ({ property: failure.getProperty(), reason: failure.getReason() }));
    return { inputs, failures };
  }

  async diff(state: ResourceState, news: Properties, preview: boolean): Promise<ProviderDiff> {
    const { DiffRequest, DiffResponse } = this.#project.sdk.provider;
    const request = new DiffRequest();
    request.setId(state.id);
    request.setUrn(state.urn);
    request.setName(nameOf(state.urn));
    request.setType(typeOf(state.urn));
    request.setOldInputs(this.#wire(state.inputs, preview));
    request.setOlds(this.#wire(state.outputs ?? {}, preview));
    request.setNews(this.#wire(news, preview));
    request.setIgnorechangesList(state.ignoreChanges);
    const client = await this.#client;
    const response = await call<InstanceType<typeof DiffResponse>>((done) => client.diff(request, done));
    const changes = response.getChanges();
    return {
      changes: changes === 1 ? "none" : changes === 2 ? "some" : "unknown",
      replaces: response.getReplacesList(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
    };
  }

  async create(urn: string, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
    const { CreateRequest, CreateResponse } = this.#project.sdk.provider;
    const request = new CreateRequest();
    request.setUrn(urn);
    request.setName(nameOf(urn));
    request.setType(typeOf(urn));
    request.setProperties(this.#wire(inputs, false));
    const client = await this.#client;
    const response = await this.#write<InstanceType<typeof CreateResponse>>(inputs, (done) =>
      client.create(request, done),
    );
    if (!response.getId()) {
      throw new ProviderError(`plugin returned empty resource.ID from create '${urn}'`);
    }
    return { id: response.getId(), outputs: this.#outputs(response.getProperties(), inputs) };
  }

  async update(old: ResourceState, news: Properties): Promise<Properties> {
    const { UpdateRequest, UpdateResponse } = this.#project.sdk.provider;
    const request = new UpdateRequest();
    request.setId(old.id);
    request.setUrn(old.urn);
    request.setName(nameOf(old.urn));
    request.setType(typeOf(old.urn));
    request.setOldInputs(this.#wire(old.inputs, false));
    request.setOlds(this.#wire(old.outputs ?? {}, false));
    request.setNews(this.#wire(news, false));
    const client = await this.#client;
    const response = await this.#write<InstanceType<typeof UpdateResponse>>(news, (done) =>
      client.update(request, done),
    );
    return this.#outputs(response.getProperties(), news);
  }

  async delete(state: ResourceState): Promise<void> {
    const request = new this.#project.sdk.provider.DeleteRequest();
    request.setId(state.id);
    request.setUrn(state.urn);
    request.setName(nameOf(state.urn));
    request.setType(typeOf(state.urn));
    request.setProperties(this.#wire(state.outputs ?? {}, false));
    request.setOldInputs(this.#wire(state.inputs, false));
    const client = await this.#client;
    await call<unknown>((done) => client.delete(request, done));
  }

  async read(state: ResourceState): Promise<ReadResult> {
    const { ReadRequest, ReadResponse } = this.#project.sdk.provider;
    const request = new ReadRequest();
    request.setId(state.id);
    request.setUrn(state.urn);
    request.setName(nameOf(state.urn));
    request.setType(typeOf(state.urn));
    request.setProperties(this.#wire(state.outputs ?? {}, false));
    request.setInputs(this.#wire(state.inputs, false));
    const client = await this.#client;
    const response = await this.#write<InstanceType<typeof ReadResponse>>(state.outputs ?? {}, (done) =>
      client.read(request, done),
    );
    const inputs = response.hasInputs() ? fromWire(response.getInputs()) : undefined;
    if (inputs) {
      annotateSecrets(inputs, state.inputs);
    }
    return { id: response.getId(), outputs: this.#outputs(response.getProperties(), state.outputs ?? {}), inputs };
  }

  async #connect(address: string, config: Properties): Promise<IResourceProviderClient> {
    const { grpc, provider, providerService } = this.#project.sdk;
    const client = new providerService.ResourceProviderClient(
      address.includes(":") ? address : `127.0.0.1:${address}`,
      grpc.credentials.createInsecure(),
      { "grpc.max_receive_message_length": 400 << 20, "grpc.max_send_message_length": 400 << 20 },
    );
    const request = new provider.ConfigureRequest();
    request.setArgs(toWire(this.#project.sdk, config, { secrets: true, unknowns: true }));
    request.setAcceptsecrets(true);
    request.setAcceptresources(true);
    await call<unknown>((done) => client.configure(request, done));
    return client;
  }

  /** A call that may fail half-way. The error then carries the resource. */
  async #write<T>(asked: Properties, send: (done: Callback<T>) => void): Promise<T> {
    try {
      return await call(send);
    } catch (error) {
      throw error instanceof GrpcError ? this.#providerError(error.cause, asked) : error;
    }
  }

  #providerError(error: ServiceError, asked: Properties): ProviderError {
    const details = error.metadata.get("grpc-status-details-bin")[0];
    if (!(details instanceof Uint8Array)) {
      return new ProviderError(error.details);
    }
    const { provider, status } = this.#project.sdk;
    const packed = status.Status.deserializeBinary(details).getDetailsList()[0];
    if (!packed) {
      return new ProviderError(error.details);
    }
    const failed = provider.ErrorResourceInitFailed.deserializeBinary(packed.getValue_asU8());
    const reasons = failed.getReasonsList();
    const count = reasons.length === 1 ? "1 error" : `${reasons.length} errors`;
    const message = `${count} occurred:\n${reasons.map((reason) => `\t* ${reason}\n`).join("")}\n`;
    return new ProviderError(message, {
      id: failed.getId(),
      outputs: this.#outputs(failed.getProperties(), asked),
      reasons,
    });
  }

  #outputs(struct: Struct | undefined, asked: Properties): Properties {
    const outputs = fromWire(struct);
    annotateSecrets(outputs, asked);
    return outputs;
  }

  #wire(properties: Properties, unknowns: boolean): Struct {
    return toWire(this.#project.sdk, properties, { secrets: false, unknowns });
  }
}

interface Failure {
  getProperty(): string;
  getReason(): string;
}

type Callback<T> = (error: ServiceError | null, response: T) => void;

class GrpcError extends Error {
  constructor(override readonly cause: ServiceError) {
    super(cause.details);
  }
}

function call<T>(send: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    send((error, response) => (error ? reject(new GrpcError(error)) : resolve(response)));
  });
}

function hostEnv(project: Project, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const runtime = Object.entries(project.runtimeOptions).map(([key, value]) => [
    `PULUMI_RUNTIME_${key.toUpperCase()}`,
    value,
  ]);
  return {
    ...env,
    ...Object.fromEntries(runtime),
    PULUMI_NODEJS_PROJECT: project.name,
    PULUMI_PROJECT: project.name,
    PULUMI_CONFIG: "{}",
  };
}
