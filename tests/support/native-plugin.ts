/** The native provider as the engine starts it: a process that is called over gRPC. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ServerUnaryCall, ServiceError, sendUnaryData } from "@grpc/grpc-js";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb";
import type {
  CheckResponse,
  ConfigureResponse,
  CreateResponse,
  DiffResponse,
  GetSchemaResponse,
  InvokeResponse,
  ReadResponse,
  UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import {
  empty,
  engineService,
  grpc,
  plugin as pluginMessages,
  provider,
  providerService,
  status,
  struct,
} from "../../provider/native/protocol";

export type Properties = Record<string, unknown>;

export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A value in the envelope of a secret. */
export function secret(value: unknown): Properties {
  return { [SIGNATURE]: "1b47061264138c4ac30d75fd1eb44270", value };
}

/** The URN of a resource. */
export function urnOf(kind: string, name: string, parents = ""): string {
  return `urn:pulumi:prod::acme::${parents}livekit-sip:index:${kind}::${name}`;
}

/** What a test needs of an error. */
export interface Failed {
  readonly message: string;
  /** What was made before the operation failed. */
  readonly partial?: { readonly id: string; readonly properties: Properties };
}

/** A started plugin. */
export class NativePlugin {
  private constructor(
    readonly process: ChildProcessWithoutNullStreams,
    private readonly client: InstanceType<typeof providerService.ResourceProviderClient>,
    /** Resolves with the exit code, or the signal that ended it. */
    readonly exited: Promise<number | string | null>,
  ) {}

  static async start(config: Properties): Promise<NativePlugin> {
    const program = join(__dirname, "..", "..", "dist", "native", "main.js");
    const env = { ...process.env, LIVEKIT_URL: "", LIVEKIT_API_KEY: "", LIVEKIT_API_SECRET: "" };
    const child = spawn(process.execPath, [program], { env });
    const exited = new Promise<number | string | null>((resolve) =>
      child.once("exit", (code, signal) => resolve(code ?? signal)),
    );
    const port = await new Promise<string>((resolve) => createInterface(child.stdout).once("line", resolve));
    const client = new providerService.ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const plugin = new NativePlugin(child, client, exited);
    await plugin.configure(config);
    return plugin;
  }

  async stop(): Promise<void> {
    this.client.close();
    this.process.kill("SIGKILL");
    await this.exited;
  }

  /** Tells a plugin that runs already who its engine is, as Pulumi does with PULUMI_DEBUG_PROVIDERS. */
  async attach(address: string): Promise<void> {
    const request = new pluginMessages.PluginAttach();
    request.setAddress(address);
    await ask<Empty>((done) => this.client.attach(request, done));
  }

  async configure(config: Properties): Promise<void> {
    const request = new provider.ConfigureRequest();
    request.setArgs(asStruct(config));
    await ask<ConfigureResponse>((done) => this.client.configure(request, done));
  }

  async checkConfig(news: Properties) {
    const request = new provider.CheckRequest();
    request.setNews(asStruct(news));
    return checked(await ask<CheckResponse>((done) => this.client.checkConfig(request, done)));
  }

  async schema(): Promise<string> {
    return (
      await ask<GetSchemaResponse>((done) => this.client.getSchema(new provider.GetSchemaRequest(), done))
    ).getSchema();
  }

  async cancel(): Promise<void> {
    await ask<Empty>((done) => this.client.cancel(new empty.Empty(), done));
  }

  async invoke(name: string, args: Properties) {
    const request = new provider.InvokeRequest();
    request.setTok(`livekit-sip:index:${name}`);
    request.setArgs(asStruct(args));
    const response = await ask<InvokeResponse>((done) => this.client.invoke(request, done));
    const failures = response.getFailuresList().map((failure) => failure.getReason());
    return { value: properties(response.getReturn()), failures };
  }

  async check(urn: string, news: Properties, olds: Properties = {}) {
    const request = new provider.CheckRequest();
    request.setUrn(urn);
    request.setNews(asStruct(news));
    request.setOlds(asStruct(olds));
    return checked(await ask<CheckResponse>((done) => this.client.check(request, done)));
  }

