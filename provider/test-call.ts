/** TestCall: proves by a call that an integration works. */

import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { ResourceError } from "./dynamic/errors";
import type { ArgsOf } from "./dynamic/inputs";
import { NO_CONFLICTS, type Resource, type Wanted } from "./dynamic/lifecycle";
import { supported } from "./dynamic/options";
import { ownerOf } from "./dynamic/owner";
import { thinProvider } from "./dynamic/provider";
import * as schemas from "./dynamic/schemas";
import type { Session } from "./dynamic/session";
import type { Props } from "./dynamic/values";
import type { Account } from "./livekit/account";
import * as calls from "./livekit/calls";
import { ConfigurationError, type Connection } from "./livekit/connection";
import { LiveKitError } from "./livekit/errors";
import type { JsonValue } from "./livekit/messages";
import { nameOf } from "./livekit/ownership";
import * as trunks from "./livekit/trunks";
import { formatDialedNumber, NUMBER_FORMATS, writtenNumber } from "./phone-number/format";
import { printable } from "./printable";
import { PROTOCOLS } from "./sip/connection";
import { bracketed, parseUri } from "./sip/message";
import type { SipServer } from "./sip/resolve";
import { credentialOf, dialPlanOf, requireTrunk, type SipTrunk } from "./sip-trunk";
import { type CallOutcome, placeCall } from "./voip/call";
import { DIRECTIONS, meaningOf } from "./voip/meanings";

/** How long a call may ring unless the program says otherwise, in seconds. */
const RINGING_TIMEOUT = 30;

/** When LiveKit ends a call out by itself, should the room not be deleted, in seconds. */
const MAX_CALL_DURATION = 30;

const json: z.ZodType<JsonValue> = z.json();

