/** A Pulumi project on disk: Pulumi.yaml and the project's configuration. */

import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { loadSdk, type PulumiSdk } from "./sdk";

/** What the engine needs to know about a project. */
export interface Project {
  name: string;
  rootDir: string;
  /** The working directory of the program and of the provider host. */
  programDir: string;
  /** What node is told to run in the program's directory. */
  entryPoint: string;
  typescript: boolean;
  tsconfig: string | undefined;
  nodeArgs: string[];
  runtimeOptions: Record<string, string>;
  refreshAlways: boolean;
  /** Configuration that Pulumi.yaml gives to every stack. */
  config: Map<string, ConfigValue>;
  sdk: PulumiSdk;
}

export interface ConfigValue {
  value: string;
  secret: boolean;
}

/** Reads the project in a directory. */
export function loadProject(projectDir: string): Project {
  const rootDir = resolve(projectDir);
  const file = ["Pulumi.yaml", "Pulumi.yml"].map((name) => join(rootDir, name)).find(existsSync);
  if (!file) {
    throw new Error(`${rootDir} holds no Pulumi.yaml: projectDir must be the folder of a Pulumi project`);
  }
  const outline = readFileSync(file, "utf8");
  const declaredMain = /^main:\s*["']?([^"'\s#]+)/m.exec(outline)?.[1];
  const { programDir, entryPoint } = locateMain(rootDir, declaredMain);
  const sdk = loadSdk(programDir);
  const yaml = record(sdk.parseYaml(outline)[0]);
  const name = yaml.get("name");
  if (typeof name !== "string") {
    throw new Error(`${file} has no name`);
  }
  const runtime = yaml.get("runtime");
  const runtimeName = typeof runtime === "string" ? runtime : record(runtime).get("name");
  if (runtimeName !== "nodejs") {
    throw new Error(`${file} says runtime ${String(runtimeName)}: TestStack runs programs for nodejs`);
  }
  const options = typeof runtime === "string" ? new Map<string, unknown>() : record(record(runtime).get("options"));
  const tsconfig = options.get("tsconfig");
  return {
    name,
    rootDir,
    programDir,
    entryPoint,
    typescript: options.get("typescript") !== false,
    tsconfig: typeof tsconfig === "string" ? tsconfig : undefined,
    nodeArgs: String(options.get("nodeargs") ?? "")
      .split(" ")
      .filter(Boolean),
    runtimeOptions: Object.fromEntries([...options].map(([key, value]) => [key, String(value)])),
    refreshAlways: record(yaml.get("options")).get("refresh") === "always",
    config: projectConfig(name, record(yaml.get("config"))),
    sdk,
  };
}

/** A configuration key with its namespace: `url` means `<project>:url`. */
export function qualifiedKey(project: string, key: string): string {
  return key.includes(":") ? key : `${project}:${key}`;
}

function projectConfig(project: string, declared: Map<string, unknown>): Map<string, ConfigValue> {
  const config = new Map<string, ConfigValue>();
  for (const [key, entry] of declared) {
    const fields = record(entry);
    const value = typeof entry === "object" && entry !== null ? (fields.get("value") ?? fields.get("default")) : entry;
    if (value !== undefined && value !== null) {
      const text = typeof value === "object" ? JSON.stringify(value) : String(value);
      config.set(qualifiedKey(project, key), { value: text, secret: fields.get("secret") === true });
    }
  }
  return config;
}

function locateMain(rootDir: string, main: string | undefined): { programDir: string; entryPoint: string } {
  if (!main) {
    return { programDir: rootDir, entryPoint: "." };
  }
  const path = resolve(rootDir, main);
  if (!existsSync(path)) {
    throw new Error(`project 'main' could not be read: ${path} does not exist`);
  }
  return statSync(path).isDirectory()
    ? { programDir: path, entryPoint: "." }
    : { programDir: dirname(path), entryPoint: basename(path) };
}

function record(value: unknown): Map<string, unknown> {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : new Map();
}
