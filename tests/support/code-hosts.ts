/**
 * Stand-ins for GitHub's and GitLab's REST APIs on loopback: as much of comments, issues and runs as the commands use, with pages and
 * tokens. Paths, fields and answers are those of the two APIs' documentation.
 */

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Text {
  id: number;
  body: string;
  author: string;
}

export interface StoredIssue {
  number: number;
  title: string;
  body: string;
  isOpen: boolean;
  labels: string[];
  author: string;
  comments: string[];
}

/** Who a token's requests come from. */
const OWN = "us";

/** What the APIs of both kinds have in common: the objects, and a server that answers with them. */
abstract class StandIn {
  readonly token = "token-of-the-job-1a2b3c4d5e";
  /** The comments on pull request or merge request 7. */
  readonly comments: Text[] = [];
  readonly issues: StoredIssue[] = [];
  /** The commit of the last successful run. */
  lastSuccess: string | undefined;
  /** The requests, as method and path without the query. */
  readonly requests: string[] = [];
  /** The answers to the next requests, instead of the usual ones. */
  readonly failures: { status: number; headers?: Record<string, string> }[] = [];
  url = "";
  #server: Server | undefined;

  /** The environment variables that a job has. */
  abstract readonly env: Record<string, string | undefined>;

  async start(): Promise<this> {
    this.#server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const url = new URL(request.url ?? "", "http://127.0.0.1");
        this.requests.push(`${request.method} ${url.pathname}`);
        const failure = this.failures.shift();
        const [status, answer] = failure
          ? [failure.status, { message: "as the test wants" }]
          : this.isAllowed(request)
            ? (this.answer(`${request.method} ${url.pathname}`, url.searchParams, body) ?? [
                404,
                { message: "Not Found" },
              ])
            : [401, { message: "Unauthorized" }];
        response.writeHead(status, failure?.headers).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }

  /** Somebody else writes a comment. */
  commentBy(author: string, body: string): void {
    this.comments.push({ id: 100 + this.comments.length, body, author });
  }

  /** Somebody else opens an issue. */
  issueBy(author: string, title: string, body: string, labels: string[]): void {
    this.open({ title, body, labels, author });
  }

  protected open(issue: Pick<StoredIssue, "title" | "body" | "labels" | "author">): StoredIssue {
    const opened = { ...issue, number: this.issues.length + 1, isOpen: true, comments: [] };
    this.issues.push(opened);
    return opened;
  }

  protected issue(number: string | undefined): StoredIssue {
    const found = this.issues.find((it) => it.number === Number(number));
    if (!found) {
      throw new Error(`there is no issue ${number}`);
    }
    return found;
  }

  protected comment(id: string | undefined): Text {
    const found = this.comments.find((it) => it.id === Number(id));
    if (!found) {
      throw new Error(`there is no comment ${id}`);
    }
    return found;
  }

  protected abstract isAllowed(request: IncomingMessage): boolean;

  protected abstract answer(
    call: string,
    query: URLSearchParams,
    body: Record<string, unknown>,
  ): [status: number, answer: unknown] | undefined;
}

export class GitHubStandIn extends StandIn {
  get env() {
    return {
      GITHUB_ACTIONS: "true",
      GITLAB_CI: undefined,
      GITHUB_API_URL: this.url,
      GITHUB_REPOSITORY: "acme/fleet",
      GITHUB_TOKEN: this.token,
      GITHUB_WORKFLOW_REF: "acme/fleet/.github/workflows/up.yml@refs/heads/main",
      GITHUB_REF_NAME: "main",
    };
  }

  protected isAllowed({ headers }: IncomingMessage): boolean {
    return headers.authorization === `Bearer ${this.token}`;
  }

