/** SipTrunk: one SIP integration, as an inbound and an outbound LiveKit trunk that share one credential. */

import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { credentialFingerprint } from "./credential/fingerprint";
import { lacksSpecialCharacter, passwordProblems } from "./credential/password";
import { type Change, changedOutside, shownChanges } from "./dynamic/drift";
import { ResourceError } from "./dynamic/errors";
import { fingerprintOf } from "./dynamic/fingerprint";
import type { ArgsOf } from "./dynamic/inputs";
import { NO_CONFLICTS, type Observation, type Resource, type Wanted } from "./dynamic/lifecycle";
import { supported } from "./dynamic/options";
import { aliasOf, ownerOf } from "./dynamic/owner";
import { goneForGood } from "./dynamic/project";
import { thinProvider } from "./dynamic/provider";
import * as schemas from "./dynamic/schemas";
import type { Session } from "./dynamic/session";
import { differences, NONE, type Props, UNKNOWN } from "./dynamic/values";
import { probeVoip, requireAccepted, type VoipSide, wantedVoipStatus } from "./dynamic/voip-status";
import type { Account } from "./livekit/account";
import { exposureOf } from "./livekit/addresses";
import { ConfigurationError, type Connection } from "./livekit/connection";
import { LiveKitError } from "./livekit/errors";
import {
  INCLUDE_HEADERS,
  type InboundFields,
  type InboundTrunk,
  type OutboundFields,
  type OutboundTrunk,
  type Rule,
  TRANSPORTS,
} from "./livekit/messages";
import { composeMetadata, MARKER_KEY, nameOf, stackOf, usesMarkerKey } from "./livekit/ownership";
import { isTransient } from "./livekit/retry";
import * as sip from "./livekit/sip-api";
import * as trunks from "./livekit/trunks";
import {
  formatNumber,
  isKnownCountry,
  matchingForm,
  NUMBER_FORMATS,
  type NumberFormatOptions,
  numberForms,
  PhoneNumberError,
  parseNumber,
  writtenNumber,
} from "./phone-number/format";
import { isVerifier, type VoipCredential } from "./voip/credential";
import { CHECK_METHODS, type CheckMethod } from "./voip/credential-check";

