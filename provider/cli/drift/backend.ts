/** Finds the backend of a Pulumi project in the same places and order as the CLI, and lists the project's stacks there. */

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { CommandError } from "../command-error";
import { PulumiCli } from "../pulumi";
import { cliStacks } from "./cli-backend";
import { cloudStacks } from "./cloud-backend";
import { fileBackendStacks, folderOf } from "./file-backend";
import type { StoredStack } from "./stacks";

/** What Pulumi.yaml says. */
export interface Project {
  readonly name: string;
  readonly folder: string;
  readonly backend?: string;
}

const projectFile = z.object({ name: z.string(), backend: z.object({ url: z.string() }).partial().nullish() });

/** @throws CommandError if the folder has no Pulumi.yaml */
export function projectIn(folder: string): Project {
  const path = ["Pulumi.yaml", "Pulumi.yml"].map((name) => join(folder, name)).find((file) => existsSync(file));
  if (path === undefined) {
    throw new CommandError(
      `${folder} has no Pulumi.yaml: run this in the folder of the Pulumi project, name it with --dir, or pass exported states with --state.`,
    );
  }
  try {
    const { name, backend } = projectFile.parse(parse(readFileSync(path, "utf8")));
    return { name, folder, ...(backend?.url !== undefined && { backend: backend.url }) };
  } catch {
    throw new CommandError(`${path} can't be read: it must be YAML with the project's name.`);
  }
}

const credentialsFile = z.object({
  current: z.string().optional(),
  accessTokens: z.record(z.string(), z.string()).optional(),
  accounts: z.record(z.string(), z.object({ accessToken: z.string().optional() })).optional(),
});

type Credentials = z.output<typeof credentialsFile>;

/** How the stacks were found, and the stacks. */
export interface Listed {
  readonly stacks: readonly StoredStack[];
  /** Whether reading a state starts a process. */
  readonly startsProcesses: boolean;
}

/** The stacks of a project in its backend. */
export async function stacksOf(project: Project, env: NodeJS.ProcessEnv, throughCli: boolean): Promise<Listed> {
  const credentials = readCredentials(env);
  const address = env.PULUMI_BACKEND_URL || project.backend || credentials.current;
  if (address === undefined) {
    throw new CommandError(
      "No Pulumi backend is configured: run `pulumi login`, set PULUMI_BACKEND_URL, or pass exported states with --state.",
    );
  }
  if (!throughCli && address.startsWith("file://")) {
    return { stacks: await fileBackendStacks(folderOf(address, project.folder), project.name), startsProcesses: false };
  }
  if (!throughCli && /^https?:\/\//.test(address)) {
    const token =
      env.PULUMI_ACCESS_TOKEN || credentials.accounts?.[address]?.accessToken || credentials.accessTokens?.[address];
    if (!token) {
      throw new CommandError(
        `There is no access token for ${address}: run \`pulumi login\`, or set PULUMI_ACCESS_TOKEN.`,
      );
    }
    const url = address.replace(/\/+$/, "");
    return { stacks: await cloudStacks({ url, token }, project.name), startsProcesses: false };
  }
  const cli = await PulumiCli.find(project.folder, env);
  if (!cli) {
    throw new CommandError(
      `Reading states from a ${address.split("://")[0]} backend needs the Pulumi CLI, and none was found on PATH: install it, or pass exported states with --state.`,
    );
  }
  return { stacks: await cliStacks(cli, project.name), startsProcesses: true };
}

function readCredentials(env: NodeJS.ProcessEnv): Credentials {
  const folder = env.PULUMI_CREDENTIALS_PATH || env.PULUMI_HOME || join(homedir(), ".pulumi");
  try {
    return credentialsFile.parse(JSON.parse(readFileSync(join(folder, "credentials.json"), "utf8")));
  } catch {
    // Without the file, the CLI asks the user to log in.
    return {};
  }
}
