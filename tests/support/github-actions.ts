/**
 * Runs a workflow of GitHub Actions on this machine: its jobs in order, their conditions, matrices, outputs and `run` steps, which get
 * exactly the environment that the workflow gives them. Actions (`uses`) are replaced by what they do here. It knows the expressions that
 * the workflows use, and refuses others.
 */

import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { runInNewContext } from "node:vm";
import { parse } from "yaml";

interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | number>>;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: Readonly<Record<string, string>> };
  readonly steps: readonly Step[];
}

/** A workflow file. */
export interface Workflow {
  readonly name: string;
  readonly on: unknown;
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly jobs: Readonly<Record<string, Job>>;
}

export interface RunOptions {
  readonly file: string;
  /** The repository, and the commit that checkout gets. */
  readonly repository: string;
  readonly commit: string;
  /** `github` in expressions. */
  readonly github: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly vars: Readonly<Record<string, string>>;
  /** What every process of a runner has. */
  readonly env: NodeJS.ProcessEnv;
  /** Where actions/cache keeps its files from run to run. */
  readonly cache: string;
}

export interface RunResult {
  readonly jobs: Readonly<Record<string, "success" | "failure" | "skipped">>;
  /** What each job printed. */
  readonly log: string;
  /** The secrets that each job's expressions read, by job. */
  readonly secretsOf: Readonly<Record<string, readonly string[]>>;
}

export function readWorkflow(file: string): Workflow {
  return parse(readFileSync(file, "utf8"));
}

type Context = Readonly<Record<string, unknown>>;

export async function runWorkflow(options: RunOptions): Promise<RunResult> {
  const { jobs } = readWorkflow(options.file);
  const results: Record<string, "success" | "failure" | "skipped"> = {};
  const outputs: Record<string, Record<string, string>> = {};
  const secretsOf: Record<string, string[]> = {};
  const artifacts = mkdtempSync(join(tmpdir(), "artifacts-"));
  let log = "";
  try {
    for (const [name, job] of Object.entries(jobs)) {
      const needed = [job.needs ?? []].flat();
      const needs = Object.fromEntries(needed.map((it) => [it, { result: results[it], outputs: outputs[it] ?? {} }]));
      const read: string[] = [];
      secretsOf[name] = read;
      const secrets = new Proxy(options.secrets, {
        get: (all, key) => {
          read.push(String(key));
          return all[String(key)] ?? "";
        },
      });
      const vars = new Proxy(options.vars, { get: (all, key) => all[String(key)] ?? "" });
      const context = { github: options.github, needs, secrets, vars };
      const succeeded = needed.every((it) => results[it] === "success");
      if (!holds(job.if, context, succeeded)) {
        results[name] = "skipped";
        continue;
      }
      const rows = job.strategy ? matrixRows(job.strategy.matrix, context) : [{}];
      const runs = [];
      for (const [index, matrix] of rows.entries()) {
        runs.push(
          await runJob(name, job, { ...context, matrix, strategy: { "job-index": index } }, options, artifacts),
        );
      }
      log += runs.map((it) => it.log).join("");
      results[name] = runs.every((it) => it.succeeded) ? "success" : "failure";
      outputs[name] = runs[0]?.outputs ?? {};
    }
    return { jobs: results, log, secretsOf };
  } finally {
    rmSync(artifacts, { recursive: true, force: true });
  }
}

function matrixRows(matrix: Readonly<Record<string, string>>, context: Context): Record<string, unknown>[] {
  const [[key, expression] = ["", ""]] = Object.entries(matrix);
  const values = evaluated(expression.slice(3, -2), context);
  if (!Array.isArray(values) || values.length === 0 || values.length > 256) {
    throw new Error("GitHub refuses a matrix that is empty or has more than 256 jobs");
  }
  return values.map((value) => ({ [key]: value }));
}

