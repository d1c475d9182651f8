/**
 * The SIP side that accepts calls, as livekit/sip does when its port is not hidden (pkg/sip/inbound.go: processInvite,
 * handleInviteAuth, onBye; pkg/sip/server.go: OnNoRoute). It uses the trunks and rules that the projects hold at that
 * moment.
 */

import { randomBytes } from "node:crypto";
import type { DigestAnswer } from "../../../sip/digest";
import { headerOf, parseNameAddr, parseUri, type SipHeader } from "../../../sip/message";
import { challengeValue, parseAnswer, proves } from "../../sip/digest";
import type { Incoming } from "../../sip/listener";
import { type Project, randomName } from "../project";
import type { CallRecord, Calls } from "./call";
import { ALLOW, branchOf, InboundCall } from "./inbound-call";
import { Ambiguous, type Caller, credentialOf, type Dispatch, dispatch, matchTrunk } from "./match";
import { answerTo } from "./media";
import { DEFAULT_RINGING_MS, durationOr, MAX_CALL_MS } from "./participant";

/** How many challenges are remembered. */
const MAX_CHALLENGES = 500;

export interface InboundOptions {
  readonly calls: Calls;
  /** Searched in this order. */
  readonly projects: readonly Project[];
  /** The emulator's own SIP address. */
  readonly host: string;
  /** What happens to a call that a rule accepts: it rings, or it is answered. */
  readonly answer: "ringing" | "answer";
}

/**
 * A challenge that was sent. Like the real server, the emulator remembers one challenge per Call-ID, not a list of
 * nonces.
 */
interface Challenge {
  readonly realm: string;
  readonly nonce: string;
  readonly record: CallRecord;
}

/** Handles incoming SIP requests. */
export class InboundCalls {
  readonly #options: InboundOptions;
  readonly #challenges = new Map<string, Challenge>();

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  take(incoming: Incoming): void {
    const { request } = incoming;
    const tag = parseNameAddr(headerOf(request, "to") ?? "").params.get("tag");
    const call = tag === undefined ? undefined : this.#options.calls.get(tag);
    switch (request.method) {
      case "INVITE":
        if (tag === undefined) {
          this.#invite(incoming);
          return;
        }
        break;
      case "CANCEL":
        this.#cancel(incoming);
        return;
      case "OPTIONS":
        incoming.respond({ status: 200, reason: "OK" });
        return;
      case "ACK":
        call?.take(incoming);
        return;
      case "BYE":
      case "NOTIFY":
        if (tag === undefined) {
          incoming.respond({ status: 400, reason: "Bad Request" });
          return;
        }
        break;
      default:
        incoming.respond({ status: 405, reason: "Method Not Allowed" });
        return;
    }
    if (call) {
      call.take(incoming);
    } else {
      incoming.respond({ status: 481, reason: "Call does not exist" });
    }
  }

