/**
 * Retries calls to LiveKit that failed for a transient reason. Idempotent calls are repeated as they are. Before a create is
 * repeated, it checks whether the previous attempt succeeded. Placing a call is never repeated.
 */

import { DelegateBackoff, decorrelatedJitterGenerator, handleWhen, retry } from "cockatiel";
import { LiveKitError } from "./errors";

/** How long after the first attempt a retry may still begin, in milliseconds. */
export const RETRY_BOUND_MS = 30_000;

/** A shorter bound before the first response: a wrong host name is more likely than a restart. */
const FIRST_CONTACT_BOUND_MS = 1_500;

/** Waits longer than this are reported to the user, in milliseconds. */
const REPORTED_WAIT_MS = 2_000;

/** How quickly and how often a call is retried. */
export interface RetryPace {
  /** The approximate length of the first wait, in milliseconds. Later ones grow. */
  readonly initialDelayMs: number;
  /** The longest wait, in milliseconds, unless LiveKit asks for more. */
  readonly maxDelayMs: number;
  /** The maximum number of retries. */
  readonly maxAttempts: number;
}

const PACE: RetryPace = { initialDelayMs: 150, maxDelayMs: 5_000, maxAttempts: 20 };

/** The inputs of the retry policy. */
export interface RetrySettings {
  /** Whether the server has responded to anything yet. */
  hasAnswered(): boolean;
  /** Prints a line for the user. */
  say(line: string): void;
  /** The time in milliseconds; for tests. */
  now?(): number;
  /** For tests with short waits. */
  readonly pace?: RetryPace | undefined;
}

/** Whether the same call is likely to succeed a little later: after 429, 5xx, a truncated response, or none at all. */
export function isTransient(error: unknown): error is LiveKitError {
  if (!(error instanceof LiveKitError) || error.lasting) {
    return false;
  }
  const { failure, status } = error;
  return failure === "unreachable" || (failure === "failed" && isTransientStatus(status));
}

function isTransientStatus(status: number | undefined): boolean {
  // An unreadable success was truncated on the way. 501 means that the server does not know the method.
  return status === undefined || status === 200 || status === 429 || (status >= 500 && status !== 501);
}

/** Runs `work`, and repeats it after transient failures, with growing random waits or the waits that LiveKit asks for. */
export async function retried<Result>(settings: RetrySettings, work: () => Promise<Result>): Promise<Result> {
  const { now = Date.now, pace = PACE } = settings;
  const start = now();
  const bound = () => start + (settings.hasAnswered() ? RETRY_BOUND_MS : FIRST_CONTACT_BOUND_MS);
  const policy = retry(
    handleWhen((error) => isTransient(error) && now() + (error.retryAfterMs ?? 0) < bound()),
    { maxAttempts: pace.maxAttempts, backoff: new DelegateBackoff(delays(pace)) },
  );
  policy.onRetry(({ delay, ...failure }) => {
    if (delay > REPORTED_WAIT_MS && "error" in failure) {
      settings.say(`${failure.error.message} Trying again in ${Math.round(delay / 1000)} s.`);
    }
  });
  return policy.execute(work);
}

type JitterState = ReturnType<typeof decorrelatedJitterGenerator>[1];

/** Growing random waits, or the waits that LiveKit asks for. */
function delays({ initialDelayMs: initialDelay, maxDelayMs: maxDelay }: RetryPace) {
  const jittered = { initialDelay, maxDelay, exponent: 2, generator: decorrelatedJitterGenerator };
  return ({ result }: { result: object }, state?: JitterState): { delay: number; state: JitterState } => {
    const [jitter, next] = decorrelatedJitterGenerator(state, jittered);
    const asked = "error" in result && result.error instanceof LiveKitError ? (result.error.retryAfterMs ?? 0) : 0;
    return { delay: Math.max(jitter, asked), state: next };
  };
}

/** Creates an object once. If it is unknown whether an attempt succeeded, `find` looks for the object before the next attempt. */
export async function createdOnce<Item>(
  settings: RetrySettings,
  create: () => Promise<Item>,
  find: () => Promise<Item | undefined>,
): Promise<Item> {
  let tried = false;
  return retried(settings, async () => {
    const found = tried ? await find() : undefined;
    tried = true;
    return found ?? create();
  });
}