const dialled = z
  .string()
  .regex(/^[\w.*#+\-() ]+$/, { error: 'must be a phone number or an extension, for example "+12025550100"' });

const schema = z.strictObject({
  /** The trunk to call on, a SipTrunk of this program. */
  trunk: z.string(),

  /**
   * `"outbound"`: LiveKit calls `to` through the trunk, the number has to answer. `"inbound"`: this machine calls the
   * platform as the VoIP system does, with the trunk's credential; that it rings is enough.
   * @livekit `CreateSIPParticipant` for `"outbound"`; none for `"inbound"`, which is a SIP call
   */
  direction: z.enum(DIRECTIONS),

  /**
   * The number that is called, written in the trunk's number format as by `formatDialedNumber`: an extension stays as it is.
   * @default for `"inbound"`, the trunk's extension or the first of its numbers; `"outbound"` needs one
   * @livekit `sipCallTo`
   */
  to: dialled.optional(),

  /**
   * The caller that the platform sees, written in the trunk's number format as by `formatDialedNumber`. Only with
   * `direction: "inbound"`; needed where the InboundAuth has `allowedNumbers`.
   * @default the trunk's username
   */
  from: dialled.optional(),

  /**
   * Host or IP of the platform's SIP server, without scheme and port. Only with `direction: "inbound"`.
   * @default the trunk's `sipUri`
   */
  address: schemas.host.optional(),

  /**
   * Port of the platform's SIP server, 1 to 65535. Only with `direction: "inbound"`.
   * @default that of `sipUri`; by SRV record, or the transport's own
   */
  port: z.number().int().min(1).max(65535).optional(),

  /**
   * How the call is sent to the platform: `"udp"`, `"tcp"` or `"tls"`. Only with `direction: "inbound"`.
   * @default `"udp"`
   */
  transport: z.enum(PROTOCOLS).optional().meta({ whenAbsent: "udp" }),

  /**
   * How long the call may ring, in whole seconds, 60 at most; longer is no answer.
   * @default 30
   * @livekit `ringingTimeout`
   */
  ringingTimeout: z.number().int().min(1).max(60).optional().meta({ whenAbsent: RINGING_TIMEOUT }),

  /**
   * Values whose change places the call again. Any other argument's change does so too.
   * @default the trunk's `credentialFingerprint`
   */
  triggers: z.array(json).optional().meta({ whenAbsent: [] }),

  /** @internal The trunk's country; follows the trunk. */
  country: z.string(),

  /** @internal The trunk's number format; follows the trunk. */
  numberFormat: z.enum(NUMBER_FORMATS).optional().meta({ whenAbsent: "international" }),

  /** @internal The trunk's extension, for calls in; follows the trunk. */
  extension: z.string().optional(),

  /** @internal The trunk's numbers, for calls in; follows the trunk. */
  numbers: z.array(z.string()).optional(),

  /** @internal The trunk's media encryption, for calls in; follows the trunk. */
  mediaEncryption: schemas.mediaEncryption.optional().meta({ whenAbsent: "disabled" }),

  /** @internal The trunk's user name, for calls in; follows the trunk. */
  username: z.string().optional(),

  /** @internal The trunk's password, for calls in; follows the trunk. */
  password: z.string().optional().meta({ secret: true }),
});

type Schema = typeof schema;
type TestCallInputs = z.output<Schema>;
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

/** Arguments of a {@link TestCall} from the VoIP system's side to the platform. */
export type InboundCallArgs = Common &
  Pick<ArgsOf<Schema>, "to" | "from" | "address" | "port" | "transport"> & { direction: "inbound" };

/** Arguments of a {@link TestCall}. */
export type TestCallArgs = OutboundCallArgs | InboundCallArgs;

/**
 * A number as the trunk's VoIP system writes it. The trunk's own extension is none, even where it looks like one; its own
 * numbers are, even where they are as short as an extension.
 */
function written(number: string, args: TestCallInputs): string {
  const { extension, numbers, country, numberFormat = "international" } = args;
  const format = { numberFormat, country };
  if (number === extension) {
    return number;
  }
  return numbers?.includes(number) ? writtenNumber(number, format) : formatDialedNumber(number, format);
}

/** The number that is called. */
function calledNumber(args: TestCallInputs): string {
  return written(args.to ?? args.extension ?? args.numbers?.[0] ?? "", args);
}

/** Where the platform takes calls. */
function platformServer({ address, port, transport = "udp" }: TestCallInputs, { sipHost = "" }: Connection): SipServer {
  const configured = parseUri(`sip:${sipHost}`);
  const chosen = port ?? (address === undefined ? configured?.port : undefined);
  return {
    host: address ?? configured?.host ?? "",
    protocol: transport,
    ...(chosen === undefined ? {} : { port: chosen }),
  };
}

/** An answer's own words, as far as they can be printed, in a few characters. */
function answerWords(status: number, reason: string): string {
  const words = printable(reason.replace(/^SIP_STATUS_/, ""), 60).trim();
  return words === "" ? String(status) : `${status} (${words})`;
}

/** What LiveKit says without a SIP status when a call fails (livekit/sip, pkg/sip/outbound.go), and what it means. */
const LIVEKIT_WORDS: readonly [pattern: RegExp, sentence: string][] = [
  [/max auth retry attempts/, `got 407 for each answer: ${meaningOf(407, "outbound")}`],
  [
    /required auth, but no username or password/,
    "got 407: the VoIP system asks for a credential and the trunk has none: give the SipTrunk username and password",
  ],
  [
    /\(0 intermediate responses\)/,
    "got no SIP answer: the VoIP system can't be reached from the platform: check the trunk's address, port and transport, and the firewall on the way",
  ],
  [/no such host/, "did not get out, because nobody knows the VoIP system's name: check the trunk's address"],
];

/** Why LiveKit's call failed, in the words that follow "the call …"; undefined when it is not the call that failed. */
function outboundFailure(error: LiveKitError, { ringingTimeout = RINGING_TIMEOUT }: TestCallInputs) {
  if (error.sip) {
    const { status, reason } = error.sip;
    return `got ${answerWords(status, reason)}: ${meaningOf(status, "outbound")}.`;
  }
  const [, sentence] = LIVEKIT_WORDS.find(([pattern]) => pattern.test(error.message)) ?? [];
  if (sentence !== undefined && error.code !== undefined) {
    return `${sentence}.`;
  }
  if (error.code === "canceled" || error.code === "deadline_exceeded") {
    return `was not answered within ${ringingTimeout} s: ${meaningOf(408, "outbound")}.`;
  }
  if (error.code === "unavailable") {
    return `found no SIP service at LiveKit (${error.message.replace(/\.$/, "")}): check that livekit/sip runs, with the same Redis as the LiveKit server.`;
  }
  switch (error.failure) {
    case "unauthenticated":
    case "clock":
      return undefined;
    case "unreachable":
    case "failed":
      return `failed: ${error.message} It is not repeated by itself, because it may have rung: run \`pulumi up\` to place it again.`;
    default:
      return `was not placed: ${error.message}`;
  }
}

/** What else may be the matter with a caller who was asked for nothing. */
const ADDRESS_HINT =
  "; no credential was asked for, so this machine's address may also not be among the InboundAuth's allowedAddresses";

/** Why a call to the platform failed, in the words that follow "the call …". */
function inboundFailure(outcome: Exclude<CallOutcome, { kind: "accepted" }>, args: TestCallInputs): string {
  const { ringingTimeout = RINGING_TIMEOUT, transport = "udp", password } = args;
  switch (outcome.kind) {
    case "refused":
      return `got ${answerWords(outcome.status, outcome.reason)}: ${refusalMeaning(outcome, password !== undefined)}.`;
    case "unanswered":
      return outcome.trying
        ? `did not ring within ${ringingTimeout} s: ${meaningOf(480, "inbound")}.`
        : `got no SIP answer within ${ringingTimeout} s: check address, port and transport, and that the trunk and its InboundAuth take this caller: a platform may stay silent to those that it does not know.`;
    case "unreachable":
      return `did not get through over ${transport} (${outcome.reason}): check address, port and transport, and that a SIP server runs there.`;
  }
}

function refusalMeaning(
  { status, authenticated }: Extract<CallOutcome, { kind: "refused" }>,
  hasCredential: boolean,
): string {
  if ((status === 401 || status === 407) && !authenticated) {
    return hasCredential
      ? "the platform asks for the credential in a way that is not known here: check that address is the platform's"
      : "the platform asks for a credential and the trunk has none: give the SipTrunk username and password, or allow this machine's address in the InboundAuth's allowedAddresses";
  }
  const isAboutCaller = status === 403 || status === 404;
  return `${meaningOf(status, "inbound")}${isAboutCaller && !authenticated ? ADDRESS_HINT : ""}`;
}

/** Lets LiveKit call, and removes the room, which hangs up. */
async function callOut({ account, own }: Session, { owner, args }: Wanted<TestCallInputs>): Promise<Props> {
  const { connection } = account;
  const trunk = nameOf(args.trunk);
  const outbound = await trunks.outboundOf(account, own.keyOf(args.trunk));
  if (!outbound) {
    throw new ResourceError(
      `TestCall "${nameOf(owner)}": the outbound trunk of SipTrunk "${trunk}" does not exist: run \`pulumi up\` without --target, so that the trunk is made first.`,
    );
  }
  const to = calledNumber(args);
  const room = `pulumi-test-call-${randomBytes(8).toString("hex")}`;
  const call = {
    trunkId: outbound.id,
    to,
    room,
    identity: "pulumi-test-call",
    ringingTimeout: args.ringingTimeout ?? RINGING_TIMEOUT,
    maxCallDuration: MAX_CALL_DURATION,
  };
  try {
    await calls.placeCall(connection, call, [outbound.authPassword]);
  } catch (error) {
    const failure = error instanceof LiveKitError ? outboundFailure(error, args) : undefined;
    throw failure === undefined
      ? error
      : new ResourceError(`TestCall "${nameOf(owner)}": the call to ${to} through SipTrunk "${trunk}" ${failure}`, {
          cause: error,
        });
  } finally {
    // Where this fails, the call's own limit ends it soon.
    await calls.deleteRoom(connection, room).catch(() => undefined);
  }
  return { result: "answered (200)", sipStatus: 200 };
}

/** Calls the platform as the VoIP system does. */
async function callIn({ connection }: Account, { owner, args }: Wanted<TestCallInputs>): Promise<Props> {
  const { username, password } = args;
  const server = platformServer(args, connection);
  const to = calledNumber(args);
  const outcome = await placeCall({
    server,
    to,
    from: args.from === undefined ? (username ?? "pulumi-test-call") : written(args.from, args),
    ...(username !== undefined && password !== undefined ? { credential: { username, password } } : {}),
    secureMedia: args.mediaEncryption === "require",
    timeoutMs: (args.ringingTimeout ?? RINGING_TIMEOUT) * 1000,
  });
  if (outcome.kind !== "accepted") {
    const where = `${bracketed(server.host)}${server.port === undefined ? "" : `:${server.port}`}`;
    throw new ResourceError(
      `TestCall "${nameOf(owner)}": the call to ${to} on SipTrunk "${nameOf(args.trunk)}" at ${where} ${inboundFailure(outcome, args)}`,
    );
  }
  const { status } = outcome;
  return { result: `${status < 200 ? "ringing" : "answered"} (${status})`, sipStatus: status };
}

function place(session: Session, wanted: Wanted<TestCallInputs>): Promise<Props> {
  return wanted.args.direction === "outbound" ? callOut(session, wanted) : callIn(session.account, wanted);
}

/** The lifecycle of a {@link TestCall}. It leaves nothing behind that could be looked at, changed or deleted. */
export const testCall: Resource<Schema> = {
  kind: "TestCall",
  schema,
  stableOutputs: [],
  goneNeedsNewId: false,
  deleteBeforeReplace: false,

  rules({ direction, to, ...args }, isKnown) {
    const problems: string[] = [];
    if (direction === "outbound" && isKnown("to") && to === undefined) {
      problems.push('to is missing: set the number to call, for example to: "+12025550100".');
    }
    const stray = (["from", "address", "port", "transport"] as const).filter((field) => args[field] !== undefined);
    if (direction === "outbound" && stray.length > 0) {
      problems.push(`${stray.join(", ")} does not go with direction: "outbound", which the trunk decides: remove it.`);
    }
    return problems;
  },

  canonical: () => ({}),

  claims: () => [],

  computed({ account }, _owner, { direction, address }, _olds, isKnown) {
    if (direction !== "inbound" || address !== undefined || !isKnown("address")) {
      return {};
    }
    const { sipHost } = account.connection;
    if (!sipHost) {
      throw new ConfigurationError(
        'direction: "inbound" needs the platform\'s SIP address: run `pulumi config set livekit:projectId <p_…>` or `pulumi config set livekit:sipHost <host>`, or set address.',
      );
    }
    return { sipUri: `sip:${sipHost}` };
  },

  async conflicts() {
    return NO_CONFLICTS;
  },

  async create(session, wanted) {
    const outputs = await place(session, wanted);
    return { id: `test-call-${randomBytes(6).toString("hex")}`, outputs };
  },

  update: (session, _id, wanted) => place(session, wanted),

  async delete() {
    // A call that is over leaves nothing to delete.
  },
};

/** The trunk's fingerprint; not where there is none, because an output without a value is not known in any preview. */
function credentialTriggers(trunk: SipTrunk): pulumi.Output<(string | undefined)[]> {
  return pulumi.output("password" in credentialOf(trunk) ? [trunk.credentialFingerprint] : []);
}

/**
 * Places a test call during `pulumi up`: when it is created, and whenever its arguments or triggers change, which by default
 * the trunk's credential is. A call that fails fails the deployment. A preview places none.
 *
 * @example
 * new TestCall("reception-out", { trunk: reception, direction: "outbound", to: "+12025550100" });
 */
export class TestCall extends pulumi.dynamic.Resource {
  /** What became of the last call: `"answered (200)"`, or for `"inbound"` also `"ringing (180)"`. */
  declare readonly result: pulumi.Output<string>;
  /** The SIP status by which it was taken: 180, 183 or 200. */
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
        owner: ownerOf(name, "pulumi-nodejs:dynamic/livekit:TestCall", options),
        result: undefined,
        sipStatus: undefined,
      },
      supported("TestCall", name, options),
      "livekit",
      "TestCall",
    );
  }
}
