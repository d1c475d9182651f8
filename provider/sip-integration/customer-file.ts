/** Reads a customer's YAML file. Whoever wrote the file reads the errors: each names the place, the key and the fix. */

import { isUtf8 } from "node:buffer";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, extname } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { codeOf } from "../credential-readers/errors";
import { firstBadLine } from "../credential-readers/files";
import { printable } from "../printable";
import type { Customer } from "./arguments";
import type { Problem } from "./customer-problems";
import { parseYaml, type YamlFile } from "./yaml-file";

/** The largest file that is read, in bytes: more than twice the largest metadata that LiveKit accepts. */
const MAX_BYTES = 2 * 1024 * 1024;

/** The most problems of a file that one error lists, and the most files that it names. */
const MOST_LISTED = 50;

/** The most characters of a problem. */
const MOST_CHARACTERS = 500;

/** A customer's file can't be used. The message has a line for each problem: file, line, column, key, what is wrong, and the fix. */
export class CustomerFileError extends RunError {
  constructor(problems: readonly string[]) {
    const listed = problems.slice(0, MOST_LISTED).map((problem) => printable(problem, MOST_CHARACTERS));
    const more = problems.length - listed.length;
    super([...listed, ...(more > 0 ? [`… and ${more} more.`] : [])].join("\n"));
    this.name = "CustomerFileError";
    this.stack = "";
  }
}

/**
 * Reads a customer's file: the arguments of a {@link SipIntegration} in YAML, without secrets. The package's
 * `customer.schema.json` describes it to editors. All problems of a file are reported at once.
 *
 * @param file - its path, relative to the program's folder; the name is that of the customer's stack
 * @returns the arguments as the file gives them, to which the program adds the secrets
 * @throws CustomerFileError
 *
 * @example
 * const customer = readCustomer(`customers/${pulumi.getStack()}.yaml`);
 * new SipIntegration(pulumi.getStack(), { ...customer, password: config.getSecret("password") });
 */
export function readCustomer(file: string): Customer {
  const yaml = parseYaml(textOf(file));
  if ("problems" in yaml) {
    throw new CustomerFileError(
      yaml.problems.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`),
    );
  }
  const customer: unknown = yaml.value;
  // Programs without such files need not load the schemas.
  const { problemsOf }: typeof import("./customer-problems") = require("./customer-problems");
  const problems = problemsOf(customer, yaml);
  if (!isCustomer(customer, problems)) {
    throw new CustomerFileError(described(file, yaml, problems));
  }
  return customer;
}

function isCustomer(_value: unknown, problems: readonly Problem[]): _value is Customer {
  return problems.length === 0;
}

/** In the order of the file. */
function described(file: string, yaml: YamlFile, problems: readonly Problem[]): string[] {
  return problems
    .map(({ path, part, message }) => ({ ...yaml.positionOf(path, part), message }))
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`);
}

/** @throws CustomerFileError */
function textOf(file: string): string {
  if (!/^[A-Za-z0-9][\w.-]*\.ya?ml$/.test(basename(file))) {
    throw new CustomerFileError([
      `${file} can't be a customer's file: name it after the stack, with letters, digits, hyphens, underscores and periods, for example customers/acme.yaml.`,
    ]);
  }
  const bytes = bytesOf(file);
  if (!isUtf8(bytes)) {
    throw new CustomerFileError([
      `${file}:${firstBadLine(bytes)}:1: the text is not UTF-8: convert the file, for example with iconv -f latin1 -t utf-8.`,
    ]);
  }
  return bytes.toString("utf8");
}

function bytesOf(file: string): Buffer {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) {
      throw new CustomerFileError([`${file} is not a regular file: name a file.`]);
    }
    if (stats.size > MAX_BYTES) {
      throw new CustomerFileError([
        `${file} is larger than ${MAX_BYTES / 1024 / 1024} MiB, which no customer's file needs: check the path.`,
      ]);
    }
    return readFileSync(file);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) {
      throw error;
    }
    throw new CustomerFileError([
      code === "ENOENT" || code === "ENOTDIR"
        ? missing(file)
        : `${file} can't be read (${code}): check the path and its permissions.`,
    ]);
  }
}

/** The sentence about a file that does not exist, with those that do. */
function missing(file: string): string {
  const folder = dirname(file);
  const names = namesIn(folder);
  const listed = names.slice(0, MOST_LISTED).join(", ");
  const more = names.length > MOST_LISTED ? ` and ${names.length - MOST_LISTED} more` : "";
  const there = names.length === 0 ? `${folder} has no customers yet` : `${folder} has ${listed}${more}`;
  return `${file} does not exist: write it, or select the stack of another customer. ${there}.`;
}

/** The customers in a folder, by name. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /\.ya?ml$/.test(name))
      .map((name) => basename(name, extname(name)))
      .sort();
  } catch {
    return [];
  }
}
