/**
 * The two ways in which LiveKit refuses: with an error that already carries a Twirp code, and with a failed validation
 * whose code depends on where it failed.
 */

/** Twirp's error codes and their HTTP statuses (https://twitchtv.github.io/twirp/docs/errors.html). */
const STATUS = {
  invalid_argument: 400,
  malformed: 400,
  out_of_range: 400,
  unauthenticated: 401,
  permission_denied: 403,
  bad_route: 404,
  not_found: 404,
  canceled: 408,
  deadline_exceeded: 408,
  aborted: 409,
  failed_precondition: 412,
  resource_exhausted: 429,
  unknown: 500,
  internal: 500,
  unimplemented: 501,
  unavailable: 503,
} as const;

/** A Twirp error code that the emulator can answer with. */
export type TwirpCode = keyof typeof STATUS;

/** The code that matches an HTTP status of 400 or more; `internal` for a status without a code. */
export function codeForStatus(status: number): TwirpCode {
  switch (status) {
    case 400:
      return "invalid_argument";
    case 401:
      return "unauthenticated";
    case 403:
      return "permission_denied";
    case 404:
      return "not_found";
    case 429:
      return "resource_exhausted";
    case 501:
      return "unimplemented";
    case 503:
      return "unavailable";
    default:
      return "internal";
  }
}

export class TwirpError extends Error {
  readonly status: number;

  constructor(
    readonly code: TwirpCode,
    message: string,
    readonly meta?: Readonly<Record<string, string>>,
  ) {
    super(message);
    this.status = STATUS[code];
  }

  toBody(): string {
    return JSON.stringify({ code: this.code, msg: this.message, ...(this.meta && { meta: this.meta }) });
  }
}

/**
 * A message that breaks the server's rules. `coded` marks the few that the server raises with their own gRPC code
 * (psrpc). When they reach the Twirp layer unwrapped, those keep invalid_argument and get a prefix; the others become
 * `unknown`, HTTP 500 (livekit/protocol, utils/xtwirp/errors.go).
 */
export class Invalid extends Error {
  constructor(
    message: string,
    readonly coded = false,
  ) {
    super(message);
  }
}

/** Runs a check of the incoming request. A failure becomes invalid_argument with the bare message. */
export function validated(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof Invalid ? new TwirpError("invalid_argument", error.message) : error;
  }
}

/**
 * An error that the server raises with its own gRPC code, or passes on from livekit/sip. The Twirp layer keeps the code
 * and puts a prefix before the message.
 */
export function rpcError(code: TwirpCode, message: string, meta?: Readonly<Record<string, string>>): TwirpError {
  return new TwirpError(code, `twirp error unknown: ${message}`, meta);
}

/** The Twirp error for an error that a method did not wrap. */
export function toTwirpError(error: unknown): TwirpError {
  if (error instanceof TwirpError) {
    return error;
  }
  if (error instanceof Invalid) {
    return error.coded ? rpcError("invalid_argument", error.message) : new TwirpError("unknown", error.message);
  }
  return new TwirpError("internal", error instanceof Error ? error.message : String(error));
}
