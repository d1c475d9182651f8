/** What runs in Pulumi's dynamic-provider host: looked up by package name from the providers serialized in the state. */

import type { dynamic } from "@pulumi/pulumi";
import { dispatchRule } from "./dispatch-rule";
import { type Kind, type Lifecycle, lifecycle } from "./dynamic/lifecycle";
import { Session } from "./dynamic/session";
import { inboundAuth } from "./inbound-auth";
import { sipTrunk } from "./sip-trunk";
import { testCall } from "./test-call";

let lifecycles: Record<Kind, Lifecycle> | undefined;

/**
 * The lifecycle of a resource type, the same one for the whole process. Serialized providers call it by this name, with what
 * Pulumi configures them by; every provider of a process is configured alike, so the first one counts.
 */
export function of(kind: Kind, { config }: dynamic.ConfigureRequest): Lifecycle {
  lifecycles ??= lifecyclesIn(new Session((key) => config.get(key)));
  return lifecycles[kind];
}

/** The lifecycles of all resource types, with what one host process holds. */
export function lifecyclesIn(session: Session): Record<Kind, Lifecycle> {
  return {
    SipTrunk: lifecycle(sipTrunk, session),
    InboundAuth: lifecycle(inboundAuth, session),
    DispatchRule: lifecycle(dispatchRule, session),
    TestCall: lifecycle(testCall, session),
  };
}