  protected answer(call: string, query: URLSearchParams, body: Record<string, unknown>) {
    const [, rest = ""] = /^(\w+ )\/repos\/acme\/fleet\/(.*)$/.test(call) ? call.split(" /repos/acme/fleet/") : [];
    const [, number] = /\/(\d+)(?:\/|$)/.exec(rest) ?? [];
    const user = (author: string) =>
      author === OWN ? { login: "github-actions[bot]", type: "Bot" } : { login: author, type: "User" };
    const shown = (it: StoredIssue) => ({
      number: it.number,
      title: it.title,
      body: it.body,
      state: it.isOpen ? "open" : "closed",
      user: user(it.author),
    });
    const paged = <Item>(items: readonly Item[]) => page(items, query);
    switch (`${call.split(" ")[0]} ${rest.replace(/\d+/g, "N")}`) {
      case "GET actions/workflows/up.yml/runs":
        return answered(200, { workflow_runs: this.lastSuccess ? [{ head_sha: this.lastSuccess }] : [] });
      case "GET issues/N/comments":
        return answered(200, paged(this.comments.map((it) => ({ id: it.id, body: it.body, user: user(it.author) }))));
      case "POST issues/N/comments":
        if (number === "7") {
          this.comments.push({ id: this.comments.length + 1, body: String(body.body), author: OWN });
        } else {
          this.issue(number).comments.push(String(body.body));
        }
        return answered(201, {});
      case "PATCH issues/comments/N":
        this.comment(number).body = String(body.body);
        return answered(200, {});
      case "GET issues": {
        const label = query.get("labels") ?? "";
        const pullRequest = { number: 7, title: "", body: "", state: "open", user: user(OWN), pull_request: {} };
        return answered(
          200,
          paged([...this.issues.filter(({ labels }) => labels.includes(label)).map(shown), pullRequest]),
        );
      }
      case "POST issues": {
        const { title, body: text, labels } = body;
        const opened = this.open({ title: String(title), body: String(text), labels: labels as string[], author: OWN });
        return answered(201, { number: opened.number });
      }
      case "PATCH issues/N": {
        const { state, ...texts } = body;
        Object.assign(this.issue(number), texts, state === undefined ? {} : { isOpen: state === "open" });
        return answered(200, {});
      }
      default:
        return undefined;
    }
  }
}

export class GitLabStandIn extends StandIn {
  get env() {
    return {
      GITLAB_CI: "true",
      GITHUB_ACTIONS: undefined,
      CI_API_V4_URL: this.url,
      CI_PROJECT_ID: "42",
      CI_MERGE_REQUEST_IID: "7",
      CI_COMMIT_BRANCH: "main",
      GITLAB_TOKEN: this.token,
    };
  }

  protected isAllowed({ headers }: IncomingMessage): boolean {
    return headers["private-token"] === this.token;
  }

  protected answer(call: string, query: URLSearchParams, body: Record<string, unknown>) {
    const author = (name: string) => ({ id: name === OWN ? 1 : 2 });
    const [, number] = /\/(\d+)(?:\/notes)?$/.exec(call) ?? [];
    switch (call.replace("/projects/42/", "/").replace("/merge_requests/7/", "/").replace(/\d+/g, "N")) {
      case "GET /user":
        return answered(200, author(OWN));
      case "GET /pipelines":
        return answered(200, this.lastSuccess ? [{ sha: this.lastSuccess }] : []);
      case "GET /notes":
        return answered(
          200,
          page(
            this.comments.map((it) => ({ id: it.id, body: it.body, author: author(it.author) })),
            query,
          ),
        );
      case "POST /notes":
        this.comments.push({ id: this.comments.length + 1, body: String(body.body), author: OWN });
        return answered(201, {});
      case "PUT /notes/N":
        this.comment(number).body = String(body.body);
        return answered(200, {});
      case "GET /issues": {
        const found = this.issues.filter(({ labels }) => labels.includes(query.get("labels") ?? ""));
        const shown = found.map((it) => ({
          iid: it.number,
          title: it.title,
          description: it.body,
          state: it.isOpen ? "opened" : "closed",
          author: author(it.author),
        }));
        return answered(200, page(shown, query));
      }
      case "POST /issues": {
        const { title, description, labels } = body;
        const texts = { title: String(title), body: String(description), labels: String(labels).split(",") };
        return answered(201, { iid: this.open({ ...texts, author: OWN }).number });
      }
      case "PUT /issues/N": {
        const { title, description, state_event: event } = body;
        Object.assign(this.issue(number), {
          ...(title !== undefined && { title }),
          ...(description !== undefined && { body: description }),
          ...(event !== undefined && { isOpen: event === "reopen" }),
        });
        return answered(200, {});
      }
      case "POST /issues/N/notes":
        this.issue(number).comments.push(String(body.body));
        return answered(201, {});
      default:
        return undefined;
    }
  }
}

function answered(status: number, answer: unknown): [number, unknown] {
  return [status, answer];
}

function page<Item>(items: readonly Item[], query: URLSearchParams): Item[] {
  const size = Number(query.get("per_page") ?? 20);
  const first = (Number(query.get("page") ?? 1) - 1) * size;
  return items.slice(first, first + size);
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  let text = "";
  for await (const part of request) {
    text += part;
  }
  return text === "" ? {} : JSON.parse(text);
}
