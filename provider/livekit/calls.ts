/** Calls that LiveKit places, and the rooms that they take. */

import { Duration } from "@bufbuild/protobuf";
import {
  CreateSIPParticipantRequest,
  DeleteRoomRequest,
  DeleteRoomResponse,
  SIPParticipantInfo,
} from "@livekit/protocol";
import type { Connection } from "./connection";
import { goneIsDone } from "./sip-api";
import { callLiveKit } from "./twirp";

/** How much longer than the ringing LiveKit's answer may take, in milliseconds. */
const ANSWER_LEEWAY_MS = 10_000;

/** A call out through a trunk. */
export interface CallOut {
  readonly trunkId: string;
  /** What is dialled, as the VoIP system writes it. */
  readonly to: string;
  /** The room that the callee is put into; LiveKit makes it. */
  readonly room: string;
  /** The callee's identity in the room. */
  readonly identity: string;
  /** How long it may ring, in whole seconds. */
  readonly ringingTimeout: number;
  /** When LiveKit ends the call by itself, in whole seconds. */
  readonly maxCallDuration: number;
}

/**
 * Places a call and waits until it is answered. One attempt: a call that may have rung is not placed again.
 *
 * @param secrets are cut out of whatever the server answers
 * @throws LiveKitError; with `sip` when the callee refused, with the code `deadline_exceeded` when nobody answered
 */
export async function placeCall(connection: Connection, call: CallOut, secrets: readonly string[]): Promise<void> {
  const request = new CreateSIPParticipantRequest({
    sipTrunkId: call.trunkId,
    sipCallTo: call.to,
    roomName: call.room,
    participantIdentity: call.identity,
    ringingTimeout: seconds(call.ringingTimeout),
    maxCallDuration: seconds(call.maxCallDuration),
    krispEnabled: false,
    waitUntilAnswered: true,
  });
  const timeoutMs = call.ringingTimeout * 1000 + ANSWER_LEEWAY_MS;
  const endpoint = { service: "SIP", method: "CreateSIPParticipant", sip: { call: true }, timeoutMs } as const;
  await callLiveKit(connection, endpoint, request, SIPParticipantInfo, secrets);
}

/**
 * Deletes a room, which hangs up every call in it; that it is gone already is success.
 *
 * @throws LiveKitError
 */
export async function deleteRoom(connection: Connection, room: string): Promise<void> {
  const endpoint = { service: "RoomService", method: "DeleteRoom", video: { roomCreate: true } } as const;
  await goneIsDone(callLiveKit(connection, endpoint, new DeleteRoomRequest({ room }), DeleteRoomResponse));
}

function seconds(value: number): Duration {
  return new Duration({ seconds: BigInt(value) });
}
