/** What the commands for pipelines need of the place where the repository is: GitHub or GitLab. */

import { CommandError } from "../command-error";
import { GitHub } from "./github";
import { GitLab } from "./gitlab";

/** An issue that this package opened. */
export interface Issue {
  /** Its number in the project. */
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly isOpen: boolean;
}

/** What of an issue is to be changed. */
export type IssueChange = Partial<Omit<Issue, "number">>;

/** GitHub or GitLab, as the job's token may use it. It sees only what this token wrote, because anybody can write what looks like it. */
export interface CodeHost {
  /** The most characters of a comment or an issue. */
  readonly textLimit: number;
  /** The commit that this workflow or pipeline last ran for with success, on this branch. Undefined if there is none. */
  lastSuccess(): Promise<string | undefined>;
  /** The comments on this pull request or merge request that the token's account wrote. */
  comments(): Promise<{ readonly id: number; readonly body: string }[]>;
  /** Comments on this pull request or merge request. */
  comment(body: string): Promise<void>;
  editComment(id: number, body: string): Promise<void>;
  /** The issues with a label that the token's account wrote, open or closed, the oldest first. */
  issues(label: string): Promise<Issue[]>;
  openIssue(issue: { readonly title: string; readonly body: string; readonly label: string }): Promise<number>;
  changeIssue(number: number, change: IssueChange): Promise<void>;
  commentOnIssue(number: number, body: string): Promise<void>;
}

/**
 * The code host whose pipeline this process is part of.
 *
 * @throws CommandError if it is none, or has no token
 */
export function codeHostIn(env: NodeJS.ProcessEnv): CodeHost {
  if (env.GITHUB_ACTIONS === "true") {
    return new GitHub(env);
  }
  if (env.GITLAB_CI === "true") {
    return new GitLab(env);
  }
  throw new CommandError("This is neither a job of GitHub Actions nor of GitLab CI: run it in one.");
}
