/** What runs in Pulumi's dynamic-provider host: looked up by package name from the providers serialized in the state. */

import type { dynamic } from "@pulumi/pulumi";
import { dispatchRule } from "./dispatch-rule";
import { type Kind, type Lifecycle, lifecycle } from "./dynamic/lifecycle";
import { Session } from "./dynamic/session";
import { inboundAuth } from "./inbound-auth";
import { sipTrunk } from "./sip-trunk";
import { testCall } from "./test-call";

let session = new Session(() => undefined);
let lifecycles: Record<Kind, Lifecycle> | undefined;

/** Takes the stack's configuration over. Synchronous: the host does not wait for it before it passes on the next call. */
export function configure(request: dynamic.ConfigureRequest): void {
  const read = (key: string): string | undefined => request.config.get(key);
  if (!lifecycles) {
    session = new Session(read);
  }
}

/** The lifecycle of a resource type, the same one for the whole process. Serialized providers call it by this name. */
export function of(kind: Kind): Lifecycle {
  lifecycles ??= {
    SipTrunk: lifecycle(sipTrunk, session),
    InboundAuth: lifecycle(inboundAuth, session),
    DispatchRule: lifecycle(dispatchRule, session),
    TestCall: lifecycle(testCall, session),
  };
  return lifecycles[kind];
}
