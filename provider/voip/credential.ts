/** A credential as a VoIP system stores it: the password itself, or a hash of it. Pure, and independent of Pulumi. */

import { ha1 } from "../sip/digest";

/** A credential with its password. */
export interface PasswordCredential {
  readonly username: string;
  readonly password: string;
}

/** A credential of which only a hash is stored. It can tell whether a password is correct, but not what it is. */
export interface CredentialVerifier {
  readonly username: string;
  /** The realm that is part of the hash. */
  readonly realm: string;
  readonly algorithm: "MD5" | "SHA-256";
  /** HA1 = H(username ":" realm ":" password), in lower-case hexadecimal (RFC 7616, section 3.4.2). */
  readonly ha1: string;
  /** Where it is stored, in words, for messages: for example `Kamailio's table subscriber`. */
  readonly source: string;
}

/** The result of a credential reader: the credential, or a verifier if only a hash is stored. */
export type VoipCredential = PasswordCredential | CredentialVerifier;

/** Whether the VoIP system stores only a hash. */
export function isVerifier(credential: VoipCredential): credential is CredentialVerifier {
  return "ha1" in credential;
}

/** The problem of a SipTrunk that gets its password from a reader and from another argument, too. Undefined if it does not. */
export function givenTwice(password: unknown, pendingPassword: unknown): string | undefined {
  const both = password !== undefined ? "password" : pendingPassword !== undefined ? "pendingPassword" : undefined;
  return both === undefined
    ? undefined
    : `SipTrunk has both credential, which reads the password from the VoIP system, and ${both}: remove one of them.`;
}

/** Whether a password is the one that a verifier was made of. */
export function verifies(verifier: CredentialVerifier, password: string): boolean {
  const { username, realm, algorithm } = verifier;
  return ha1(algorithm, { username, password }, realm) === verifier.ha1;
}

/**
 * The algorithm that a hexadecimal HA1 was made with, told by its length. Undefined if it is not one. Phone systems hash it as it is
 * written (measured on Asterisk, FreeSWITCH and Kamailio), so that nobody can log in with one in capitals.
 */
export function ha1Algorithm(hash: string): CredentialVerifier["algorithm"] | undefined {
  if (!/^[\da-f]*$/.test(hash)) {
    return undefined;
  }
  return hash.length === 32 ? "MD5" : hash.length === 64 ? "SHA-256" : undefined;
}
