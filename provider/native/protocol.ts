/** Pulumi's gRPC protocol, from the `@pulumi/pulumi` that is installed, with the libraries that it depends on. */

import { createRequire } from "node:module";
import type * as Grpc from "@grpc/grpc-js";
import type * as EngineService from "@pulumi/pulumi/proto/engine_grpc_pb";
import type * as EngineMessages from "@pulumi/pulumi/proto/engine_pb";
import type * as PluginMessages from "@pulumi/pulumi/proto/plugin_pb";
import type * as ProviderService from "@pulumi/pulumi/proto/provider_grpc_pb";
import type * as ProviderMessages from "@pulumi/pulumi/proto/provider_pb";
import type * as StatusMessages from "@pulumi/pulumi/proto/status_pb";
import type * as AnyMessages from "google-protobuf/google/protobuf/any_pb";
import type * as EmptyMessages from "google-protobuf/google/protobuf/empty_pb";
import type * as StructMessages from "google-protobuf/google/protobuf/struct_pb";

// Messages only fit the library that their own copy of @pulumi/pulumi loads. Loading the whole SDK would take half a second.
const load = createRequire(require.resolve("@pulumi/pulumi/package.json"));

export const grpc: typeof Grpc = load("@grpc/grpc-js");
export const any: typeof AnyMessages = load("google-protobuf/google/protobuf/any_pb.js");
export const empty: typeof EmptyMessages = load("google-protobuf/google/protobuf/empty_pb.js");
export const struct: typeof StructMessages = load("google-protobuf/google/protobuf/struct_pb.js");
export const engine: typeof EngineMessages = load("./proto/engine_pb.js");
export const engineService: typeof EngineService = load("./proto/engine_grpc_pb.js");
export const plugin: typeof PluginMessages = load("./proto/plugin_pb.js");
export const provider: typeof ProviderMessages = load("./proto/provider_pb.js");
export const providerService: typeof ProviderService = load("./proto/provider_grpc_pb.js");
export const status: typeof StatusMessages = load("./proto/status_pb.js");
