/** Calls a code host's REST API: bounded, patient when it is told to wait, and without a token in any message. */

import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { isLoopback } from "../../host-text";
import { boundedFetch } from "../../http/bounded-fetch";
import { printable } from "../../printable";
import { CommandError } from "../command-error";

/** How long one answer may take, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** The largest answer that is read, in bytes: a hundred issues with long texts. */
const MOST_BYTES = 32 * 1024 * 1024;

/** How often a call is repeated. */
const MOST_RETRIES = 3;

/** The longest wait that a code host may ask for, in seconds. */
const MOST_WAIT_S = 90;

/** The wait before a call is repeated, if nothing else is asked for, in seconds. */
const WAIT_S = 2;

const PER_PAGE = 100;

/** Listing goes on for at most this many pages, should the server never end. */
const MOST_PAGES = 100;

/** A code host's API. */
export interface ApiOptions {
  /** How messages call it. */
  readonly name: "GitHub" | "GitLab";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The sentence about a refused call. */
  readonly remedy: string;
}

type Method = "GET" | "POST" | "PATCH" | "PUT";

const message = z.object({ message: z.unknown() });

export class Api {
  constructor(private readonly options: ApiOptions) {
    const { protocol, hostname } = new URL(options.url);
    if (protocol !== "https:" && !isLoopback(hostname)) {
      throw new CommandError(`${options.name}'s API is at ${options.url}: the token goes only to an https address.`);
    }
  }

  async get<Shape>(path: string, shape: z.ZodType<Shape>): Promise<Shape> {
    return this.parsed(await this.call("GET", path), shape);
  }

  /** Everything of a list, page by page. */
  async list<Shape>(path: string, shape: z.ZodType<Shape>): Promise<Shape[]> {
    const found: Shape[] = [];
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const separator = path.includes("?") ? "&" : "?";
      const answer = await this.call("GET", `${path}${separator}per_page=${PER_PAGE}&page=${page}`);
      const items = this.parsed(answer, z.array(shape));
      found.push(...items);
      if (items.length < PER_PAGE) {
        break;
      }
    }
    return found;
  }

  async send<Shape>(method: Method, path: string, body: unknown, shape: z.ZodType<Shape>): Promise<Shape> {
    return this.parsed(await this.call(method, path, body), shape);
  }

  private parsed<Shape>(answer: unknown, shape: z.ZodType<Shape>): Shape {
    const { success, data } = shape.safeParse(answer);
    if (!success) {
      throw new CommandError(
        `${this.options.name} does not answer as expected: check the address of its API, ${this.options.url}.`,
      );
    }
    return data;
  }

  private async call(method: Method, path: string, body?: unknown): Promise<unknown> {
    const { name, url, headers, remedy } = this.options;
    for (let retries = 0; ; retries += 1) {
      const { response, body: bytes } = await boundedFetch(
        `${url}${path}`,
        {
          method,
          headers: { ...headers, "Content-Type": "application/json", "User-Agent": "pulumi-livekit-sip" },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          // A redirect to another host would pass the token on.
          redirect: "error",
        },
        { timeoutMs: TIMEOUT_MS, maxBytes: () => MOST_BYTES },
      ).catch((error: Error) => {
        throw new CommandError(`${name} did not answer at ${url}: ${causeOf(error)}. Run the job again.`);
      });
      const text = bytes ? new TextDecoder().decode(bytes) : "";
      if (response.ok) {
        return jsonIn(text);
      }
      const wait = waitFor(response, method);
      if (wait === undefined || retries === MOST_RETRIES) {
        const said = message.safeParse(jsonIn(text));
        const words = said.success ? `: ${printable(JSON.stringify(said.data.message), 200)}` : "";
        const advice = [401, 403, 404].includes(response.status) ? remedy : "Run the job again later.";
        throw new CommandError(
          `${name} answered ${response.status} to ${method} ${path.split("?")[0]}${words}. ${advice}`,
        );
      }
      await delay(wait * 1000);
    }
  }
}

/** How many seconds to wait before the same call may succeed. Undefined if it will not. A create that failed is not repeated. */
function waitFor({ status, headers }: Response, method: Method): number | undefined {
  const asked = Number(headers.get("retry-after") ?? Number.NaN);
  if (status === 429 || (status === 403 && !Number.isNaN(asked))) {
    return Math.min(Number.isNaN(asked) ? WAIT_S : Math.max(0, asked), MOST_WAIT_S);
  }
  return status >= 500 && method !== "POST" ? WAIT_S : undefined;
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** fetch hides why it failed in its cause. */
function causeOf({ message: said, cause }: Error): string {
  return cause instanceof Error && cause.message !== "" ? cause.message : said;
}
