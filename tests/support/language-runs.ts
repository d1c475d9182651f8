/** Runs the programs of an import in each language, with stand-ins for Pulumi and the SDK that record what is declared. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runInNewContext } from "node:vm";
import ts from "typescript";
import { parse } from "yaml";
import { type Draft, TrunkReference } from "../../provider/cli/languages/language";
import type { LanguageName } from "../../provider/cli/languages/names";
import { SecretReference } from "../../provider/inference/secrets";
import { KINDS } from "../../provider/resource-types";

/** What a program declares: secrets as `{ secret: key }`, and references as `{ reference: trunk }`. */
export type Recorded = readonly { readonly kind: string; readonly name: string; readonly args: unknown }[];

interface Schema {
  resources: Record<string, { inputProperties: Record<string, unknown> }>;
  types: Record<string, { enum?: { name: string; value: string }[]; properties?: Record<string, unknown> }>;
}

const schema: Schema = JSON.parse(readFileSync(join(__dirname, "..", "..", "schema.json"), "utf8"));
const shortName = (token: string) => token.split(":").at(-1) ?? "";

/** The tool that a language needs, if it is not part of Node.js. */
const TOOLS: Partial<Record<LanguageName, string>> = { go: "go", python: "python3" };

/** The name of the tool that is missing on this machine, or undefined. */
export function missingTool(language: LanguageName): string | undefined {
  const { [language]: tool } = TOOLS;
  return tool === undefined || spawnSync(tool, ["--help"]).error === undefined ? undefined : tool;
}

/** What a draft declares. */
export function declaredBy({ sections }: Draft): Recorded {
  const plain = (value: unknown): unknown => {
    if (value instanceof SecretReference) {
      return { secret: value.key };
    }
    if (value instanceof TrunkReference) {
      return { reference: value.trunk };
    }
    if (Array.isArray(value)) {
      return value.map(plain);
    }
    return typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
      : value;
  };
  return sections
    .flatMap(({ declarations }) => declarations)
    .map(({ kind, name, args }) => ({ kind, name, args: plain(args) }));
}

/** Runs a program, and returns what it declares. */
export function run(language: LanguageName, code: string): Recorded {
  return RUNNERS[language](code);
}

const RUNNERS: Record<LanguageName, (code: string) => Recorded> = {
  typescript: runTypeScript,
  go: runGo,
  python: runPython,
  yaml: readYaml,
};

