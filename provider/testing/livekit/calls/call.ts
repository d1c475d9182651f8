/** The calls of an emulator: the records that tests see, and the handles on calls that are still going on. */

import type { Incoming } from "../../sip/listener";
import type { Project } from "../project";

/** One call as tests see it, without credentials. `status` and `state` change while it goes on. */
export interface LiveKitCall {
  readonly direction: "inbound" | "outbound";
  /** Empty when no trunk matches. */
  readonly trunkId: string;
  /** The dispatch rule that accepted an inbound call. */
  readonly ruleId?: string;
  /** The room it is in, or was in. */
  readonly room?: string;
  /** The user in the From header: the caller's number. */
  readonly from: string;
  /** The user in the To header: the called number. */
  readonly to: string;
  /** The IP address that an inbound call came from. */
  readonly sourceAddress?: string;
  /** The latest response to its INVITE, such as 180. 0 while an outbound call has none. */
  readonly status: number;
  /** `active` from the answer until the end. A call that was refused or given up is `ended`, with its status. */
  readonly state: "calling" | "ringing" | "active" | "ended";
}

/** The writable form of a {@link LiveKitCall}, for the code that makes the call. */
export type CallRecord = { -readonly [Field in keyof LiveKitCall]: LiveKitCall[Field] };

/** An ongoing call, from ringing until its end. */
export interface LiveCall {
  /** This side's tag, which the other side's requests carry to name the call. */
  readonly tag: string;
  readonly project: Project;
  readonly record: LiveKitCall;
  /** The participant that represents the other side. */
  readonly identity?: string;
  /** Handles a request from the other side within the call. */
  take(incoming: Incoming): void;
  /** Ends the call with BYE, CANCEL or a refusal, depending on its state. Resolves when the other side knows. */
  end(): Promise<void>;
}

/** All calls of an emulator. */
export class Calls {
  readonly records: LiveKitCall[] = [];
  readonly #live = new Map<string, LiveCall>();

  add(call: LiveCall): void {
    this.#live.set(call.tag, call);
  }

  remove(call: LiveCall): void {
    this.#live.delete(call.tag);
  }

  get(tag: string): LiveCall | undefined {
    return this.#live.get(tag);
  }

  all(): LiveCall[] {
    return [...this.#live.values()];
  }

  /** The calls in a room, or only those of one participant. */
  inRoom(project: Project, room: string, identity?: string): LiveCall[] {
    return this.all().filter(
      (call) =>
        call.project === project && call.record.room === room && (identity === undefined || call.identity === identity),
    );
  }
}