  async diff(urn: string, id: string, olds: Properties, news: Properties) {
    const request = new provider.DiffRequest();
    request.setUrn(urn);
    request.setId(id);
    request.setOlds(asStruct(olds));
    request.setNews(asStruct(news));
    const response = await ask<DiffResponse>((done) => this.client.diff(request, done));
    const kinds = Object.entries(provider.PropertyDiff.Kind);
    const details = response.getDetaileddiffMap().toArray() as unknown as [string, [number, boolean]][];
    return {
      changes: response.getChanges() === provider.DiffResponse.DiffChanges.DIFF_SOME,
      replaces: response.getReplacesList(),
      stables: response.getStablesList(),
      details: Object.fromEntries(
        details.map(([field, [kind = 0]]) => [field, kinds.find(([, value]) => value === (kind ?? 0))?.[0]]),
      ),
    };
  }

  async create(urn: string, inputs: Properties, preview = false) {
    const request = new provider.CreateRequest();
    request.setUrn(urn);
    request.setProperties(asStruct(inputs));
    request.setPreview(preview);
    const response = await ask<CreateResponse>((done) => this.client.create(request, done));
    return { id: response.getId(), outputs: properties(response.getProperties()) };
  }

  async update(urn: string, id: string, olds: Properties, news: Properties, preview = false): Promise<Properties> {
    const request = new provider.UpdateRequest();
    request.setUrn(urn);
    request.setId(id);
    request.setOlds(asStruct(olds));
    request.setNews(asStruct(news));
    request.setPreview(preview);
    return properties((await ask<UpdateResponse>((done) => this.client.update(request, done))).getProperties());
  }

  async read(urn: string, id: string, state: Properties = {}) {
    const request = new provider.ReadRequest();
    request.setUrn(urn);
    request.setId(id);
    request.setProperties(asStruct(state));
    const response = await ask<ReadResponse>((done) => this.client.read(request, done));
    return {
      id: response.getId(),
      inputs: properties(response.getInputs()),
      outputs: properties(response.getProperties()),
    };
  }

  async delete(urn: string, id: string, state: Properties): Promise<void> {
    const request = new provider.DeleteRequest();
    request.setUrn(urn);
    request.setId(id);
    request.setProperties(asStruct(state));
    await ask<Empty>((done) => this.client.delete(request, done));
  }
}

/** What of an engine the plugins call: its log. */
export class EngineLog {
  private readonly server = new grpc.Server();
  private hear: (line: string) => void = () => undefined;
  /** Resolves to the first message, after the URN of its resource. */
  readonly line = new Promise<string>((resolve) => {
    this.hear = resolve;
  });

  /** Resolves to the address. */
  start(): Promise<string> {
    this.server.addService(
      { log: engineService.EngineService.log },
      {
        log: ({ request }: ServerUnaryCall<LogRequest, Empty>, done: sendUnaryData<Empty>) => {
          this.hear(`${request.getUrn()} ${request.getMessage()}`);
          done(null, new empty.Empty());
        },
      },
    );
    return new Promise((resolve, reject) => {
      this.server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(`127.0.0.1:${port}`),
      );
    });
  }

  stop(): void {
    this.server.forceShutdown();
  }
}

function ask<Response>(
  send: (done: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    send((error, response) => (error ? reject(error) : resolve(response)));
  });
}

/** What the engine learns from a call that fails. */
export async function failureOf(work: Promise<unknown>): Promise<Failed> {
  const error = await work.then(
    () => undefined,
    (reason: ServiceError) => reason,
  );
  if (!error) {
    throw new Error("The call did not fail.");
  }
  const [details] = error.metadata.get("grpc-status-details-bin");
  if (!(details instanceof Uint8Array)) {
    return { message: error.details };
  }
  const [packed] = status.Status.deserializeBinary(details).getDetailsList();
  const failed = provider.ErrorResourceInitFailed.deserializeBinary(packed?.getValue_asU8() ?? new Uint8Array());
  return { message: error.details, partial: { id: failed.getId(), properties: properties(failed.getProperties()) } };
}

function asStruct(props: Properties): Struct {
  return struct.Struct.fromJavaScript(props as Parameters<typeof struct.Struct.fromJavaScript>[0]);
}

function properties(message: Struct | undefined): Properties {
  return (message?.toJavaScript() ?? {}) as Properties;
}

function checked(response: CheckResponse) {
  const failures = response.getFailuresList();
  return {
    inputs: properties(response.getInputs()),
    failures: failures.map((failure) => failure.getReason()),
    properties: failures.map((failure) => failure.getProperty()),
  };
}
