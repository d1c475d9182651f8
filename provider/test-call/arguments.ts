/** The arguments of a TestCall: the schema, and the rules that involve more than one argument. */

import { z } from "zod";
import type { ArgsOf } from "../dynamic/inputs";
import type { IsKnown } from "../lifecycle/resource";
import type { JsonValue } from "../livekit/messages";
import * as schemas from "../livekit/schemas";
import { NUMBER_FORMATS } from "../phone-number/format";
import { PROTOCOLS } from "../sip/connection";
import type { SipTrunk } from "../sip-trunk/resource";
import { DIRECTIONS } from "../voip/meanings";

const json: z.ZodType<JsonValue, JsonValue> = z.json();

const dialled = z
  .string()
  .regex(/^[\w.*#+\-() ]+$/, { error: 'must be a phone number or an extension, for example "+12025550100"' });

export const schema = z.strictObject({
  /** The SipTrunk to call on. It must be declared in this program. */
  trunk: z.string().meta({ refersTo: "SipTrunk" }),

  /**
   * `"outbound"`: LiveKit calls `to` through the trunk, and the number has to answer. `"inbound"`: this machine calls the
   * platform with the trunk's credential, as the VoIP system does; ringing is enough.
   * @livekit `CreateSIPParticipant` for `"outbound"`; none for `"inbound"`, which is a SIP call
   */
  direction: z.enum(DIRECTIONS),

  /**
   * The number to call. It is converted to the trunk's number format as `formatDialedNumber` does; an extension stays as it is.
   * @default for `"inbound"`, the trunk's extension or its first number; required for `"outbound"`
   * @livekit `sipCallTo`
   */
  to: dialled.optional(),

  /**
   * The caller that the platform sees, converted like `to`. Only with `direction: "inbound"`; needed if the InboundAuth has
   * `allowedNumbers`.
   * @default the trunk's user name, or `pulumi-test-call` if it has none
   */
  from: dialled.optional(),

  /**
   * Host name or IP address of the platform's SIP server, without scheme and port. Only with `direction: "inbound"`.
   * @default the trunk's `sipUri`
   */
  address: schemas.host.optional(),

  /**
   * Port of the platform's SIP server, 1 to 65535. Only with `direction: "inbound"`.
   * @default the port in `sipUri`, else from the SRV record, else the transport's default
   */
  port: z.number().int().min(1).max(65535).optional(),

  /**
   * Transport of the call to the platform: `"udp"`, `"tcp"` or `"tls"`. Only with `direction: "inbound"`.
   */
  transport: z.enum(PROTOCOLS).default("udp"),

  /**
   * How long to wait for the call to be answered, or for an inbound call to ring, in whole seconds; 60 at most.
   * @livekit `ringingTimeout`
   */
  ringingTimeout: z.number().int().min(1).max(60).default(30),

  /**
   * Values that place the call again when they change. A change of any other argument does so too.
   * @default the trunk's `credentialFingerprint`
   */
  triggers: z.array(json).default([]),

  /** @internal The trunk's country; follows the trunk. */
  country: z.string(),

  /** @internal The trunk's number format; follows the trunk. */
  numberFormat: z.enum(NUMBER_FORMATS).default("international"),

  /** @internal The trunk's extension, for an inbound call; follows the trunk. */
  extension: z.string().optional(),

  /** @internal The trunk's numbers, for an inbound call; follows the trunk. */
  numbers: z.array(z.string()).optional(),

  /** @internal The trunk's media encryption, for an inbound call; follows the trunk. */
  mediaEncryption: schemas.mediaEncryption.default("disabled"),

  /** @internal The trunk's user name, for an inbound call; follows the trunk. */
  username: z.string().optional(),

  /** @internal The trunk's password, for an inbound call; follows the trunk. */
  password: z.string().optional().meta({ secret: true }),
});

export type Schema = typeof schema;
export type TestCallInputs = z.output<Schema>;
type Common = Pick<ArgsOf<Schema>, "ringingTimeout" | "triggers"> & {
  /** The trunk to call on. */
  trunk: SipTrunk;
};

/** Arguments of a {@link TestCall} from the platform to the VoIP system. */
export type OutboundCallArgs = Common & {
  direction: "outbound";
  to: NonNullable<ArgsOf<Schema>["to"]>;
  from?: undefined;
  address?: undefined;
  port?: undefined;
  transport?: undefined;
};

/** Arguments of a {@link TestCall} from this machine to the platform. */
export type InboundCallArgs = Common &
  Pick<ArgsOf<Schema>, "to" | "from" | "address" | "port" | "transport"> & { direction: "inbound" };

/** Arguments of a {@link TestCall}. */
export type TestCallArgs = OutboundCallArgs | InboundCallArgs;

/** Problems between arguments that are each valid on their own, as sentences. */
export function problemsAcross(
  { direction, to, ...args }: Partial<TestCallInputs>,
  isKnown: IsKnown<TestCallInputs>,
): string[] {
  const problems: string[] = [];
  if (direction === "outbound" && isKnown("to") && to === undefined) {
    problems.push('to is missing: set the number to call, for example to: "+12025550100".');
  }
  const stray = (["from", "address", "port", "transport"] as const).filter((field) => args[field] !== undefined);
  if (direction === "outbound" && stray.length > 0) {
    problems.push(
      `${stray.join(", ")} can't be used with direction: "outbound", where the trunk determines it: remove it.`,
    );
  }
  return problems;
}
