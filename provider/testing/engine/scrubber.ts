/** Removes known secrets from output. */

import { type Properties, secretStrings } from "./property";

/** Shorter secrets are not removed: they also occur inside unrelated words. */
const shortest = 4;

/** Remembers secrets and replaces them wherever they occur. */
export class Scrubber {
  readonly #secrets = new Set<string>();

  add(secret: string): void {
    if (secret.length >= shortest) {
      this.#secrets.add(secret);
      this.#secrets.add(JSON.stringify(secret).slice(1, -1));
    }
  }

  /** Adds every secret among the properties. */
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
