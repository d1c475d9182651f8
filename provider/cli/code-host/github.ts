/** GitHub's REST API, as a job of GitHub Actions reaches it. */

import { readFileSync } from "node:fs";
import { z } from "zod";
import { CommandError } from "../command-error";
import { MARKDOWN_LIMIT } from "../drift/markdown-parts";
import { Api } from "./api";
import type { CodeHost, Issue, IssueChange } from "./code-host";

/** The author of what a workflow's own token writes. No person can have the type Bot, or a name with brackets. */
const AUTHOR = { login: "github-actions[bot]", type: "Bot" } as const;

const author = z.object({ login: z.string(), type: z.string() }).nullish();

const comment = z.object({ id: z.number(), body: z.string().nullish(), user: author });

const issue = z.object({
  number: z.number(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.string(),
  user: author,
  pull_request: z.unknown().optional(),
});

const runs = z.object({ workflow_runs: z.array(z.object({ head_sha: z.string() })) });

const numbered = z.object({ number: z.number() });

const anything = z.unknown();

export class GitHub implements CodeHost {
  readonly textLimit = MARKDOWN_LIMIT;
  readonly #api: Api;
  readonly #repository: string;

  constructor(private readonly env: NodeJS.ProcessEnv) {
    const { GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_API_URL = "https://api.github.com" } = env;
    if (!GITHUB_TOKEN || !GITHUB_REPOSITORY) {
      throw new CommandError("GITHUB_TOKEN is not set: set it to the job's `github.token` in the `env` of the step.");
    }
    this.#repository = `/repos/${GITHUB_REPOSITORY}`;
    this.#api = new Api({
      name: "GitHub",
      url: GITHUB_API_URL,
      headers: {
        Accept: "application/vnd.github+json",
        Authorization: `Bearer ${GITHUB_TOKEN}`,
        "X-GitHub-Api-Version": "2022-11-28",
      },
      remedy: "Give the job the `permissions` that it has in the example.",
    });
  }

  async lastSuccess(): Promise<string | undefined> {
    const { GITHUB_WORKFLOW_REF = "", GITHUB_REF_NAME = "" } = this.env;
    const [, workflow] = /\/([^/@]+)@/.exec(GITHUB_WORKFLOW_REF) ?? [];
    if (workflow === undefined) {
      throw new CommandError("GITHUB_WORKFLOW_REF is not set: name a commit with --from.");
    }
    const query = new URLSearchParams({ branch: GITHUB_REF_NAME, status: "success", per_page: "1" });
    const path = `${this.#repository}/actions/workflows/${encodeURIComponent(workflow)}/runs?${query}`;
    return (await this.#api.get(path, runs)).workflow_runs[0]?.head_sha;
  }

  async comments() {
    const all = await this.#api.list(`${this.#repository}/issues/${this.#pullRequest()}/comments`, comment);
    return all.filter(isOwn).map(({ id, body }) => ({ id, body: body ?? "" }));
  }

  async comment(body: string): Promise<void> {
    await this.commentOnIssue(this.#pullRequest(), body);
  }

  async editComment(id: number, body: string): Promise<void> {
    await this.#api.send("PATCH", `${this.#repository}/issues/comments/${id}`, { body }, anything);
  }

  async issues(label: string): Promise<Issue[]> {
    const query = new URLSearchParams({ labels: label, state: "all", sort: "created", direction: "asc" });
    const all = await this.#api.list(`${this.#repository}/issues?${query}`, issue);
    return all
      .filter((it) => isOwn(it) && it.pull_request === undefined)
      .map(({ number, title, body, state }) => ({ number, title, body: body ?? "", isOpen: state === "open" }));
  }

  async openIssue({ title, body, label }: { title: string; body: string; label: string }): Promise<number> {
    const fields = { title, body, labels: [label] };
    return (await this.#api.send("POST", `${this.#repository}/issues`, fields, numbered)).number;
  }

  async changeIssue(number: number, { isOpen, ...texts }: IssueChange): Promise<void> {
    const state = isOpen === undefined ? {} : { state: isOpen ? "open" : "closed" };
    await this.#api.send("PATCH", `${this.#repository}/issues/${number}`, { ...texts, ...state }, anything);
  }

  async commentOnIssue(number: number, body: string): Promise<void> {
    await this.#api.send("POST", `${this.#repository}/issues/${number}/comments`, { body }, anything);
  }

  #pullRequest(): number {
    try {
      const event = JSON.parse(readFileSync(this.env.GITHUB_EVENT_PATH ?? "", "utf8"));
      return z.object({ pull_request: numbered }).parse(event).pull_request.number;
    } catch {
      throw new CommandError("This job does not belong to a pull request: run it on the event pull_request.");
    }
  }
}

function isOwn({ user }: { user?: z.output<typeof author> }): boolean {
  return user?.login === AUTHOR.login && user.type === AUTHOR.type;
}