const schema = z.strictObject({
  /**
   * What the VoIP system gives the platform: `"extension"`, an extension of a PBX, or `"did"`, direct inward dial numbers.
   * @livekit decides what goes into `numbers`
   * @answers Step 3: SIP trunk type
   */
  type: z.enum(["extension", "did"]),

  /**
   * The extension that the platform is on the PBX, for example `"1011"`. Only with `type: "extension"`.
   * @livekit inbound `numbers`, outbound `numbers`
   * @answers Step 3: SIP Extension
   */
  extension: z
    .string()
    .regex(/^[\w.*#+-]+$/, { error: 'must be an extension as it is dialled, for example "1011"' })
    .optional(),

  /**
   * The phone numbers that the VoIP system routes to the platform, written internationally, or as within `country`; a short one
   * is a phone number here, too. Only with `type: "did"`.
   * @livekit inbound `numbers` and outbound `numbers`, in `numberFormat`; the national format adds +E.164 on the way in
   * @answers Step 3: Phone Number (DID)
   */
  numbers: z.array(z.string()).min(1, { error: "must hold at least one number" }).optional(),

  /**
   * Host or IP of the VoIP system, without scheme and port.
   * @livekit outbound `address`
   * @answers Step 4: SIP Address
   */
  address: schemas.host,

  /**
   * Port of the VoIP system, 1 to 65535.
   * @default by SRV record, or the transport's own
   * @livekit outbound `address`, after a colon
   * @answers Step 4: SIP Address
   */
  port: z.number().int().min(1).max(65535).optional(),

  /**
   * How calls are sent out: `"auto"`, `"udp"`, `"tcp"` or `"tls"`.
   * @default `"auto"`
   * @livekit outbound `transport`
   */
  transport: z.enum(TRANSPORTS).optional().meta({ whenAbsent: "auto" }),

  /**
   * Encryption of the media (SRTP): `"disabled"`, `"allow"` or `"require"`.
   * @default `"disabled"`
   * @livekit inbound and outbound `media.encryption`
   */
  mediaEncryption: schemas.mediaEncryption.optional().meta({ whenAbsent: "disabled" }),

  /**
   * The user name of the credential, in both directions.
   * @default the extension; none for `type: "did"`
   * @livekit outbound `authUsername`; inbound `authUsername` once an InboundAuth asks for credentials
   * @answers Steps 1, 3: Username
   */
  username: z
    .string()
    .min(1)
    .refine((name) => !/[\s"]/.test(name), { error: "must not hold spaces or quotation marks" })
    .optional(),

  /**
   * The password of the credential, in both directions. Always kept secret. At least 12 characters, with digits, upper and
   * lower case letters; special characters are recommended.
   * @livekit outbound `authPassword`; inbound `authPassword` once an InboundAuth asks for credentials
   * @answers Steps 1, 3: Password; Security Requirements
   */
  password: z
    .string()
    .superRefine((password, context) => {
      const missing = passwordProblems(password);
      if (missing.length > 0) {
        context.addIssue(`is too weak: it also needs ${missing.join(", ")}`);
      }
    })
    .optional()
    .meta({ secret: true }),

  /**
   * How the VoIP system is asked whether it accepts the credential: `"register"`, a REGISTER that changes nothing; `"options"`,
   * an OPTIONS, and a REGISTER where that is answered without asking for a credential; `"off"`. It is asked in a preview with
   * refresh, and before `up` changes anything; see voipStatus.
   * @default `"register"` for an extension, `"options"` for numbers
   * @answers Credential Synchronization; Step 8: Verify Setup
   */
  voipCheck: z.enum([...CHECK_METHODS, "off"]).optional(),

  /**
   * How long the VoIP system is given to answer all of that, in seconds; 60 at most.
   * @default `3`
   */
  voipCheckTimeout: z.number().positive().max(60).optional().meta({ whenAbsent: 3 }),

  /** @internal What is stored in the VoIP system where that holds no password: a hash to compare the declared one with. */
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
   * @livekit outbound `destinationCountry`; `country` in the metadata of both
   * @answers Step 7: Country
   */
  country: z
    .string()
    .refine(isKnownCountry, { error: 'is not a country code of ISO 3166-1 alpha-2: write it like "US" or "RO"' }),

  /**
   * How the VoIP system writes phone numbers: `"international"` (`+12025550123`), `"international-without-plus"`
   * (`12025550123`) or `"national"` (`0741926265`). Agents follow it with `formatDialedNumber`.
   * @default `"international"`
   * @livekit shapes inbound and outbound `numbers`; `numberFormat` in the metadata of both
   * @answers Step 5: Number Format
   */
  numberFormat: z.enum(NUMBER_FORMATS).optional().meta({ whenAbsent: "international" }),

  /**
   * Sends calls through the platform's proxy with a fixed IP address (stack configuration `livekit:outboundProxy`), for VoIP
   * systems that only take calls from one address.
   * @default `false`
   * @livekit outbound `address` (the proxy's) and `headers` (the real destination)
   * @answers Step 4: Outbound Proxy (Fixed IP)
   */
  fixedIp: z.boolean().optional().meta({ whenAbsent: false }),

  /**
   * The trunks' name on LiveKit.
   * @default the resource's name
   * @livekit inbound and outbound `name`
   */
  name: z.string().min(1),

  /**
   * Your own metadata for the trunks, written byte for byte. This package adds its own beside it, under `pulumi-livekit-sip`.
   * At most 512 KiB.
   * @livekit inbound and outbound `metadata`
   */
  metadata: schemas.metadata.optional().meta({ whenAbsent: "" }),

  /**
   * Headers to send: in the INVITE of calls out, in the 200 OK of calls in. Names that SIP itself depends on are refused.
   * @livekit inbound and outbound `headers`
   */
  headers: schemas.headers.optional().meta({ whenAbsent: {} }),

  /**
   * Headers of the other side that become attributes of the SIP participant: header name to attribute name.
   * @livekit inbound and outbound `headersToAttributes`
   */
  headersToAttributes: schemas.headersToAttributes.optional().meta({ whenAbsent: {} }),

  /**
   * Attributes that are sent as headers with BYE and REFER: attribute name to header name.
   * @livekit inbound and outbound `attributesToHeaders`
   */
  attributesToHeaders: schemas.attributesToHeaders.optional().meta({ whenAbsent: {} }),

  /**
   * Which headers become `sip.h.*` attributes by themselves: `"none"`, `"x-headers"` or `"all"`.
   * @default `"none"`
   * @livekit inbound and outbound `includeHeaders`
   */
  includeHeaders: z.enum(INCLUDE_HEADERS).optional().meta({ whenAbsent: "none" }),

  /**
   * How long a caller waits for an agent to answer, in seconds.
   * @default LiveKit's
   * @livekit inbound `ringingTimeout`
   */
  ringingTimeout: schemas.seconds.optional().meta({ whenAbsent: 0 }),

  /**
   * How long a call in may last, in seconds.
   * @default LiveKit's
   * @livekit inbound `maxCallDuration`
   */
  maxCallDuration: schemas.seconds.optional().meta({ whenAbsent: 0 }),

  /**
   * Noise cancellation for callers.
   * @default `false`
   * @livekit inbound `krispEnabled`
   */
  krispEnabled: z.boolean().optional().meta({ whenAbsent: false }),

  /**
   * Host of the From header in calls out.
   * @default the LiveKit project's SIP host
   * @livekit outbound `fromHost`
   */
  fromHost: schemas.host.optional(),

  /**
   * Audio codecs to offer beside the default ones, or instead of them with `onlyListedCodecs`.
   * @livekit inbound and outbound `media.codecs`
   */
  codecs: schemas.codecs.optional().meta({ whenAbsent: [] }),

  /**
   * Offer none but the listed `codecs`.
   * @default `false`
   * @livekit inbound and outbound `media.onlyListedCodecs`
   */
  onlyListedCodecs: z.boolean().optional().meta({ whenAbsent: false }),

  /**
   * How long a call may go without incoming media before it is ended, in seconds; 600 at most.
   * @default LiveKit's
   * @livekit inbound and outbound `media.mediaTimeout`
   */
  mediaTimeout: schemas.mediaTimeout.optional().meta({ whenAbsent: 0 }),
});

/** The resource type in Pulumi's URNs. */
const TYPE = "pulumi-nodejs:dynamic/livekit:SipTrunk";

type Schema = typeof schema;
type SipTrunkInputs = z.output<Schema>;
type Common = Omit<ArgsOf<Schema>, "type" | "extension" | "numbers" | "name" | "verifier"> &
  Partial<Pick<ArgsOf<Schema>, "name">> & {
    /**
     * The credential as the VoIP system holds it, from one of the credential readers, instead of `username` and `password`: when
     * it changes there, the plan shows a new fingerprint and `up` follows. Where only a hash is stored there, `password` has
     * to be declared too, and is compared with it.
     */
    credential?: pulumi.Input<VoipCredential>;
  };

/** Arguments of a {@link SipTrunk} for one extension of a PBX. */
export type ExtensionTrunkArgs = Common & {
  type: "extension";
  extension: NonNullable<ArgsOf<Schema>["extension"]>;
  numbers?: undefined;
};

/** Arguments of a {@link SipTrunk} for direct inward dial numbers. */
export type DidTrunkArgs = Common & {
  type: "did";
  numbers: NonNullable<ArgsOf<Schema>["numbers"]>;
  extension?: undefined;
};

/** Arguments of a {@link SipTrunk}. */
export type SipTrunkArgs = ExtensionTrunkArgs | DidTrunkArgs;

function formatOf({ country, numberFormat = "international" }: SipTrunkInputs): NumberFormatOptions {
  return { country, numberFormat };
}

/** The numbers that calls out show. */
function callerIds(args: SipTrunkInputs): string[] {
  return args.type === "extension"
    ? [args.extension ?? ""]
    : (args.numbers ?? []).map((number) => writtenNumber(number, formatOf(args)));
}

/** The numbers that calls in are matched by. */
function calledNumbers(args: SipTrunkInputs): string[] {
  return args.type === "extension"
    ? [args.extension ?? ""]
    : (args.numbers ?? []).flatMap((number) => numberForms(number, formatOf(args)));
}

function destination({ address, port }: SipTrunkInputs): string {
  const host = address.includes(":") && !address.startsWith("[") ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port}`;
}

/** What both trunks say alike. */
function sharedFields(args: SipTrunkInputs) {
  return {
    name: args.name,
    headers: args.headers ?? {},
    headersToAttributes: args.headersToAttributes ?? {},
    attributesToHeaders: args.attributesToHeaders ?? {},
    includeHeaders: args.includeHeaders ?? "none",
    mediaEncryption: args.mediaEncryption ?? "disabled",
    codecs: args.codecs ?? [],
    onlyListedCodecs: args.onlyListedCodecs ?? false,
    mediaTimeout: args.mediaTimeout ?? 0,
  } as const;
}

/** The inbound trunk as it should be, without its metadata and without who may call. */
function inboundFields(args: SipTrunkInputs) {
  return {
    ...sharedFields(args),
    numbers: calledNumbers(args),
    ringingTimeout: args.ringingTimeout ?? 0,
    maxCallDuration: args.maxCallDuration ?? 0,
    krispEnabled: args.krispEnabled ?? false,
  } satisfies Partial<InboundFields>;
}

/** The outbound trunk as it should be, without its metadata. */
function outboundFields(args: SipTrunkInputs, { outboundProxy }: Pick<Connection, "outboundProxy">) {
  const shared = sharedFields(args);
  const to = destination(args);
  const transport = args.transport ?? "auto";
  const proxied = args.fixedIp && outboundProxy;
  const target = transport === "auto" ? to : `${to};transport=${transport}`;
  return {
    ...shared,
    numbers: callerIds(args),
    address: proxied ? outboundProxy.address : to,
    headers: proxied ? { ...shared.headers, [outboundProxy.header]: target } : shared.headers,
    destinationCountry: args.country,
    transport,
    authUsername: args.username ?? "",
    authPassword: args.password ?? "",
    fromHost: args.fromHost ?? "",
  } satisfies Partial<OutboundFields>;
}

/** The argument that a LiveKit field shows as in the plan, where it has another name. */
const ARGUMENT_OF: Readonly<Record<string, keyof SipTrunkInputs>> = {
  destinationCountry: "country",
  authUsername: "username",
  authPassword: "password",
};

/** A difference on the platform, as the argument's value: numbers in E.164 again, an address without what is not its own. */
function liveValue(field: string, live: Props, args: SipTrunkInputs): { argument: string; value: unknown } {
  const value = live[field];
  if (field === "numbers" && Array.isArray(value)) {
    return args.type === "extension"
      ? { argument: "extension", value: value.join(", ") }
      : { argument: "numbers", value: [...new Set(value.map((number) => readable(String(number), args.country)))] };
  }
  if (field === "address") {
    return { argument: "address", value: args.fixedIp ? `${String(value)} (past the proxy)` : value };
  }
  return { argument: ARGUMENT_OF[field] ?? field, value };
}

function readable(number: string, country: string): string {
  try {
    return parseNumber(number, country);
  } catch {
    return number;
  }
}

/** The VoIP system, as far as the arguments are known. */
function voipSide(
  args: Partial<SipTrunkInputs>,
  isKnown: (field: keyof SipTrunkInputs) => boolean = () => true,
): VoipSide {
  const { address = "", port, transport = "auto", username, password, verifier, extension } = args;
  const needed = ["address", "port", "transport", "username", "password", "extension", "voipCheck"] as const;
  const credential = needed.every(isKnown)
    ? { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) }
    : {};
  return {
    address,
    transport,
    ...credential,
    ...(port === undefined ? {} : { port }),
    ...(extension === undefined ? {} : { user: extension }),
    ...(verifier === undefined ? {} : { verifier }),
    methods: checkMethods(args),
    timeoutSeconds: args.voipCheckTimeout ?? 3,
  };
}

function checkMethods({ type, voipCheck }: Partial<SipTrunkInputs>): readonly CheckMethod[] {
  switch (voipCheck ?? (type === "did" ? "options" : "register")) {
    case "register":
      return ["register"];
    case "options":
      return ["options", "register"];
    // A state may hold a word of another version.
    default:
      return [];
  }
}

function ownMarker(owner: string, id: string, args: SipTrunkInputs): trunks.OwnMarker {
  return { owner, id, numberFormat: args.numberFormat ?? "international", country: args.country };
}

/**
 * Tells this stack's own create from that of another stack with the same name, by what only this stack's program knows. An
 * interrupted create is in no state, so the trunks themselves have to carry the proof.
 */
function createProof(
  owner: string,
  { username, password, address }: Partial<SipTrunkInputs>,
  { apiSecret }: Connection,
): string | undefined {
  // A username comes with a password, which is not known yet where it is not there.
  const known = username === undefined ? address : password;
  return known === undefined ? undefined : credentialFingerprint(apiSecret, `create ${owner}`, known);
}

/** The arguments that LiveKit's own messages mark as sensitive; the password has its fingerprint. */
const SENSITIVE: ReadonlySet<string> = new Set<keyof SipTrunkInputs>(["username", "headers", "metadata"]);

/** The arguments in which a half differs from what was applied. */
function changesIn(
  live: InboundTrunk | OutboundTrunk,
  wanted: Props,
  args: SipTrunkInputs,
  own: trunks.OwnMarker,
): Change[] {
  const view: Props = { ...live };
  const fields = differences<Props>(wanted, view).filter(
    (field) => field !== "authPassword" || !trunks.hidesPassword(live),
  );
  const changes = fields.map((field) => {
    const { argument, value } = liveValue(field, view, args);
    return { argument, declared: wanted[field], live: value };
  });
  const metadata = { argument: "metadata", declared: args.metadata ?? "", live: trunks.metadataOf(live).user };
  return [...changes, ...(trunks.metadataDiffers(live, metadata.declared, own) ? [metadata] : [])];
}

function missing(kind: string, recorded: unknown): string {
  return recorded === undefined ? `${kind} trunk was never created` : `${kind} trunk ${String(recorded)} is gone`;
}

/** Compares what is on the platform with what was applied. */
function compare(
  { inbound, outbound, spare }: trunks.Pair,
  { owner, args }: Wanted<SipTrunkInputs>,
  id: string,
  state: Props,
  connection: Connection,
): Observation {
  const own = ownMarker(owner, id, args);
  const changes = [
    ...(outbound ? changesIn(outbound, outboundFields(args, connection), args, own) : []),
    ...(inbound ? changesIn(inbound, inboundFields(args), args, own) : []),
  ];
  const password = changes.find(({ argument }) => argument === "password")?.live;
  const { values, names, digest } = shownChanges(
    changes.filter(({ argument }) => argument !== "password"),
    { sensitive: SENSITIVE, apiSecret: connection.apiSecret, subject: owner },
  );
  const changed = [...names, ...(password === undefined ? [] : ["password"])];
  const hidden = outbound && trunks.hiddenChange("outbound", outbound);
  const isOpened = inbound && !trunks.metadataOf(inbound).marker?.openedBy && !trunks.isClosed(inbound);
  const words = [
    changed.length > 0 && changedOutside(changed, digest),
    !inbound && missing("inbound", state.inboundTrunkId),
    !outbound && missing("outbound", state.outboundTrunkId),
    hidden,
    isOpened &&
      `inbound trunk ${inbound.id} ${exposureOf(inbound) === "none" ? "was opened outside Pulumi" : "is OPEN TO ANYONE"}`,
    spare.length > 0 && `${spare.map((trunk) => trunk.id).join(", ")} left over from an update that was cut off`,
  ].filter((text) => typeof text === "string");
  const fingerprint =
    password === undefined ? hidden && "hidden" : credentialFingerprint(connection.apiSecret, owner, String(password));
  return {
    values: { ...values, ...(fingerprint ? { credentialFingerprint: fingerprint } : {}) },
    words,
    // A half whose create got no answer is found by its marker alone: its id is not in the state yet.
    outputs: {
      ...(inbound ? { inboundTrunkId: inbound.id } : {}),
      ...(outbound ? { outboundTrunkId: outbound.id } : {}),
    },
  };
}

/** Makes the inbound trunk what it should be. It stays closed, or opened by whom it is, at every moment. */
async function ensureInbound(
  account: Account,
  live: InboundTrunk | undefined,
  { args }: Wanted<SipTrunkInputs>,
  own: trunks.OwnMarker,
  mayStayOpen: boolean,
): Promise<InboundTrunk> {
  const wanted = inboundFields(args);
  const user = args.metadata ?? "";
  if (!live) {
    const fields = { ...wanted, ...trunks.closedFields(), allowedNumbers: [], metadata: composeMetadata(user, own) };
    const mine = (trunk: InboundTrunk) => trunks.metadataOf(trunk).marker?.id === own.id;
    return sip.inbound.create(account.connection, fields, async () => (await account.inbound.fresh()).find(mine));
  }
  const openedBy = mayStayOpen ? trunks.metadataOf(live).marker?.openedBy : undefined;
  const changes: Partial<InboundFields> = Object.fromEntries(
    differences<Partial<InboundFields>>(wanted, live).map((field) => [field, Reflect.get(wanted, field)]),
  );
  const mustClose = !openedBy && !trunks.isClosed(live);
  if (Object.keys(changes).length === 0 && !mustClose && !trunks.metadataIsToWrite(live, user, own)) {
    return live;
  }
  const metadata = trunks.metadataFor(live, user, own, openedBy);
  const credential = mustClose ? trunks.closedFields() : hiddenCredential(live, changes, openedBy !== undefined, args);
  return sip.inbound.update(account.connection, live, { ...changes, ...credential, metadata });
}

/** A whole replace must bring the password along; where LiveKit hides it, it is the credential's, or a new closed one. */
function hiddenCredential(
  live: InboundTrunk,
  changes: Partial<InboundFields>,
  isOpen: boolean,
  args: SipTrunkInputs,
): Partial<InboundFields> {
  if (sip.inbound.isFieldWise(changes) || !trunks.hidesPassword(live)) {
    return {};
  }
  return isOpen && live.authUsername === args.username && args.password
    ? { authPassword: args.password }
    : trunks.closedFields();
}

async function ensureOutbound(
  account: Account,
  live: OutboundTrunk | undefined,
  { args }: Wanted<SipTrunkInputs>,
  own: trunks.OwnMarker,
  state: Props,
): Promise<OutboundTrunk> {
  const wanted = outboundFields(args, account.connection);
  const user = args.metadata ?? "";
  if (!live) {
    const fields = { ...wanted, metadata: composeMetadata(user, own) };
    const mine = (trunk: OutboundTrunk) => trunks.metadataOf(trunk).marker?.id === own.id;
    return sip.outbound.create(account.connection, fields, async () => (await account.outbound.fresh()).find(mine));
  }
  const hidden = trunks.hidesPassword(live);
  const keepsPassword = hidden && state.password === args.password && !trunks.changedByOthersAt(live);
  const changed = differences<Partial<OutboundFields>>(wanted, live).filter(
    (field) => field !== "authPassword" || !keepsPassword,
  );
  if (changed.length === 0 && !trunks.metadataIsToWrite(live, user, own)) {
    return live;
  }
  const changes: Partial<OutboundFields> = Object.fromEntries(
    changed.map((field) => [field, Reflect.get(wanted, field)]),
  );
  const metadata = trunks.metadataFor(live, user, own);
  // Where LiveKit hides the password, a whole replace has to bring it along.
  const password = hidden ? { authPassword: wanted.authPassword } : {};
  return sip.outbound.update(account.connection, live, {
    ...changes,
    ...password,
    metadata,
  });
}

/**
 * Makes the pair what it should be, from whatever is there. A half that fails leaves the other one recorded; and where it is not
 * known whether the first was made, the resource is recorded, whose id finds it.
 */
async function ensure(
  account: Account,
  id: string,
  pair: trunks.Pair & { readonly mayStayOpen?: boolean },
  wanted: Wanted<SipTrunkInputs>,
  state: Props,
  doing: "Creating" | "Updating",
): Promise<Props> {
  const marker = ownMarker(wanted.owner, id, wanted.args);
  const proof = doing === "Creating" ? createProof(wanted.owner, wanted.args, account.connection) : undefined;
  const own = proof === undefined ? marker : { ...marker, unconfirmed: proof };
  const outputs: Record<string, unknown> = {
    inboundTrunkId: pair.inbound?.id,
    outboundTrunkId: pair.outbound?.id,
    project: account.connection.project,
  };
  try {
    const inbound = await ensureInbound(account, pair.inbound, wanted, own, pair.mayStayOpen ?? true);
    outputs.inboundTrunkId = inbound.id;
    await account.inbound.put(inbound);
    const outbound = await ensureOutbound(account, pair.outbound, wanted, own, state);
    outputs.outboundTrunkId = outbound.id;
    await account.outbound.put(outbound);
    await removeTrunks(account, pair.spare);
  } catch (error) {
    const mayExist = outputs.inboundTrunkId !== undefined || isTransient(error);
    if (!(error instanceof LiveKitError) || !mayExist) {
      throw error;
    }
    throw new ResourceError(
      `${doing} SipTrunk "${nameOf(wanted.owner)}": ${error.message} What was done is recorded: run \`pulumi up\` again to finish it.`,
      { cause: error, partial: { id, properties: { ...wanted.inputs, ...outputs } } },
    );
  }
  return outputs;
}

async function removeTrunks(account: Account, pair: readonly { readonly id: string }[]): Promise<void> {
  for (const { id } of pair) {
    await sip.deleteTrunk(account.connection, id);
    await Promise.all([account.inbound.remove(id), account.outbound.remove(id)]);
  }
}

function pairKey(id: string, state: Props): trunks.PairKey {
  return { id, inboundTrunkId: state.inboundTrunkId, outboundTrunkId: state.outboundTrunkId };
}

/** The lifecycle of a {@link SipTrunk}. */
export const sipTrunk: Resource<Schema> = {
  kind: "SipTrunk",
  schema,
  stableOutputs: ["inboundTrunkId", "outboundTrunkId"],
  goneNeedsNewId: false,
  deleteBeforeReplace: false,

  rules(args, isKnown) {
    const problems: string[] = [];
    const { type, extension, numbers, country, username, password, headers, metadata } = args;
    if (type === "extension" && isKnown("extension") && extension === undefined) {
      problems.push('extension is missing: set it, for example extension: "1011", or use type: "did" with numbers.');
    }
    if (type === "extension" && numbers !== undefined) {
      problems.push('numbers does not go with type: "extension": remove it, or use type: "did".');
    }
    if (type === "did" && isKnown("numbers") && numbers === undefined) {
      problems.push(
        'numbers is missing: set it, for example numbers: ["+12025550123"], or use type: "extension" with extension.',
      );
    }
    if (type === "did" && extension !== undefined) {
      problems.push('extension does not go with type: "did": remove it, or use type: "extension".');
    }
    if (args.verifier && isKnown("password") && password === undefined) {
      problems.push(
        `password is missing: ${args.verifier.source} holds only a hash of it, which LiveKit can't use; declare the password too.`,
      );
    } else if (username !== undefined && isKnown("password") && password === undefined) {
      problems.push(
        "password is missing: a username without a password would let calls in unasked; set both or neither.",
      );
    }
    if (password !== undefined && isKnown("username") && username === undefined) {
      problems.push("username is missing: set it together with password, or set neither.");
    }
    if (numbers !== undefined && country !== undefined && type === "did" && isKnown("numberFormat")) {
      problems.push(...numberProblems(numbers, country, args.numberFormat ?? "international"));
    }
    if (metadata !== undefined && usesMarkerKey(metadata)) {
      problems.push(`metadata must not use the key "${MARKER_KEY}": this package keeps its own there; choose another.`);
    }
    if (args.fixedIp && headers && Object.keys(headers).some((name) => name.toLowerCase() === "route")) {
      problems.push("headers must not set Route together with fixedIp: the proxy decides the way; remove it.");
    }
    return problems;
  },

  canonical({ numbers, country }) {
    return numbers && country ? { numbers: numbers.map((number) => parseNumber(number, country)) } : {};
  },

  claims({ extension, numbers }) {
    return [extension, ...(numbers ?? [])]
      .filter((number) => number !== undefined)
      .map((number) => ({ key: matchingForm(number), words: `the number ${number} can only be on one trunk, and is` }));
  },

  computed(session, owner, args, olds, isKnown) {
    const { password, fixedIp, type, country } = args;
    const { connection } = session.account;
    if (type !== undefined && country !== undefined && (args.extension ?? args.numbers)) {
      session.calledNumbers.set(owner, calledNumbers({ name: "", address: "", ...args, type, country }));
    }
    if (fixedIp && !connection.outboundProxy) {
      throw new ConfigurationError(
        "fixedIp needs the stack configuration livekit:outboundProxy: run `pulumi config set --path livekit:outboundProxy.address <proxy>`, or set fixedIp to false.",
      );
    }
    return {
      ...fingerprintOf(session, owner, isKnown("password") ? password : UNKNOWN, olds),
      ...wantedVoipStatus(voipSide(args, isKnown), olds),
      sipUri: connection.sipHost ? `sip:${connection.sipHost}` : NONE,
    };
  },

  async conflicts(session, owner, args, existing) {
    const { type, country } = args;
    if (type === undefined || country === undefined || (type === "did" ? !args.numbers : !args.extension)) {
      return NO_CONFLICTS;
    }
    const { own } = session;
    const known = { name: "", address: "", ...args, type, country };
    const live = existing && (await trunks.pairOf(session.account, pairKey(existing.id, existing.state)));
    const left = live?.inbound || live?.outbound ? undefined : await leftoverOf(session, owner, args);
    if (left?.refusal) {
      return { problems: [left.refusal] };
    }
    const taken = await numberTakenBy(session, owner, known, existing, left !== undefined);
    if (taken) {
      return { problems: [taken] };
    }
    const found = left ? [left.inbound, left.outbound, ...left.spare].filter((trunk) => trunk !== undefined) : [];
    own.takeOver(found.map(({ id }) => id));
    const strange = found.filter((trunk) => !own.has(trunk.id) && !own.has(trunks.metadataOf(trunk).marker?.id));
    if (strange.length === 0) {
      return NO_CONFLICTS;
    }
    const closes =
      left?.inbound && !left.mayStayOpen ? "; the inbound one is closed until an InboundAuth opens it" : "";
    return {
      problems: [],
      remarks: [
        `takes over ${strange.map(({ id }) => id).join(" and ")} on LiveKit, which carry its name and are in no state${closes}.`,
      ],
    };
  },

  async observe(session, id, applied, state) {
    const { account } = session;
    const pair = await trunks.pairOf(account, pairKey(id, state));
    if (!pair.inbound && !pair.outbound) {
      goneForGood("SipTrunk", applied.owner, state, account.connection);
      return undefined;
    }
    return compare(pair, applied, id, state, account.connection);
  },

  probe: (session, { args }) => probeVoip(session, voipSide(args)),

  async create(session, wanted) {
    const { account } = session;
    const voip = await requireAccepted(session, "Creating", wanted.owner, voipSide(wanted.args));
    const id = `sip-trunk-${randomBytes(6).toString("hex")}`;
    const leftover = await leftoverOf(session, wanted.owner, wanted.args);
    const problem = leftover.refusal ?? (await numberTakenBy(session, wanted.owner, wanted.args));
    if (problem) {
      throw new ResourceError(`Creating SipTrunk "${nameOf(wanted.owner)}": ${problem}`);
    }
    return { id, outputs: { ...voip, ...(await ensure(account, id, leftover, wanted, {}, "Creating")) } };
  },

  async update(session, id, wanted, state) {
    const { account } = session;
    const voip = await requireAccepted(session, "Updating", wanted.owner, voipSide(wanted.args));
    const pair = await trunks.freshPairOf(account, pairKey(id, state));
    if (pair.inbound ?? pair.outbound) {
      return { ...voip, ...(await ensure(account, id, pair, wanted, state, "Updating")) };
    }
    goneForGood("SipTrunk", wanted.owner, state, account.connection);
    const leftover = await leftoverOf(session, wanted.owner, wanted.args);
    if (leftover.refusal) {
      throw new ResourceError(`Updating SipTrunk "${nameOf(wanted.owner)}": ${leftover.refusal}`);
    }
    return { ...voip, ...(await ensure(account, id, leftover, wanted, state, "Updating")) };
  },

  async delete(session, id, applied, state) {
    const { account } = session;
    const { inbound, outbound, spare } = await trunks.pairToDelete(account, pairKey(id, state));
    if (!inbound && !outbound) {
      goneForGood("SipTrunk", applied.owner, state, account.connection);
    }
    await removeTrunks(
      account,
      [inbound, outbound, ...spare].filter((trunk) => trunk !== undefined),
    );
  },
};

/** A pair that is there before its SipTrunk is created, and what may be done with it. */
interface Leftover extends trunks.Pair {
  /** Why it is left alone, and how to go on. */
  readonly refusal?: string;
  /** Whether an InboundAuth that this stack still has opened it. */
  readonly mayStayOpen: boolean;
}

/**
 * The pair that carries a SipTrunk's name although the plan creates it. It is this stack's own if the state knows it (a
 * replacement), if an interrupted create of the same program made it and nothing has been built on it since, or if the user
 * says so. Else a stack of the same name on another state backend may live from it.
 */
async function leftoverOf({ account, own }: Session, owner: string, args: Partial<SipTrunkInputs>): Promise<Leftover> {
  const { connection } = account;
  const owners = [owner, own.formerOwner("SipTrunk", owner)].filter((name) => name !== undefined);
  const pairs = await Promise.all(owners.map((name) => trunks.pairOwnedBy(account, name)));
  const pair = pairs.find(({ inbound, outbound }) => inbound ?? outbound) ?? { spare: [] };
  const found = [pair.inbound, pair.outbound, ...pair.spare].filter((trunk) => trunk !== undefined);
  const proof = createProof(owner, args, connection);
  // Only a program whose state knows the trunk has come as far as to make a rule that leads to it.
  const isUsed = pair.inbound !== undefined && (await account.rules.having(leadingTo, pair.inbound.id)).length > 0;
  const isOurs = (trunk: InboundTrunk | OutboundTrunk) => {
    const { marker } = trunks.metadataOf(trunk);
    const { id, openedBy, unconfirmed } = marker ?? {};
    return (
      own.has(id) ||
      own.has(openedBy?.id) ||
      connection.takeOver?.has(id ?? "") ||
      (unconfirmed !== undefined && unconfirmed === (proof ?? unconfirmed) && !openedBy && !isUsed)
    );
  };
  const opener = pair.inbound && trunks.metadataOf(pair.inbound).marker;
  const mayStayOpen = own.has(opener?.id) || own.has(opener?.openedBy?.id);
  if (found.every(isOurs)) {
    return { ...pair, mayStayOpen };
  }
  const ids = [...new Set(found.map((trunk) => trunks.metadataOf(trunk).marker?.id))].join(",");
  return {
    ...pair,
    mayStayOpen,
    refusal:
      `${found.map(({ id }) => id).join(" and ")} on LiveKit belong to a SipTrunk of the same name (${owner}) that this stack's state does not know. ` +
      `If another stack of that name uses them, rename this stack or its project. If they are this stack's and its state was lost, run \`pulumi config set livekit:takeOver ${ids}\` and \`pulumi up\`; or delete them.`,
  };
}

/** The trunks that a rule leads to, as keys to look it up by. */
function leadingTo({ trunkIds }: Rule): readonly string[] {
  return trunkIds;
}

/** Who has a number that the SipTrunk needs, as a sentence that says how to go on. */
async function numberTakenBy(
  { account, own }: Session,
  owner: string,
  args: SipTrunkInputs,
  existing?: { readonly id: string; readonly state: Props },
  /** Whether it takes over what carries its name, which {@link leftoverOf} has allowed. */
  takesOver = true,
): Promise<string | undefined> {
  const numbers = calledNumbers(args);
  const [live] = await account.inbound.having(trunks.owners, owner);
  const sameNumber = await trunks.conflictingTrunks(account, { numbers, allowedNumbers: live?.allowedNumbers ?? [] });
  const names = [owner, own.formerOwner("SipTrunk", owner)];
  const others = sameNumber.filter((trunk) => {
    const { marker } = trunks.metadataOf(trunk);
    return marker
      ? marker.id !== existing?.id && !(names.includes(marker.owner) && (takesOver || own.has(marker.id)))
      : trunk.id !== existing?.state.inboundTrunkId;
  });
  for (const other of others) {
    const { marker } = trunks.metadataOf(other);
    const id = marker?.id ?? other.id;
    const manager = own.ownerOf("SipTrunk", id) ?? marker?.owner;
    const number = numbers.find((it) => other.numbers.some((its) => matchingForm(its) === matchingForm(it)));
    const isTwin = names.includes(manager) && !own.has(id);
    if (!manager || isTwin || !(own.has(id) || stackOf(manager) === stackOf(owner))) {
      const twin = isTwin ? " of another state" : "";
      const whose = manager ? `which ${manager}${twin} manages` : "which this stack does not manage";
      return `${args.type === "did" ? "numbers" : "extension"}: ${number} is taken by the inbound trunk ${other.id} of this LiveKit project, ${whose}: use another number, or delete that trunk.`;
    }
    // One that was declared before gives the number up in this very update, or the claims have refused it.
    if (!own.isDeclared("SipTrunk", manager)) {
      return (
        `SipTrunk "${nameOf(manager)}" of this stack still has the number ${number} (inbound trunk ${other.id}). If this is that one with a new name, ` +
        `give it the option ${aliasOf(manager, owner)}; if the number moves, take it from that one first, with a \`pulumi up\` of its own; if an interrupted \`pulumi up\` left that trunk, delete it.`
      );
    }
  }
  return undefined;
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

/** What other resources have to know of a trunk while its outputs are not known yet. */
interface Declared {
  readonly hasCredential: boolean;
  readonly dialPlan: Pick<SipTrunkArgs, "extension" | "numbers" | "country" | "numberFormat" | "mediaEncryption">;
}

/** The same for every copy of this package that a program loads: a shared library may bring its own. */
const DECLARED = Symbol.for("pulumi-livekit-sip/SipTrunk");

/** @throws RunError where a resource is given something else than a SipTrunk */
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
 * The credential of a trunk: its outputs, so that whatever transforms and ignoreChanges make of it counts for both halves.
 * Empty where none is declared; the outputs alone do not tell that from "not known yet" in a first preview.
 */
export function credentialOf(trunk: SipTrunk): Partial<Pick<SipTrunk, "username" | "password">> {
  const { username, password } = trunk;
  return declaredBy(trunk).hasCredential ? { username, password } : {};
}

/** The numbers of a trunk and how it writes them, as the program gave them, for the same reason as {@link credentialOf}. */
export function dialPlanOf(trunk: SipTrunk): Declared["dialPlan"] {
  return declaredBy(trunk).dialPlan;
}

/** The credential among a trunk's arguments, its secrets marked, whichever way it was given. */
function credentialIn({ credential, username, password }: SipTrunkArgs) {
  if (credential === undefined) {
    return { username, password: password === undefined ? undefined : pulumi.secret(password), verifier: undefined };
  }
  const held = pulumi.secret(credential);
  return {
    username: username ?? pulumi.unsecret(held.apply((it) => it.username)),
    password: pulumi.secret(pulumi.all([held, password]).apply(([it, declared]) => followed(it, declared))),
    verifier: held.apply((it) => (isVerifier(it) ? it : undefined)),
  };
}

function followed(held: VoipCredential, declared: string | undefined): string | undefined {
  if (isVerifier(held)) {
    return declared;
  }
  if (declared !== undefined) {
    throw new pulumi.RunError(
      "SipTrunk takes its password from the VoIP system (credential) and has one of its own (password): remove one of them.",
    );
  }
  return held.password;
}

/**
 * One SIP integration: a company's phone system (the VoIP system) on one side, a LiveKit project on the other. Makes an inbound
 * and an outbound LiveKit trunk that share one credential. The inbound trunk is closed until an {@link InboundAuth} says who
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
export class SipTrunk extends pulumi.dynamic.Resource {
  /** Id of the inbound LiveKit trunk (`ST_…`). */
  declare readonly inboundTrunkId: pulumi.Output<string>;
  /** Id of the outbound LiveKit trunk (`ST_…`): what an agent passes to LiveKit to place a call. */
  declare readonly outboundTrunkId: pulumi.Output<string>;
  /** Where the VoIP system must send its calls; null without `livekit:projectId` or `livekit:sipHost`. */
  declare readonly sipUri: pulumi.Output<string | null>;
  /** Changes when the password does, without showing it; undefined without a password. */
  declare readonly credentialFingerprint: pulumi.Output<string | undefined>;
  /** `"in sync"`, or in words how the platform differs from what was applied. */
  declare readonly platformStatus: pulumi.Output<string>;
  /**
   * `"accepts the credential"`, or what the VoIP system said instead: `"pbx.acme.com rejects the credential (401)"` is drift;
   * `"unreachable: …"` and `"not checked: …"` are only said.
   */
  declare readonly voipStatus: pulumi.Output<string>;
  /** The user name of the credential. */
  declare readonly username: pulumi.Output<string | undefined>;
  /** The password of the credential; secret. */
  declare readonly password: pulumi.Output<string | undefined>;
  /** Who owns the trunks, as written into their metadata: organization/project/stack/name. */
  declare readonly owner: pulumi.Output<string>;

  /** @internal */
  declare readonly [DECLARED]: Declared;

  /** Whether an object is a SipTrunk, made by this copy of the package or by another one. */
  static override isInstance(object: unknown): object is SipTrunk {
    return typeof object === "object" && object !== null && DECLARED in object;
  }

  constructor(name: string, args: SipTrunkArgs, options?: pulumi.CustomResourceOptions) {
    const { credential, ...rest } = args;
    const { username = args.extension, password, verifier } = credentialIn(args);
    super(
      thinProvider("SipTrunk"),
      name,
      {
        ...rest,
        name: args.name ?? name,
        username,
        password,
        ...(verifier && { verifier }),
        owner: ownerOf(name, TYPE, options),
        inboundTrunkId: undefined,
        outboundTrunkId: undefined,
        sipUri: undefined,
        credentialFingerprint: undefined,
        platformStatus: undefined,
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
    pulumi.output(password).apply((text) => {
      if (typeof text === "string" && lacksSpecialCharacter(text)) {
        void pulumi.log.warn("password has no special character: one is recommended.", this);
      }
    });
  }
}