function runTypeScript(code: string): Recorded {
  const recorded: { kind: string; name: string; args: unknown }[] = [];
  const recorder = (kind: string) =>
    class {
      readonly reference: unknown;
      constructor(name: string, args: unknown) {
        this.reference = { reference: name };
        recorded.push({ kind, name, args });
      }
    };
  const modules: Record<string, unknown> = {
    "@pulumi/pulumi": {
      Config: class {
        requireSecret = (secret: string) => ({ secret });
        requireSecretObject = () => new Proxy({}, { get: (_, secret) => ({ secret }) });
      },
    },
    "@pulumi/livekit-sip": Object.fromEntries(KINDS.map((kind) => [kind, recorder(kind)])),
  };
  const { outputText, diagnostics = [] } = ts.transpileModule(code, {
    reportDiagnostics: true,
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  expect(diagnostics.map(({ messageText }) => messageText)).toEqual([]);
  runInNewContext(outputText, { exports: {}, require: (name: string) => modules[name] });
  return JSON.parse(JSON.stringify(recorded));
}

function runPython(code: string): Recorded {
  const enums = Object.entries(schema.types).flatMap(([token, { enum: members }]) =>
    members
      ? [
          `class ${shortName(token)}:\n${members.map(({ name, value }) => `    ${screaming(name)} = ${JSON.stringify(value)}\n`).join("")}`,
        ]
      : [],
  );
  const objects = Object.entries(schema.types).flatMap(([token, { properties }]) =>
    properties ? [`def ${shortName(token)}Args(**args):\n    return camel(args)\n`] : [],
  );
  const resources = KINDS.map(
    (kind) =>
      `class ${kind}:\n    def __init__(self, resource_name, **args):\n        self.reference = {"reference": resource_name}\n        print(json.dumps({"kind": "${kind}", "name": resource_name, "args": camel(args)}))\n`,
  );
  return inFolder(
    {
      "pulumi.py": `class Config:
    def require_secret(self, key):
        return {"secret": key}
    def require_secret_object(self, key):
        return All()
class All:
    def __getitem__(self, key):
        return {"secret": key}
`,
      "pulumi_livekit_sip.py": `import json, re
def camel(args):
    return {re.sub("_([a-z])", lambda match: match.group(1).upper(), key): value for key, value in args.items()}
${[...enums, ...objects, ...resources].join("")}`,
      "__main__.py": code,
    },
    (folder) => linesOf(execFileSync("python3", [join(folder, "__main__.py")], { encoding: "utf8" })),
  );
}

function runGo(code: string): Recorded {
  const fields = (properties: Record<string, unknown>) =>
    Object.keys(properties)
      .map((key) => `\t${key.charAt(0).toUpperCase()}${key.slice(1)} any \`json:"${key},omitempty"\`\n`)
      .join("");
  const types = Object.entries(schema.types).map(([token, { enum: members, properties }]) =>
    members
      ? members.map(({ name, value }) => `const ${shortName(token)}${name} = ${JSON.stringify(value)}\n`).join("")
      : `type ${shortName(token)}Args struct {\n${fields(properties ?? {})}}\ntype ${shortName(token)}Array []any\n`,
  );
  const resources = KINDS.map((kind) => {
    const { inputProperties = {} } = schema.resources[`livekit-sip:index:${kind}`] ?? {};
    return `type ${kind}Args struct {\n${fields(inputProperties)}}
type ${kind} struct{ Reference any }
func New${kind}(ctx *pulumi.Context, name string, args *${kind}Args) (*${kind}, error) {
	json.NewEncoder(os.Stdout).Encode(map[string]any{"kind": "${kind}", "name": name, "args": args})
	return &${kind}{map[string]string{"reference": name}}, nil
}
`;
  });
  const sdk = "example.com/pulumi-livekit-sip/sdk/go";
  const pulumi = "github.com/pulumi/pulumi/sdk/v3";
  return inFolder(
    {
      "go.mod": `module program\n\ngo 1.21\n\nrequire ${sdk} v0.0.0\n\nrequire ${pulumi} v3.0.0\n\nreplace ${sdk} => ./sdk\n\nreplace ${pulumi} => ./pulumi\n`,
      "main.go": code,
      "sdk/go.mod": `module ${sdk}\n\ngo 1.21\n`,
      "sdk/livekitsip/sdk.go": `package livekitsip\nimport (\n"encoding/json"\n"os"\n"${pulumi}/go/pulumi"\n)\n${[...types, ...resources].join("")}`,
      "pulumi/go.mod": `module ${pulumi}\n\ngo 1.21\n`,
      "pulumi/go/pulumi/pulumi.go": `package pulumi
type Context struct{}
type String string
type Int int
type Float64 float64
type Bool bool
type Array []any
type StringArray []any
type Map map[string]any
type StringMap map[string]any
type StringOutput struct {
	Secret string \`json:"secret"\`
}
func ToSecret(value String) any { return StringOutput{string(value)} }
func Run(program func(ctx *Context) error) {
	if err := program(&Context{}); err != nil {
		panic(err)
	}
}
`,
      "pulumi/go/pulumi/config/config.go": `package config
import (
	"encoding/json"
	"os"
	"${pulumi}/go/pulumi"
)
type Config struct{}
func New(ctx *pulumi.Context, name string) *Config { return &Config{} }
func (*Config) RequireSecret(key string) pulumi.StringOutput { return pulumi.StringOutput{key} }
func (*Config) RequireSecretObject(key string, output any) {
	if err := json.Unmarshal([]byte(os.Getenv("SECRETS")), output); err != nil {
		panic(err)
	}
}
`,
    },
    (folder) => {
      const keys = [...code.matchAll(/secret\("(\w+)"\)/g)].map(([, key = ""]) => [key, key]);
      const env = {
        ...process.env,
        GOFLAGS: "-mod=mod",
        GOPROXY: "off",
        SECRETS: JSON.stringify(Object.fromEntries(keys)),
      };
      // gofmt aligns the values of long keys by a rule that a written program does not follow.
      if (!/^\t+"\S{36,}/m.test(code)) {
        expect(execFileSync("gofmt", ["-d", "main.go"], { cwd: folder, encoding: "utf8" })).toBe("");
      }
      return linesOf(execFileSync("go", ["run", "."], { cwd: folder, env, encoding: "utf8" }));
    },
  );
}

/** Pulumi.yaml, as Pulumi's host for YAML takes its texts. */
function readYaml(code: string): Recorded {
  interface Resource {
    type: string;
    name?: string;
    properties: unknown;
  }
  const { config = {}, resources = {} }: { config?: object; resources?: Record<string, Resource> } = parse(code);
  const evaluated = (value: unknown): unknown => {
    if (typeof value === "string") {
      const [, root = "", indexed = "", member = ""] =
        /^\$\{(?:(\w+)|\["(\w+)"\])(?:\.(\w+)|\["\w+"\])?\}$/.exec(value) ?? [];
      const name = root || indexed;
      if (name === "secrets") {
        return { secret: /(\w+)(?:"\])?\}$/.exec(value)?.[1] };
      }
      if (name !== "") {
        const { [name]: resource } = resources;
        expect(name in config).toBe(resource === undefined);
        return resource ? { [member]: resource.name ?? name } : { secret: name };
      }
      expect(value.replaceAll("$$", "")).not.toContain("${");
      return value.replaceAll("$$", "$");
    }
    if (Array.isArray(value)) {
      return value.map(evaluated);
    }
    return typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [evaluated(key), evaluated(item)]))
      : value;
  };
  return Object.entries(resources).map(([key, { type, name = key, properties }]) => ({
    kind: type.replace("livekit-sip:", ""),
    name,
    args: evaluated(properties),
  }));
}

function inFolder(files: Readonly<Record<string, string>>, work: (folder: string) => Recorded): Recorded {
  const folder = mkdtempSync(join(tmpdir(), "language-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function linesOf(output: string): Recorded {
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

function screaming(name: string): string {
  return name.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}
