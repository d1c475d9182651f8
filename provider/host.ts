/** The entry point in Pulumi's dynamic-provider host. The providers serialized in the state load it by package name. */

import type { dynamic } from "@pulumi/pulumi";
import { type Methods, methodsOf } from "./dynamic/methods";
import { Session } from "./lifecycle/session";
import { type Kind, lifecyclesIn } from "./lifecycles";

/** The provider methods of all resource types, sharing one session. */
export function providersIn(session: Session): Record<Kind, Methods> {
  const { SipTrunk, InboundAuth, DispatchRule, TestCall } = lifecyclesIn(session);
  return {
    SipTrunk: methodsOf(SipTrunk),
    InboundAuth: methodsOf(InboundAuth),
    DispatchRule: methodsOf(DispatchRule),
    TestCall: methodsOf(TestCall),
  };
}

let providers: Record<Kind, Methods> | undefined;

/**
 * The provider methods of a resource type. Serialized providers call this function by name. Pulumi passes every provider of a
 * process the same configuration, so only the first call's is used.
 */
export function of(kind: Kind, { config }: dynamic.ConfigureRequest): Methods {
  providers ??= providersIn(new Session((key) => config.get(key)));
  return providers[kind];
}
