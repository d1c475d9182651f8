import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type OperationResult, type StepResult, TestStack } from "../provider/testing/test-stack";
import { CliStack, findPulumiCli, type Stack } from "./support/cli-stack";
import { isWholeMatrix, scenario as test } from "./support/matrix";
import { CloudProject } from "./support/programs/cloud/project";

const engines = [
  { engine: "in-process", create: (project: CloudProject): Promise<Stack> => TestStack.create(project.options) },
  { engine: "Pulumi CLI", create: (project: CloudProject): Promise<Stack> => CliStack.create(project.options) },
];
const cli = findPulumiCli();

const thingUrn = (name: string) => `urn:pulumi:dev::cloudy::pulumi-nodejs:dynamic/cloud:Thing::${name}`;

let project: CloudProject;
let stack: Stack;
let printed: string;

beforeEach(() => {
  project = new CloudProject();
  printed = "";
});

afterEach(async () => {
  await stack?.dispose();
  project.dispose();
});

/** Runs an operation that must succeed. */
async function succeed(operation: Promise<OperationResult>): Promise<OperationResult> {
  const result = await operation;
  printed += result.text;
  expect(result).toMatchObject({ succeeded: true, exitCode: 0 });
  return result;
}

/** Runs an operation that must fail. */
async function fail(operation: Promise<OperationResult>): Promise<OperationResult> {
  const result = await operation;
  printed += result.text;
  expect(result).toMatchObject({ succeeded: false, exitCode: 1 });
  return result;
}

/** The operations on a thing, without those that change nothing. */
function opsOf(result: OperationResult, name: string): StepResult["op"][] {
  return result.steps.filter((step) => step.name === name && step.op !== "same").map(({ op }) => op);
}

function resourceIn(name: string) {
  return stack.exportState().deployment.resources?.find(({ urn }) => urn.endsWith(`::${name}`));
}

