/** Imports of LiveKit projects: planned in this process, and as a stack of the in-process engine. */

import { join } from "node:path";
import ts from "typescript";
import { importEntries } from "../../provider/cli/import-file";
import { inventoryOf } from "../../provider/cli/inventory";
import { CLASSES } from "../../provider/cli/languages/languages";
import { type Choices, type ImportPlan, planImport } from "../../provider/cli/plan";
import { type Program, writeStacks } from "../../provider/cli/program";
import { Trial } from "../../provider/inference/trial";
import { Session } from "../../provider/lifecycle/session";
import { Vault } from "../../provider/testing/engine/vault";
import { TestStack } from "../../provider/testing/test-stack";
import { environmentOf, type Target } from "./livekit-call";
import { ProgramFolder } from "./program-folder";
import { sealed } from "./state-samples";

const ROOT = join(__dirname, "..", "..");
export const STACK = "organization/imported/dev";

/** What an import would declare. */
export async function planned(target: Target, choices: Choices = {}): Promise<{ plan: ImportPlan; program: Program }> {
  const env = environmentOf(target);
  const { outboundProxy: proxy } = choices;
  const settings = new Map(proxy ? [["livekit:outboundProxy", JSON.stringify(proxy)]] : []);
  const session = new Session((key) => settings.get(key), env, { say: () => {} });
  const layout = { stackOf: () => STACK, isOwn: (stack: string) => stack === STACK };
  const plan = await planImport(await inventoryOf(session.account), new Trial(session), layout, choices);
  const program = writeStacks(plan, { language: CLASSES, projectFile: "" }).get("dev") ?? {
    code: "",
    resources: [],
    secrets: [],
    style: "each",
  };
  return { plan, program };
}

/** What the compiler says about programs, in strict mode. */
export function compileErrors(programs: readonly string[]): string[] {
  const folder = new ProgramFolder();
  try {
    const names = programs.map((_, index) => `${index}.ts`);
    folder.write(Object.fromEntries(programs.map((code, index) => [`${index}.ts`, `${code}\nexport {};\n`])));
    const program = ts.createProgram(
      names.map((name) => join(folder.path, name)),
      {
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.Node16,
        moduleResolution: ts.ModuleResolutionKind.Node16,
        types: ["node"],
        typeRoots: [join(ROOT, "node_modules", "@types")],
        noUnusedLocals: true,
      },
    );
    return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
      const line = file?.text.slice(0, start).split("\n").length ?? 0;
      return `${file?.fileName.split("/").at(-1)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, " ")}\n${file?.text
        .split("\n")
        .slice(Math.max(0, line - 3), line + 2)
        .join("\n")}`;
    });
  } finally {
    folder.dispose();
  }
}

/** A stack of the in-process engine after the import of a project. */
export async function importedStack(
  target: Target,
  { code, secrets, resources, style }: Program,
): Promise<{ stack: TestStack; folder: ProgramFolder }> {
  const folder = new ProgramFolder();
  const entries = await importEntries(resources, false);
  const stateFile = join(folder.path, "state.json");
  const vault = Vault.random();
  const provider = {
    urn: "urn:pulumi:dev::imported::pulumi:providers:pulumi-nodejs::default",
    custom: true,
    type: "pulumi:providers:pulumi-nodejs",
    id: "0a1b2c3d-0000-4000-8000-000000000000",
  };
  folder.write({
    "Pulumi.yaml": "name: imported\nruntime: nodejs\nmain: index.ts\noptions:\n  refresh: always\n",
    "index.ts": code,
    "state.json.key": vault.export(),
    "state.json": JSON.stringify(
      sealed(
        {
          version: 3,
          deployment: {
            manifest: { time: new Date(0).toISOString(), magic: "", version: "" },
            resources: [
              { ...provider, inputs: {}, outputs: {} },
              ...entries.map(({ type, logicalName, id, inputs, outputs }) => ({
                urn: `urn:pulumi:dev::imported::${type}::${logicalName}`,
                custom: true,
                type,
                id,
                inputs: { ...inputs },
                outputs: { ...outputs },
                provider: `${provider.urn}::${provider.id}`,
              })),
            ],
          },
        },
        vault,
      ),
    ),
  });
  const values = secrets.map(({ key, value = "" }) => [key, value] as const);
  const stack = await TestStack.create({
    projectDir: folder.path,
    stateFile,
    secrets: style === "one" ? { secrets: JSON.stringify(Object.fromEntries(values)) } : Object.fromEntries(values),
    env: environmentOf(target),
  });
  return { stack, folder };
}
