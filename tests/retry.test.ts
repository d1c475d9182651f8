/** Which of LiveKit's failures are retried and which are not. faults.test.ts tests the same through the engine. */

import { LiveKitError } from "../provider/livekit/errors";
import { createdOnce, isTransient, type RetrySettings, retried } from "../provider/livekit/retry";

const failure = (status: number, retryAfterMs?: number) =>
  new LiveKitError("failed", "ListSIPInboundTrunk", `LiveKit answered with ${status}.`, status, { retryAfterMs });
const unreachable = new LiveKitError("unreachable", "ListSIPInboundTrunk", "LiveKit did not answer.");

function settings(overrides: Partial<RetrySettings> = {}): RetrySettings & { said: string[] } {
  const said: string[] = [];
  return { hasAnswered: () => true, say: (line) => said.push(line), said, ...overrides };
}

/** Fails with each error in turn, then succeeds. */
function failing(...errors: Error[]) {
  const work = async () => {
    work.attempts += 1;
    const error = errors[work.attempts - 1];
    if (error) {
      throw error;
    }
    return "done";
  };
  work.attempts = 0;
  return work;
}

test.each([
  ["429", failure(429), true],
  ["500", failure(500), true],
  ["503", failure(503), true],
  ["a success that can't be read", failure(200), true],
  ["no answer", unreachable, true],
  ["501", failure(501), false],
  ["a proxy's 404", failure(404), false],
  ["a name that does not exist", new LiveKitError("unreachable", "m", "", undefined, { lasting: true }), false],
  ["an answer that is too large", new LiveKitError("failed", "m", "", 200, { lasting: true }), false],
  ["a refused key", new LiveKitError("unauthenticated", "m", "", 401), false],
  ["a refusal", new LiveKitError("refused", "m", "", 400), false],
  ["another error", new Error("bug"), false],
])("classifies %s as transient or not", (_name, error, transient) => {
  expect(isTransient(error)).toBe(transient);
});

test("retries until it succeeds, and passes on a lasting failure at once", async () => {
  const work = failing(failure(503), unreachable, failure(429));
  expect(await retried(settings(), work)).toBe("done");
  expect(work.attempts).toBe(4);
  const refused = failing(new LiveKitError("refused", "m", "no", 400));
  await expect(retried(settings(), refused)).rejects.toThrow("no");
  expect(refused.attempts).toBe(1);
});

test("waits as long as LiveKit asks, and reports a long wait", async () => {
  const it = settings();
  const start = Date.now();
  expect(await retried(it, failing(failure(429, 2_100)))).toBe("done");
  expect(Date.now() - start).toBeGreaterThanOrEqual(2_090);
  expect(it.said).toEqual(["LiveKit answered with 429. Trying again in 2 s."]);
});

test("says nothing of a short wait", async () => {
  const it = settings({ pace: { initialDelayMs: 1, maxDelayMs: 2, maxAttempts: 4 } });
  expect(await retried(it, failing(failure(503), unreachable))).toBe("done");
  expect(it.said).toEqual([]);
});

test("gives up at once when LiveKit asks for a wait beyond the bound", async () => {
  const work = failing(failure(429, 60_000));
  await expect(retried(settings(), work)).rejects.toThrow("429");
  expect(work.attempts).toBe(1);
});

test("gives up when the time is over, and sooner before the server's first answer", async () => {
  for (const [answered, bound] of [
    [true, 30_000],
    [false, 1_500],
  ] as const) {
    let now = 0;
    const work = async () => {
      now += 400;
      throw unreachable;
    };
    const attempt = retried(settings({ hasAnswered: () => answered, now: () => (now > 2_000 ? 1e9 : now) }), work);
    await expect(attempt).rejects.toThrow("did not answer");
    expect(now).toBeLessThan(bound + 2_000);
  }
});

test("looks for an existing object before it repeats a create", async () => {
  const create = failing(unreachable, unreachable);
  const looks: string[] = [];
  const find = async () => {
    looks.push("look");
    return looks.length === 2 ? "found" : undefined;
  };
  expect(await createdOnce(settings(), create, find)).toBe("found");
  expect(create.attempts).toBe(2);
});

test("does not look before the first create", async () => {
  const find = () => Promise.reject(new Error("looked"));
  expect(await createdOnce(settings(), failing(), find)).toBe("done");
});
