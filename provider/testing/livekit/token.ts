/**
 * LiveKit's check of an access token, with the same error messages (livekit-server, pkg/service/auth.go;
 * livekit/protocol, auth/verifier.go; golang-jwt v5). Like the real server, it quotes the whole token when it refuses
 * one.
 */

import { createHmac, timingSafeEqual } from "node:crypto";

/** How far a token's times may be off, in seconds. */
const LEEWAY_SECONDS = 60;
const ALGORITHMS = new Set(
  ["HS", "RS", "ES", "PS"]
    .flatMap((family) => ["256", "384", "512"].map((size) => family + size))
    .concat("EdDSA", "none"),
);

/** A refusal before the request reaches the SIP service: HTTP 401 with the message as plain text. */
export class TokenRefused extends Error {}

/** What a request's token says. A request without a token is granted nothing. */
export interface Caller {
  apiKey?: string;
  /** May change trunks and rules. */
  sipAdmin: boolean;
  /** May place calls. */
  sipCall: boolean;
  /** May create and delete rooms. */
  roomCreate: boolean;
  /** The room whose participants it may remove. */
  roomAdmin?: string;
}

/**
 * Checks the token in the Authorization header, or else in the access_token parameter.
 *
 * @param secretOf returns the secret of an API key; undefined when there is no such key
 * @param now the server's time in milliseconds
 * @throws TokenRefused
 */
export function checkToken(
  authorization: string | undefined,
  parameter: string | undefined,
  secretOf: (apiKey: string) => string | undefined,
  now: number,
): Caller {
  if (authorization && !authorization.startsWith("Bearer ")) {
    throw new TokenRefused("invalid authorization header. Must start with Bearer ");
  }
  const token = authorization ? authorization.slice("Bearer ".length) : parameter;
  if (!token) {
    return { sipAdmin: false, sipCall: false, roomCreate: false };
  }
  const { algorithm, claims, signed, signature } = parse(token);
  const apiKey = typeof claims.iss === "string" ? claims.iss : "";
  const secret = secretOf(apiKey);
  if (!secret) {
    throw new TokenRefused(`invalid API key: ${apiKey}`);
  }
  const refuse = (why: string) => new TokenRefused(`invalid token: ${token}, error: ${why}`);
  if (algorithm !== "HS256") {
    throw refuse(`token signature is invalid: signing method ${algorithm} is invalid`);
  }
  const expected = createHmac("sha256", secret).update(signed).digest();
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
    throw refuse("token signature is invalid: signature is invalid");
  }
  const seconds = now / 1000;
  const wrong: string[] = [];
  if (typeof claims.exp === "number" && seconds >= claims.exp + LEEWAY_SECONDS) {
    wrong.push("token is expired");
  }
  if (typeof claims.nbf === "number" && seconds < claims.nbf - LEEWAY_SECONDS) {
    wrong.push("token is not valid yet");
  }
  if (wrong.length > 0) {
    throw refuse(`token has invalid claims: ${wrong.join(", ")}`);
  }
  const [sip, video] = [claims.sip, claims.video].map((grants) => (isRecord(grants) ? grants : {}));
  return {
    apiKey,
    sipAdmin: sip?.admin === true,
    sipCall: sip?.call === true,
    roomCreate: video?.roomCreate === true,
    ...(video?.roomAdmin === true && { roomAdmin: typeof video.room === "string" ? video.room : "" }),
  };
}

function parse(token: string) {
  const [header = "", payload = "", signature = "", ...more] = token.split(".");
  const headerFields = decodeJson(header);
  const claims = decodeJson(payload);
  const algorithm = headerFields?.alg;
  const wellFormed =
    more.length === 0 && /^[\w-]*$/.test(signature) && typeof algorithm === "string" && ALGORITHMS.has(algorithm);
  if (!claims || !wellFormed) {
    throw new TokenRefused("invalid authorization token");
  }
  return { algorithm, claims, signed: `${header}.${payload}`, signature: Buffer.from(signature, "base64url") };
}

function decodeJson(segment: string): Record<string, unknown> | undefined {
  if (!/^[\w-]+$/.test(segment)) {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, "base64url").toString("utf8"));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
