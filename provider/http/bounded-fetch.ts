/** An HTTP exchange that ends: its answer is bounded in time and in size, to the last byte of the body. */

/** What an answer may take. */
export interface Bounds {
  /** How long the whole exchange may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How many bytes of the body are read, once it is decompressed; 0 leaves it unread. */
  maxBytes(response: Response): number;
}

/** An answer, its body read. */
export interface BoundedAnswer {
  readonly response: Response;
  /** Undefined when it is longer than its bound, or left unread. */
  readonly body: Uint8Array | undefined;
}

/** The time for an exchange is over. */
export class DeadlineError extends Error {
  override readonly name = "DeadlineError";
}

/** The smallest buffer for a body, in bytes. */
const FIRST_BUFFER_BYTES = 64 * 1024;

/**
 * `fetch` with an end. The deadline is raced against it, because aborting alone is not enough: fetch holds the signal weakly,
 * and once the garbage collector has run it reads a body that drips for ever (seen with Node 20).
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

/** Reads a body as it comes. */
class BodyReader {
  readonly #reader;

  constructor(response: Response) {
    this.#reader = response.body?.getReader();
  }

  /** The body; undefined when it is longer than `maxBytes`, and then the rest is not waited for. */
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
      // Copied at once: a body can come in a million pieces, each of which takes more memory than its bytes.
      buffer = withRoomFor(length + value.length, buffer);
      buffer.set(value, length);
      length += value.length;
    }
  }

  /** Ends the connection unless everything has been read. Not waited for: its failure changes nothing. */
  close(): void {
    this.#reader?.cancel().catch(() => undefined);
  }
}

/** `buffer`, or a copy at least twice as large where so many bytes do not fit into it. */
function withRoomFor(bytes: number, buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes <= buffer.length) {
    return buffer;
  }
  const larger = new Uint8Array(Math.max(bytes, 2 * buffer.length, FIRST_BUFFER_BYTES));
  larger.set(buffer);
  return larger;
}
