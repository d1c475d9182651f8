/** The program's own `@pulumi/pulumi`, with the gRPC and protobuf libraries that it depends on. */

import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type * as Grpc from "@grpc/grpc-js";
import type * as EngineService from "@pulumi/pulumi/proto/engine_grpc_pb";
import type * as EngineMessages from "@pulumi/pulumi/proto/engine_pb";
import type * as ProviderService from "@pulumi/pulumi/proto/provider_grpc_pb";
import type * as ProviderMessages from "@pulumi/pulumi/proto/provider_pb";
import type * as MonitorService from "@pulumi/pulumi/proto/resource_grpc_pb";
import type * as MonitorMessages from "@pulumi/pulumi/proto/resource_pb";
import type * as StatusMessages from "@pulumi/pulumi/proto/status_pb";
import type * as EmptyMessages from "google-protobuf/google/protobuf/empty_pb";
import type * as StructMessages from "google-protobuf/google/protobuf/struct_pb";

/** The parts of `@pulumi/pulumi` that the engine uses. */
export interface PulumiSdk {
  /** The script that runs a program. */
  runScript: string;
  /** The script that hosts dynamic providers. */
  hostScript: string;
  version: string;
  grpc: typeof Grpc;
  empty: typeof EmptyMessages;
  struct: typeof StructMessages;
  engine: typeof EngineMessages;
  engineService: typeof EngineService;
  monitor: typeof MonitorMessages;
  monitorService: typeof MonitorService;
  provider: typeof ProviderMessages;
  providerService: typeof ProviderService;
  status: typeof StatusMessages;
  /** The documents of a YAML text. */
  parseYaml(text: string): unknown[];
}

const loaded = new Map<string, PulumiSdk>();

/** The newest minor version that the engine is tested with. It uses parts of `@pulumi/pulumi` that are not public. */
export const NEWEST_TESTED = "3.270";

/** What to say of a version that the engine is not tested with; undefined for a tested one. */
export function untested(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [testedMajor = 0, testedMinor = 0] = NEWEST_TESTED.split(".").map(Number);
  const isNewer = major > testedMajor || (major === testedMajor && minor > testedMinor);
  return isNewer
    ? `TestStack is tested with @pulumi/pulumi up to ${NEWEST_TESTED}, and this project has ${version}. Should a plan look wrong, compare it with the Pulumi CLI's.`
    : undefined;
}

/** Loads the `@pulumi/pulumi` that a program in this directory would load. */
export function loadSdk(programDir: string): PulumiSdk {
  const manifest = manifestPath(programDir);
  const known = loaded.get(manifest);
  if (known) {
    return known;
  }
  const load = createRequire(manifest);
  const yaml: { loadAll(text: string): unknown[] } = load("js-yaml");
  const { version }: { version: string } = JSON.parse(readFileSync(manifest, "utf8"));
  const warning = untested(version);
  if (warning) {
    process.emitWarning(warning);
  }
  const sdk: PulumiSdk = {
    runScript: load.resolve("./cmd/run"),
    hostScript: load.resolve("./cmd/dynamic-provider"),
    version,
    grpc: load("@grpc/grpc-js"),
    empty: load("google-protobuf/google/protobuf/empty_pb.js"),
    struct: load("google-protobuf/google/protobuf/struct_pb.js"),
    engine: load("./proto/engine_pb.js"),
    engineService: load("./proto/engine_grpc_pb.js"),
    monitor: load("./proto/resource_pb.js"),
    monitorService: load("./proto/resource_grpc_pb.js"),
    provider: load("./proto/provider_pb.js"),
    providerService: load("./proto/provider_grpc_pb.js"),
    status: load("./proto/status_pb.js"),
    parseYaml: (text) => yaml.loadAll(text),
  };
  loaded.set(manifest, sdk);
  return sdk;
}

function manifestPath(programDir: string): string {
  for (let dir = programDir; ; dir = dirname(dir)) {
    const manifest = join(dir, "node_modules", "@pulumi", "pulumi", "package.json");
    if (existsSync(manifest)) {
      // Its own dependencies are beside the real folder, to which some package managers only link.
      return realpathSync(manifest);
    }
    if (dir === dirname(dir)) {
      throw new Error(`${programDir} has no @pulumi/pulumi: run npm install in the project`);
    }
  }
}
