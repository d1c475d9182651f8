/** Reads states through the Pulumi CLI, for backends that are not read directly: object stores and databases. */

import { z } from "zod";
import type { PulumiCli } from "../pulumi";
import type { StoredStack } from "./stacks";

const listed = z.array(z.object({ name: z.string() }));

/** The stacks of the project that the CLI runs in. */
export async function cliStacks(cli: PulumiCli, project: string): Promise<StoredStack[]> {
  const stacks = listed.parse(JSON.parse(await cli.run(["stack", "ls", "--json"])));
  return stacks.map(({ name }) => ({
    name: fullName(name, project),
    readState: () => cli.run(["stack", "export", "--stack", name]),
  }));
}

/** The CLI leaves out what is the default: the organization, and the project that it runs in. */
function fullName(name: string, project: string): string {
  const parts = name.split("/");
  const [organization = "organization", ownProject = project, own = name] =
    parts.length === 3 ? parts : parts.length === 2 ? [parts[0], project, parts[1]] : [];
  return `${organization}/${ownProject}/${own}`;
}
