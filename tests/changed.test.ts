/** `livekit-sip changed` and `check`: which customers a change affects, and whether their files can be used. */

import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type ChangedOptions, changeIn, inGroups, listChanged } from "../provider/cli/changed";
import { checkCustomers } from "../provider/cli/check";
import { GitHubStandIn, GitLabStandIn } from "./support/code-hosts";
import { inProcess } from "./support/command-in-process";
import { GitRepository } from "./support/git-repository";

const ALL = ["acme", "globex", "initech"];
const CUSTOMER = 'type: extension\nextension: "1011"\naddress: pbx.example\ncountry: US\n';
const FLEET = {
  "Pulumi.yaml": "name: fleet\nruntime: nodejs\n",
  "index.ts": "",
  ...Object.fromEntries(ALL.map((name) => [`customers/${name}.yaml`, CUSTOMER])),
};

describe("what a change affects", () => {
  test.each([
    { what: "a customer's file", files: ["customers/acme.yaml"], stacks: ["acme"] },
    { what: "a stack's configuration", files: ["Pulumi.globex.yaml"], stacks: ["globex"] },
    { what: "both of one customer", files: ["Pulumi.acme.yaml", "customers/acme.yaml"], stacks: ["acme"] },
    { what: "several customers", files: ["customers/initech.yml", "customers/acme.yaml"], stacks: ["acme", "initech"] },
    { what: "the program", files: ["customers/acme.yaml", "index.ts"], stacks: ALL, shared: "index.ts" },
    { what: "the dependencies", files: ["package-lock.json"], stacks: ALL, shared: "package-lock.json" },
    { what: "the project", files: ["Pulumi.yaml"], stacks: ALL, shared: "Pulumi.yaml" },
    {
      what: "an unknown file beside customers",
      files: ["customers/base.json"],
      stacks: ALL,
      shared: "customers/base.json",
    },
    {
      what: "a customer's file in a deeper folder",
      files: ["customers/eu/a.yaml"],
      stacks: ALL,
      shared: "customers/eu/a.yaml",
    },
    {
      what: "documents and pipelines",
      files: ["README.md", "customers/NOTES.md", ".github/workflows/up.yml"],
      stacks: [],
    },
    { what: "GitLab's pipelines", files: [".gitlab-ci.yml", ".gitlab/up.gitlab-ci.yml", ".gitignore"], stacks: [] },
    { what: "a removed customer", files: ["customers/gone.yaml", "Pulumi.gone.yaml"], stacks: [], removed: ["gone"] },
    { what: "the configuration of a stack without a file", files: ["Pulumi.other.yaml"], stacks: [] },
    { what: "nothing", files: [], stacks: [] },
  ])("$what", ({ files, stacks, removed = [], shared }) => {
    expect(changeIn(files, ALL)).toEqual({ stacks, removed, ...(shared !== undefined && { shared }) });
  });

  test.each(["a b", "$(touch x)", "a;b", "`x`", "-rf", "a\nb", "{{ x }}", "a'b"])(
    "refuses a file whose name is no stack's: %j",
    (name) => {
      expect(() => changeIn([`customers/${name}.yaml`], ALL)).toThrow("name it after the stack");
    },
  );
});

test.each([
  { stacks: 0, most: 3, sizes: [] },
  { stacks: 2, most: 3, sizes: [1, 1] },
  { stacks: 7, most: 3, sizes: [2, 2, 3] },
  { stacks: 1000, most: 50, sizes: Array.from({ length: 50 }, () => 20) },
])("divides $stacks stacks into at most $most groups", ({ stacks, most, sizes }) => {
  const names = Array.from({ length: stacks }, (_, index) => String(index));
  const groups = inGroups(names, most);
  expect(groups.map(({ length }) => length)).toEqual(sizes);
  expect(groups.flat()).toEqual(names);
});

