/** The arguments of an InboundAuth: the schema, and the rules that involve more than one argument. */

import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { ArgsOf } from "../dynamic/inputs";
import type { IsKnown } from "../lifecycle/resource";
import { admitsEveryone, canonicalCidr } from "../livekit/addresses";
import { nameOf } from "../livekit/ownership";
import * as schemas from "../livekit/schemas";
import { NUMBER_FORMATS } from "../phone-number/format";
import type { TrunkReference } from "../sip-trunk/reference";
import type { SipTrunk } from "../sip-trunk/resource";

export const schema = z.strictObject({
  /**
   * The SipTrunk to open, or the `reference` that another stack exports of its SipTrunk.
   * @livekit the inbound trunk that is changed
   */
  trunk: z.string().meta({ replaces: true, refersTo: "SipTrunk" }),

  /**
   * What lets a caller in: `"credentials"`, the trunk's user name and password, or `"ip"`, an address in `allowedAddresses`.
   * @livekit inbound `authUsername` and `authPassword`, or `allowedAddresses`; the fields of the other method are emptied
   */
  method: z.enum(["credentials", "ip"]),

  /**
   * The IP addresses and CIDR ranges that calls may come from. A bare IP address becomes a /32 or /128. Only with `method: "ip"`.
   * @livekit inbound `allowedAddresses`
   */
  allowedAddresses: z
    .array(
      z.string().transform((address, context) => {
        const cidr = canonicalCidr(address);
        if (cidr === undefined) {
          context.addIssue(
            `"${address}" is not an IP address or CIDR range: write it like 203.0.113.7 or 203.0.113.0/24 (a host name would let in anyone who names it)`,
          );
          return z.NEVER;
        }
        return cidr;
      }),
    )
    .optional(),

  /**
   * The callers that may call. Write a phone number with `+`, or as dialled within the trunk's country with at least seven digits;
   * it is matched in the trunk's number format. Anything else, such as the extension `1011`, is matched as written. This is no
   * protection, because callers can claim any number.
   * @default every caller
   * @livekit inbound `allowedNumbers`
   */
  allowedNumbers: z.array(z.string().min(1)).default([]),

  /**
   * The realm in the challenge to callers. Only with `method: "credentials"`.
   * @default LiveKit's, `LiveKit`
   * @livekit inbound `authRealm`
   */
  realm: schemas.quotable.optional(),

  /** @internal The trunk's user name; follows the trunk. */
  username: z.string().optional(),

  /** @internal The trunk's password; follows the trunk. */
  password: z.string().optional().meta({ secret: true }),

  /** @internal The trunk's country, if there are allowedNumbers to format; follows the trunk. */
  country: z.string().optional(),

  /** @internal The trunk's number format, if there are allowedNumbers to format; follows the trunk. */
  numberFormat: z.enum(NUMBER_FORMATS).default("international"),
});

export type Schema = typeof schema;
export type InboundAuthInputs = z.output<Schema>;
type Common = Pick<ArgsOf<Schema>, "allowedNumbers"> & {
  /** The trunk to open: a SipTrunk, or the {@link SipTrunk.reference} of one in another stack. */
  trunk: SipTrunk | pulumi.Input<TrunkReference>;
};

/** Arguments of an {@link InboundAuth} that challenges callers for the trunk's credential. */
export type CredentialsAuthArgs = Common &
  Pick<ArgsOf<Schema>, "realm"> & { method: "credentials"; allowedAddresses?: undefined };

/** Arguments of an {@link InboundAuth} that lets in calls from listed addresses. */
export type IpAuthArgs = Common & {
  method: "ip";
  allowedAddresses: NonNullable<ArgsOf<Schema>["allowedAddresses"]>;
  realm?: undefined;
};

/** Arguments of an {@link InboundAuth}. */
export type InboundAuthArgs = CredentialsAuthArgs | IpAuthArgs;

/** Problems between arguments that are each valid on their own, as sentences. */
export function problemsAcross(
  { method, trunk = "", allowedAddresses, realm, username, password }: Partial<InboundAuthInputs>,
  isKnown: IsKnown<InboundAuthInputs>,
): string[] {
  const problems: string[] = [];
  if (method === "ip" && isKnown("allowedAddresses") && !allowedAddresses?.length) {
    problems.push(
      'allowedAddresses is empty, which would let anyone in: list the addresses that calls come from, or use method: "credentials".',
    );
  }
  if (method === "ip" && realm !== undefined) {
    problems.push(`realm can't be used with method: "ip", which does not ask for a credential: remove it.`);
  }
  if (method === "credentials" && allowedAddresses !== undefined) {
    problems.push(`allowedAddresses can't be used with method: "credentials": remove it, or use method: "ip".`);
  }
  // An empty user name or password would let in every caller, too.
  const hasCredential = (username || !isKnown("username")) && (password || !isKnown("password"));
  if (method === "credentials" && !hasCredential) {
    problems.push(
      `method "credentials" needs a trunk with a password, and SipTrunk "${nameOf(trunk)}" has none: give it username and password, or use method: "ip".`,
    );
  }
  if (allowedAddresses && admitsEveryone(allowedAddresses)) {
    problems.push(
      "allowedAddresses together admit every address, which lets anyone in: list only those of the VoIP system.",
    );
  }
  return problems;
}
