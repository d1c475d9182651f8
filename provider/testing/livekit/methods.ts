/** The methods that the emulator answers, by Twirp service and name: each with its request type and its handler. */

import type { Message, MessageType } from "@bufbuild/protobuf";
import {
  CreateSIPDispatchRuleRequest,
  CreateSIPInboundTrunkRequest,
  CreateSIPOutboundTrunkRequest,
  CreateSIPParticipantRequest,
  DeleteRoomRequest,
  DeleteSIPDispatchRuleRequest,
  DeleteSIPTrunkRequest,
  GetSIPInboundTrunkRequest,
  GetSIPOutboundTrunkRequest,
  ListSIPDispatchRuleRequest,
  ListSIPInboundTrunkRequest,
  ListSIPOutboundTrunkRequest,
  RoomParticipantIdentity,
  UpdateSIPDispatchRuleRequest,
  UpdateSIPInboundTrunkRequest,
  UpdateSIPOutboundTrunkRequest,
} from "@livekit/protocol";
import type { CallService } from "./call-service";
import { decode, type Encoding, encode } from "./encoding";
import type { RoomService } from "./room-service";
import type { SipService } from "./sip-service";

/** A request that the emulator understands. Use `instanceof` to tell which. */
export type SipRequest =
  | CreateSIPDispatchRuleRequest
  | CreateSIPInboundTrunkRequest
  | CreateSIPOutboundTrunkRequest
  | CreateSIPParticipantRequest
  | DeleteRoomRequest
  | DeleteSIPDispatchRuleRequest
  | DeleteSIPTrunkRequest
  | GetSIPInboundTrunkRequest
  | GetSIPOutboundTrunkRequest
  | ListSIPDispatchRuleRequest
  | ListSIPInboundTrunkRequest
  | ListSIPOutboundTrunkRequest
  | RoomParticipantIdentity
  | UpdateSIPDispatchRuleRequest
  | UpdateSIPInboundTrunkRequest
  | UpdateSIPOutboundTrunkRequest;

/** The services of one project, for one caller. */
export interface Services {
  /**
   * Trunks and rules.
   *
   * @throws TwirpError unauthenticated when the caller lacks the permission
   */
  sip(): SipService;
  /** Calls. The service itself checks the caller's permission. */
  calls(): CallService;
  /** Rooms. The service itself checks the caller's permission. */
  rooms(): RoomService;
}

/** A parsed request and its handler. */
export interface SipCall {
  readonly request: SipRequest;
  /** Carries out the request and returns the encoded answer, synchronously except for calls that wait. */
  answer(services: Services): Promise<Uint8Array>;
}

type Method = (body: Uint8Array, encoding: Encoding) => SipCall;

function methodOf<Service, Request extends Message<Request> & SipRequest, Response extends Message<Response>>(
  pick: (services: Services) => Service,
  type: MessageType<Request>,
  carryOut: (service: Service, request: Request) => Response | Promise<Response>,
): Method {
  return (body, encoding) => {
    const request = decode(type, body, encoding);
    return {
      request,
      answer: async (services) => encode(await carryOut(pick(services), request.clone()), encoding),
    };
  };
}

function method<Request extends Message<Request> & SipRequest, Response extends Message<Response>>(
  type: MessageType<Request>,
  carryOut: (service: SipService, request: Request) => Response,
): Method {
  return methodOf((services) => services.sip(), type, carryOut);
}

/** Every method of livekit.SIP except TransferSIPParticipant and the deprecated ListSIPTrunk. */
const SIP_METHODS: ReadonlyMap<string, Method> = new Map([
  ["CreateSIPInboundTrunk", method(CreateSIPInboundTrunkRequest, (sip, request) => sip.createSIPInboundTrunk(request))],
  [
    "CreateSIPOutboundTrunk",
    method(CreateSIPOutboundTrunkRequest, (sip, request) => sip.createSIPOutboundTrunk(request)),
  ],
  ["UpdateSIPInboundTrunk", method(UpdateSIPInboundTrunkRequest, (sip, request) => sip.updateSIPInboundTrunk(request))],
  [
    "UpdateSIPOutboundTrunk",
    method(UpdateSIPOutboundTrunkRequest, (sip, request) => sip.updateSIPOutboundTrunk(request)),
  ],
  ["GetSIPInboundTrunk", method(GetSIPInboundTrunkRequest, (sip, request) => sip.getSIPInboundTrunk(request))],
  ["GetSIPOutboundTrunk", method(GetSIPOutboundTrunkRequest, (sip, request) => sip.getSIPOutboundTrunk(request))],
  ["ListSIPInboundTrunk", method(ListSIPInboundTrunkRequest, (sip, request) => sip.listSIPInboundTrunk(request))],
  ["ListSIPOutboundTrunk", method(ListSIPOutboundTrunkRequest, (sip, request) => sip.listSIPOutboundTrunk(request))],
  ["DeleteSIPTrunk", method(DeleteSIPTrunkRequest, (sip, request) => sip.deleteSIPTrunk(request))],
  ["CreateSIPDispatchRule", method(CreateSIPDispatchRuleRequest, (sip, request) => sip.createSIPDispatchRule(request))],
  ["UpdateSIPDispatchRule", method(UpdateSIPDispatchRuleRequest, (sip, request) => sip.updateSIPDispatchRule(request))],
  ["ListSIPDispatchRule", method(ListSIPDispatchRuleRequest, (sip, request) => sip.listSIPDispatchRule(request))],
  ["DeleteSIPDispatchRule", method(DeleteSIPDispatchRuleRequest, (sip, request) => sip.deleteSIPDispatchRule(request))],
  [
    "CreateSIPParticipant",
    methodOf(
      (services) => services.calls(),
      CreateSIPParticipantRequest,
      (calls, request) => calls.createSIPParticipant(request),
    ),
  ],
]);

/** The methods of livekit.RoomService that end calls. */
const ROOM_METHODS: ReadonlyMap<string, Method> = new Map([
  [
    "DeleteRoom",
    methodOf(
      (services) => services.rooms(),
      DeleteRoomRequest,
      (rooms, request) => rooms.deleteRoom(request),
    ),
  ],
  [
    "RemoveParticipant",
    methodOf(
      (services) => services.rooms(),
      RoomParticipantIdentity,
      (rooms, request) => rooms.removeParticipant(request),
    ),
  ],
]);

/** The methods by service. */
export const METHODS: ReadonlyMap<string, ReadonlyMap<string, Method>> = new Map([
  ["livekit.SIP", SIP_METHODS],
  ["livekit.RoomService", ROOM_METHODS],
]);
