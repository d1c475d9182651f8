/** The texts of `voipStatus`, and which of them are drift: only a rejection is, everything else is just reported. */

/** The status if the VoIP system accepts the declared credential. */
export const ACCEPTS = "accepts the credential";

export const OFF = 'not checked: voipCheck is "off"';
export const NO_CREDENTIAL = "not checked: the trunk has no credential";
export const NO_ADDRESS = 'not checked: direction is "inbound", so there is no address to ask';

/** `pulumi up` will ask. */
export const PENDING = "not checked yet: `pulumi up` checks it";

export function rejected(host: string, code: number): string {
  return `${host} rejects the credential (${code})`;
}

/** The VoIP system stores only a hash, and it is not that of the declared password. */
export function differs(source: string): string {
  return `${source} holds another password`;
}

export function unreachable(host: string, reason: string): string {
  return `unreachable: ${host}: ${reason}`;
}

/** The VoIP system has answered, but its answers prove nothing. */
export function couldNotTell(host: string, reason: string): string {
  return `could not tell: ${host} ${reason}`;
}

/** What a status says of the declared credential. */
export type VoipVerdict = "accepts" | "rejects" | "unknown";

export function verdictOf(status: string): VoipVerdict {
  if (status === ACCEPTS) {
    return "accepts";
  }
  return isRejection(status) ? "rejects" : "unknown";
}

/** Whether a status is drift: the VoIP system does not accept the declared credential. */
export function isRejection(status: unknown): boolean {
  return typeof status === "string" && status !== ACCEPTS && !isInconclusive(status);
}

/** Whether a status says nothing about the credential. */
export function isInconclusive(status: string): boolean {
  return /^(unreachable|not checked( yet)?|could not tell): /.test(status);
}

/** Whether the VoIP system was to be asked, and its answer is not known. */
export function isUnanswered(status: string): boolean {
  return isInconclusive(status) && ![OFF, NO_CREDENTIAL, NO_ADDRESS].includes(status);
}

/** Whether two statuses are the same to a plan. For example, "unreachable" today and "accepts" yesterday is no difference. */
export function isSameStatus(a: unknown, b: unknown): boolean {
  return isRejection(a) ? a === b : !isRejection(b);
}
