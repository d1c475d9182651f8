/** Cuts known secrets out of what is said. */

import { type Properties, secretStrings } from "./property";

/** Shorter texts are left alone: they would turn up in words that have nothing to do with them. */
const shortest = 4;

/** Knows secrets, and replaces them wherever they turn up. */
export class Scrubber {
  readonly #secrets = new Set<string>();

  /** Learns a secret. */
  add(secret: string): void {
    if (secret.length >= shortest) {
      this.#secrets.add(secret);
      this.#secrets.add(JSON.stringify(secret).slice(1, -1));
    }
  }

  /** Learns every secret among the properties. */
  addProperties(properties: Properties | undefined): void {
    for (const secret of secretStrings(properties ?? {})) {
      this.add(secret);
    }
  }

  /** The text without the secrets. */
  scrub(text: string): string {
    const longestFirst = [...this.#secrets].sort((a, b) => b.length - a.length);
    return longestFirst.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, "[secret]"), text);
  }
}
