/** Secrets in a state, encrypted with a key that nobody has. */

import { runtime } from "@pulumi/pulumi";
import type { Props } from "../../provider/lifecycle/values";

const CIPHERTEXT = { [runtime.specialSigKey]: runtime.specialSecretSig, ciphertext: "v1:AAAA:AAAA" };

/** A resource's inputs or outputs with ciphertext in place of its secrets. */
export function sealedProps(props: Props, secrets: ReadonlySet<string> = new Set()): Props {
  return Object.fromEntries(
    Object.entries(props).map(([field, value]) => [
      field,
      secrets.has(field) && value !== undefined && value !== null ? CIPHERTEXT : value,
    ]),
  );
}
