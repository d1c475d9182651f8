/** A running policy pack, started and asked as the Pulumi CLI does it. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import {
  AnalyzeRequest,
  type AnalyzeResponse,
  type AnalyzerInfo,
  AnalyzerResourceOptions,
  ConfigureAnalyzerRequest,
  EnforcementLevel,
  PolicyConfig,
} from "@pulumi/pulumi/proto/analyzer_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

type Properties = Record<string, JavaScriptValue>;

/** What a policy found. */
export interface Violation {
  readonly policy: string;
  readonly message: string;
  readonly isMandatory: boolean;
}

/** A policy's part of the configuration. The CLI fills in what the user leaves out. */
export interface PolicySettings {
  readonly level: "advisory" | "mandatory" | "disabled";
  readonly properties?: Properties;
}

const LEVELS = {
  advisory: EnforcementLevel.ADVISORY,
  mandatory: EnforcementLevel.MANDATORY,
  disabled: EnforcementLevel.DISABLED,
};

/** A policy pack in a process of its own. */
export class PolicyPackProcess {
  /** Everything that the process printed. */
  printed = "";

  private constructor(
    private readonly child: ChildProcess,
    private readonly client: AnalyzerClient,
  ) {}

  /**
   * Starts the pack in a folder.
   *
   * @throws Error with what it printed if it does not start
   */
  static async start(folder: string): Promise<PolicyPackProcess> {
    const script = createRequire(join(folder, "index.js")).resolve("@pulumi/pulumi/cmd/run-policy-pack");
    const child = spawn(process.execPath, [script, "127.0.0.1:1", folder], { cwd: folder, stdio: "pipe" });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (part: Buffer) => {
        printed += part;
      });
    }
    const port = await Promise.race([
      once(createInterface(child.stdout), "line").then(([line]) => Number(line)),
      once(child, "close").then(() => undefined),
    ]);
    if (!port) {
      child.kill();
      throw new Error(`The pack in ${folder} did not start: ${printed}`);
    }
    return new PolicyPackProcess(child, new AnalyzerClient(`127.0.0.1:${port}`, credentials.createInsecure()));
  }

  /** What the pack says of itself: its name, its version and its policies. */
  info(): Promise<AnalyzerInfo.AsObject> {
    return new Promise((resolve, reject) => {
      this.client.getAnalyzerInfo(new Empty(), (error, info) => (error ? reject(error) : resolve(info.toObject())));
    });
  }

  /** Replaces the configuration. */
  configure(policies: Readonly<Record<string, PolicySettings>>): Promise<void> {
    const request = new ConfigureAnalyzerRequest();
    for (const [name, { level, properties = {} }] of Object.entries(policies)) {
      const config = new PolicyConfig();
      config.setEnforcementlevel(LEVELS[level]);
      config.setProperties(Struct.fromJavaScript(properties));
      request.getPolicyconfigMap().set(name, config);
    }
    return new Promise((resolve, reject) => {
      this.client.configure(request, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Judges the inputs of a resource. */
  async analyze(type: string, name: string, properties: Properties): Promise<Violation[]> {
    const request = new AnalyzeRequest();
    request.setType(type);
    request.setName(name);
    request.setUrn(`urn:pulumi:dev::project::${type}::${name}`);
    request.setProperties(Struct.fromJavaScript(properties));
    request.setOptions(new AnalyzerResourceOptions());
    const response = await new Promise<AnalyzeResponse>((resolve, reject) => {
      this.client.analyze(request, (error, found) => (error ? reject(error) : resolve(found)));
    });
    return response.getDiagnosticsList().map((found) => ({
      policy: found.getPolicyname(),
      message: found.getMessage(),
      isMandatory: found.getEnforcementlevel() === EnforcementLevel.MANDATORY,
    }));
  }

  async stop(): Promise<void> {
    this.client.close();
    const closed = once(this.child, "close");
    this.child.kill();
    await closed;
  }
}