async function runJob(name: string, job: Job, context: Context, options: RunOptions, artifacts: string) {
  const folder = mkdtempSync(join(tmpdir(), "job-"));
  const workspace = join(folder, "workspace");
  mkdirSync(workspace);
  const steps: Record<string, { outputs: Record<string, string> }> = {};
  let succeeded = true;
  let log = "";
  try {
    for (const [index, step] of job.steps.entries()) {
      const hashFiles = (file: string) => (existsSync(join(workspace, file)) ? "hash" : "");
      const now = { ...context, steps, hashFiles };
      if (!holds(step.if, now, succeeded)) {
        continue;
      }
      const env = texts(step.env ?? {}, now);
      const given = texts(step.with ?? {}, now);
      if (step.uses !== undefined) {
        act(step.uses.split("@")[0] ?? "", given, { workspace, artifacts, options });
        continue;
      }
      const output = join(folder, `output-${index}`);
      writeFileSync(output, "");
      const script = step.run ?? "";
      if (script.includes("${{")) {
        throw new Error(`${name}: an expression in a script runs whatever its value says: ${script}`);
      }
      const { code, text } = await bash(script, workspace, { ...options.env, ...env, GITHUB_OUTPUT: output });
      log += `--- ${name}: ${script}\n${text}`;
      succeeded = succeeded && code === 0;
      if (step.id !== undefined) {
        steps[step.id] = { outputs: assignments(readFileSync(output, "utf8")) };
      }
    }
    return { succeeded, log, outputs: texts(job.outputs ?? {}, { ...context, steps }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What an action does here. Those that install or log in have been done by the test. */
function act(
  action: string,
  given: Readonly<Record<string, string>>,
  { workspace, artifacts, options }: { workspace: string; artifacts: string; options: RunOptions },
): void {
  const { path = "", name = "" } = given;
  switch (action) {
    case "actions/checkout": {
      cpSync(options.repository, workspace, { recursive: true, filter: (it) => basename(it) !== "node_modules" });
      return;
    }
    case "actions/upload-artifact":
      if (existsSync(join(workspace, path))) {
        cpSync(join(workspace, path), join(artifacts, name, basename(path)));
      }
      return;
    case "actions/download-artifact":
      cpSync(artifacts, join(workspace, path), { recursive: true });
      return;
    case "actions/cache/restore":
      if (existsSync(join(options.cache, path))) {
        cpSync(join(options.cache, path), join(workspace, path));
      }
      return;
    case "actions/cache/save":
      cpSync(join(workspace, path), join(options.cache, path));
      return;
    case "actions/setup-node":
    case "pulumi/actions":
    case "pulumi/auth-actions":
      return;
    default:
      throw new Error(`${action} is not known here`);
  }
}

/** GitHub's default shell for `run`. */
export function bash(script: string, cwd: string, env: NodeJS.ProcessEnv): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    execFile("bash", ["-e", "-c", script], { cwd, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr });
    });
  });
}

function assignments(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

function texts(values: Readonly<Record<string, string | number>>, context: Context): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      String(value).replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => String(evaluated(expression, context))),
    ]),
  );
}

/** A condition without a function of status holds only if everything before has succeeded. */
function holds(condition: string | undefined, context: Context, succeeded: boolean): boolean {
  if (condition === undefined) {
    return succeeded;
  }
  const expression = condition.trim().replace(/^\$\{\{([\s\S]*)\}\}$/, "$1");
  const usesStatus = /\b(cancelled|always|failure|success)\(/.test(expression);
  return (usesStatus || succeeded) && Boolean(evaluated(expression, context));
}

/** Runs an expression of a workflow as JavaScript. Only names with hyphens are written differently there. */
function evaluated(expression: string, context: Context): unknown {
  const script = expression.replace(/\.(\w+(?:-\w+)+)/g, '["$1"]');
  return runInNewContext(script, { ...context, cancelled: () => false, fromJSON: JSON.parse });
}
