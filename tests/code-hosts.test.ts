/** `livekit-sip comment` and `issues`: what people get to read on GitHub and GitLab, and when. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commentPlans } from "../provider/cli/comment";
import type { Finding, Report, StackReport } from "../provider/cli/drift/report";
import { trackDrift } from "../provider/cli/issues";
import { outcomeOf, type Plan, planComment, plansFile, withoutSecrets } from "../provider/cli/plans";
import { GitHubStandIn, GitLabStandIn } from "./support/code-hosts";
import { inProcess } from "./support/command-in-process";
import { drifted, inSync, reportOf, stackName } from "./support/drift-report";
import { CANARY, password } from "./support/examples";

const UPDATE = `Previewing update (acme):
    ~ pulumi-nodejs:dynamic/livekit:SipTrunk: (update)
      ~ numbers: [
          ~ [0]: "+12025550123" => "+12025550124"
        ]
Resources:
    ~ 1 to update
    3 unchanged
`;
const SAME = "Previewing update (globex):\n\nResources:\n    4 unchanged\n";

const plan = (stack: string, text: string, succeeded = true): Plan => ({ stack, succeeded, text });

describe("a plan in words", () => {
  test.each([
    [UPDATE, "1 to update"],
    [SAME, "no changes"],
    ["Resources:\n    + 5 to create\n", "5 to create"],
    [
      "Resources:\n    + 1 to create\n    ~ 2 to update\n    - 1 to delete\n    4 changes. 3 unchanged\n",
      "1 to create, 2 to update, 1 to delete",
    ],
    ["Resources:\n    +-1 to replace\n    3 unchanged\n", "1 to replace"],
  ])("%#: %s", (text, words) => {
    expect(outcomeOf(plan("acme", text))).toBe(words);
  });
});

test("a plan holds none of the job's secrets, even if the program prints them", () => {
  const env = { LIVEKIT_API_SECRET: password("api"), PULUMI_CONFIG_PASSPHRASE: "long-passphrase", SHORT_SECRET: "up" };
  const text = withoutSecrets(`a ${password("api")} b long-passphrase to update`, env);
  expect(text).toBe("a [secret] b [secret] to update");
});

describe("the comment", () => {
  test("fits the limit however many and long the plans are, and says what is missing", () => {
    const stacks = Array.from({ length: 1000 }, (_, index) => `customer-${index}`);
    const plans = stacks.map((stack) => plan(stack, UPDATE.repeat(40)));
    const text = planComment({ stacks, removed: [], plans }, 65_536);
    expect(text.length).toBeLessThanOrEqual(65_536);
    expect(text).toMatch(/Left out.* of 1,000 customers of the table; .* of 1,000 plans/);
  });

  test("keeps a plan that looks like Markdown in its block of code", () => {
    const text = planComment(
      { stacks: ["acme"], removed: [], plans: [plan("acme", "```\n</details> @everyone\n````\n", false)] },
      65_536,
    );
    expect(text).toContain("`````text\n```\n</details> @everyone\n````\n`````");
  });

  test("shows the lines of a plan as Pulumi printed them, without what nobody sees", () => {
    const urn = "        [urn=urn:pulumi:acme::fleet::pulumi-nodejs:dynamic/livekit:SipTrunk::acme]";
    const text = planComment(
      { stacks: ["acme"], removed: [], plans: [plan("acme", `~ SipTrunk\n${urn}\n\u001b[31mred\u202e\n`, false)] },
      65_536,
    );
    expect(text).toContain(`\n~ SipTrunk\n${urn}\nred\n`);
    expect(text).toContain("## SIP plan: 1 failed");
  });

  test("names the customers of whom there is no plan", () => {
    const text = planComment({ stacks: ["acme", "globex"], removed: [], plans: [plan("acme", UPDATE)] }, 65_536);
    expect(text).toContain("## SIP plan: changes for 1 of 2 customers, 1 not previewed\n");
    expect(text).toContain("| <code>globex</code> | not previewed: see the log of the job `preview` |");
  });
});

describe.each([
  ["GitHub", () => new GitHubStandIn()],
  ["GitLab", () => new GitLabStandIn()],
] as const)("on %s", (name, create) => {
  let host: GitHubStandIn | GitLabStandIn;
  let folder: string;
  let env: Record<string, string | undefined>;

  beforeEach(async () => {
    host = await create().start();
    folder = mkdtempSync(join(tmpdir(), "code-hosts-"));
    writeFileSync(join(folder, "Pulumi.yaml"), "name: fleet\nruntime: nodejs\n");
    const event = join(folder, "event.json");
    writeFileSync(event, JSON.stringify({ pull_request: { number: 7 } }));
    env = { ...host.env, GITHUB_EVENT_PATH: event };
  });

  afterEach(async () => {
    await host.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const comment = (stacks: string, plans: readonly Plan[], removed = "") => {
    // As download-artifact leaves them: a folder for each job.
    rmSync(join(folder, "plans"), { recursive: true, force: true });
    for (const [index, it] of plans.entries()) {
      mkdirSync(join(folder, "plans", `plan-${index}`), { recursive: true });
      writeFileSync(join(folder, "plans", `plan-${index}`, "plan.json"), plansFile([it]));
    }
    mkdirSync(join(folder, "plans"), { recursive: true });
    const options = { dir: folder, plans: join(folder, "plans"), stacks, removed };
    return inProcess((console) => commentPlans(options, env, console));
  };

  test("writes one comment and updates it from then on", async () => {
    expect(await comment("acme globex", [plan("acme", UPDATE), plan("globex", SAME)])).toMatchObject({
      code: 0,
      errors: "",
    });
    expect(host.comments).toHaveLength(1);
    expect(host.comments[0]?.body).toContain("## SIP plan: changes for 1 of 2 customers");
    expect(host.comments[0]?.body).toContain('~ [0]: "+12025550123" => "+12025550124"');
    await comment("acme", [plan("acme", SAME)], "globex");
    expect(host.comments).toHaveLength(1);
    expect(host.comments[0]?.body).toContain("## SIP plan: no changes for 1 customer");
    expect(host.comments[0]?.body).toContain("pulumi destroy --remove --stack globex");
  });

  test("writes no comment if nobody is affected, and says so in one that is there", async () => {
    expect((await comment("", [])).output).toContain("there is no comment to update");
    expect(host.comments).toEqual([]);
    await comment("acme", [plan("acme", UPDATE)]);
    await comment("", []);
    expect(host.comments.map(({ body }) => body)).toEqual([expect.stringContaining("no customer is affected")]);
  });

  test("never takes somebody else's comment for its own", async () => {
    await comment("acme", [plan("acme", UPDATE)]);
    const [own] = host.comments.splice(0);
    host.commentBy("stranger", own?.body ?? "");
    host.commentBy("github-actions", own?.body ?? "");
    await comment("acme", [plan("acme", SAME)]);
    expect(host.comments.map(({ author }) => author)).toEqual(["stranger", "github-actions", "us"]);
    expect(host.comments[0]?.body).toBe(own?.body);
  });

  test("finds its comment behind many others", async () => {
    for (let index = 0; index < 230; index += 1) {
      host.commentBy("somebody", `${index}`);
    }
    await comment("acme", [plan("acme", UPDATE)]);
    await comment("acme", [plan("acme", SAME)]);
    expect(host.comments).toHaveLength(231);
  });

  const track = (of: Report, limit = 50) => {
    const file = join(folder, "drift.json");
    writeFileSync(file, JSON.stringify(of));
    return inProcess((console) => trackDrift(file, { label: "sip-drift", limit }, env, console));
  };
  const states = () => host.issues.map(({ title, isOpen }) => [title, isOpen ? "open" : "closed"]);
  const known = (stack: StackReport): StackReport => ({
    ...stack,
    findings: stack.findings.map((it): Finding => ({ ...it, isNew: false })),
  });

  test("opens an issue for each drifted customer, once", async () => {
    const stacks = [drifted(1, "allowlist"), drifted(2, "phone-system"), inSync(3)];
    expect(await track(reportOf(stacks))).toMatchObject({ code: 0, errors: "" });
    await track(reportOf(stacks.map(known)));
    expect(states()).toEqual([
      ["SIP drift of customer-001: open to anyone", "open"],
      ["SIP drift of customer-002: credential rejected by the phone system", "open"],
    ]);
    expect(host.issues.map(({ comments, labels }) => [comments, labels])).toEqual([
      [[], ["sip-drift"]],
      [[], ["sip-drift"]],
    ]);
    expect(host.issues[0]?.body).toContain(`pulumi up --stack ${stackName(1)}`);
  });

  test("closes it when the customer is in sync, and reopens it when it drifts again", async () => {
    await track(reportOf([drifted(1, "numbers")]));
    await track(reportOf([inSync(1)]));
    expect(states()).toEqual([["SIP drift of customer-001: calls go elsewhere or nowhere", "closed"]]);
    expect(host.issues[0]?.comments).toEqual([expect.stringMatching(/^In sync since the check of 2026-10-08 03/)]);
    await track(reportOf([drifted(1, "allowlist")]));
    expect(states()).toEqual([["SIP drift of customer-001: open to anyone", "open"]]);
    expect(host.issues[0]?.comments[1]).toMatch(/^It has drifted again:\n\n- /);
  });

  test("comments on an open issue only what is new", async () => {
    await track(reportOf([drifted(1, "numbers")]));
    const [before] = drifted(1, "numbers").findings;
    const both = drifted(1, "allowlist");
    await track(
      reportOf([{ ...both, findings: [...both.findings, ...(before ? [{ ...before, isNew: false }] : [])] }]),
    );
    expect(host.issues[0]?.comments).toEqual([expect.stringMatching(/^New drift:\n\n- InboundAuth [^\n]+\n$/)]);
  });

  test("leaves the issue of a customer who could not be checked as it is", async () => {
    await track(reportOf([drifted(1, "numbers")]));
    const before = structuredClone(host.issues);
    await track(reportOf([{ ...inSync(1), status: "failed", reason: "The state can't be read." }]));
    await track(reportOf([{ ...inSync(1), status: "not-checked", reason: "It uses another server." }]));
    expect(host.issues).toEqual(before);
  });

  test("never takes somebody else's issue for its own", async () => {
    await track(reportOf([drifted(1, "numbers")]));
    const [own] = host.issues.splice(0);
    host.issueBy("stranger", own?.title ?? "", own?.body ?? "", ["sip-drift"]);
    await track(reportOf([drifted(1, "numbers")]));
    await track(reportOf([inSync(1)]));
    expect(host.issues.map(({ author, isOpen }) => [author, isOpen])).toEqual([
      ["stranger", true],
      ["us", false],
    ]);
  });

  test("opens no more issues in a run than the limit, and says how many are missing", async () => {
    const stacks = [1, 2, 3].map((number) => drifted(number, "trunk"));
    const { errors } = await track(reportOf(stacks), 2);
    expect(host.issues).toHaveLength(2);
    expect(errors).toContain("1 more stack drifted: --limit is 2 new issues for each run.");
    await track(reportOf(stacks.map(known)), 2);
    expect(host.issues).toHaveLength(3);
  });

  test("waits as long as it is told to, and repeats the call", async () => {
    host.failures.push(
      { status: 429, headers: { "retry-after": "0" } },
      { status: 403, headers: { "retry-after": "0" } },
    );
    expect((await track(reportOf([drifted(1, "trunk")]))).code).toBe(0);
    expect(host.issues).toHaveLength(1);
  });

  test("says what a refused token lacks, without the token", async () => {
    const token = `${CANARY}-token`;
    env = { ...env, ...(name === "GitHub" ? { GITHUB_TOKEN: token } : { GITLAB_TOKEN: token }) };
    const { code, errors } = await track(reportOf([drifted(1, "trunk")]));
    expect(code).toBe(1);
    expect(errors).toMatch(new RegExp(`${name} answered 401 to GET .*: "Unauthorized". Give the (job|token)`));
    expect(errors).not.toContain(CANARY);
  });

  test("sends its token only to an https address or to this machine", async () => {
    env = { ...env, GITHUB_API_URL: "http://api.example", CI_API_V4_URL: "http://api.example" };
    expect((await track(reportOf([drifted(1, "trunk")]))).errors).toContain("the token goes only to an https address");
  });
});
