/**
 * Calls LiveKit again when it could not answer. Only what may be done twice is done again as it is; what makes an object looks
 * first whether the attempt before made it; what dials is never repeated.
 */

import { DelegateBackoff, decorrelatedJitterGenerator, handleWhen, retry } from "cockatiel";
import { LiveKitError } from "./errors";

/** How long after the first attempt another one may begin, in milliseconds. */
export const RETRY_BOUND_MS = 30_000;

/** The same while the server has never answered: then its name is more likely to be wrong than it to be restarting. */
const FIRST_CONTACT_BOUND_MS = 1_500;

/** A wait of more than this is said, in milliseconds. */
const SAID_FROM_MS = 2_000;

/** How quickly and how often a call is tried again. */
export interface RetryPace {
  /** About how long the first wait is, in milliseconds; the later ones grow. */
  readonly initialDelayMs: number;
  /** The longest wait, in milliseconds, unless LiveKit asks for more. */
  readonly maxDelayMs: number;
  /** How often it is tried again at most. */
  readonly maxAttempts: number;
}

const PACE: RetryPace = { initialDelayMs: 150, maxDelayMs: 5_000, maxAttempts: 20 };

/** What the bounds and the words depend on. */
export interface RetrySettings {
  /** Whether the server has answered anything yet. */
  hasAnswered(): boolean;
  /** Takes a line for the user. */
  say(line: string): void;
  /** The time in milliseconds; for tests. */
  now?(): number;
  /** For tests that can't wait. */
  readonly pace?: RetryPace | undefined;
}

/** Whether the same call may well succeed a little later: 429, 5xx, an answer that broke off, or none at all. */
export function isTransient(error: unknown): error is LiveKitError {
  if (!(error instanceof LiveKitError) || error.lasting) {
    return false;
  }
  const { failure, status } = error;
  return failure === "unreachable" || (failure === "failed" && isTransientStatus(status));
}

function isTransientStatus(status: number | undefined): boolean {
  // A success that can't be read was cut off on the way. 501 says that the server does not know the method.
  return status === undefined || status === 200 || status === 429 || (status >= 500 && status !== 501);
}

/** Does `work`, and again after a transient failure, with growing and random waits, or those that LiveKit asks for. */
export async function retried<Result>(settings: RetrySettings, work: () => Promise<Result>): Promise<Result> {
  const { now = Date.now, pace = PACE } = settings;
  const start = now();
  const bound = () => start + (settings.hasAnswered() ? RETRY_BOUND_MS : FIRST_CONTACT_BOUND_MS);
  const policy = retry(
    handleWhen((error) => isTransient(error) && now() + (error.retryAfterMs ?? 0) < bound()),
    { maxAttempts: pace.maxAttempts, backoff: new DelegateBackoff(delays(pace)) },
  );
  policy.onRetry(({ delay, ...failure }) => {
    if (delay > SAID_FROM_MS && "error" in failure) {
      settings.say(`${failure.error.message} Trying again in ${Math.round(delay / 1000)} s.`);
    }
  });
  return policy.execute(work);
}

type JitterState = ReturnType<typeof decorrelatedJitterGenerator>[1];

/** Growing and random waits, or those that LiveKit asks for. */
function delays({ initialDelayMs: initialDelay, maxDelayMs: maxDelay }: RetryPace) {
  const jittered = { initialDelay, maxDelay, exponent: 2, generator: decorrelatedJitterGenerator };
  return ({ result }: { result: object }, state?: JitterState): { delay: number; state: JitterState } => {
    const [jitter, next] = decorrelatedJitterGenerator(state, jittered);
    const asked = "error" in result && result.error instanceof LiveKitError ? (result.error.retryAfterMs ?? 0) : 0;
    return { delay: Math.max(jitter, asked), state: next };
  };
}

/** Makes an object: after an attempt of which it is not known whether it succeeded, `find` looks before another is made. */
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
