/** `livekit-sip issues`: one issue for each drifted stack, opened, reopened, updated and closed by what a drift report says. */

import { printable } from "../printable";
import { type CodeHost, codeHostIn, type Issue } from "./code-host/code-host";
import type { Console } from "./console";
import { stackMarkdown } from "./drift/markdown";
import { prose } from "./drift/markdown-text";
import { readReport } from "./drift/previous";
import { type Report, SEVERITY_TITLES, type StackReport } from "./drift/report";
import { ownName } from "./drift/stacks";
import { count, moment, resourceOf } from "./drift/words";
import { SUCCESS } from "./exit-codes";

export interface IssuesOptions {
  readonly label: string;
  readonly limit: number;
}

/** @returns the exit code */
export async function trackDrift(
  file: string,
  { label, limit }: IssuesOptions,
  env: NodeJS.ProcessEnv,
  console: Console,
): Promise<number> {
  const report = readReport(file);
  const codeHost = codeHostIn(env);
  const issues = await codeHost.issues(label);
  let opened = 0;
  let left = 0;
  for (const stack of report.stacks) {
    const known = issues.filter(({ body }) => body.startsWith(markerOf(stack)));
    if (stack.status === "in-sync") {
      await close(codeHost, known, report, console);
    } else if (stack.status === "drifted") {
      const [issue] = known;
      if (issue) {
        await update(codeHost, issue, stack, report, console);
      } else if (opened === limit) {
        left += 1;
      } else {
        opened += 1;
        const number = await codeHost.openIssue({ ...textsOf(codeHost, stack, report), label });
        console.say(`Opened #${number} for ${stack.stack}.`);
      }
    }
  }
  if (left > 0) {
    console.note(
      `${count(left, "more stack")} drifted: --limit is ${limit} new issues for each run. The next run opens more.`,
    );
  }
  return SUCCESS;
}

/** The start of an issue's text, which nobody sees: it tells whose issue it is. */
function markerOf({ stack }: StackReport): string {
  return `<!-- livekit-sip drift of ${stack.replace(/[^\w./-]/g, "_")} -->`;
}

function textsOf({ textLimit }: CodeHost, stack: StackReport, report: Report): Pick<Issue, "title" | "body"> {
  const { severity } = stack;
  const what = severity === undefined ? "" : `: ${SEVERITY_TITLES[severity].toLowerCase()}`;
  const text = `${markerOf(stack)}\n${stackMarkdown(stack, report)}`;
  return {
    title: `SIP drift of ${printable(ownName(stack.stack), 100)}${what}`,
    body: text.length <= textLimit ? text : `${text.slice(0, textLimit - 2)}…\n`,
  };
}

/** Brings an issue up to date. A comment, which notifies people, says only what they do not know yet. */
async function update(
  codeHost: CodeHost,
  issue: Issue,
  stack: StackReport,
  report: Report,
  console: Console,
): Promise<void> {
  const texts = textsOf(codeHost, stack, report);
  const reopens = !issue.isOpen;
  if (reopens || texts.title !== issue.title || texts.body !== issue.body) {
    await codeHost.changeIssue(issue.number, { ...texts, ...(reopens && { isOpen: true }) });
  }
  const news = stack.findings.filter(({ isNew }) => isNew || reopens);
  if (news.length > 0) {
    const list = news.map((it) => `- ${prose(resourceOf(it), 200)}: ${prose(it.problem, 600)}`).join("\n");
    await codeHost.commentOnIssue(issue.number, `${reopens ? "It has drifted again" : "New drift"}:\n\n${list}\n`);
  }
  console.say(`${reopens ? "Reopened" : "Updated"} #${issue.number} for ${stack.stack}.`);
}

async function close(codeHost: CodeHost, known: readonly Issue[], report: Report, console: Console): Promise<void> {
  for (const { number } of known.filter(({ isOpen }) => isOpen)) {
    await codeHost.commentOnIssue(number, `In sync since the check of ${prose(moment(report.generatedAt), 60)}.`);
    await codeHost.changeIssue(number, { isOpen: false });
    console.say(`Closed #${number}.`);
  }
}