  #cancel(incoming: Incoming): void {
    const branch = branchOf(incoming);
    const call = this.#options.calls.all().find((other) => other instanceof InboundCall && other.branch === branch);
    if (call instanceof InboundCall) {
      incoming.respond({ status: 200, reason: "OK" });
      call.cancel();
    } else {
      incoming.respond({ status: 481, reason: "Call/Transaction Does Not Exist" });
    }
  }

  #invite(incoming: Incoming): void {
    const caller = callerOf(incoming);
    const callId = headerOf(incoming.request, "call-id") ?? "";
    if (!caller || callId === "") {
      incoming.respond({ status: 400, reason: "Bad request", headers: [ALLOW] });
      return;
    }
    incoming.respond({ status: 100, reason: "Processing", headers: [ALLOW] });
    const record = this.#challenges.get(callId)?.record ?? this.#newRecord(caller);
    const refuse = (status: number, reason: string, headers: readonly SipHeader[] = []) => {
      record.status = status;
      record.state = status === 407 ? "calling" : "ended";
      incoming.respond({ status, reason, headers: [ALLOW, ...headers] });
    };
    try {
      const [project, trunk] = this.#route(caller);
      record.trunkId = trunk?.sipTrunkId ?? "";
      const credential = credentialOf(trunk);
      if (!credential || this.#mayCall(incoming, callId, credential, record, refuse)) {
        this.#challenges.delete(callId);
        record.status = 180;
        record.state = "ringing";
        // The 180 goes out before the rules are checked, so a caller can hear ringing and still be refused.
        incoming.respond({ status: 180, reason: "Ringing", headers: [ALLOW] });
        const outcome = dispatch(trunk, project.dispatchRules(), caller, randomName);
        this.#place(incoming, record, project, outcome, refuse);
      }
    } catch (error) {
      if (!(error instanceof Ambiguous)) {
        throw error;
      }
      refuse(503, "Try again later");
    }
  }

  /**
   * The project with a trunk for the call, else one with a rule for all trunks, else the first. A self-hosted server
   * has only one project, and a hosted platform picks it by the called host.
   */
  #route(caller: Caller) {
    const routes = this.#options.projects.map(
      (project) => [project, matchTrunk(project.inboundTrunks(), caller)] as const,
    );
    const takesAll = (project: Project) => project.dispatchRules().some(({ trunkIds }) => trunkIds.length === 0);
    const found = routes.find(([, trunk]) => trunk) ?? routes.find(([project]) => takesAll(project)) ?? routes[0];
    if (!found) {
      throw new Error("The emulator has no project.");
    }
    return found;
  }

  /** Asks for the trunk's credential, or checks the one given. */
  #mayCall(
    { request }: Incoming,
    callId: string,
    { username, password, realm }: { username: string; password: string; realm: string },
    record: CallRecord,
    refuse: (status: number, reason: string, headers?: readonly SipHeader[]) => void,
  ): boolean {
    const header = headerOf(request, "proxy-authorization");
    if (header === undefined) {
      const nonce = `${Date.now()}-${randomBytes(8).toString("hex")}`;
      this.#remember(callId, { realm, nonce, record });
      const value = challengeValue({ realm, nonce, algorithm: "MD5", qop: [], stale: false });
      refuse(407, "Unauthorized", [{ name: "Proxy-Authenticate", value }]);
      return false;
    }
    const given = parseAnswer(header);
    if (given && given.username !== username) {
      refuse(401, "Unauthorized");
      return false;
    }
    const challenge = this.#challenges.get(callId);
    if (!given || !challenge) {
      refuse(401, "Bad credentials");
      return false;
    }
    // Only the answer's user name, URI and hash count; the rest comes from the challenge.
    const { uri, response } = given;
    const { nonce } = challenge;
    const answer: DigestAnswer = { username, realm: challenge.realm, nonce, uri, response, algorithm: "MD5" };
    if (!proves(answer, password, { method: request.method })) {
      refuse(401, "Unauthorized");
      return false;
    }
    return true;
  }

  #remember(callId: string, challenge: Challenge): void {
    this.#challenges.delete(callId);
    this.#challenges.set(callId, challenge);
    const [oldest] = this.#challenges.keys();
    if (this.#challenges.size > MAX_CHALLENGES && oldest !== undefined) {
      this.#challenges.delete(oldest);
    }
  }

  #place(
    incoming: Incoming,
    record: CallRecord,
    project: Project,
    outcome: Dispatch,
    refuse: (status: number, reason: string) => void,
  ): void {
    if (outcome.result === "reject") {
      refuse(404, "Does not match Trunks or Dispatch Rules");
      return;
    }
    const { calls, host, answer } = this.#options;
    record.ruleId = outcome.rule.sipDispatchRuleId;
    const sdp = answerTo(incoming.request.body, host.replace(/:\d+$/, ""));
    if (sdp === undefined) {
      refuse(400, "Bad Request");
      return;
    }
    const trunk = project.inbound.get(record.trunkId);
    const identity = outcome.result === "accept" ? { identity: outcome.identity } : {};
    if (outcome.result === "accept") {
      record.room = outcome.room;
      project.rooms.add(outcome.room);
    }
    const ringingMs = durationOr(DEFAULT_RINGING_MS, MAX_CALL_MS, trunk?.ringingTimeout);
    const durationMs = durationOr(MAX_CALL_MS, MAX_CALL_MS, trunk?.maxCallDuration);
    const call = new InboundCall({
      ...{ incoming, record, project, calls, host, sdp, ringingMs, durationMs },
      ...identity,
    });
    // With a PIN the real server answers at once, in no room, and asks for it. Nobody can enter one here, so the call
    // lasts until someone hangs up.
    if (answer === "answer" || outcome.result === "pin") {
      call.answer();
    }
  }

  #newRecord({ from, to, sourceAddress }: Caller): CallRecord {
    const record: CallRecord = {
      ...{ direction: "inbound", trunkId: "", from, to, sourceAddress, status: 100, state: "calling" },
    };
    this.#options.calls.records.push(record);
    return record;
  }
}

function callerOf({ request, source }: Incoming): Caller | undefined {
  const from = parseNameAddr(headerOf(request, "from") ?? "");
  const fromUri = parseUri(from.uri);
  const toUri = parseUri(parseNameAddr(headerOf(request, "to") ?? "").uri);
  if (!fromUri || !toUri || !from.params.get("tag")) {
    return undefined;
  }
  return {
    from: fromUri.user ?? "",
    fromHost: fromUri.host,
    to: toUri.user ?? "",
    sourceAddress: source.address,
  };
}
