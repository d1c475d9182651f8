/** Has LiveKit place calls, and deletes their rooms. */

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

/** How much longer than the ringing time LiveKit's response may take, in milliseconds. */
const ANSWER_LEEWAY_MS = 10_000;

/** An outbound call through a trunk. */
export interface CallOut {
  readonly trunkId: string;
  /** The dialled number, as the VoIP system writes it. */
  readonly to: string;
  /** The room that the callee joins. LiveKit creates it. */
  readonly room: string;
  /** The callee's identity in the room. */
  readonly identity: string;
  /** How long the call may ring, in whole seconds. */
  readonly ringingTimeout: number;
  /** After how long LiveKit ends the call on its own, in whole seconds. */
  readonly maxCallDuration: number;
}

/**
 * Places a call and waits until it is answered. Makes one attempt: a call that may have rung is not repeated.
 *
 * @param secrets are removed from whatever the server responds
 * @throws LiveKitError; with `sip` if the callee refused, with the code `deadline_exceeded` if nobody answered
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
 * Deletes a room, which hangs up every call in it. Succeeds if the room is already gone.
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
