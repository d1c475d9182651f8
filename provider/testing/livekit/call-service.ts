/** The part of LiveKit's SIP service that places calls (livekit-server 1.13.5, pkg/service/sip.go: CreateSIPParticipant). */

import { type CreateSIPParticipantRequest, SIPParticipantInfo } from "@livekit/protocol";
import type { Calls } from "./calls/call";
import { requestTimeout } from "./calls/call-error";
import { OutboundCall } from "./calls/outbound-call";
import { planOf, shownNumber } from "./calls/participant";
import { newId, type Project } from "./project";
import { rpcError, TwirpError, validated } from "./twirp-error";
import { upgradeMedia } from "./updates";
import { validateParticipant } from "./validation";

/** How long a request waits for the call to be answered, in milliseconds. */
const ANSWER_TIMEOUT_MS = 80_000;

export interface CallServiceOptions {
  readonly project: Project;
  readonly calls: Calls;
  /** The emulator's own SIP address. Undefined when it does not speak SIP. */
  readonly host: string | undefined;
  /** Whether the token allows calls. */
  readonly mayCall: boolean;
}

/** Places calls in one project. */
export class CallService {
  constructor(private readonly options: CallServiceOptions) {}

  async createSIPParticipant(request: CreateSIPParticipantRequest): Promise<SIPParticipantInfo> {
    const { project, calls, host, mayCall } = this.options;
    if (!mayCall) {
      throw new TwirpError("unauthenticated", "permissions denied");
    }
    upgradeMedia(request);
    validated(() => validateParticipant(request));
    const trunk = request.sipTrunkId === "" ? undefined : project.outbound.get(request.sipTrunkId);
    if (request.sipTrunkId !== "" && !trunk) {
      throw new TwirpError("not_found", "requested sip trunk does not exist");
    }
    const number = shownNumber(request, trunk);
    if (host === undefined) {
      // livekit-server's answer, after one second, when no livekit/sip is connected to it.
      throw rpcError("unavailable", "no response from servers");
    }
    const plan = planOf(request, trunk, number, host.replace(/:\d+$/, ""));
    project.rooms.add(plan.room);
    const call = new OutboundCall({ plan, project, calls, host });
    if (plan.waitUntilAnswered) {
      const timer = setTimeout(() => call.giveUp(requestTimeout()), ANSWER_TIMEOUT_MS);
      await call.answered.finally(() => clearTimeout(timer));
    }
    return new SIPParticipantInfo({
      participantId: newId("PA_"),
      participantIdentity: plan.identity,
      roomName: plan.room,
      sipCallId: call.tag,
    });
  }
}
