/** What the program asks for, kept in order until the engine gets to it. */

/** A queue that can be waited on. */
export class Queue<T> {
  readonly #items: T[] = [];
  #wake: () => void = () => undefined;
  #closed = false;

  /** Adds an item; false when nobody will look at it any more. */
  push(item: T): boolean {
    if (!this.#closed) {
      this.#items.push(item);
      this.#wake();
    }
    return !this.#closed;
  }

  /** The next item, as soon as there is one; undefined once the queue is closed. */
  async next(): Promise<T | undefined> {
    while (this.#items.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#closed ? undefined : this.#items.shift();
  }

  /** Takes nothing more, and hands nothing more out. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }
}
