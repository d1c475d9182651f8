/** The one error that users see. */

import { ConfigurationError } from "../livekit/connection";
import { type Failure, LiveKitError } from "../livekit/errors";
import { nameOf } from "../livekit/ownership";
import { printable } from "../printable";
import type { Props } from "./values";

/** An operation on a resource that failed: what was being done, to which resource, why, and what to do about it. Made printable. */
export class ResourceError extends Error {
  /** Set when the resource exists in part: it is then recorded with these properties, to be finished later. */
  readonly partial?: { readonly id: string; readonly properties: Props };

  constructor(message: string, options?: { cause?: unknown; partial?: ResourceError["partial"] }) {
    super(printable(message), { cause: options?.cause });
    // The host prints a stack after the message; a user has no use for ours.
    this.name = "";
    this.stack = "";
    if (options?.partial) {
      this.partial = options.partial;
    }
  }
}

/**
 * Says what was being done to which resource, in front of the reason. What stops every resource alike, such as a refused key, is
 * said in full once and then referred to: a thousand resources must not say it a thousand times. Unforeseen errors keep their stack.
 */
export function explain(error: unknown, doing: string, kind: string, props: Props, told: Set<string>): ResourceError {
  if (error instanceof ResourceError) {
    return error;
  }
  const resource = `${kind} "${typeof props.owner === "string" ? nameOf(props.owner) : "?"}"`;
  const reason = error instanceof Error ? error.message : "unknown error";
  const concernsAll =
    error instanceof ConfigurationError || (error instanceof LiveKitError && CONCERNS_ALL.has(error.failure));
  const again = concernsAll && told.has(reason);
  told.add(reason);
  const wrapped = new ResourceError(
    `${doing} ${resource}: ${again ? "stopped by the same error as the others." : reason}`,
    { cause: error },
  );
  if (!concernsAll && !(error instanceof LiveKitError) && error instanceof Error) {
    wrapped.stack = (error.stack ?? "")
      .split("\n")
      .map((line) => printable(line))
      .join("\n");
  }
  return wrapped;
}

const CONCERNS_ALL: ReadonlySet<Failure> = new Set<Failure>(["unauthenticated", "unreachable", "clock"]);
