/** A queue for the program's requests, which wait in order until the engine takes them. */

/** A queue with a `next` that waits. */
export class Queue<T> {
  readonly #items: T[] = [];
  #wake: () => void = () => undefined;
  #closed = false;

  /** Adds an item. Returns false when the queue is closed. */
  push(item: T): boolean {
    if (!this.#closed) {
      this.#items.push(item);
      this.#wake();
    }
    return !this.#closed;
  }

  /** Waits for the next item. Undefined once the queue is closed. */
  async next(): Promise<T | undefined> {
    while (this.#items.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#closed ? undefined : this.#items.shift();
  }

  /** Accepts no more items and returns no more. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }
}
