/** The TestCall class that programs use. */

import * as pulumi from "@pulumi/pulumi";
import type { OutputsOf } from "../dynamic/inputs";
import { supported } from "../dynamic/options";
import { ownerOf } from "../dynamic/owner";
import { thinProvider } from "../dynamic/provider";
import { dynamicType } from "../resource-types";
import { credentialOf, dialPlanOf, requireTrunk, type SipTrunk } from "../sip-trunk/resource";
import type { Schema, TestCallArgs } from "./arguments";

/** The trunk's fingerprint, if the trunk has a credential: without one, the output would be unknown in every preview. */
function credentialTriggers(trunk: SipTrunk): pulumi.Output<(string | undefined)[]> {
  return pulumi.output("password" in credentialOf(trunk) ? [trunk.credentialFingerprint] : []);
}

/** The arguments of a TestCall are outputs, too, as far as the program gives them. */
export interface TestCall
  extends Omit<
    OutputsOf<Schema>,
    "trunk" | "country" | "numberFormat" | "extension" | "numbers" | "mediaEncryption" | "username" | "password"
  > {}

/**
 * Places a test call during `pulumi up`: when it is created, and whenever its arguments or triggers change. The default trigger is
 * the trunk's credential. If the call fails, the deployment fails. A preview places no call.
 *
 * @example
 * new TestCall("reception-out", { trunk: reception, direction: "outbound", to: "+12025550100" });
 */
export class TestCall extends pulumi.dynamic.Resource {
  /** The result of the last call: `"answered (200)"`, or for `"inbound"` also `"ringing (180)"`. */
  declare readonly result: pulumi.Output<string>;
  /** The SIP status with which the call was taken: 180, 183 or 200. */
  declare readonly sipStatus: pulumi.Output<number>;

  constructor(name: string, args: TestCallArgs, options?: pulumi.CustomResourceOptions) {
    const { trunk, ...rest } = args;
    requireTrunk("TestCall", name, trunk);
    const { country, numberFormat, ...called } = dialPlanOf(trunk);
    super(
      thinProvider("TestCall"),
      name,
      {
        ...rest,
        ...(args.direction === "inbound" ? { ...called, ...credentialOf(trunk) } : {}),
        country,
        numberFormat,
        triggers: args.triggers ?? credentialTriggers(trunk),
        trunk: trunk.owner,
        owner: ownerOf(name, dynamicType("TestCall"), options),
        result: undefined,
        sipStatus: undefined,
      },
      supported("TestCall", name, options),
      "livekit",
      "TestCall",
    );
  }
}
