/** `livekit-sip changed`: which stacks of a fleet a change can affect. Reads the history with git, and changes nothing. */

import { resolve } from "node:path";
import { printable } from "../printable";
import type { ChangedFormat } from "./changed-formats";
import { codeHostIn } from "./code-host/code-host";
import { CommandError } from "./command-error";
import type { Console } from "./console";
import { count } from "./drift/words";
import { SUCCESS } from "./exit-codes";
import { Git } from "./git";

export interface ChangedOptions {
  readonly dir: string;
  readonly customers: string;
  readonly from: string;
  readonly to: string;
  readonly jobs: number;
  readonly format: ChangedFormat;
}

/** Instead of a commit: the one that this workflow or pipeline last ran for with success. */
export const LAST_SUCCESS = "last-success";

/** What a change does to a fleet. */
export interface Change {
  /** The stacks whose plan it can change, sorted. */
  readonly stacks: readonly string[];
  /** The customers whose file it removes, sorted. */
  readonly removed: readonly string[];
  /** A file that every stack depends on, if one changed. */
  readonly shared?: string;
}

/** @returns the exit code */
export async function listChanged(options: ChangedOptions, env: NodeJS.ProcessEnv, console: Console): Promise<number> {
  const git = new Git(resolve(options.dir));
  const to = await git.commit(options.to);
  if (to === undefined) {
    throw new CommandError(`--to: git knows no commit ${printable(options.to, 100)}: check the name.`);
  }
  const all = await customersAt(git, to, options.customers);
  const change = await changeOf(git, to, all, options, env, console);
  for (const name of change.removed) {
    console.note(
      `${name}: its file was removed. Its stack is still there: see "To remove a customer" in the guide to fleets.`,
    );
  }
  console.say(formatted(change, options));
  return SUCCESS;
}

async function changeOf(
  git: Git,
  to: string,
  all: readonly string[],
  { from: wanted, customers }: ChangedOptions,
  env: NodeJS.ProcessEnv,
  console: Console,
): Promise<Change> {
  const everything = (reason: string): Change => {
    console.note(`${reason}, so all ${count(all.length, "stack")} count as changed.`);
    return { stacks: all, removed: [] };
  };
  const isLast = wanted === LAST_SUCCESS;
  const from = isLast ? await codeHostIn(env).lastSuccess() : wanted;
  if (from === undefined || /^0{40,}$/.test(from)) {
    return everything("There is no earlier commit to compare with");
  }
  const base = await git.commit(from);
  if (base === undefined) {
    if (isLast) {
      return everything(`The commit ${from.slice(0, 12)} of the last successful run is not in this clone`);
    }
    throw new CommandError(
      `--from: git knows no commit ${printable(from, 100)}: check the name, or fetch the whole history.`,
    );
  }
  if (isLast && base !== to && (await git.isAncestor(to, base))) {
    console.note(`The last successful run was for a later commit, ${base.slice(0, 12)}: nothing is to be done.`);
    return { stacks: [], removed: [] };
  }
  const change = changeIn(await git.changedFiles(base, to), all, customers);
  if (change.shared !== undefined) {
    console.note(`${printable(change.shared, 200)} changed, so all ${count(all.length, "stack")} count as changed.`);
  }
  return change;
}

/** The customers who have a file at a commit. */
async function customersAt(git: Git, commit: string, folder: string): Promise<string[]> {
  return (await git.files(commit, `${folder}/`)).flatMap((file) => customerOf(file, folder) ?? []).sort();
}

/** Files that no stack depends on: documents, and what belongs to the code host. */
const UNRELATED =
  /(?:^|\/)(?:[^/]*\.md|LICENSE|CODEOWNERS|\.gitignore|\.gitattributes|\.editorconfig)$|^\.(?:github|gitlab)\/|^\.gitlab-ci\.yml$/;

/**
 * What changed files do to a fleet. A customer's file and the configuration of a stack affect this one stack, documents none, and every
 * other file may affect all of them. Pure.
 *
 * @param files paths relative to the program's folder
 * @param all the customers who have a file after the change
 */
export function changeIn(files: readonly string[], all: readonly string[], folder = "customers"): Change {
  const known = new Set(all);
  const own = files.flatMap((file) => customerOf(file, folder) ?? []);
  const removed = [...new Set(own)].filter((name) => !known.has(name)).sort();
  const isOwn = (file: string) => customerOf(file, folder) !== undefined || configuredBy(file) !== undefined;
  const shared = files.find((file) => !isOwn(file) && !UNRELATED.test(file));
  if (shared !== undefined) {
    return { stacks: all, removed, shared };
  }
  const touched = new Set([...own, ...files.flatMap((file) => configuredBy(file) ?? [])]);
  return { stacks: all.filter((name) => touched.has(name)), removed };
}

/** A name that a stack can have, and that is the same word in every shell and every YAML file. */
const NAME = /^[A-Za-z0-9][\w.-]*$/;

/** The customer whose file it is. Undefined if it is no customer's file. */
function customerOf(file: string, folder: string): string | undefined {
  const [, name] = file.startsWith(`${folder}/`) ? (/^([^/]+)\.ya?ml$/s.exec(file.slice(folder.length + 1)) ?? []) : [];
  if (name !== undefined && !NAME.test(name)) {
    throw new CommandError(
      `${printable(file, 200)} can't be a customer's file: name it after the stack, with letters, digits, hyphens, underscores and periods.`,
    );
  }
  return name;
}

/** The stack whose configuration it is. */
function configuredBy(file: string): string | undefined {
  return /^Pulumi\.([A-Za-z0-9][\w.-]*)\.ya?ml$/.exec(file)?.[1];
}

/** The stacks in at most so many groups of about the same size, in their order. */
export function inGroups(stacks: readonly string[], most: number): string[][] {
  const groups = Math.min(most, stacks.length);
  return Array.from({ length: groups }, (_, index) =>
    stacks.slice(Math.floor((index * stacks.length) / groups), Math.floor(((index + 1) * stacks.length) / groups)),
  );
}

function formatted({ stacks, removed }: Change, { format, jobs }: ChangedOptions): string {
  const groups = inGroups(stacks, jobs).map((group) => group.join(" "));
  switch (format) {
    case "text":
      return stacks.join("\n");
    case "json":
      return JSON.stringify({ stacks, groups, removed });
    case "github":
      return [`stacks=${stacks.join(" ")}`, `groups=${JSON.stringify(groups)}`, `removed=${removed.join(" ")}`].join(
        "\n",
      );
    case "gitlab":
      return childPipeline(groups, { CHANGED: stacks.join(" "), REMOVED: removed.join(" ") });
  }
}

/**
 * What a child pipeline adds to its jobs: as many as there are groups of those that extend `.changed`. JSON is YAML. GitLab refuses an
 * empty matrix and a pipeline without jobs, and leaves jobs without rules out of the pipelines of merge requests.
 */
function childPipeline(groups: readonly string[], variables: Readonly<Record<string, string>>): string {
  const always = { rules: [{ when: "on_success" }] };
  const parts =
    groups.length > 0
      ? { ".changed": { ...always, parallel: { matrix: [{ STACKS: groups }] } } }
      : {
          ".changed": { rules: [{ when: "never" }] },
          unchanged: { ...always, script: ['echo "No customer has changed."'] },
        };
  return Object.entries({ variables, ...parts })
    .map(([key, value]) => `${key}: ${JSON.stringify(value)}`)
    .join("\n");
}
