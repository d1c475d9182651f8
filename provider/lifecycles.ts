/** The lifecycles of all resource types. Each way in, dynamic or native, serves them. */

import { dispatchRule } from "./dispatch-rule/lifecycle";
import { inboundAuth } from "./inbound-auth/lifecycle";
import { lifecycle } from "./lifecycle/lifecycle";
import type { Session } from "./lifecycle/session";
import { sipTrunk } from "./sip-trunk/lifecycle";
import { testCall } from "./test-call/lifecycle";

/** The lifecycles, sharing one session. */
export function lifecyclesIn(session: Session) {
  return {
    SipTrunk: lifecycle(sipTrunk, session),
    InboundAuth: lifecycle(inboundAuth, session),
    DispatchRule: lifecycle(dispatchRule, session),
    TestCall: lifecycle(testCall, session),
  };
}

/** The resource types of this package. */
export type Kind = keyof ReturnType<typeof lifecyclesIn>;
