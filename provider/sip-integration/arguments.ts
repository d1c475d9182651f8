/**
 * The arguments of a SipIntegration: those of the resources that it creates, in sections. Their schemas, defaults and docs are in the
 * resources' own arguments.ts; only what no resource has is declared here.
 */

import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import * as rule from "../dispatch-rule/arguments";
import * as auth from "../inbound-auth/arguments";
import * as trunk from "../sip-trunk/arguments";
import * as call from "../test-call/arguments";

/** The arguments of the SipTrunk, at the top level. Its name on LiveKit is by default the component's. */
export const trunkSection = trunk.schema.omit({ verifier: true }).partial({ name: true });

/** The arguments of the InboundAuth, without what it takes from its trunk. */
export const inboundSection = auth.schema.omit({
  trunk: true,
  username: true,
  password: true,
  country: true,
  numberFormat: true,
});

/** The arguments of the DispatchRule, without its trunk. */
export const callsSection = rule.schema.omit({ trunks: true }).partial({ name: true });

/** The arguments of the TestCall, without what it takes from its trunk. */
export const testCallSection = call.schema
  .omit({
    trunk: true,
    country: true,
    numberFormat: true,
    extension: true,
    numbers: true,
    mediaEncryption: true,
    username: true,
    password: true,
  })
  .extend({
    /** Whether the call is placed. With `false` there is no TestCall, and its arguments stay in the file for later. */
    enabled: z.boolean().default(true),
  });

export const schema = z.strictObject({
  ...trunkSection.shape,

  /**
   * Who may call in: an InboundAuth on the trunk.
   * @default nobody
   */
  inbound: inboundSection.optional(),

  /**
   * Where answered calls go: a DispatchRule for the trunk.
   * @default no rule
   */
  calls: callsSection.optional(),

  /**
   * A call that verifies the integration during `pulumi up`: a TestCall on the trunk.
   * @default no call
   */
  testCall: testCallSection.optional(),
});

/** Leaves arguments out of each kind of a union. */
type Without<Args, Names extends string> = Args extends unknown ? Omit<Args, Names> : never;

/** Arguments of a {@link SipIntegration}: those of its {@link SipTrunk}, and a section for each of the other resources. */
export type SipIntegrationArgs = trunk.SipTrunkArgs & {
  /** Who may call in: the arguments of an {@link InboundAuth}, without its trunk. Default: nobody. */
  inbound?: Without<auth.InboundAuthArgs, "trunk"> | undefined;
  /** Where answered calls go: the arguments of a {@link DispatchRule}, without its trunks. Default: no rule. */
  calls?: Without<rule.DispatchRuleArgs, "trunks"> | undefined;
  /** The arguments of a {@link TestCall}, without its trunk, and `enabled`. Default: no call. */
  testCall?: (Without<call.TestCallArgs, "trunk"> & { enabled?: boolean | undefined }) | undefined;
};

/** What a customer's file can say: plain values, and no secrets. */
export type Customer = pulumi.Unwrap<
  Without<SipIntegrationArgs, "password" | "pendingPassword" | "credential" | "calls"> & {
    calls?: Without<NonNullable<SipIntegrationArgs["calls"]>, "pin"> | undefined;
  }
>;
