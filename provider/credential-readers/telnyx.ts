/** Reads the credential of a Telnyx credential connection through Telnyx's API. */

import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { isLoopback } from "../host-text";
import { boundedFetch, DeadlineError } from "../http/bounded-fetch";
import type { VoipCredential } from "../voip/credential";
import { matching } from "./arguments";
import { CredentialReadError, codeOf, type Fail, failing } from "./errors";
import { type Reader, type ReaderArgs, readCredential } from "./reading";

const schema = z.strictObject({
  connectionId: matching(/^[\w-]+$/, "must be the id of a credential connection, for example 1293384261075731499"),
  apiKey: matching(/^[\x21-\x7e]+$/, "must be an API key of Telnyx, without spaces"),
  baseUrl: z
    .string()
    .refine(isApiUrl, {
      error: "must be an https:// URL without credentials and parameters (http:// is allowed only for this machine)",
    })
    .default("https://api.telnyx.com"),
});

/** Arguments of {@link telnyxCredential}. */
export interface TelnyxCredentialArgs extends ReaderArgs<typeof schema> {
  /** The id of the credential connection, as shown in the portal and the API. */
  connectionId: pulumi.Input<string>;
  /** An API key of Telnyx. Secret. */
  apiKey: pulumi.Input<string>;
  /** The base URL of the API. By default `https://api.telnyx.com`. */
  baseUrl?: pulumi.Input<string | undefined>;
}

/** How long Telnyx may take to respond, in milliseconds. */
const DEADLINE_MS = 10_000;

/** The largest response that is read, in bytes. A connection takes about two thousand. */
const MAX_BYTES = 1024 * 1024;

/** The needed part of the response (GET /v2/credential_connections/{id}). */
const answer = z.object({ data: z.object({ user_name: z.string().min(1), password: z.string().nullish() }) });

/** The credential of a Telnyx credential connection, read each time the program runs. */
export function telnyxCredential(args: TelnyxCredentialArgs): pulumi.Output<VoipCredential> {
  return readCredential(telnyxReader, args);
}

/** The reader behind {@link telnyxCredential}. */
export const telnyxReader: Reader<typeof schema> = {
  name: "telnyxCredential",
  schema,
  read: (values) => readConnection(values),
};

/** Asks Telnyx once, without retries or redirects. */
export async function readConnection(
  { connectionId, apiKey, baseUrl }: z.output<typeof schema>,
  deadlineMs = DEADLINE_MS,
): Promise<VoipCredential> {
  const fail = failing("telnyxCredential", `Telnyx's credential connection ${connectionId}`);
  try {
    const { response, body } = await boundedFetch(
      `${baseUrl.replace(/\/+$/, "")}/v2/credential_connections/${connectionId}`,
      { headers: { authorization: `Bearer ${apiKey}`, accept: "application/json" }, redirect: "manual" },
      { timeoutMs: deadlineMs, maxBytes: ({ status }) => (status === 200 ? MAX_BYTES : 0) },
    );
    if (response.status !== 200) {
      throw fail(STATUSES[response.status] ?? `Telnyx answers with status ${response.status}: try again`);
    }
    if (body === undefined) {
      throw fail("the answer is too large for a connection: check `baseUrl`");
    }
    return credentialIn(new TextDecoder().decode(body), fail);
  } catch (error) {
    throw error instanceof CredentialReadError ? error : fail(unreachable(error, deadlineMs));
  }
}

function credentialIn(body: string, fail: Fail): VoipCredential {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw fail("the answer is not JSON: check `baseUrl`");
  }
  const result = answer.safeParse(json);
  if (!result.success) {
    throw fail("the answer contains no user name: check that `connectionId` is the id of a credential connection");
  }
  const { user_name: username, password } = result.data.data;
  if (!password || /^[*•]+$/.test(password)) {
    throw fail("Telnyx does not return the password: declare `username` and `password` instead");
  }
  return { username, password };
}

const REDIRECTED = "Telnyx answers with a redirect, which is not followed: check `baseUrl`";
const STATUSES: Readonly<Record<number, string>> = {
  301: REDIRECTED,
  302: REDIRECTED,
  303: REDIRECTED,
  307: REDIRECTED,
  308: REDIRECTED,
  401: "Telnyx does not accept `apiKey`: check it in the portal, under API Keys",
  403: "`apiKey` may not read the connection: use a key of the account that owns it",
  404: "there is no such credential connection in the account of `apiKey`: check `connectionId`",
  429: "Telnyx reports too many requests: try again in a minute",
};

function unreachable(error: unknown, deadlineMs: number): string {
  if (error instanceof DeadlineError) {
    return `Telnyx did not answer within ${deadlineMs / 1000} s: try again`;
  }
  const code = codeOf(error) ?? codeOf(causeOf(error));
  return `Telnyx can't be reached (${/^\w{1,60}$/.test(code ?? "") ? code : "no connection"}): check this machine's internet access`;
}

/** fetch puts the real error in the cause. */
function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function isApiUrl(text: string): boolean {
  if (!URL.canParse(text)) {
    return false;
  }
  const url = new URL(text);
  const local = isLoopback(url.hostname);
  const plain = !url.username && !url.password && !url.search && !url.hash;
  return plain && (url.protocol === "https:" || (url.protocol === "http:" && local));
}
