/**
 * The part of LiveKit's room service that ends calls (livekit-server 1.13.5, pkg/service/roomservice.go). A room exists
 * from its first call until it is deleted. The real server also closes rooms that have been empty for a while.
 */

import {
  type DeleteRoomRequest,
  DeleteRoomResponse,
  RemoveParticipantResponse,
  type RoomParticipantIdentity,
} from "@livekit/protocol";
import type { Calls } from "./calls/call";
import type { Project } from "./project";
import type { Caller } from "./token";
import { rpcError, TwirpError } from "./twirp-error";

/** The rooms of one project. */
export class RoomService {
  constructor(
    private readonly project: Project,
    private readonly calls: Calls,
    private readonly caller: Caller,
  ) {}

  /** Deletes the room and ends its calls. */
  deleteRoom({ room }: DeleteRoomRequest): DeleteRoomResponse {
    permit(this.caller.roomCreate);
    if (!this.project.rooms.delete(room)) {
      throw rpcError("not_found", "requested room does not exist");
    }
    for (const call of this.calls.inRoom(this.project, room)) {
      void call.end();
    }
    return new DeleteRoomResponse();
  }

  /** Ends the participant's call. */
  removeParticipant({ room, identity }: RoomParticipantIdentity): RemoveParticipantResponse {
    permit(this.caller.roomAdmin === room);
    const calls = this.calls.inRoom(this.project, room, identity);
    if (calls.length === 0) {
      throw rpcError("not_found", "participant does not exist");
    }
    for (const call of calls) {
      void call.end();
    }
    return new RemoveParticipantResponse();
  }
}

function permit(granted: boolean): void {
  if (!granted) {
    throw new TwirpError("unauthenticated", "permissions denied");
  }
}
