/** The SipIntegration component that programs use. */

import * as pulumi from "@pulumi/pulumi";
import { DispatchRule } from "../dispatch-rule/resource";
import { InboundAuth } from "../inbound-auth/resource";
import { IN_SYNC } from "../lifecycle/resource";
import { SipTrunk } from "../sip-trunk/resource";
import { TestCall } from "../test-call/resource";
import type { VoipVerdict } from "../voip/status";
import type { SipIntegrationArgs } from "./arguments";

/**
 * One customer's integration: a {@link SipTrunk}, who may call in ({@link InboundAuth}), where calls go ({@link DispatchRule}) and, if
 * asked for, a {@link TestCall}. All of them have the component's name.
 *
 * Resources of the same names that a program declared without the component, beside it, move into it and keep their ids.
 *
 * @example
 * new SipIntegration("acme", {
 *   type: "extension",
 *   extension: "1011",
 *   address: "pbx.acme.com",
 *   password: config.requireSecret("password"),
 *   country: "US",
 *   inbound: { method: "credentials" },
 *   calls: { rule: "individual", agents: [{ agentName: "receptionist" }] },
 * });
 */
export class SipIntegration extends pulumi.ComponentResource {
  /** The trunk. */
  readonly trunk: SipTrunk;
  /** Who may call in; undefined without `inbound`. */
  readonly inboundAuth: InboundAuth | undefined;
  /** Where calls go; undefined without `calls`. */
  readonly dispatchRule: DispatchRule | undefined;
  /** The test call; undefined without `testCall`, and with `enabled: false`. */
  readonly testCall: TestCall | undefined;
  /** The trunk's `inboundTrunkId`. */
  readonly inboundTrunkId: pulumi.Output<string>;
  /** The trunk's `outboundTrunkId`. */
  readonly outboundTrunkId: pulumi.Output<string>;
  /** The trunk's `sipUri`: where the VoIP system must send its calls. */
  readonly sipUri: pulumi.Output<string | null>;
  /** The trunk's `credentialFingerprint`. */
  readonly credentialFingerprint: pulumi.Output<string | undefined>;
  /** The `platformStatus` of the trunk, the InboundAuth and the DispatchRule: the first that is not `"in sync"`. */
  readonly platformStatus: pulumi.Output<string>;
  /** The trunk's `voipStatus`. */
  readonly voipStatus: pulumi.Output<string>;
  /** The trunk's `voipVerdict`. */
  readonly voipVerdict: pulumi.Output<VoipVerdict>;
  /** The trunk's `reference`, for resources in other stacks; secret. */
  readonly reference: SipTrunk["reference"];

  constructor(name: string, args: SipIntegrationArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("livekit:index:SipIntegration", name, {}, options);
    const { inbound, calls, testCall, ...trunk } = args;
    const child: pulumi.CustomResourceOptions = { parent: this, aliases: earlierPlaces(options) };
    this.trunk = new SipTrunk(name, trunk, child);
    this.inboundAuth = inbound && new InboundAuth(name, { trunk: this.trunk, ...inbound }, child);
    this.dispatchRule = calls && new DispatchRule(name, { trunks: [this.trunk], ...calls }, child);
    this.testCall = this.#placeCall(name, testCall, child);
    this.inboundTrunkId = this.trunk.inboundTrunkId;
    this.outboundTrunkId = this.trunk.outboundTrunkId;
    this.sipUri = this.trunk.sipUri;
    this.credentialFingerprint = this.trunk.credentialFingerprint;
    this.platformStatus = this.#platformStatus();
    this.voipStatus = this.trunk.voipStatus;
    this.voipVerdict = this.trunk.voipVerdict;
    this.reference = this.trunk.reference;
    this.registerOutputs({});
  }

  /** The call comes last: it needs the trunk opened, and a rule for what it calls. */
  #placeCall(
    name: string,
    args: SipIntegrationArgs["testCall"],
    child: pulumi.CustomResourceOptions,
  ): TestCall | undefined {
    if (args === undefined || args.enabled === false) {
      return undefined;
    }
    const { enabled: _, ...call } = args;
    const dependsOn = [this.inboundAuth, this.dispatchRule].filter((resource) => resource !== undefined);
    return new TestCall(name, { trunk: this.trunk, ...call }, { ...child, dependsOn });
  }

  #platformStatus(): pulumi.Output<string> {
    const resources = [this.trunk, this.inboundAuth, this.dispatchRule].filter((resource) => resource !== undefined);
    return pulumi
      .all(resources.map(({ platformStatus }) => platformStatus))
      .apply((statuses) => statuses.find((status) => status !== IN_SYNC) ?? IN_SYNC);
  }
}

/** Where a program may have declared the resources before it had the component: at the top level, or beside it. */
function earlierPlaces({ parent }: pulumi.ComponentResourceOptions): pulumi.Alias[] {
  return [{ parent: pulumi.rootStackResource }, ...(parent ? [{ parent }] : [])];
}
