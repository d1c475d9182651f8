/** The arguments of a SipTrunk: the schema, and the rules that involve more than one argument. */

import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { ArgsOf } from "../dynamic/inputs";
import type { IsKnown } from "../lifecycle/resource";
import { INCLUDE_HEADERS, TRANSPORTS } from "../livekit/messages";
import { MARKER_KEY, usesMarkerKey } from "../livekit/ownership";
import * as schemas from "../livekit/schemas";
import { HALVES } from "../livekit/trunks";
import { formatNumber, isKnownCountry, NUMBER_FORMATS, PhoneNumberError, parseNumber } from "../phone-number/format";
import type { VoipCredential } from "../voip/credential";
import { declares, type ONLY_INBOUND, type ONLY_OUTBOUND, problemsOfDirection, TRUNK_DIRECTIONS } from "./direction";
import { passwordProblems } from "./password";

/** How a credential is checked: with every request that proves something, with OPTIONS alone, or not at all. */
export const VOIP_CHECKS = ["register", "options", "off"] as const;

const NO_COUNTRY = { error: 'is not a country code of ISO 3166-1 alpha-2: write it like "US" or "RO"' };

const strongPassword = z.string().superRefine((password, context) => {
  const missing = passwordProblems(password);
  if (missing.length > 0) {
    context.addIssue(`is too weak: it also needs ${missing.join(", ")}`);
  }
});

