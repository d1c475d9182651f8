/** Finds the values that must not be in a program or in plain state, and puts references to the stack's configuration in their place. Pure. */

import { type Props, UNKNOWN } from "../lifecycle/values";
import { membersOf } from "../livekit/json-text";

/** A value that the program reads from the stack's encrypted configuration. */
export class SecretReference {
  constructor(
    /** The key in the configuration. */
    readonly key: string,
    /** Undefined if LiveKit hides it: then the user must set it. */
    readonly value: string | undefined,
  ) {}
}

/** The secrets of a program by their keys. */
export class Secrets {
  readonly references: SecretReference[] = [];
  private readonly keys = new Set<string>();

  /**
   * Replaces the secret values in a resource's arguments.
   *
   * @param prefix the beginning of the keys: the variable or the name of the resource
   * @param isSecret the arguments that are always secret
   */
  replaceIn(prefix: string, args: Props, isSecret: (argument: string) => boolean): Props {
    const replaced = Object.entries(args).map(([argument, value]) => [
      argument,
      isSecret(argument) ? this.refer([prefix, argument], value) : this.walk([prefix, argument], value),
    ]);
    return Object.fromEntries(replaced);
  }

  private walk(path: readonly string[], value: unknown): unknown {
    if (typeof value === "string") {
      const name = path.slice(1).at(-1) ?? "";
      const isSuspicious = value !== "" && (SUSPICIOUS.test(name) || (membersOf(value) && SUSPICIOUS_KEY.test(value)));
      return isSuspicious ? this.refer(path, value) : value;
    }
    if (Array.isArray(value)) {
      return value.map((item, index) => this.walk([...path, String(index + 1)], item));
    }
    return typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.walk([...path, key], item)]))
      : value;
  }

  private refer(path: readonly string[], value: unknown): SecretReference {
    const wanted = secretKey(...path);
    let key = wanted;
    for (let count = 2; this.keys.has(key); count += 1) {
      key = `${wanted}${count}`;
    }
    this.keys.add(key);
    const reference = new SecretReference(key, typeof value === "string" && value !== UNKNOWN ? value : undefined);
    this.references.push(reference);
    return reference;
  }
}

/** The key of a secret: the words of its path, `office` and `password` give `officePassword`. */
export function secretKey(...path: readonly string[]): string {
  return path
    .flatMap((part) => part.split(/[^a-z\d]+/i))
    .filter((part) => part !== "")
    .map((part, index) => (index === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1)))
    .join("")
    .slice(0, MOST_CHARACTERS);
}

/** The most characters of a key in the configuration. */
const MOST_CHARACTERS = 100;

/** Names that a secret usually has. */
const SUSPICIOUS =
  /secret|passw|passphrase|token|credential|api[-_]?key|access[-_]?key|private[-_]?key|auth|cookie|signature/i;

/** The same as the key of a JSON text. */
const SUSPICIOUS_KEY = new RegExp(`"[^"]*(?:${SUSPICIOUS.source})[^"]*"\\s*:`, "i");
