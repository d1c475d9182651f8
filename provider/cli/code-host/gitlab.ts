/** GitLab's REST API, as a job of GitLab CI reaches it with a project access token. The job's own token may not write comments. */

import { z } from "zod";
import { CommandError } from "../command-error";
import { Api } from "./api";
import type { CodeHost, Issue, IssueChange } from "./code-host";

const author = z.object({ id: z.number() });

const note = z.object({ id: z.number(), body: z.string(), author });

const issue = z.object({
  iid: z.number(),
  title: z.string(),
  description: z.string().nullish(),
  state: z.string(),
  author,
});

const pipelines = z.array(z.object({ sha: z.string() }));

const numbered = z.object({ iid: z.number() });

const anything = z.unknown();

export class GitLab implements CodeHost {
  /** GitLab takes a million characters. A page as long as that helps nobody. */
  readonly textLimit = 200_000;
  readonly #api: Api;
  readonly #project: string;

  constructor(private readonly env: NodeJS.ProcessEnv) {
    const { GITLAB_TOKEN, CI_API_V4_URL, CI_PROJECT_ID } = env;
    if (!GITLAB_TOKEN || !CI_API_V4_URL || !CI_PROJECT_ID) {
      throw new CommandError(
        "GITLAB_TOKEN is not set: make a project access token, and set it as a masked CI/CD variable.",
      );
    }
    this.#project = `/projects/${encodeURIComponent(CI_PROJECT_ID)}`;
    this.#api = new Api({
      name: "GitLab",
      url: CI_API_V4_URL,
      headers: { "PRIVATE-TOKEN": GITLAB_TOKEN },
      remedy: "Give the token in GITLAB_TOKEN the scope api and the role Reporter.",
    });
  }

  async lastSuccess(): Promise<string | undefined> {
    const { CI_COMMIT_BRANCH = "" } = this.env;
    const query = new URLSearchParams({ ref: CI_COMMIT_BRANCH, status: "success", source: "push", per_page: "1" });
    return (await this.#api.get(`${this.#project}/pipelines?${query}`, pipelines))[0]?.sha;
  }

  async comments() {
    const [own, all] = await Promise.all([this.#ownId(), this.#api.list(`${this.#mergeRequest()}/notes`, note)]);
    return all.filter((it) => it.author.id === own).map(({ id, body }) => ({ id, body }));
  }

  async comment(body: string): Promise<void> {
    await this.#api.send("POST", `${this.#mergeRequest()}/notes`, { body }, anything);
  }

  async editComment(id: number, body: string): Promise<void> {
    await this.#api.send("PUT", `${this.#mergeRequest()}/notes/${id}`, { body }, anything);
  }

  async issues(label: string): Promise<Issue[]> {
    const query = new URLSearchParams({ labels: label, order_by: "created_at", sort: "asc" });
    const [own, all] = await Promise.all([this.#ownId(), this.#api.list(`${this.#project}/issues?${query}`, issue)]);
    return all
      .filter((it) => it.author.id === own)
      .map(({ iid, title, description, state }) => ({
        number: iid,
        title,
        body: description ?? "",
        isOpen: state === "opened",
      }));
  }

  async openIssue({ title, body, label }: { title: string; body: string; label: string }): Promise<number> {
    const fields = { title, description: body, labels: label };
    return (await this.#api.send("POST", `${this.#project}/issues`, fields, numbered)).iid;
  }

  async changeIssue(number: number, { title, body, isOpen }: IssueChange): Promise<void> {
    await this.#api.send(
      "PUT",
      `${this.#project}/issues/${number}`,
      {
        title,
        description: body,
        ...(isOpen !== undefined && { state_event: isOpen ? "reopen" : "close" }),
      },
      anything,
    );
  }

  async commentOnIssue(number: number, body: string): Promise<void> {
    await this.#api.send("POST", `${this.#project}/issues/${number}/notes`, { body }, anything);
  }

  async #ownId(): Promise<number> {
    return (await this.#api.get("/user", author)).id;
  }

  #mergeRequest(): string {
    const { CI_MERGE_REQUEST_IID } = this.env;
    if (!CI_MERGE_REQUEST_IID) {
      throw new CommandError("This job does not belong to a merge request: run it in a merge request pipeline.");
    }
    return `${this.#project}/merge_requests/${encodeURIComponent(CI_MERGE_REQUEST_IID)}`;
  }
}
