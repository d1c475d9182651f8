/**
 * The INVITE of an outbound call: sends it, answers challenges and cancels it (livekit/sip, pkg/sip/outbound.go:
 * Invite, attemptInvite).
 */

import type { Connection } from "../../../sip/connection";
import { answer, answerable, parseChallenges } from "../../../sip/digest";
import { headersOf, listOf, parseNameAddr, type SipHeader, type SipResponse } from "../../../sip/message";
import { ClientTransaction } from "../../../sip/transaction";
import { rpcError } from "../twirp-error";
import { authenticationFailed, missingChallenge, missingCredential, refusal, silence } from "./call-error";
import type { Plan } from "./participant";

/** How often an INVITE is sent, answers to challenges included, before the credential counts as wrong. */
const MAX_ATTEMPTS = 5;
/** How long an INVITE may go without any response, in milliseconds: 64 * T1 (RFC 3261, timer B). */
const SILENCE_MS = 32_000;

/** What makes up an INVITE. */
export interface InviteOptions {
  readonly plan: Plan;
  readonly connection: Connection;
  /** The headers of every attempt, such as From, To and Contact. Via and CSeq are added per attempt. */
  readonly headers: readonly SipHeader[];
  readonly body: string;
  /** Aborts the call: {@link OutboundInvite.send} rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Called with the status of each response. */
  readonly progress: (status: number) => void;
}

/** An INVITE, from the first attempt until the final response. */
export class OutboundInvite {
  /** The CSeq of the latest attempt. */
  sequence = 0;
  /** The number of provisional responses. */
  provisional = 0;
  readonly #options: InviteOptions;
  #transaction?: ClientTransaction;
  #cancel?: ClientTransaction;

  constructor(options: InviteOptions) {
    this.#options = options;
  }

  /**
   * Sends the INVITE, answers challenges, and returns the 200.
   *
   * @throws TwirpError, or the error of the connection
   */
  async send(): Promise<SipResponse> {
    let authorization: SipHeader[] = [];
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const response = await this.#attempt(authorization);
      if (response.status === 200) {
        return response;
      }
      if (response.status !== 401 && response.status !== 407) {
        throw refusal(response);
      }
      authorization = [this.#authorize(response)];
    }
    throw authenticationFailed();
  }

  /**
   * Handles a response if it belongs to this INVITE or its CANCEL. Returns "final" for a final response to the INVITE.
   */
  take(response: SipResponse): "final" | "other" {
    const isOurs = !this.#cancel?.take(response) && this.#transaction?.take(response) === true;
    return isOurs && response.status >= 200 ? "final" : "other";
  }

  fail(reason: Error): void {
    this.#transaction?.fail(reason);
    this.#cancel?.fail(reason);
  }

  /** Cancels the latest attempt. Its final response, usually 487, still goes to {@link take}. */
  cancel(signal: AbortSignal): void {
    const request = this.#transaction?.request;
    if (!request) {
      return;
    }
    const kept = request.headers.filter(({ name }) => /^(from|to|call-id|max-forwards)$/i.test(name));
    const branch = parseNameAddr(listOf(request, "via")[0] ?? "").params.get("branch");
    const headers = [...kept, { name: "CSeq", value: `${this.sequence} CANCEL` }];
    const draft = { method: "CANCEL", uri: request.uri, headers };
    this.#cancel = new ClientTransaction(this.#options.connection, draft, signal, undefined, branch);
  }

  async #attempt(authorization: readonly SipHeader[]): Promise<SipResponse> {
    const { plan, connection, headers, body, signal, progress } = this.#options;
    const sequence = { name: "CSeq", value: `${++this.sequence} INVITE` };
    const draft = { method: "INVITE", uri: plan.uri, headers: [...headers, sequence, ...authorization], body };
    const transaction = new ClientTransaction(connection, draft, signal, ({ status }) => {
      this.provisional++;
      progress(status);
    });
    this.#transaction = transaction;
    const timer = setTimeout(() => this.provisional === 0 && transaction.fail(silence(0)), SILENCE_MS);
    try {
      const response = await transaction.response;
      progress(response.status);
      return response;
    } finally {
      clearTimeout(timer);
    }
  }

  #authorize(response: SipResponse): SipHeader {
    const { username, password, uri } = this.#options.plan;
    if (username === "" || password === "") {
      throw missingCredential();
    }
    const isProxy = response.status === 407;
    const [value] = headersOf(response, isProxy ? "proxy-authenticate" : "www-authenticate");
    if (value === undefined) {
      throw missingChallenge();
    }
    const [challenge] = answerable(parseChallenges([value]));
    if (!challenge) {
      throw rpcError("internal", "invalid challenge");
    }
    const name = isProxy ? "Proxy-Authorization" : "Authorization";
    return { name, value: answer(challenge, { username, password }, { method: "INVITE", uri }) };
  }
}
