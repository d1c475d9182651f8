/** What runs in Pulumi's dynamic-provider host: looked up by package name from the providers serialized in the state. */

import type { dynamic } from "@pulumi/pulumi";
import { dispatchRule } from "./dispatch-rule/lifecycle";
import { type Methods, methodsOf } from "./dynamic/methods";
import { inboundAuth } from "./inbound-auth/lifecycle";
import { lifecycle } from "./lifecycle/lifecycle";
import { Session } from "./lifecycle/session";
import { sipTrunk } from "./sip-trunk/lifecycle";
import { testCall } from "./test-call/lifecycle";

/** The resource types of this package. */
export type Kind = "SipTrunk" | "InboundAuth" | "DispatchRule" | "TestCall";

let providers: Record<Kind, Methods> | undefined;

/**
 * The provider methods of a resource type, the same ones for the whole process. Serialized providers call it by this name, with what
 * Pulumi configures them by; every provider of a process is configured alike, so the first one counts.
 */
export function of(kind: Kind, { config }: dynamic.ConfigureRequest): Methods {
  providers ??= providersIn(new Session((key) => config.get(key)));
  return providers[kind];
}

/** The provider methods of all resource types, with what one host process holds. */
export function providersIn(session: Session): Record<Kind, Methods> {
  return {
    SipTrunk: methodsOf(lifecycle(sipTrunk, session)),
    InboundAuth: methodsOf(lifecycle(inboundAuth, session)),
    DispatchRule: methodsOf(lifecycle(dispatchRule, session)),
    TestCall: methodsOf(lifecycle(testCall, session)),
  };
}
