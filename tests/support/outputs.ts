/** What outputs resolve to, outside of an engine. */

import { type Output, recover } from "@pulumi/pulumi";
import type { VoipCredential } from "../../provider/voip/credential";

/** The credential that a reader gives; rejects with the error that the reading failed with. */
export async function credentialOf(output: Output<VoipCredential>): Promise<VoipCredential> {
  return new Promise((resolve, reject) => {
    recover<VoipCredential | undefined>(output, (error) => void reject(error)).apply((credential) => {
      if (credential) {
        resolve(credential);
      }
    });
  });
}

/** The message of the error that a reading fails with. */
export async function failureOf(output: Output<VoipCredential>): Promise<string> {
  const outcome = await credentialOf(output).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof Error) {
    return outcome.message;
  }
  throw new Error("The reading did not fail.");
}