describe.each(engines.slice(0, cli && isWholeMatrix ? 2 : 1))("$engine", ({ create }) => {
  beforeEach(async () => {
    stack = await create(project);
  });

  test("the first preview shows the creates, up carries them out, and the next preview is empty", async () => {
    project.program(`
      const a = new Thing("a", { label: "one", size: 1, list: ["x"], nested: { k: "v" } });
      const b = new Thing("b", { label: a.address, size: 2 });
      exports.address = b.address;`);
    const preview = await succeed(stack.preview());
    expect(preview.changes).toEqual({ create: 3 });
    expect(preview.text).toContain('        label     : "one"\n');
    expect(preview.text).toContain("        label     : [unknown]\n");
    expect(preview.text).toContain("    --outputs:--\n    address: [unknown]\n");
    expect(preview.text).toContain("Resources:\n    + 3 to create\n");
    expect(project.cloud.journal).toEqual([]);

    const up = await succeed(stack.up());
    expect(up.text).toContain('        --outputs:--\n        address   : "cloud://thing-1"\n');
    expect(up.text).toContain("Resources:\n    + 3 created\n");
    expect(project.cloud.journal).toEqual(["create thing-1 one", "create thing-2 cloud://thing-1"]);
    expect(await stack.outputs()).toEqual({ address: "cloud://thing-2" });
    expect(resourceIn("b")).toMatchObject({
      id: "thing-2",
      dependencies: [thingUrn("a")],
      propertyDependencies: { label: [thingUrn("a")] },
    });

    const empty = await succeed(stack.preview({ expectNoChanges: true }));
    expect(empty.changes).toEqual({ same: 3 });
  });

  test("shows changed inputs as old => new, and keeps the ID in the update", async () => {
    project.program(`new Thing("a", { label: "one", size: 1, list: ["x", "y"], nested: { k: "v" } });`);
    await succeed(stack.up());
    project.program(`new Thing("a", { label: "two", size: 1, list: ["x", "z", "w"], nested: {}, note: '{"a":1}' });`);
    const preview = await stack.preview({ expectNoChanges: true });
    expect(preview).toMatchObject({ succeeded: false, exitCode: 7 });
    expect(preview.text).toContain('      ~ label : "one" => "two"\n');
    expect(preview.text).toContain('          ~ [1]: "y" => "z"\n          + [2]: "w"\n        ]\n');
    expect(preview.text).toContain("      + note  : (json) {\n          + a: 1\n        }\n");
    expect(preview.text).toContain("error: no changes were expected for preview but changes were proposed\n");
    expect(preview.steps.find(({ name }) => name === "a")).toMatchObject({
      op: "update",
      id: "thing-1",
      diff: { label: { kind: "update", from: "one", to: "two" }, note: { kind: "add", to: '{"a":1}' } },
    });
    const up = await succeed(stack.up());
    expect(up.text).toContain("    ~ 1 updated\n    1 unchanged\n");
    expect(resourceIn("a")).toMatchObject({ id: "thing-1", inputs: { label: "two" } });
  });

  test("creates a replacement before it deletes the old resource, and updates its dependents", async () => {
    project.program(
      `const a = new Thing("a", { label: "one", size: 1 }); new Thing("b", { label: a.address, size: 1 });`,
    );
    await succeed(stack.up());
    project.program(
      `const a = new Thing("a", { label: "one", size: 2 }); new Thing("b", { label: a.address, size: 1 });`,
    );
    const preview = await succeed(stack.preview());
    expect(preview.text).toContain("    +-pulumi-nodejs:dynamic/cloud:Thing: (replace)\n        [id=thing-1]\n");
    expect(preview.text).toContain('      ~ label: "cloud://thing-1" => [unknown]\n');
    const up = await succeed(stack.up());
    expect(opsOf(up, "a")).toEqual(["create-replacement", "replace", "delete-replaced"]);
    expect(project.cloud.journal.slice(2)).toEqual([
      "create thing-3 one",
      "update thing-2 cloud://thing-3",
      "delete thing-1 one",
    ]);
  });

  test("with deleteBeforeReplace, deletes a resource and its dependents before it recreates them", async () => {
    const program = (size: number) => `
      const a = new Thing("a", { label: "one", size: ${size}, exclusive: true });
      new Thing("b", { label: "b", size: a.address.apply((address) => address.length) });`;
    project.program(program(1));
    await succeed(stack.up());
    project.program(program(2));
    await succeed(stack.up());
    expect(project.cloud.journal.slice(2)).toEqual([
      "delete thing-2 b",
      "delete thing-1 one",
      "create thing-3 one",
      "create thing-4 b",
    ]);
    await succeed(stack.preview({ expectNoChanges: true }));
  });

  test("deletes resources that were removed from the program, dependents first, and keeps retained ones", async () => {
    project.program(`
      const a = new Thing("a", { label: "a", size: 1 });
      const b = new Thing("b", { label: "b", size: 1 }, { dependsOn: a });
      new Thing("c", { label: "c", size: 1 }, { dependsOn: b, retainOnDelete: true });
      new Thing("d", { label: "d", size: 1 }, { dependsOn: b, deletedWith: a });`);
    await succeed(stack.up());
    project.program("");
    const up = await succeed(stack.up());
    expect(up.text).toContain("(delete[retain])");
    expect(project.cloud.journal.filter((entry) => entry.startsWith("delete"))).toEqual([
      "delete thing-2 b",
      "delete thing-1 a",
    ]);
  });

  test("neither replaces nor deletes a protected resource", async () => {
    project.program(`new Thing("a", { label: "a", size: 1 }, { protect: true });`);
    await succeed(stack.up());
    project.program(`new Thing("a", { label: "a", size: 2 }, { protect: true });`);
    expect((await fail(stack.preview())).text).toContain("unable to replace resource");
    const destroyed = await fail(stack.destroy());
    expect(destroyed.text).toContain(`error: resource "${thingUrn("a")}" cannot be deleted\nbecause it is protected.`);
    expect(Object.keys(project.cloud.things)).toEqual(["thing-1"]);
    project.program(`new Thing("a", { label: "a", size: 1 });`);
    expect((await succeed(stack.up())).text).toContain("pulumi-nodejs:dynamic/cloud:Thing: (same) 🔓\n");
    await succeed(stack.destroy());
    expect(project.cloud.things).toEqual({});
  });

  test("shows what a refresh found in the plan, and plans to restore the declaration", async () => {
    project.program(`new Thing("a", { label: "one", size: 1 });`);
    await succeed(stack.up());
    project.change(({ things }) => Object.assign(things["thing-1"] ?? {}, { label: "drifted" }));
    const preview = await succeed(stack.preview({ refresh: true }));
    expect(preview.text).toContain('        --outputs:--\n      ~ label  : "one" => "drifted"\n');
    expect(preview.text).toContain('      ~ label: "drifted" => "one"\n');
    expect(opsOf(preview, "a")).toEqual(["refresh", "update"]);
    await succeed(stack.up({ refresh: true }));
    expect(project.cloud.things["thing-1"]).toMatchObject({ label: "one" });
  });

  test("writes the real values into the state in a separate refresh, and drops deleted resources", async () => {
    project.program(
      `const a = new Thing("a", { label: "a", size: 1 }); new Thing("b", { label: "b", size: 1 }, { dependsOn: a });`,
    );
    await succeed(stack.up());
    project.change(({ things }) => Object.assign(things["thing-2"] ?? {}, { label: "drifted" }));
    project.change(({ things }) => delete things["thing-1"]);
    const shown = await stack.refresh({ previewOnly: true, expectNoChanges: true });
    expect(shown.exitCode).toBe(7);
    expect(shown.changes).toEqual({ same: 1, update: 1, delete: 1 });
    await succeed(stack.refresh());
    expect(resourceIn("b")).toMatchObject({ inputs: { label: "drifted" } });
    expect(resourceIn("b")).not.toHaveProperty("dependencies");
    const up = await succeed(stack.up());
    expect(up.changes).toEqual({ same: 1, create: 1, update: 1 });
  });

  test("fails the plan when read() fails", async () => {
    project.program(`new Thing("a", { label: "one", size: 1 });`);
    await succeed(stack.up());
    project.change((cloud) => Object.assign(cloud, { unreadable: true }));
    const preview = await fail(stack.preview({ refresh: true }));
    expect(preview.text).toContain("error: Preview failed: the cloud is closed\nerror: preview failed\n");
  });

  test("keeps a partly created resource in the state, and repairs it in the next update", async () => {
    const program = (trouble: string) =>
      `const a = new Thing("a", { label: "one", size: 1${trouble} }); new Thing("b", { label: a.address, size: 1 });`;
    project.program(program(', trouble: "half"'));
    const broken = await fail(stack.up());
    expect(broken.text).toContain("error: 1 error occurred:\n\t* the second half is missing\n");
    expect(resourceIn("a")).toMatchObject({ id: "thing-1", initErrors: ["the second half is missing"] });
    expect(project.cloud.journal).toEqual(["create thing-1 one"]);
    project.program(program(""));
    const mended = await succeed(stack.up());
    expect(opsOf(mended, "a")).toEqual(["update"]);
    expect(resourceIn("a")).not.toHaveProperty("initErrors");
  });

  test("ends the update when a create or delete fails, and leaves the rest to the next one", async () => {
    project.program(
      `const a = new Thing("a", { label: "a", size: 1 }); new Thing("b", { label: a.address, size: 1, trouble: "create" });`,
    );
    const up = await fail(stack.up());
    expect(up.text).toContain("error: the cloud refuses cloud://thing-1\n");
    expect(up.text).toContain("error: update failed\n");
    expect(stack.exportState().deployment.resources?.map(({ urn }) => urn.split("::").pop())).toEqual([
      "cloudy-dev",
      "default",
      "a",
    ]);
    project.change((cloud) => Object.assign(cloud, { undeletable: "thing-1" }));
    expect((await fail(stack.destroy())).text).toContain("thing-1 cannot be deleted");
    project.change((cloud) => Object.assign(cloud, { undeletable: "" }));
    await succeed(stack.destroy());
  });

  test("ends the plan with one line when check() refuses inputs", async () => {
    project.program(`new Thing("a", { label: "one", size: 13 });`);
    const named = "pulumi-nodejs:dynamic/cloud:Thing resource 'a'";
    expect((await fail(stack.preview())).text).toContain(
      `error: ${named}: property size value {13} has a problem: thirteen is unlucky\n`,
    );
    project.program(`new Thing("a", { label: "one", size: 14 });`);
    expect((await fail(stack.up())).text).toContain(`error: ${named} has a problem: size: fourteen is unlucky\n`);
    expect(project.cloud.journal).toEqual([]);
  });

  test("masks secrets in all output, and encrypts them in the state", async () => {
    project.program(`
      const a = new Thing("a", {
        label: "one",
        size: 1,
        password: pulumi.secret("c4nary-property-secret"),
        nested: { deep: pulumi.secret("c4nary-nested-secret"), key: new pulumi.Config("cloud").requireSecret("key") },
      }, { additionalSecretOutputs: ["token"] });
      exports.token = a.token;
      exports.password = a.password;`);
    printed += JSON.stringify(await succeed(stack.preview()));
    printed += JSON.stringify(await succeed(stack.up()));
    project.change(({ things }) => Object.assign(things["thing-1"] ?? {}, { password: "c4nary-drifted-secret" }));
    printed += JSON.stringify(await succeed(stack.preview({ refresh: true })));
    await succeed(stack.refresh());
    printed += JSON.stringify([stack.exportState(), await stack.outputs()]);
    expect(await stack.outputs()).toEqual({ token: "[secret]", password: "[secret]" });
    expect(resourceIn("a")).toMatchObject({ outputs: { token: { ciphertext: expect.any(String) } } });
    expect(printed).toContain("password  : [secret]\n");
    expect(printed.includes("c4nary")).toBe(false);
  });

  test("ignoreChanges keeps the recorded value", async () => {
    project.program(`new Thing("a", { label: "one", size: 1, nested: { x: 1, y: 1 } });`);
    await succeed(stack.up());
    project.program(
      `new Thing("a", { label: "two", size: 1, nested: { x: 2, y: 2 } }, { ignoreChanges: ["label", "nested.y"] });`,
    );
    const preview = await succeed(stack.preview());
    expect(preview.text).toContain("      ~ nested: {\n          ~ x: 1 => 2\n            y: 1\n        }\n");
    expect(preview.text).not.toContain("two");
  });

  test("keeps the state of a renamed resource, and of a renamed group's children, with an alias", async () => {
    project.program(`new Thing("a", { label: "a", size: 1 }); new Group("g", { label: "g", size: 1 });`);
    await succeed(stack.up());
    project.program(`
      new Thing("a2", { label: "a", size: 1 }, { aliases: [{ name: "a" }] });
      new Group("g2", { label: "g", size: 1 }, { aliases: [{ name: "g" }] });`);
    const up = await succeed(stack.up({ expectNoChanges: true }));
    expect(up.changes).toEqual({ same: 4 });
    expect(stack.exportState().deployment.resources?.map(({ urn }) => urn.split("::").pop())).toEqual(
      expect.arrayContaining(["a2", "g2", "g2-thing"]),
    );
  });

  test("shows a component's children inside it, and passes its outputs to the stack", async () => {
    project.program(`const g = new Group("g", { label: "g", size: 1 }); exports.address = g.address;`);
    const up = await succeed(stack.up());
    expect(up.text).toContain("    + cloud:index:Group: (create)\n");
    expect(up.text).toContain("        + pulumi-nodejs:dynamic/cloud:Thing: (create)\n");
    expect(await stack.outputs()).toEqual({ address: "cloud://thing-1" });
  });

  test("compares inputs for a provider without diff(), and shows only the changes", async () => {
    project.program(`new Plain("a", { label: "one", size: 1, deep: { a: 1, b: [1, 2] } });`);
    await succeed(stack.up());
    project.program(`new Plain("a", { label: "one", size: 1, deep: { a: 1, b: [1, 3] } });`);
    const preview = await succeed(stack.preview());
    expect(preview.text).toContain(
      "      ~ deep: {\n          ~ b: [\n              ~ [1]: 2 => 3\n            ]\n        }\n",
    );
    project.program(
      `new Plain("a", { label: "one", size: 2, deep: { a: 1, b: [1, 2] } }, { replaceOnChanges: ["size"] });`,
    );
    expect(opsOf(await succeed(stack.preview()), "a")).toContain("replace");
  });

  test("changes only targets", async () => {
    const program = (label: string) =>
      `for (const name of ["a", "b"]) new Thing(name, { label: "${label}", size: 1 });`;
    project.program(program("one"));
    await succeed(stack.up());
    project.program(program("two"));
    const up = await succeed(stack.up({ targets: [thingUrn("a")] }));
    expect(up.changes).toEqual({ same: 2, update: 1 });
  });

  test("shows output of the program and the provider, and fails the plan when the program throws", async () => {
    project.program(`
      const a = new Thing("a", { label: "one", size: 1 });
      pulumi.log.warn("careful", a);
      console.log("hello");
      throw new pulumi.RunError("no more");`);
    const preview = await fail(stack.preview());
    expect(preview.text).toContain("hello\n");
    expect(preview.text).toContain("error: no more\n");
    expect(preview.diagnostics).toContainEqual({ severity: "info", message: "hello\n" });
  });

  test("reads with the configuration in the state, and updates with the new one", async () => {
    project.program(`new Thing("a", { label: "one", size: 1 });`);
    await succeed(stack.up());
    stack.setConfig("cloud:file", join(project.dir, "nowhere.json"));
    await succeed(stack.preview({ refresh: true, expectNoChanges: true }));
    project.program(`new Thing("a", { label: "two", size: 1 });`);
    expect((await fail(stack.up())).text).toContain("nowhere.json");
  });
});

