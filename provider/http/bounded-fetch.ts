/** HTTP requests that always end: the response is limited in time and size, down to the last byte of the body. */

/** The limits of a response. */
export interface Bounds {
  /** How long the whole exchange may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How many bytes of the decompressed body are read at most. 0 means that the body is not read. */
  maxBytes(response: Response): number;
}

/** A response whose body has been read. */
export interface BoundedAnswer {
  readonly response: Response;
  /** Undefined if it exceeds its limit or was not read. */
  readonly body: Uint8Array | undefined;
}

/** The exchange took too long. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** The initial size of a body's buffer, in bytes. */
const FIRST_BUFFER_BYTES = 64 * 1024;

/**
 * `fetch` with a deadline. Aborting alone is not enough, so the deadline is raced against the exchange: fetch holds the signal
 * weakly, and after a garbage collection it keeps reading a slow body forever (seen with Node 20).
 *
 * @throws DeadlineError, and whatever fetch throws
 */
export async function boundedFetch(url: string, init: RequestInit, bounds: Bounds): Promise<BoundedAnswer> {
  const abort = new AbortController();
  let body: BodyReader | undefined;
  const exchange = async (): Promise<BoundedAnswer> => {
    const response = await fetch(url, { ...init, signal: abort.signal });
    body = new BodyReader(response);
    const maxBytes = bounds.maxBytes(response);
    return { response, body: maxBytes === 0 ? undefined : await body.read(maxBytes) };
  };
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const what = body ? "no complete answer" : "no answer";
      reject(new DeadlineError(`${what} within ${bounds.timeoutMs / 1000} s`));
    }, bounds.timeoutMs);
  });
  try {
    return await Promise.race([exchange(), deadline]);
  } catch (error) {
    abort.abort();
    throw error;
  } finally {
    clearTimeout(timer);
    body?.close();
  }
}

/** Reads a body as it arrives. */
class BodyReader {
  readonly #reader;

  constructor(response: Response) {
    this.#reader = response.body?.getReader();
  }

  /** Returns the body, or undefined as soon as it exceeds `maxBytes`. */
  async read(maxBytes: number): Promise<Uint8Array | undefined> {
    let buffer = new Uint8Array(0);
    let length = 0;
    for (;;) {
      const { done, value } = (await this.#reader?.read()) ?? { done: true };
      if (done) {
        return buffer.subarray(0, length);
      }
      if (length + value.length > maxBytes) {
        return undefined;
      }
      // Copied right away: a body can arrive in a million chunks, each of which takes more memory than its bytes.
      buffer = withRoomFor(length + value.length, buffer);
      buffer.set(value, length);
      length += value.length;
    }
  }

  /** Ends the connection unless everything was read. It is not awaited, because a failure would not matter. */
  close(): void {
    this.#reader?.cancel().catch(() => undefined);
  }
}

/** Returns `buffer`, or a copy at least twice as large if it is too small. */
function withRoomFor(bytes: number, buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes <= buffer.length) {
    return buffer;
  }
  const larger = new Uint8Array(Math.max(bytes, 2 * buffer.length, FIRST_BUFFER_BYTES));
  larger.set(buffer);
  return larger;
}
