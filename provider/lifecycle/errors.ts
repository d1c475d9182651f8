/** The one error type that users see. */

import { ConfigurationError } from "../livekit/connection";
import { type Failure, LiveKitError } from "../livekit/errors";
import { nameOf } from "../livekit/ownership";
import { printable } from "../printable";
import type { Props } from "./values";

/** A failed operation: what was being done, to which resource, why it failed and how to fix it. The message is printable. */
export class ResourceError extends Error {
  /** Set if part of the resource was created. Pulumi then records it with these properties, and the next `up` finishes it. */
  readonly partial?: { readonly id: string; readonly properties: Props };

  constructor(message: string, options?: { cause?: unknown; partial?: ResourceError["partial"] }) {
    super(printable(message), { cause: options?.cause });
    // The host prints the stack after the message, and it does not help users.
    this.name = "";
    this.stack = "";
    if (options?.partial) {
      this.partial = options.partial;
    }
  }
}

/**
 * Puts the operation and the resource in front of the reason. An error that stops every resource, such as a rejected API key, is
 * printed in full only once; the other resources refer to it. Unexpected errors keep their stack.
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
