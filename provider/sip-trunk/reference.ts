/** How a resource refers to the SipTrunk that it belongs to: in the same program, or in another stack. */

import * as pulumi from "@pulumi/pulumi";
import type { NumberFormat } from "../phone-number/format";
import { credentialOf, dialPlanOf, SipTrunk } from "./resource";

/** A SipTrunk of another stack, as that stack exports it: {@link SipTrunk.reference}. */
export interface TrunkReference {
  /** The trunk's owner: organization/project/stack/name. */
  readonly owner: string;
  /** The user name of the credential. Undefined if the trunk has no credential. */
  readonly username?: string | undefined;
  /** The password of the credential. Undefined if the trunk has no credential. */
  readonly password?: string | undefined;
  /** The trunk's country, ISO 3166-1 alpha-2. */
  readonly country: string;
  /** The trunk's number format. */
  readonly numberFormat: NumberFormat;
}

/** What an InboundAuth takes from its trunk, each part with its secrecy. */
interface TrunkParts {
  readonly owner: pulumi.Input<string>;
  readonly credential: {
    readonly username?: pulumi.Input<string | undefined>;
    readonly password?: pulumi.Input<string | undefined>;
  };
  readonly country: pulumi.Input<string>;
  readonly numberFormat: pulumi.Input<NumberFormat> | undefined;
}

/** The parts of a SipTrunk of this program, or of a reference to one of another stack. */
export function partsOf(kind: string, name: string, trunk: SipTrunk | pulumi.Input<TrunkReference>): TrunkParts {
  if (SipTrunk.isInstance(trunk)) {
    const { country, numberFormat } = dialPlanOf(trunk);
    return { owner: trunk.owner, credential: credentialOf(trunk), country, numberFormat };
  }
  const reference = pulumi.output(trunk).apply((it) => {
    if (!isReference(it)) {
      throw new pulumi.RunError(
        `${kind} "${name}": trunk is neither a SipTrunk nor a reference to one: pass the SipTrunk itself or, if it is in another stack, the trunk.reference that the stack exports.`,
      );
    }
    return it;
  });
  // A reference holds the password, so all of it arrives as a secret. A plan must show the rest.
  const { owner, username, country, numberFormat } = pulumi.unsecret(reference);
  return { owner, credential: { username, password: pulumi.secret(reference.password) }, country, numberFormat };
}

function isReference(value: unknown): value is TrunkReference {
  return typeof value === "object" && value !== null && "owner" in value && typeof value.owner === "string";
}