export const schema = z.strictObject({
  /**
   * What the VoIP system gives the platform: `"extension"` for an extension of a PBX, `"did"` for phone numbers (direct inward
   * dialling).
   * @livekit decides what goes into `numbers`
   */
  type: z.enum(["extension", "did"]),

  /**
   * The platform's extension on the PBX, for example `"1011"`. Only with `type: "extension"`.
   * @livekit inbound `numbers`, outbound `numbers`
   */
  extension: z
    .string()
    .regex(/^[\w.*#+-]+$/, { error: 'must be an extension as it is dialled, for example "1011"' })
    .optional(),

  /**
   * The phone numbers that the VoIP system routes to the platform, in international format or as dialled within `country`. Short
   * numbers also count as phone numbers here. Only with `type: "did"`.
   * @livekit inbound `numbers` and outbound `numbers`, in `numberFormat`; with the national format, inbound also has +E.164
   */
  numbers: z.array(z.string()).min(1, { error: "must hold at least one number" }).optional(),

  /**
   * Which calls the trunk is for: `"both"`, or only `"inbound"` (into the platform) or `"outbound"` (to the VoIP system). A trunk for
   * one direction has only that LiveKit trunk. A change of direction creates and deletes the other one.
   * @livekit decides which of the two trunks exist
   */
  direction: z.enum(TRUNK_DIRECTIONS).default("both"),

  /**
   * Host name or IP address of the VoIP system, without scheme and port. Required, unless `direction` is `"inbound"`.
   * @livekit outbound `address`
   */
  address: schemas.host.optional(),

  /**
   * Port of the VoIP system, 1 to 65535.
   * @default from the SRV record, else the transport's default
   * @livekit outbound `address`, after a colon
   */
  port: z.number().int().min(1).max(65535).optional(),

  /**
   * Transport of outgoing calls: `"auto"`, `"udp"`, `"tcp"` or `"tls"`.
   * @livekit outbound `transport`
   */
  transport: z.enum(TRANSPORTS).default("auto"),

  /**
   * Encryption of the media (SRTP): `"disabled"`, `"allow"` or `"require"`.
   * @livekit inbound and outbound `media.encryption`
   */
  mediaEncryption: schemas.mediaEncryption.default("disabled"),

  /**
   * The user name of the credential, for both directions.
   * @default the extension; none for `type: "did"`
   * @livekit outbound `authUsername`; inbound `authUsername` once an InboundAuth asks for credentials
   */
  username: schemas.quotable.refine((name) => !/\s/.test(name), { error: "must not hold spaces" }).optional(),

  /**
   * The password of the credential, for both directions. Always kept secret. It needs at least 12 characters, with digits and
   * upper and lower case letters; special characters are recommended.
   * @livekit outbound `authPassword`; inbound `authPassword` once an InboundAuth asks for credentials
   */
  password: strongPassword.optional().meta({ secret: true }),

  /**
   * The next password, while the VoIP system is being changed to it. As long as the VoIP system accepts the one that LiveKit has,
   * nothing changes. Once it rejects that one and accepts the other of `password` and `pendingPassword`, the plan says so, and
   * `up` switches both directions to the other. Always kept secret, and never in the state.
   * @livekit takes the place of `password`
   */
  pendingPassword: strongPassword.optional().meta({ secret: true }),

  /**
   * How to check whether the VoIP system accepts the credential. `"register"` sends an OPTIONS and, if the answers to it prove nothing,
   * a REGISTER or a SUBSCRIBE that changes nothing. `"options"` sends an OPTIONS alone. `"off"` sends nothing. The check runs in a
   * preview with refresh, and before `up` changes anything; `voipStatus` has the result.
   */
  voipCheck: z.enum(VOIP_CHECKS).default("register"),

  /**
   * Time limit for the whole check, in seconds; 60 at most.
   */
  voipCheckTimeout: z.number().positive().max(60).default(3),

  /** @internal The hash that the VoIP system stores instead of the password, to compare the declared password with. */
  verifier: z
    .strictObject({
      username: z.string(),
      realm: z.string(),
      algorithm: z.enum(["MD5", "SHA-256"]),
      ha1: z.string(),
      source: z.string(),
    })
    .optional()
    .meta({ secret: true }),

  /**
   * The country in which the trunk is provisioned, ISO 3166-1 alpha-2, for example `"US"`.
   * @livekit `country` in the metadata of both; outbound `destinationCountry`, unless that argument says otherwise
   */
  country: z.string().refine(isKnownCountry, NO_COUNTRY),

  /**
   * The country that outgoing calls go to, from which LiveKit chooses the region to call from. `""` leaves the choice to LiveKit.
   * @default `country`
   * @livekit outbound `destinationCountry`
   */
  destinationCountry: z
    .string()
    .refine((country) => country === "" || isKnownCountry(country), NO_COUNTRY)
    .optional(),

  /**
   * How the VoIP system writes phone numbers: `"international"` (`+12025550123`), `"international-without-plus"`
   * (`12025550123`) or `"national"` (`0741926265`). Agents use `formatDialedNumber` to dial in the same format.
   * @livekit the format of inbound and outbound `numbers`; `numberFormat` in the metadata of both
   */
  numberFormat: z.enum(NUMBER_FORMATS).default("international"),

  /**
   * Sends calls through the platform's proxy, which has a fixed IP address (stack configuration `livekit:outboundProxy`). For VoIP
   * systems that only accept calls from one address.
   * @livekit outbound `address` (the proxy's) and `headers` (the real destination)
   */
  fixedIp: z.boolean().default(false),

  /**
   * The name of both trunks on LiveKit; may be empty.
   * @default the resource's name
   * @livekit inbound and outbound `name`
   */
  name: z.string(),

  /**
   * Your own metadata for the trunks, written byte for byte. This package adds its own data under the key `pulumi-livekit-sip`. At
   * most 512 KiB.
   * @livekit inbound and outbound `metadata`
   */
  metadata: schemas.metadata.default(""),

  /**
   * Headers to send: in the INVITE of outgoing calls, and in the 200 OK of incoming calls. Names that SIP itself needs are refused.
   * @livekit inbound and outbound `headers`
   */
  headers: schemas.headers.default({}),

  /**
   * Headers from the other side that become attributes of the SIP participant: header name to attribute name.
   * @livekit inbound and outbound `headersToAttributes`
   */
  headersToAttributes: schemas.headersToAttributes.default({}),

  /**
   * Attributes that are sent as headers with BYE and REFER: attribute name to header name.
   * @livekit inbound and outbound `attributesToHeaders`
   */
  attributesToHeaders: schemas.attributesToHeaders.default({}),

  /**
   * Which headers automatically become `sip.h.*` attributes: `"none"`, `"x-headers"` or `"all"`.
   * @livekit inbound and outbound `includeHeaders`
   */
  includeHeaders: z.enum(INCLUDE_HEADERS).default("none"),

  /**
   * How long a caller waits for an agent to answer, in seconds.
   * @default LiveKit's
   * @livekit inbound `ringingTimeout`
   */
  ringingTimeout: schemas.seconds.default(0),

  /**
   * How long an incoming call may last, in seconds.
   * @default LiveKit's
   * @livekit inbound `maxCallDuration`
   */
  maxCallDuration: schemas.seconds.default(0),

  /**
   * Noise cancellation for callers.
   * @livekit inbound `krispEnabled`
   */
  krispEnabled: z.boolean().default(false),

  /**
   * Host in the From header of outgoing calls.
   * @default the LiveKit project's SIP host
   * @livekit outbound `fromHost`
   */
  fromHost: schemas.host.default(""),

  /**
   * Audio codecs to offer in addition to the default ones, or instead of them with `onlyListedCodecs`.
   * @livekit inbound and outbound `media.codecs`
   */
  codecs: schemas.codecs.default([]),

  /**
   * Offer only the listed `codecs`.
   * @livekit inbound and outbound `media.onlyListedCodecs`
   */
  onlyListedCodecs: z.boolean().default(false),

  /**
   * How long a call may go without incoming media before it ends, in seconds; 600 at most.
   * @default LiveKit's
   * @livekit inbound and outbound `media.mediaTimeout`
   */
  mediaTimeout: schemas.mediaTimeout.default(0),

  /**
   * Trunks that exist on LiveKit, to take over instead of creating new ones: `{ inbound: "ST_…", outbound: "ST_…" }`, or one of
   * them. They keep their ids. Only the create acts on it: afterwards it can stay in the program or be removed.
   */
  adopt: z
    .strictObject({ inbound: schemas.trunkId.optional(), outbound: schemas.trunkId.optional() })
    .optional()
    .meta({ createOnly: true }),
});

export type Schema = typeof schema;
export type SipTrunkInputs = z.output<Schema>;
type OnlyInbound = (typeof ONLY_INBOUND)[number];
type OnlyOutbound = (typeof ONLY_OUTBOUND)[number];
type InboundArgs = Pick<ArgsOf<Schema>, OnlyInbound>;
type OutboundArgs = Omit<Pick<ArgsOf<Schema>, OnlyOutbound>, "address"> & {
  address: NonNullable<ArgsOf<Schema>["address"]>;
};
type None<Names extends string> = { [Name in Names]?: undefined };

/** The arguments of a {@link SipTrunk} that depend on its direction. The compiler's errors are about the last kind that may be meant. */
export type DirectionArgs =
  | ({ direction: "inbound" } & InboundArgs & None<OnlyOutbound>)
  | ({ direction: "outbound" } & OutboundArgs & None<OnlyInbound>)
  | ({ direction?: "both" } & InboundArgs & OutboundArgs);

type Common = Omit<
  ArgsOf<Schema>,
  "type" | "extension" | "numbers" | "name" | "verifier" | "direction" | OnlyInbound | OnlyOutbound
> &
  Partial<Pick<ArgsOf<Schema>, "name">> & {
    /**
     * The credential as the VoIP system stores it, from one of the credential readers, instead of `username` and `password`. When
     * it changes there, the plan shows a new fingerprint and `up` updates LiveKit. If the VoIP system stores only a hash, declare
     * `password` too; it is compared with the hash.
     */
    credential?: pulumi.Input<VoipCredential>;
  };

/** Arguments of a {@link SipTrunk} for one extension of a PBX. */
export type ExtensionTrunkArgs = Common &
  DirectionArgs & {
    type: "extension";
    extension: NonNullable<ArgsOf<Schema>["extension"]>;
    numbers?: undefined;
  };

/** Arguments of a {@link SipTrunk} for direct inward dial numbers. */
export type DidTrunkArgs = Common &
  DirectionArgs & {
    type: "did";
    numbers: NonNullable<ArgsOf<Schema>["numbers"]>;
    extension?: undefined;
  };

/** Arguments of a {@link SipTrunk}. */
export type SipTrunkArgs = ExtensionTrunkArgs | DidTrunkArgs;

/** Problems between arguments that are each valid on their own, as sentences. */
export function problemsAcross(args: Partial<SipTrunkInputs>, isKnown: IsKnown<SipTrunkInputs>): string[] {
  const problems: string[] = [];
  const { type, extension, numbers, country, username, password, headers, metadata } = args;
  problems.push(...problemsOfDirection(args));
  const unused = HALVES.filter((half) => args.adopt?.[half] !== undefined && !declares(args, half));
  problems.push(
    ...unused.map(
      (half) => `adopt.${half} can't be used with direction: "${args.direction}": remove it, or use direction: "both".`,
    ),
  );
  if (args.address === undefined && isKnown("address") && isKnown("direction") && args.direction !== "inbound") {
    problems.push('address is missing: set it, or use direction: "inbound" for a trunk that only takes calls.');
  }
  if (type === "extension" && isKnown("extension") && extension === undefined) {
    problems.push('extension is missing: set it, for example extension: "1011", or use type: "did" with numbers.');
  }
  if (type === "extension" && numbers !== undefined) {
    problems.push(`numbers can't be used with type: "extension": remove it, or use type: "did".`);
  }
  if (type === "did" && isKnown("numbers") && numbers === undefined) {
    problems.push(
      'numbers is missing: set it, for example numbers: ["+12025550123"], or use type: "extension" with extension.',
    );
  }
  if (type === "did" && extension !== undefined) {
    problems.push(`extension can't be used with type: "did": remove it, or use type: "extension".`);
  }
  if (args.verifier && isKnown("password") && password === undefined) {
    problems.push(
      `password is missing: ${args.verifier.source} stores only a hash of it, which LiveKit can't use. Declare the password too.`,
    );
  } else if (username !== undefined && isKnown("password") && password === undefined) {
    problems.push(
      "password is missing: a username without a password would let callers in without authentication. Set both or neither.",
    );
  }
  problems.push(...problemsOfPending(args, isKnown));
  if (password !== undefined && isKnown("username") && username === undefined) {
    problems.push("username is missing: set it together with password, or set neither.");
  }
  if (numbers !== undefined && country !== undefined && type === "did" && isKnown("numberFormat")) {
    problems.push(...numberProblems(numbers, country, schema.shape.numberFormat.parse(args.numberFormat)));
  }
  if (metadata !== undefined && usesMarkerKey(metadata)) {
    problems.push(`metadata must not use the key "${MARKER_KEY}": this package reserves it. Use another key.`);
  }
  if (args.fixedIp && headers && Object.keys(headers).some((name) => name.toLowerCase() === "route")) {
    problems.push("headers must not set Route when fixedIp is true, because the proxy does the routing: remove Route.");
  }
  return problems;
}

function problemsOfPending(args: Partial<SipTrunkInputs>, isKnown: IsKnown<SipTrunkInputs>): string[] {
  const { password, pendingPassword, verifier, voipCheck, direction } = args;
  if (pendingPassword === undefined) {
    return [];
  }
  const problems: string[] = [];
  if (isKnown("password") && password === undefined) {
    problems.push("pendingPassword needs password: set password to the one that the VoIP system accepts now.");
  }
  // With a hash of the password nobody needs to be asked.
  const mustAsk = isKnown("verifier") && verifier === undefined;
  if (mustAsk && (direction === "inbound" || voipCheck === "off")) {
    const setting = direction === "inbound" ? 'direction: "inbound"' : 'voipCheck: "off"';
    problems.push(
      `pendingPassword can't be used with ${setting}, because the VoIP system is asked which of the two passwords is in use: set password alone.`,
    );
  }
  return problems;
}

function numberProblems(
  numbers: readonly string[],
  country: string,
  numberFormat: (typeof NUMBER_FORMATS)[number],
): string[] {
  const seen = new Map<string, string>();
  return numbers.flatMap((number, index) => {
    try {
      const e164 = parseNumber(number, country);
      formatNumber(e164, { numberFormat, country });
      const twin = seen.get(e164);
      seen.set(e164, number);
      return twin === undefined ? [] : [`numbers[${index}] "${number}" is the same number as "${twin}": list it once.`];
    } catch (error) {
      if (error instanceof PhoneNumberError) {
        return [`numbers[${index}] ${error.message}.`];
      }
      throw error;
    }
  });
}