describe("in-process only", () => {
  test("refreshes as Pulumi.yaml requires, unless told not to", async () => {
    project.dispose();
    project = new CloudProject("options: { refresh: always }\n");
    stack = await TestStack.create(project.options);
    project.program(`new Thing("a", { label: "one", size: 1 });`);
    await succeed(stack.up());
    project.change(({ things }) => delete things["thing-1"]);
    expect(opsOf(await succeed(stack.preview()), "a")).toEqual(["refresh", "create"]);
    await succeed(stack.preview({ refresh: false, expectNoChanges: true }));
  });

  test("masks secrets in a provider's output", async () => {
    stack = await TestStack.create(project.options);
    const program = (label: string) =>
      `new Thing("a", { label: "${label}", size: 1, password: pulumi.secret("c4nary-property-secret") });`;
    project.program(program("one"));
    await succeed(stack.up());
    project.program(program("two"));
    expect((await succeed(stack.up())).text).toContain("updating thing-1, whose password is [secret]\n");
    project.program(`new Thing("b", { label: "b", size: 1, trouble: "create", password: pulumi.secret("c4nary-b") });`);
    expect((await fail(stack.up())).text).toContain("error: the cloud refuses [secret]\n");
    project.program(
      `new Thing("a", { label: "two", trouble: "weak", password: pulumi.secret("c4nary-property-secret") });`,
    );
    expect((await fail(stack.preview())).text).toContain(
      "property password value {&{{[secret]}}} has a problem: too weak\n",
    );
  });

  test("keeps the stack in a state file across instances, with a key that only the owner can read", async () => {
    const stateFile = join(project.dir, "state.json");
    project.program(`new Thing("a", { label: "one", size: 1, password: pulumi.secret("c4nary-property-secret") });`);
    stack = await TestStack.create({ ...project.options, stateFile });
    await succeed(stack.up());
    expect(readFileSync(stateFile, "utf8")).not.toContain("c4nary");
    expect(statSync(`${stateFile}.key`).mode & 0o777).toBe(0o600);
    stack = await TestStack.create({ ...project.options, stateFile });
    await succeed(stack.preview({ expectNoChanges: true }));
  });

  test("uses the CLI's colours: green for creates", async () => {
    project.program(`new Thing("a", { label: "one", size: 1 });`);
    stack = await TestStack.create({ ...project.options, color: true });
    const { text } = await succeed(stack.preview());
    expect(text).toContain("\u001b[32m+ pulumi-nodejs:dynamic/cloud:Thing\u001b[0m");
  });

  test("stops running operations when a stack is disposed of", async () => {
    project.program(`new Thing("a", { label: "one", size: 1 }); setInterval(() => {}, 1000);`);
    const running = await TestStack.create(project.options);
    const up = running.up();
    await running.dispose();
    expect(await up).toMatchObject({ succeeded: false });
    await expect(running.up()).rejects.toThrow("the stack was disposed of");
  });

  test("refuses a folder without a project and a resource of another provider with clear errors", async () => {
    await expect(TestStack.create({ projectDir: join(project.dir, "..") })).rejects.toThrow("holds no Pulumi.yaml");
    project.program(`new pulumi.CustomResource("aws:s3:Bucket", "b", {});`);
    stack = await TestStack.create(project.options);
    expect((await fail(stack.preview())).text).toContain("aws: the testing engine runs dynamic resources only");
  });
});