describe("in a repository", () => {
  let repository: GitRepository;
  let first: string;

  beforeEach(() => {
    repository = new GitRepository();
    first = repository.commit(FLEET);
  });

  afterEach(() => {
    repository.dispose();
  });

  const changed = (options: Partial<ChangedOptions>, env = {}) =>
    inProcess((console) =>
      listChanged(
        { dir: repository.path, customers: "customers", from: first, to: "HEAD", jobs: 50, format: "text", ...options },
        env,
        console,
      ),
    );

  test("lists the stacks whose file differs, also those that were renamed, and names the removed ones", async () => {
    repository.commit({ "customers/globex.yaml": undefined, "customers/hooli.yaml": CUSTOMER });
    const { code, output, errors } = await changed({});
    expect([code, output]).toEqual([0, "hooli\n"]);
    expect(errors).toContain("globex: its file was removed. Its stack is still there");
  });

  test("lists all stacks after a change of the program, and says why", async () => {
    repository.commit({ "index.ts": "// changed" });
    const { output, errors } = await changed({ from: "HEAD^" });
    expect(output).toBe("acme\nglobex\ninitech\n");
    expect(errors).toContain("index.ts changed, so all 3 stacks count as changed.");
  });

  test("prints lines for GitHub's outputs, with groups for a matrix", async () => {
    repository.commit({ "customers/acme.yaml": `${CUSTOMER}name: a\n`, "index.ts": "// changed" });
    const { output } = await changed({ format: "github", jobs: 2 });
    expect(output).toBe('stacks=acme globex initech\ngroups=["acme","globex initech"]\nremoved=\n');
  });

  test("prints a matrix for GitLab's child pipeline, and a job if nothing has changed", async () => {
    const gitlab = async () => parse((await changed({ format: "gitlab" })).output);
    expect(await gitlab()).toMatchObject({
      ".changed": { rules: [{ when: "never" }] },
      unchanged: { script: [expect.anything()] },
    });
    repository.commit({ "customers/acme.yaml": `${CUSTOMER}name: a\n` });
    expect(await gitlab()).toMatchObject({
      variables: { CHANGED: "acme", REMOVED: "" },
      ".changed": { parallel: { matrix: [{ STACKS: ["acme"] }] } },
    });
  });

  test("prints JSON", async () => {
    const { output } = await changed({ format: "json" });
    expect(JSON.parse(output)).toEqual({ stacks: [], groups: [], removed: [] });
  });

  test("looks only at the program's folder of a larger repository", async () => {
    const before = repository.commit(
      Object.fromEntries(Object.entries(FLEET).map(([name, text]) => [`sip/${name}`, text])),
    );
    repository.commit({ "index.ts": "// of something else", "sip/customers/acme.yaml": `${CUSTOMER}name: a\n` });
    const { output } = await changed({ dir: join(repository.path, "sip"), from: before });
    expect(output).toBe("acme\n");
  });

  test("counts everything as changed where there is no commit to compare with", async () => {
    const { output } = await changed({ from: "0".repeat(40) });
    expect(output).toBe("acme\nglobex\ninitech\n");
  });

  test.each(["no-such-commit", "--output=x"])("says that git knows no commit %s", async (name) => {
    const { code, errors } = await changed({ from: name });
    expect([code, errors]).toEqual([1, expect.stringContaining(`--from: git knows no commit ${name}`)]);
  });

  test("never runs what a file's name says", async () => {
    symlinkSync("acme.yaml", join(repository.path, "customers/$(touch pwned).yaml"));
    repository.commit({});
    const { code, output, errors } = await changed({ format: "github" });
    expect([code, output]).toEqual([1, ""]);
    expect(errors).toContain("customers/$(touch pwned).yaml can't be a customer's file");
  });

  describe.each([
    ["GitHub", () => new GitHubStandIn()],
    ["GitLab", () => new GitLabStandIn()],
  ] as const)("since the last success on %s", (_, create) => {
    let host: GitHubStandIn | GitLabStandIn;

    beforeEach(async () => {
      host = await create().start();
    });

    afterEach(async () => {
      await host.stop();
    });

    const sinceLast = () => changed({ from: "last-success" }, host.env);

    test("takes everything if there was none", async () => {
      expect((await sinceLast()).output).toBe("acme\nglobex\ninitech\n");
    });

    test("takes what failed or was skipped since", async () => {
      host.lastSuccess = first;
      repository.commit({ "customers/acme.yaml": `${CUSTOMER}name: a\n` });
      repository.commit({ "customers/initech.yaml": `${CUSTOMER}name: i\n` });
      expect((await sinceLast()).output).toBe("acme\ninitech\n");
    });

    test("takes nothing if a later commit has succeeded, so that a repeated run takes nothing back", async () => {
      host.lastSuccess = repository.commit({ "customers/acme.yaml": `${CUSTOMER}name: a\n` });
      repository.git("checkout", "--quiet", first);
      const { output, errors } = await sinceLast();
      expect([output, errors]).toEqual(["\n", expect.stringContaining("was for a later commit")]);
    });

    test("takes everything if the commit is gone, as after a rewritten history", async () => {
      host.lastSuccess = "1".repeat(40);
      const { output, errors } = await sinceLast();
      expect(output).toBe("acme\nglobex\ninitech\n");
      expect(errors).toContain("is not in this clone");
    });
  });

  test("outside a pipeline, the last success is unknown", async () => {
    const { code, errors } = await changed({ from: "last-success" });
    expect([code, errors]).toEqual([1, expect.stringContaining("neither a job of GitHub Actions nor of GitLab CI")]);
  });

  const check = (...files: string[]) =>
    inProcess((console) => checkCustomers(files, { customers: join(repository.path, "customers") }, console));

  test("check accepts correct files", async () => {
    expect(await check()).toMatchObject({ code: 0, output: "3 customers' files are correct.\n" });
  });

  test("check lists the problems of all files, with their places", async () => {
    repository.commit({ "customers/acme.yaml": `${CUSTOMER}password: x\n`, "customers/initech.yaml": "adress: x\n" });
    const { code, output } = await check();
    expect(code).toBe(1);
    expect(output).toContain("customers/acme.yaml:5:1: password: is a secret and must not be in this file");
    expect(output).toContain("customers/initech.yaml:1:1: adress: is not an argument here: did you mean address?");
  });

  test("check takes names of files", async () => {
    repository.commit({ "customers/acme.yaml": "adress: x\n" });
    expect((await check(join(repository.path, "customers", "globex.yaml"))).code).toBe(0);
  });
});
