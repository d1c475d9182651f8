/** Serves a native provider over gRPC: Pulumi's ResourceProvider service (pulumi/proto/provider.proto). */

import type { ServerUnaryCall, ServiceError, sendUnaryData } from "@grpc/grpc-js";
import type { PropertyDiff as PropertyDiffMessage } from "@pulumi/pulumi/proto/provider_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { printable } from "../printable";
import { invoke } from "./functions";
import { any, empty, engine, engineService, grpc, plugin, provider, providerService, status, struct } from "./protocol";
import { type Change, type Checked, NativeProvider, PartialError } from "./provider";
import { schemaText } from "./schema";
import type { Wire } from "./values";

/** The largest message, in bytes: the limit of Pulumi's own providers. */
const MAX_MESSAGE = 400 << 20;

const LIMITS = { "grpc.max_receive_message_length": MAX_MESSAGE, "grpc.max_send_message_length": MAX_MESSAGE };

const {
  CheckFailure,
  CheckResponse,
  ConfigureResponse,
  CreateResponse,
  DiffResponse,
  ErrorResourceInitFailed,
  GetMappingResponse,
  GetSchemaResponse,
  InvokeResponse,
  PropertyDiff,
  ProviderHandshakeResponse,
  ReadResponse,
  UpdateResponse,
} = provider;

const { Kind } = PropertyDiff;
const KINDS: Readonly<
  Record<Change, readonly [inPlace: PropertyDiffMessage.Kind, replaces: PropertyDiffMessage.Kind]>
> = {
  add: [Kind.ADD, Kind.ADD_REPLACE],
  delete: [Kind.DELETE, Kind.DELETE_REPLACE],
  update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
};

/** Prints remarks as warnings on their resources. What a plugin prints to its output, Pulumi hides. */
class Remarks {
  private client: InstanceType<typeof engineService.EngineClient> | undefined;

  attach(address: string): void {
    this.client = new engineService.EngineClient(address, grpc.credentials.createInsecure(), LIMITS);
  }

  say(line: string, urn: string | undefined): void {
    const request = new engine.LogRequest();
    request.setSeverity(engine.LogSeverity.WARNING);
    request.setMessage(line);
    request.setUrn(urn ?? "");
    // The engine may have ended. There is nobody else to tell.
    this.client?.log(request, () => undefined);
  }
}

