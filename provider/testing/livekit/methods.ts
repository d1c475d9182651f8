/** The methods that the emulator answers, by their Twirp names: the request's type, and the service's method for it. */

import type { Message, MessageType } from "@bufbuild/protobuf";
import {
  CreateSIPDispatchRuleRequest,
  CreateSIPInboundTrunkRequest,
  CreateSIPOutboundTrunkRequest,
  DeleteSIPDispatchRuleRequest,
  DeleteSIPTrunkRequest,
  GetSIPInboundTrunkRequest,
  GetSIPOutboundTrunkRequest,
  ListSIPDispatchRuleRequest,
  ListSIPInboundTrunkRequest,
  ListSIPOutboundTrunkRequest,
  UpdateSIPDispatchRuleRequest,
  UpdateSIPInboundTrunkRequest,
  UpdateSIPOutboundTrunkRequest,
} from "@livekit/protocol";
import { decode, type Encoding, encode } from "./encoding";
import type { SipService } from "./sip-service";

/** A request that the emulator understands; `instanceof` tells which. */
export type SipRequest =
  | CreateSIPDispatchRuleRequest
  | CreateSIPInboundTrunkRequest
  | CreateSIPOutboundTrunkRequest
  | DeleteSIPDispatchRuleRequest
  | DeleteSIPTrunkRequest
  | GetSIPInboundTrunkRequest
  | GetSIPOutboundTrunkRequest
  | ListSIPDispatchRuleRequest
  | ListSIPInboundTrunkRequest
  | ListSIPOutboundTrunkRequest
  | UpdateSIPDispatchRuleRequest
  | UpdateSIPInboundTrunkRequest
  | UpdateSIPOutboundTrunkRequest;

/** A request that was read, and what carries it out. */
export interface SipCall {
  readonly request: SipRequest;
  /** Carries it out and returns the encoded answer. */
  answer(service: SipService): Uint8Array;
}

type Method = (body: Uint8Array, encoding: Encoding) => SipCall;

function method<Request extends Message<Request> & SipRequest, Response extends Message<Response>>(
  type: MessageType<Request>,
  carryOut: (service: SipService, request: Request) => Response,
): Method {
  return (body, encoding) => {
    const request = decode(type, body, encoding);
    return { request, answer: (service) => encode(carryOut(service, request.clone()), encoding) };
  };
}

/** Every method but those that place calls, and ListSIPTrunk, which is deprecated. */
export const METHODS: ReadonlyMap<string, Method> = new Map([
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
]);
