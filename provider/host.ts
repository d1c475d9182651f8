/** The entry point in Pulumi's dynamic-provider host. The providers serialized in the state load it by package name. */

import type { dynamic } from "@pulumi/pulumi";
import { dispatchRule } from "./dispatch-rule/lifecycle";
import { type Methods, methodsOf } from "./dynamic/methods";
import { inboundAuth } from "./inbound-auth/lifecycle";
import { lifecycle } from "./lifecycle/lifecycle";
import { Session } from "./lifecycle/session";
import { sipTrunk } from "./sip-trunk/lifecycle";
import { testCall } from "./test-call/lifecycle";

/** The provider methods of all resource types, sharing one session. */
export function providersIn(session: Session) {
  return {
    SipTrunk: methodsOf(lifecycle(sipTrunk, session)),
    InboundAuth: methodsOf(lifecycle(inboundAuth, session)),
    DispatchRule: methodsOf(lifecycle(dispatchRule, session)),
    TestCall: methodsOf(lifecycle(testCall, session)),
  };
}

/** The resource types of this package. */
export type Kind = keyof ReturnType<typeof providersIn>;

let providers: Record<Kind, Methods> | undefined;

/**
 * The provider methods of a resource type. Serialized providers call this function by name. Pulumi passes every provider of a
 * process the same configuration, so only the first call's is used.
 */
export function of(kind: Kind, { config }: dynamic.ConfigureRequest): Methods {
  providers ??= providersIn(new Session((key) => config.get(key)));
  return providers[kind];
}
