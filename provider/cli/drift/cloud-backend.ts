/** Reads states from Pulumi Cloud, or from a server that speaks its API: the list of stacks, and the last state of each. */

import { z } from "zod";
import { boundedFetch } from "../../http/bounded-fetch";
import { CommandError } from "../command-error";
import type { StoredStack } from "./stacks";

/** How to reach Pulumi Cloud. */
export interface CloudAccount {
  /** For example `https://api.pulumi.com`. */
  readonly url: string;
  readonly token: string;
}

/** How long Pulumi Cloud may take for one answer, in milliseconds. */
const TIMEOUT_MS = 60_000;

/** The largest answer that is read, in bytes. The state of a stack with thousands of resources has some ten megabytes. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Listing goes on for at most this many pages, should the server never end. */
const MOST_PAGES = 1_000;

const page = z.object({
  stacks: z.array(z.object({ orgName: z.string(), projectName: z.string(), stackName: z.string() })).nullish(),
  continuationToken: z.string().nullish(),
});

/**
 * The stacks of a project.
 *
 * @throws CommandError if Pulumi Cloud does not answer, or refuses the token
 */
export async function cloudStacks(account: CloudAccount, project: string): Promise<StoredStack[]> {
  const found: StoredStack[] = [];
  let next: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const query = new URLSearchParams({ project, ...(next !== undefined && { continuationToken: next }) });
    const { stacks, continuationToken } = pageIn(await get(account, `/api/user/stacks?${query}`), account);
    found.push(
      ...(stacks ?? []).map(({ orgName, projectName, stackName }) => ({
        name: `${orgName}/${projectName}/${stackName}`,
        readState: () =>
          get(account, `/api/stacks/${[orgName, projectName, stackName].map(encodeURIComponent).join("/")}/export`),
      })),
    );
    next = continuationToken || undefined;
    if (next === undefined) {
      return found;
    }
  }
  throw new CommandError(`${account.url} lists stacks without an end: check the address of the backend.`);
}

function pageIn(text: string, { url }: CloudAccount): z.output<typeof page> {
  try {
    return page.parse(JSON.parse(text));
  } catch {
    throw new CommandError(`${url} does not answer like Pulumi Cloud: check the address of the backend.`);
  }
}

async function get({ url, token }: CloudAccount, path: string): Promise<string> {
  const headers = { Accept: "application/vnd.pulumi+8", Authorization: `token ${token}` };
  const { response, body } = await boundedFetch(
    `${url}${path}`,
    // A redirect to another host would pass the token on.
    { headers, redirect: "error" },
    { timeoutMs: TIMEOUT_MS, maxBytes: () => MOST_BYTES },
  ).catch((error: Error) => {
    throw new CommandError(`${url} did not answer: ${causeOf(error)}. Check the address of the backend.`);
  });
  if (response.status === 401 || response.status === 403) {
    throw new CommandError(`${url} refused the access token: run \`pulumi login\`, or set PULUMI_ACCESS_TOKEN.`);
  }
  if (!response.ok || !body) {
    throw new CommandError(`${url} answered ${response.status} to ${path.split("?")[0]}: try again later.`);
  }
  return new TextDecoder().decode(body);
}

/** fetch hides why it failed in its cause. */
function causeOf({ message, cause }: Error): string {
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}
