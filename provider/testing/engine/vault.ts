/** Encryption of the secrets in a stack's state. */

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** Encrypts and decrypts a stack's secrets with AES-256-GCM. */
export class Vault {
  readonly #key: Buffer;
  /** Equal secrets keep their ciphertext, so that an unchanged state is written as it was. */
  readonly #known = new Map<string, string>();

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** A vault with a new key. */
  static random(): Vault {
    return new Vault(randomBytes(32));
  }

  encrypt(text: string): string {
    const known = this.#known.get(text);
    if (known) {
      return known;
    }
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    const ciphertext = `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
    this.#known.set(text, ciphertext);
    return ciphertext;
  }

  decrypt(ciphertext: string): string {
    const [version, nonce, sealed] = ciphertext.split(":");
    if (version !== "v1" || !nonce || !sealed) {
      throw new Error("the state holds a secret in a form that this engine did not write");
    }
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", this.#key, Buffer.from(nonce, "base64"));
    decipher.setAuthTag(bytes.subarray(-16));
    const text = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString("utf8");
    this.#known.set(text, ciphertext);
    return text;
  }

  /** The key, to keep beside a state file. */
  export(): string {
    return this.#key.toString("base64");
  }
}
