/** The SipTrunk class that programs use. */

import * as pulumi from "@pulumi/pulumi";
import { listOf, type OutputsOf } from "../dynamic/inputs";
import { supported } from "../dynamic/options";
import { ownerOf } from "../dynamic/owner";
import { thinProvider } from "../dynamic/provider";
import { dynamicType } from "../resource-types";
import { givenTwice, isVerifier, type VoipCredential } from "../voip/credential";
import { type VoipVerdict, verdictOf } from "../voip/status";
import type { Schema, SipTrunkArgs } from "./arguments";
import { withNames } from "./names";
import { lacksSpecialCharacter } from "./password";
import type { TrunkReference } from "./reference";

/** What other resources need to know about a trunk before its outputs are known. */
interface Declared {
  readonly hasCredential: boolean;
  readonly dialPlan: Pick<SipTrunkArgs, "extension" | "numbers" | "country" | "numberFormat" | "mediaEncryption">;
}

/** The same symbol in every copy of this package that a program loads: a shared library may bring its own copy. */
const DECLARED = Symbol.for("pulumi-livekit-sip/SipTrunk");

/** @throws RunError if a resource is given anything but a SipTrunk */
export function requireTrunk(kind: string, name: string, trunk: unknown): asserts trunk is SipTrunk {
  if (!SipTrunk.isInstance(trunk)) {
    throw new pulumi.RunError(
      `${kind} "${name}": trunk is not a SipTrunk: pass the SipTrunk itself, not its id or name.`,
    );
  }
}

function declaredBy(trunk: SipTrunk): Declared {
  return trunk[DECLARED];
}

/**
 * The credential of a trunk. These are the trunk's outputs, so that transforms and ignoreChanges affect both halves alike. Empty if
 * the trunk declares no credential: in a first preview, its outputs alone would not tell that from "not known yet".
 */
export function credentialOf(trunk: SipTrunk): Partial<Pick<SipTrunk, "username" | "password">> {
  const { username, password } = trunk;
  return declaredBy(trunk).hasCredential ? { username, password } : {};
}

/** The numbers of a trunk and their format, as the program declared them: in a first preview the outputs are not known yet. */
export function dialPlanOf(trunk: SipTrunk): Declared["dialPlan"] {
  return declaredBy(trunk).dialPlan;
}

/** The credential in a trunk's arguments, from `credential` or from `username` and `password`, with its secrets marked. */
function credentialIn({ credential, username, password, pendingPassword }: SipTrunkArgs) {
  const secret = (text: typeof password) => (text === undefined ? undefined : pulumi.secret(text));
  if (credential === undefined) {
    return {
      username,
      password: secret(password),
      pendingPassword: secret(pendingPassword),
      verifier: undefined,
    };
  }
  const held = pulumi.secret(credential);
  return {
    username: username ?? pulumi.unsecret(held.apply((it) => it.username)),
    password: pulumi.secret(
      pulumi.all([held, password, pendingPassword]).apply(([it, ...declared]) => followed(it, ...declared)),
    ),
    pendingPassword: secret(pendingPassword),
    verifier: held.apply((it) => (isVerifier(it) ? it : undefined)),
  };
}

function followed(
  held: VoipCredential,
  password: string | undefined,
  pendingPassword: string | undefined,
): string | undefined {
  if (isVerifier(held)) {
    return password;
  }
  const problem = givenTwice(password, pendingPassword);
  if (problem !== undefined) {
    throw new pulumi.RunError(problem);
  }
  return held.password;
}

/** The arguments that are not outputs, and those whose outputs may be undefined. */
type NotAsGiven = "verifier" | "pendingPassword" | "adopt" | "username" | "password";

/** The arguments of a SipTrunk are outputs, too, as far as the program gives them. */
export interface SipTrunk extends Omit<OutputsOf<Schema>, NotAsGiven> {}

