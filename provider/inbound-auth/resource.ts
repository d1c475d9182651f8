/** The InboundAuth class that programs use. */

import * as pulumi from "@pulumi/pulumi";
import { listOf, type OutputsOf } from "../dynamic/inputs";
import { supported } from "../dynamic/options";
import { ownerOf } from "../dynamic/owner";
import { thinProvider } from "../dynamic/provider";
import { dynamicType } from "../resource-types";
import { partsOf } from "../sip-trunk/reference";
import type { InboundAuthArgs, Schema } from "./arguments";

/** The arguments of an InboundAuth are outputs, too, as far as the program gives them. */
export interface InboundAuth
  extends Omit<OutputsOf<Schema>, "trunk" | "username" | "password" | "country" | "numberFormat"> {}

/**
 * Says who may call in on a {@link SipTrunk}: callers who know its credential, or calls from listed addresses. A trunk without an
 * InboundAuth is closed; removing the InboundAuth closes the trunk again.
 *
 * @example
 * new InboundAuth("office", { trunk: office, method: "credentials" });
 */
export class InboundAuth extends pulumi.dynamic.Resource {
  /** Id of the inbound LiveKit trunk (`ST_…`) that this opens. */
  declare readonly inboundTrunkId: pulumi.Output<string>;
  /** The same as the trunk's with `method: "credentials"`; undefined with `method: "ip"`. */
  declare readonly credentialFingerprint: pulumi.Output<string | undefined>;
  /** `"in sync"`, or a description of how the platform differs from what was last applied. */
  declare readonly platformStatus: pulumi.Output<string>;
  /**
   * What differs, as a list: the names of changed arguments, such as `"password"` or `"headers.X-Token"`, and every other difference
   * in words. Empty while `platformStatus` is `"in sync"`; at most 100 entries. In the state only if it is not empty.
   */
  declare readonly platformDrift: pulumi.Output<string[]>;

  constructor(name: string, args: InboundAuthArgs, options?: pulumi.CustomResourceOptions) {
    const { trunk, ...rest } = args;
    const { owner, credential, country, numberFormat } = partsOf("InboundAuth", name, trunk);
    super(
      thinProvider("InboundAuth"),
      name,
      {
        ...rest,
        ...(args.method === "credentials" ? credential : {}),
        ...(args.allowedNumbers === undefined ? {} : { country, numberFormat }),
        trunk: owner,
        owner: ownerOf(name, dynamicType("InboundAuth"), options),
        inboundTrunkId: undefined,
        credentialFingerprint: undefined,
        platformStatus: undefined,
        platformDrift: undefined,
      },
      supported("InboundAuth", name, options),
      "livekit",
      "InboundAuth",
    );
    this.platformDrift = listOf(this.platformDrift);
  }
}
