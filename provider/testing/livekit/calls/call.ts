/** The calls of an emulator: what tests see of them, and who has a hand on those that go on. */

import type { Incoming } from "../../sip/listener";
import type { Project } from "../project";

/** One call, as tests see it: without credentials. `status` and `state` change as it goes on. */
export interface LiveKitCall {
  readonly direction: "inbound" | "outbound";
  /** Empty where no trunk matches. */
  readonly trunkId: string;
  /** The dispatch rule that took an inbound call. */
  readonly ruleId?: string;
  /** The room it is in, or was in. */
  readonly room?: string;
  /** The user in the From header: the caller's number. */
  readonly from: string;
  /** The user in the To header: the called number. */
  readonly to: string;
  /** The IP address that an inbound call came from. */
  readonly sourceAddress?: string;
  /** The latest response to its INVITE, such as 180; 0 while an outbound call has none. */
  readonly status: number;
  /** `active` from the answer to the end; a call that was refused or given up is `ended` with its status. */
  readonly state: "calling" | "ringing" | "active" | "ended";
}

/** A call that its owner writes on. */
export type CallRecord = { -readonly [Field in keyof LiveKitCall]: LiveKitCall[Field] };

/** A call that goes on, from ringing to its end. */
export interface LiveCall {
  /** This side's tag, by which the other side's requests name the call. */
  readonly tag: string;
  readonly project: Project;
  readonly record: LiveKitCall;
  /** The participant that stands for the other side. */
  readonly identity?: string;
  /** A request of the other side within the call. */
  take(incoming: Incoming): void;
  /** Ends it: BYE, CANCEL or a refusal, as its state asks for. Resolved when the other side knows. */
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

  /** Those in a room; with an identity, that participant's. */
  inRoom(project: Project, room: string, identity?: string): LiveCall[] {
    return this.all().filter(
      (call) =>
        call.project === project && call.record.room === room && (identity === undefined || call.identity === identity),
    );
  }
}
