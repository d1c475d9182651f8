/** `livekit-sip check`: whether customers' files can be used. Needs no credential, so that it can run on anybody's pull request. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { CustomerFileError, readCustomer } from "../sip-integration/customer-file";
import { CommandError } from "./command-error";
import type { Console } from "./console";
import { count } from "./drift/words";
import { FAILURE, SUCCESS } from "./exit-codes";

export interface CheckOptions {
  readonly customers: string;
}

/**
 * @param files those to check. Without any, all YAML files of the folder
 * @returns the exit code
 */
export function checkCustomers(files: readonly string[], { customers }: CheckOptions, console: Console): number {
  const named = files.length > 0 ? files : filesIn(customers);
  const problems = named.flatMap(problemsIn);
  for (const problem of problems) {
    console.say(problem);
  }
  if (problems.length === 0) {
    console.say(`${count(named.length, "customer's file is", "customers' files are")} correct.`);
  }
  return problems.length === 0 ? SUCCESS : FAILURE;
}

function filesIn(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
    return names.sort().map((name) => join(folder, name));
  } catch {
    throw new CommandError(
      `There is no folder ${folder}: run this in the folder of the program, or name it with --customers.`,
    );
  }
}

function problemsIn(file: string): string[] {
  try {
    readCustomer(file);
    return [];
  } catch (error) {
    if (error instanceof CustomerFileError) {
      return [error.message];
    }
    throw error;
  }
}