/** Starts the provider on a port of this machine that is free. Resolves to the port. */
export async function serve(version: string, engineAddress: string | undefined): Promise<number> {
  const remarks = new Remarks();
  if (engineAddress !== undefined) {
    remarks.attach(engineAddress);
  }
  const server = new grpc.Server(LIMITS);
  server.addService(providerService.ResourceProviderService, methods(version, remarks));
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

function methods(version: string, remarks: Remarks) {
  const native = new NativeProvider((line, urn) => remarks.say(line, urn));
  let isCancelled = false;

  /** Answers a call with what `work` returns. An error is sent as one line, without its stack. */
  const answer =
    <Request, Response>(work: (request: Request) => Response | Promise<Response>) =>
    async ({ request }: ServerUnaryCall<Request, Response>, send: sendUnaryData<Response>): Promise<void> => {
      try {
        send(null, await work(request));
      } catch (error) {
        send(asServiceError(error));
      }
    };

  /** The same for operations on resources, which a cancelled provider does not begin any more. */
  const operate = <Request, Response>(work: (request: Request) => Response | Promise<Response>) =>
    answer(async (request: Request) => {
      if (isCancelled) {
        throw new Error("the operation was cancelled.");
      }
      return work(request);
    });

  return {
    handshake: answer((request: InstanceType<typeof provider.ProviderHandshakeRequest>) => {
      remarks.attach(request.getEngineAddress());
      const response = new ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      return response;
    }),
    attach: answer((request: InstanceType<typeof plugin.PluginAttach>) => {
      remarks.attach(request.getAddress());
      return new empty.Empty();
    }),
    getPluginInfo: answer(() => {
      const info = new plugin.PluginInfo();
      info.setVersion(version);
      return info;
    }),
    getSchema: answer(() => {
      const response = new GetSchemaResponse();
      response.setSchema(schemaText());
      return response;
    }),
    getMapping: answer(() => new GetMappingResponse()),
    getMappings: answer(() => new provider.GetMappingsResponse()),
    checkConfig: answer((request: InstanceType<typeof provider.CheckRequest>) =>
      checkResponse(native.checkConfig(wire(request.getNews()))),
    ),
    diffConfig: answer((request: InstanceType<typeof provider.DiffRequest>) => {
      const [olds, news] = [wire(request.getOldInputs()), wire(request.getNews())];
      const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
      const changed = names.filter((name) => JSON.stringify(olds[name]) !== JSON.stringify(news[name]));
      const response = new DiffResponse();
      response.setChanges(changed.length > 0 ? DiffResponse.DiffChanges.DIFF_SOME : DiffResponse.DiffChanges.DIFF_NONE);
      response.setDiffsList(changed);
      return response;
    }),
    configure: answer((request: InstanceType<typeof provider.ConfigureRequest>) => {
      native.configure(wire(request.getArgs()));
      const response = new ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      return response;
    }),
    invoke: answer(async (request: InstanceType<typeof provider.InvokeRequest>) => {
      const returned = await invoke(request.getTok(), wire(request.getArgs()));
      const response = new InvokeResponse();
      if ("failures" in returned) {
        response.setFailuresList(returned.failures.map(checkFailure));
      } else {
        response.setReturn(asStruct(returned.value));
      }
      return response;
    }),
    check: operate(async (request: InstanceType<typeof provider.CheckRequest>) =>
      checkResponse(await native.check(request.getUrn(), wire(request.getOlds()), wire(request.getNews()))),
    ),
    diff: operate(async (request: InstanceType<typeof provider.DiffRequest>) => {
      const found = await native.diff(
        request.getId(),
        request.getUrn(),
        wire(request.getOlds()),
        wire(request.getNews()),
      );
      const { DIFF_SOME, DIFF_NONE } = DiffResponse.DiffChanges;
      const response = new DiffResponse();
      response.setChanges(found.needsUpdate ? DIFF_SOME : DIFF_NONE);
      response.setReplacesList([...found.replaces]);
      response.setStablesList([...found.stables]);
      response.setDeletebeforereplace(found.deleteBeforeReplace);
      response.setDiffsList([...found.changes.keys()]);
      response.setHasdetaileddiff(found.changes.size > 0);
      for (const [field, change] of found.changes) {
        const detail = new PropertyDiff();
        const [inPlace, replaces] = KINDS[change];
        detail.setKind(found.replaces.includes(field) ? replaces : inPlace);
        detail.setInputdiff(true);
        response.getDetaileddiffMap().set(field, detail);
      }
      return response;
    }),
    create: operate(async (request: InstanceType<typeof provider.CreateRequest>) => {
      const properties = wire(request.getProperties());
      const { id, outputs } = await native.create(request.getUrn(), properties, request.getPreview());
      const response = new CreateResponse();
      response.setId(id);
      response.setProperties(asStruct(outputs));
      return response;
    }),
    read: operate(async (request: InstanceType<typeof provider.ReadRequest>) => {
      const found = await native.read(request.getId(), request.getUrn(), wire(request.getProperties()));
      const response = new ReadResponse();
      if (found) {
        response.setId(found.id);
        response.setInputs(asStruct(found.inputs));
        response.setProperties(asStruct(found.outputs));
      }
      return response;
    }),
    update: operate(async (request: InstanceType<typeof provider.UpdateRequest>) => {
      const [olds, news] = [wire(request.getOlds()), wire(request.getNews())];
      const outputs = await native.update(request.getId(), request.getUrn(), olds, news, request.getPreview());
      const response = new UpdateResponse();
      response.setProperties(asStruct(outputs));
      return response;
    }),
    delete: operate(async (request: InstanceType<typeof provider.DeleteRequest>) => {
      await native.delete(request.getId(), request.getUrn(), wire(request.getProperties()));
      return new empty.Empty();
    }),
    // What has begun ends by itself, and its result reaches the state.
    cancel: answer(() => {
      isCancelled = true;
      return new empty.Empty();
    }),
  };
}

function wire(message: Struct | undefined): Wire {
  return (message?.toJavaScript() ?? {}) as Wire;
}

function asStruct(props: Wire): Struct {
  return struct.Struct.fromJavaScript(props as Parameters<typeof struct.Struct.fromJavaScript>[0]);
}

function checkResponse({ inputs, failures }: Checked) {
  const response = new CheckResponse();
  response.setInputs(asStruct(inputs));
  response.setFailuresList(failures.map(checkFailure));
  return response;
}

function checkFailure(reason: string) {
  const failure = new CheckFailure();
  failure.setReason(reason);
  return failure;
}

/** An error as gRPC sends it. A partial failure says what was made, so that the engine records it. */
function asServiceError(error: unknown): Partial<ServiceError> {
  const message = printable(error instanceof Error ? error.message : "unknown error");
  const metadata = new grpc.Metadata();
  if (error instanceof PartialError) {
    const failed = new ErrorResourceInitFailed();
    failed.setId(error.id);
    failed.setProperties(asStruct(error.outputs));
    failed.setReasonsList([message]);
    const detail = new any.Any();
    detail.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const details = new status.Status();
    details.setCode(grpc.status.UNKNOWN);
    details.setMessage(message);
    details.addDetails(detail);
    metadata.add("grpc-status-details-bin", Buffer.from(details.serializeBinary()));
  }
  return { code: grpc.status.UNKNOWN, message, details: message, metadata };
}
