/** Resolves outputs outside an engine. */

import { type Output, recover } from "@pulumi/pulumi";
import type { VoipCredential } from "../../provider/voip/credential";

/** The credential that a reader returns. Rejects with the error if reading fails. */
export async function credentialOf(output: Output<VoipCredential>): Promise<VoipCredential> {
  return new Promise((resolve, reject) => {
    recover<VoipCredential | undefined>(output, (error) => void reject(error)).apply((credential) => {
      if (credential) {
        resolve(credential);
      }
    });
  });
}

/** The message of the error with which a reader fails. */
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