/**
 * One SIP integration: a company's phone system (the VoIP system) on one side, a LiveKit project on the other. Creates an inbound
 * and an outbound LiveKit trunk that share one credential, or one of them (`direction`). The inbound trunk is closed until an {@link InboundAuth} says who
 * may call.
 *
 * @example
 * const office = new SipTrunk("office", {
 *   type: "extension",
 *   extension: "1011",
 *   address: "pbx.acme.com",
 *   password: config.requireSecret("pbxPassword"),
 *   country: "US",
 * });
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: Pulumi sets a property for every argument.
export class SipTrunk extends pulumi.dynamic.Resource {
  /** Id of the inbound LiveKit trunk (`ST_…`); undefined with `direction: "outbound"`. */
  declare readonly inboundTrunkId: pulumi.Output<string>;
  /**
   * Id of the outbound LiveKit trunk (`ST_…`). An agent passes it to LiveKit to place a call. Undefined with `direction: "inbound"`.
   */
  declare readonly outboundTrunkId: pulumi.Output<string>;
  /**
   * Where the VoIP system must send its calls; null if neither `livekit:projectId` nor `livekit:sipHost` is configured, and with
   * `direction: "outbound"`.
   */
  declare readonly sipUri: pulumi.Output<string | null>;
  /** Changes when the password changes, without revealing it; undefined without a password. */
  declare readonly credentialFingerprint: pulumi.Output<string | undefined>;
  /**
   * The date on which `up` first applied the credential, in UTC: `"2026-11-30"`. Undefined without a password, and if the date is not
   * known: for a trunk that was imported or taken over, and for a credential that an older version of this package applied.
   */
  declare readonly credentialChangedAt: pulumi.Output<string | undefined>;
  /** `"in sync"`, or a description of how the platform differs from what was last applied. */
  declare readonly platformStatus: pulumi.Output<string>;
  /**
   * What differs, as a list: the names of changed arguments, such as `"password"` or `"headers.X-Token"`, and every other difference
   * in words. Empty while `platformStatus` is `"in sync"`; at most 100 entries. In the state only if it is not empty.
   */
  declare readonly platformDrift: pulumi.Output<string[]>;
  /**
   * `"accepts the credential"`, or what the check found instead. `"pbx.acme.com rejects the credential (401)"` is drift;
   * `"could not tell: …"`, `"unreachable: …"` and `"not checked: …"` are not.
   */
  declare readonly voipStatus: pulumi.Output<string>;
  /** The user name of the credential. */
  declare readonly username: pulumi.Output<string | undefined>;
  /** The password in use, which is `pendingPassword` after the switch to it; secret. */
  declare readonly password: pulumi.Output<string | undefined>;
  /** The owner of the trunks, as written into their metadata: organization/project/stack/name. */
  declare readonly owner: pulumi.Output<string>;
  /** What `voipStatus` says of the credential: `"accepts"`, `"rejects"` or `"unknown"`. Not in the state. */
  readonly voipVerdict: pulumi.Output<VoipVerdict>;
  /**
   * What an InboundAuth in another stack needs of this trunk; secret. Export it, and pass it as `trunk` there. Not in the state.
   */
  readonly reference: pulumi.Output<TrunkReference>;

  /** @internal */
  declare readonly [DECLARED]: Declared;

  /** Whether an object is a SipTrunk, from this copy of the package or another one. */
  static override isInstance(object: unknown): object is SipTrunk {
    return typeof object === "object" && object !== null && DECLARED in object;
  }

  constructor(name: string, args: SipTrunkArgs, options?: pulumi.CustomResourceOptions) {
    const { credential, ...rest } = args;
    const { username, password, pendingPassword, verifier } = credentialIn(args);
    super(
      thinProvider("SipTrunk"),
      name,
      {
        ...withNames({ ...rest, username }, name),
        password,
        pendingPassword,
        ...(verifier && { verifier }),
        owner: ownerOf(name, dynamicType("SipTrunk"), options),
        inboundTrunkId: undefined,
        outboundTrunkId: undefined,
        sipUri: undefined,
        credentialFingerprint: undefined,
        credentialChangedAt: undefined,
        platformStatus: undefined,
        platformDrift: undefined,
        voipStatus: undefined,
      },
      supported("SipTrunk", name, options),
      "livekit",
      "SipTrunk",
    );
    const { extension, numbers, country, numberFormat, mediaEncryption } = args;
    const declared: Declared = {
      hasCredential: password !== undefined,
      dialPlan: { extension, numbers, country, numberFormat, mediaEncryption },
    };
    Object.defineProperty(this, DECLARED, { value: declared });
    // The state has null for the id of a trunk that is not declared, because Pulumi treats a missing output as an unknown one.
    this.inboundTrunkId = this.inboundTrunkId.apply((id) => id ?? undefined);
    this.outboundTrunkId = this.outboundTrunkId.apply((id) => id ?? undefined);
    this.platformDrift = listOf(this.platformDrift);
    this.voipVerdict = this.voipStatus.apply(verdictOf);
    const parts = { owner: this.owner, ...credentialOf(this), country, numberFormat: numberFormat ?? "international" };
    this.reference = pulumi.secret(parts);
    for (const [field, secret] of Object.entries({ password, pendingPassword })) {
      pulumi.output(secret).apply((text) => {
        if (typeof text === "string" && lacksSpecialCharacter(text)) {
          void pulumi.log.warn(`${field} has no special character: one is recommended.`, this);
        }
      });
    }
  }
}
