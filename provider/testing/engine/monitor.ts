/** The gRPC services that programs and provider hosts call: the resource monitor and the engine. */

import type { Server, ServerUnaryCall, sendUnaryData, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { GetRootResourceResponse, LogRequest, SetRootResourceRequest } from "@pulumi/pulumi/proto/engine_pb";
import type {
  RegisterResourceOutputsRequest,
  RegisterResourceRequest,
  SupportsFeatureRequest,
} from "@pulumi/pulumi/proto/resource_pb";
import type { Properties } from "./property";
import type { Goal } from "./registration";
import { goalOf } from "./registration";
import type { Diagnostic } from "./results";
import type { PulumiSdk } from "./sdk";
import type { ResourceState } from "./state";
import { fromWire, toWire } from "./wire";

/** How the services pass calls on to the engine. */
export interface MonitorEvents {
  /** The reference of the default provider for a package, once it is registered. */
  defaultProvider(packageName: string): Promise<string>;
  register(goal: Goal): Promise<ResourceState>;
  registerOutputs(urn: string, outputs: Properties): Promise<void>;
  diagnostic(diagnostic: Diagnostic): void;
}

/** The engine does not support what the program asked for, or the operation is over. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly code: "UNIMPLEMENTED" | "UNAVAILABLE",
  ) {
    super(message);
  }
}

const features = ["secrets", "resourceReferences", "outputValues", "aliasSpecs", "deletedWith", "replaceWith"];
const severities: readonly (Diagnostic["severity"] | undefined)[] = [undefined, "info", "warning", "error"];

/** Serves the resource monitor and the engine service on a loopback port. */
export class Monitor {
  readonly #server: Server;
  readonly #goals = new Map<string, Goal>();
  #rootResource = "";
  address = "";

  private constructor(
    private readonly sdk: PulumiSdk,
    private readonly events: MonitorEvents,
  ) {
    this.#server = new sdk.grpc.Server({
      "grpc.max_receive_message_length": 400 << 20,
      "grpc.max_send_message_length": 400 << 20,
    });
  }

  static async start(sdk: PulumiSdk, events: MonitorEvents): Promise<Monitor> {
    const monitor = new Monitor(sdk, events);
    const monitorService: UntypedServiceImplementation = monitor.#monitorService();
    monitor.#server.addService({ ...sdk.monitorService.ResourceMonitorService }, monitorService);
    monitor.#server.addService({ ...sdk.engineService.EngineService }, monitor.#engineService());
    const port = await new Promise<number>((resolve, reject) => {
      const insecure = sdk.grpc.ServerCredentials.createInsecure();
      monitor.#server.bindAsync("127.0.0.1:0", insecure, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    monitor.address = `127.0.0.1:${port}`;
    return monitor;
  }

  /** Stops the server and aborts every open call. */
  stop(): void {
    this.#server.forceShutdown();
  }

  #monitorService(): UntypedServiceImplementation {
    const { sdk } = this;
    const unsupported = (what: string) =>
      this.#handle<unknown, unknown>(async () => {
        throw new Refusal(`${what}: the testing engine runs dynamic resources only`, "UNIMPLEMENTED");
      });
    return {
      supportsFeature: this.#handle(async (request: SupportsFeatureRequest) => {
        const response = new sdk.monitor.SupportsFeatureResponse();
        response.setHassupport(features.includes(request.getId()));
        return response;
      }),
      registerResource: this.#handle((request: RegisterResourceRequest) => this.#register(request)),
      registerResourceOutputs: this.#handle(async (request: RegisterResourceOutputsRequest) => {
        await this.events.registerOutputs(request.getUrn(), fromWire(request.getOutputs()));
        return new sdk.empty.Empty();
      }),
      signalAndWaitForShutdown: this.#handle(async () => new sdk.empty.Empty()),
      invoke: unsupported("calling a function of a provider"),
      call: unsupported("calling a method of a resource"),
      readResource: unsupported("reading an existing resource (get, StackReference)"),
    };
  }

  #engineService(): UntypedServiceImplementation {
    const { sdk } = this;
    return {
      log: this.#handle(async (request: LogRequest) => {
        const severity = severities[request.getSeverity()];
        if (severity) {
          const urn = request.getUrn();
          this.events.diagnostic({ severity, ...(urn && { urn }), message: request.getMessage() });
        }
        return new sdk.empty.Empty();
      }),
      getRootResource: this.#handle(async (): Promise<GetRootResourceResponse> => {
        const response = new sdk.engine.GetRootResourceResponse();
        response.setUrn(this.#rootResource);
        return response;
      }),
      setRootResource: this.#handle(async (request: SetRootResourceRequest) => {
        this.#rootResource = request.getUrn();
        return new sdk.engine.SetRootResourceResponse();
      }),
      requirePulumiVersion: this.#handle(async () => new sdk.engine.RequirePulumiVersionResponse()),
    };
  }

  async #register(request: RegisterResourceRequest) {
    const { monitor } = this.sdk;
    if (request.getRemote() || request.getImportid() || request.getType().startsWith("pulumi:providers:")) {
      throw new Refusal(`${request.getType()}: the testing engine runs dynamic resources only`, "UNIMPLEMENTED");
    }
    const provider = request.getCustom()
      ? await this.events.defaultProvider(request.getType().split(":")[0] ?? "")
      : "";
    const goal = inherit(goalOf(request, provider), this.#goals.get(request.getParent()));
    const state = await this.events.register(goal);
    this.#goals.set(state.urn, goal);
    const response = new monitor.RegisterResourceResponse();
    response.setUrn(state.urn);
    response.setId(state.id);
    const outputs = goal.custom ? (state.outputs ?? {}) : {};
    const options = { secrets: request.getAcceptsecrets(), unknowns: true, references: request.getAcceptresources() };
    response.setObject(toWire(this.sdk, outputs, options));
    return response;
  }

  #handle<Request, Response>(answer: (request: Request) => Promise<Response>) {
    return (call: ServerUnaryCall<Request, Response>, done: sendUnaryData<Response>): void => {
      answer(call.request).then(
        (response) => done(null, response),
        (error: unknown) => {
          const code = error instanceof Refusal ? error.code : "UNKNOWN";
          const details = error instanceof Error ? error.message : String(error);
          done({ code: this.sdk.grpc.status[code], details });
        },
      );
    };
  }
}

/** A child inherits `protect`, `retainOnDelete` and `deletedWith` from its parent unless it sets them itself. */
function inherit(goal: Goal, parent: Goal | undefined): Goal {
  return {
    ...goal,
    protect: goal.protect ?? parent?.protect,
    retainOnDelete: goal.retainOnDelete ?? parent?.retainOnDelete,
    deletedWith: goal.deletedWith || (parent?.deletedWith ?? ""),
  };
}
