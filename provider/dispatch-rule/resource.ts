/** The DispatchRule class that programs use. */

import * as pulumi from "@pulumi/pulumi";
import { listOf, type OutputsOf } from "../dynamic/inputs";
import { supported } from "../dynamic/options";
import { ownerOf } from "../dynamic/owner";
import { thinProvider } from "../dynamic/provider";
import { dynamicType } from "../resource-types";
import { SipTrunk } from "../sip-trunk/resource";
import type { DispatchRuleArgs, Schema } from "./arguments";

/** The arguments of a DispatchRule are outputs, too, as far as the program gives them. */
export interface DispatchRule extends Omit<OutputsOf<Schema>, "adopt"> {}

/**
 * Says where an answered call goes: into which room, with which agents.
 *
 * @example
 * new DispatchRule("office", { trunks: [office], rule: "individual", agents: [{ agentName: "receptionist" }] });
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: Pulumi sets a property for every argument.
export class DispatchRule extends pulumi.dynamic.Resource {
  /** `"in sync"`, or a description of how the platform differs from what was last applied. */
  declare readonly platformStatus: pulumi.Output<string>;
  /**
   * What differs, as a list: the names of changed arguments, such as `"password"` or `"headers.X-Token"`, and every other difference
   * in words. Empty while `platformStatus` is `"in sync"`; at most 100 entries. In the state only if it is not empty.
   */
  declare readonly platformDrift: pulumi.Output<string[]>;

  constructor(name: string, args: DispatchRuleArgs, options?: pulumi.CustomResourceOptions) {
    const { trunks: wanted, pin } = args;
    super(
      thinProvider("DispatchRule"),
      name,
      {
        ...args,
        trunks: wanted === "all" ? wanted : wanted.map(idOrOwner),
        ...(pin === undefined ? {} : { pin: pulumi.secret(pin) }),
        name: args.name ?? name,
        owner: ownerOf(name, dynamicType("DispatchRule"), options),
        platformStatus: undefined,
        platformDrift: undefined,
      },
      supported("DispatchRule", name, options),
      "livekit",
      "DispatchRule",
    );
    this.platformDrift = listOf(this.platformDrift);
  }
}

/** A trunk as the plan shows it: a LiveKit id, or a SipTrunk's owner. Neither is secret, even in a reference, which holds a password. */
function idOrOwner(trunk: Exclude<DispatchRuleArgs["trunks"], "all">[number]): pulumi.Input<string> {
  if (SipTrunk.isInstance(trunk)) {
    return trunk.owner;
  }
  return pulumi.unsecret(pulumi.output(trunk).apply((it) => (typeof it === "string" ? it : it.owner)));
}
