/**
 * Asks the resources themselves whether arguments describe exactly what is on LiveKit. Nothing is written: the check and the comparison
 * are those of a preview, so what passes here has an empty plan.
 */

import { dispatchRule } from "../dispatch-rule/lifecycle";
import { inboundAuth } from "../inbound-auth/lifecycle";
import { type Adopted, adoptedOutput, MARKER_TO_WRITE } from "../lifecycle/adopted";
import { ResourceError } from "../lifecycle/errors";
import { lifecycle } from "../lifecycle/lifecycle";
import { IN_SYNC, type Lifecycle } from "../lifecycle/resource";
import type { Session } from "../lifecycle/session";
import { defined, type Props } from "../lifecycle/values";
import { nameOf } from "../livekit/ownership";
import { sipTrunk } from "../sip-trunk/lifecycle";

/** The resource types that an import declares. */
export type Kind = "SipTrunk" | "InboundAuth" | "DispatchRule";

/** A resource that is to be declared, and the objects on LiveKit that it takes over. */
export interface Candidate {
  readonly kind: Kind;
  /** organization/project/stack/name */
  readonly owner: string;
  /** The id in the state. */
  readonly id: string;
  /** The arguments as the engine passes them, without the owner. */
  readonly args: Props;
  /** The ids of the objects on LiveKit, as outputs. */
  readonly ids: Props;
  /** Set if the trunks carry no marker yet, with the InboundAuth that opened the inbound one. */
  readonly adopted?: Adopted;
}

/** A resource that describes exactly what is on LiveKit, as Pulumi's state has it. */
export interface Accepted extends Candidate {
  /** The resource's name in the program. */
  readonly name: string;
  readonly inputs: Props;
  readonly outputs: Props;
}

/** Why a resource can't be declared, as sentences. */
export interface Refused {
  readonly problems: readonly string[];
}

export function isAccepted(result: Accepted | Refused): result is Accepted {
  return "outputs" in result;
}

/** Tries one resource after the other. Those that were accepted count as declared: no other one may have the same number. */
export class Trial {
  private readonly lifecycles: Record<Kind, Lifecycle>;

  constructor(private readonly session: Session) {
    this.lifecycles = {
      SipTrunk: lifecycle(sipTrunk, session),
      InboundAuth: lifecycle(inboundAuth, session),
      DispatchRule: lifecycle(dispatchRule, session),
    };
  }

  async accepts(candidate: Candidate): Promise<Accepted | Refused> {
    const { kind, owner, id, ids } = candidate;
    const name = nameOf(owner);
    const refused = (problems: readonly string[]): Refused => {
      this.withdraw(candidate);
      return { problems };
    };
    const declared = defined({ ...candidate.args, owner });
    const taken = candidate.adopted && adoptedOutput(candidate.adopted);
    const olds = { ...declared, ...ids, ...taken, platformStatus: IN_SYNC };
    const { [kind]: resource } = this.lifecycles;
    const { inputs, problems } = await resource.check(olds, declared);
    if (problems.length > 0) {
      return refused(problems);
    }
    const { project } = this.session.account.connection;
    const outputs = defined({ ...inputs, ...ids, ...taken, project });
    try {
      const { drift } = await resource.diff(id, outputs, inputs);
      const others = drift.filter((text) => text !== MARKER_TO_WRITE && !text.startsWith("LiveKit hides the password"));
      return others.length > 0 ? refused(others) : { ...candidate, name, inputs, outputs };
    } catch (error) {
      if (error instanceof ResourceError) {
        return refused([error.message.replace(`${kind} "${name}": `, "")]);
      }
      throw error;
    }
  }

  /** Takes back a resource that was accepted. */
  withdraw({ kind, owner }: Candidate): void {
    this.session.claims.release(kind, owner);
  }
}