(cli ? describe : describe.skip)("both engines", () => {
  test("print the same plans and keep the same state", async () => {
    const other = new CloudProject();
    stack = await TestStack.create(project.options);
    const reference = await CliStack.create(other.options);
    const program = (size: number, label: string) => `
      const a = new Thing("a", { label: "${label}", size: ${size}, list: ["x", "${label}"], password: pulumi.secret("${label}!") });
      const b = new Thing("b", { label: a.address, size: 2, nested: { list: [a.tag] } });
      exports.address = b.address;
      exports.all = { tag: a.tag, password: a.password };`;
    const drift = (cloud: CloudProject["cloud"]) =>
      Object.assign(cloud.things["thing-1"] ?? {}, { label: "drifted", list: [] });
    const script: ((side: CloudProject, stack: Stack) => Promise<OperationResult>)[] = [
      (side, each) => {
        side.program(program(1, "one"));
        return each.preview();
      },
      (_, each) => each.up(),
      (side, each) => {
        side.change(drift);
        return each.preview({ refresh: true, expectNoChanges: true });
      },
      (_, each) => each.refresh(),
      (side, each) => {
        side.program(program(1, "two"));
        return each.up();
      },
      (side, each) => {
        side.program(program(2, "two"));
        return each.up();
      },
      (_, each) => each.destroy(),
    ];
    try {
      for (const act of script) {
        expect(await observe(project, stack, act)).toEqual(await observe(other, reference, act));
      }
    } finally {
      await reference.dispose();
      other.dispose();
    }
  });
});

/** Runs one act. Returns what can be compared: no times, folders or key material. */
async function observe(
  side: CloudProject,
  each: Stack,
  act: (side: CloudProject, stack: Stack) => Promise<OperationResult>,
) {
  const { exitCode, changes, steps, text } = await act(side, each);
  const resources = each.exportState().deployment.resources ?? [];
  const said = /^updating .*\n\n|^Duration: .*\n|^The resources in the stack have been[\s\S]*|^@ .*\n/gm;
  return {
    exitCode,
    changes,
    steps: [...steps].sort((a, b) => (a.urn + a.op < b.urn + b.op ? -1 : 1)),
    text: text.replace(said, ""),
    state: resources.map(({ urn, id, inputs, outputs, dependencies }) => ({
      urn,
      dependencies,
      ...(!urn.includes("providers") && { id, inputs: hideCiphertext(inputs), outputs: hideCiphertext(outputs) }),
    })),
  };
}

function hideCiphertext(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? {}, (key, item) => (key === "ciphertext" ? "" : item)));
}
