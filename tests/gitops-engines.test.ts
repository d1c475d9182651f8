/** The files for the Pulumi Kubernetes Operator and Pulumi Deployments in examples/gitops. */

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import Ajv from "ajv";
import { parseAllDocuments } from "yaml";
import { bash } from "./support/github-actions";

const ROOT = join(__dirname, "..");
const GITOPS = join(ROOT, "examples", "gitops");
const CUSTOMERS = readdirSync(join(ROOT, "examples", "fleet", "customers")).map((file) => basename(file, ".yaml"));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gitops-"));
  for (const name of ["customers", "index.ts"]) {
    cpSync(join(ROOT, "examples", "fleet", name), join(folder, name), { recursive: true });
  }
  cpSync(join(GITOPS, "operator"), join(folder, "operator"), { recursive: true });
  cpSync(join(GITOPS, "deployments"), join(folder, "deployments"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("the guide's command writes a Stack for each customer that the operator's schema accepts", async () => {
  const guide = readFileSync(join(ROOT, "docs", "gitops.md"), "utf8");
  const [, command = ""] = /```sh\n\s*(for file in customers[\s\S]*?)```/.exec(guide) ?? [];
  const { code, text } = await bash(command, folder, process.env);
  expect([code, text]).toEqual([0, ""]);
  const documents = parseAllDocuments(readFileSync(join(folder, "operator", "customers.yaml"), "utf8"));
  const stacks = documents.map((it) => it.toJS());
  expect(stacks.map(({ metadata }) => metadata.name)).toEqual(CUSTOMERS.map((name) => `sip-${name}`));
  const schema = JSON.parse(readFileSync(join(__dirname, "gitops", "operator-stack.schema.json"), "utf8"));
  const isStack = new Ajv({ strict: false, allErrors: true }).compile(schema);
  for (const stack of stacks) {
    expect([isStack(stack), isStack.errors]).toEqual([true, null]);
    expect(JSON.stringify(stack)).not.toContain("CUSTOMER");
    expect(isStack({ ...stack, spec: { ...stack.spec, refersh: true } })).toBe(false);
  }
});

test("Pulumi Deployments previews, applies and checks each customer, by the customer's own files and the shared ones", async () => {
  const made: pulumi.runtime.MockResourceArgs[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        made.push(args);
        return { id: args.name, state: args.inputs };
      },
      call: ({ inputs }) => inputs,
    },
    "fleet-deployments",
    "production",
    false,
    "acme",
  );
  pulumi.runtime.setConfig("fleet-deployments:repository", "acme/fleet");
  const before = process.cwd();
  process.chdir(join(folder, "deployments"));
  try {
    require(join(GITOPS, "deployments", "index.ts"));
    // Waits for what the program has begun to register.
    await pulumi.runtime.disconnect();
  } finally {
    process.chdir(before);
  }
  const inputs = (type: string) =>
    made.filter((it) => it.type === `pulumiservice:index:${type}`).map((it) => it.inputs);
  expect(inputs("DeploymentSettings")).toEqual(
    CUSTOMERS.map((stack) =>
      expect.objectContaining({
        organization: "acme",
        project: "fleet",
        stack,
        vcs: expect.objectContaining({
          repository: "acme/fleet",
          paths: expect.arrayContaining([`customers/${stack}.yaml`, `Pulumi.${stack}.yaml`, "index.ts"]),
        }),
      }),
    ),
  );
  expect(inputs("DriftSchedule").map(({ stack, autoRemediate }) => [stack, autoRemediate])).toEqual(
    CUSTOMERS.map((stack) => [stack, false]),
  );
});
