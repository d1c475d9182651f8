/** InboundAuth: who may call in on a SipTrunk. */

import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { credentialFingerprint } from "./credential/fingerprint";
import { changedOutside, shownChanges } from "./dynamic/drift";
import { ResourceError } from "./dynamic/errors";
import { fingerprintOf } from "./dynamic/fingerprint";
import type { ArgsOf } from "./dynamic/inputs";
import { NO_CONFLICTS, type Observation, type Resource, type Wanted } from "./dynamic/lifecycle";
import { supported } from "./dynamic/options";
import { ownerOf } from "./dynamic/owner";
import { goneForGood } from "./dynamic/project";
import { thinProvider } from "./dynamic/provider";
import type { Session } from "./dynamic/session";
import { differences, type Props, UNKNOWN } from "./dynamic/values";
import { admitsEveryone, canonicalCidr, exposureOf } from "./livekit/addresses";
import type { InboundFields, InboundTrunk } from "./livekit/messages";
import { composeMetadata, type Marker, nameOf, stackOf } from "./livekit/ownership";
import { isTransient } from "./livekit/retry";
import * as sip from "./livekit/sip-api";
import * as trunks from "./livekit/trunks";
import { NUMBER_FORMATS, type NumberFormatOptions, writtenForms } from "./phone-number/format";
import { credentialOf, dialPlanOf, requireTrunk, type SipTrunk } from "./sip-trunk";

const schema = z.strictObject({
  /**
   * The trunk to open, a SipTrunk of this program.
   * @livekit the inbound trunk that is changed
   */
  trunk: z.string().meta({ replaces: true }),

  /**
   * How callers prove that they may call: `"credentials"`, the trunk's own user name and password, or `"ip"`, an address among
   * `allowedAddresses`.
   * @livekit inbound `authUsername` and `authPassword`, or `allowedAddresses`; the other way's fields are emptied
   * @answers Step 6: Inbound Authentication
   */
  method: z.enum(["credentials", "ip"]),

  /**
   * The IP addresses and CIDR ranges that calls may come from; a bare IP is written as /32 or /128. Only with `method: "ip"`.
   * @livekit inbound `allowedAddresses`
   * @answers Step 6: IP Address (Whitelist IPs)
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
   * The callers that may call. A phone number is written with `+`, or as dialled within the trunk's country with at least seven
   * digits, and is matched in the trunk's number format. Anything else, such as the extension `1011`, is matched as it is
   * written. Not a protection: callers can claim any number.
   * @default every caller
   * @livekit inbound `allowedNumbers`
   */
  allowedNumbers: z.array(z.string().min(1)).optional().meta({ whenAbsent: [] }),

  /**
   * The realm that callers are asked for. Only with `method: "credentials"`.
   * @default LiveKit's, `LiveKit`
   * @livekit inbound `authRealm`
   */
  realm: z.string().min(1).optional(),

  /** @internal The trunk's user name; follows the trunk. */
  username: z.string().optional(),

  /** @internal The trunk's password; follows the trunk. */
  password: z.string().optional().meta({ secret: true }),

  /** @internal The trunk's country, where there are allowedNumbers to write; follows the trunk. */
  country: z.string().optional(),

  /** @internal The trunk's number format, likewise. */
  numberFormat: z.enum(NUMBER_FORMATS).optional().meta({ whenAbsent: "international" }),
});

type Schema = typeof schema;
type InboundAuthInputs = z.output<Schema>;
type Common = Pick<ArgsOf<Schema>, "allowedNumbers"> & {
  /** The trunk to open. */
  trunk: SipTrunk;
};

/** Arguments of an {@link InboundAuth} that asks callers for the trunk's credential. */
export type CredentialsAuthArgs = Common &
  Pick<ArgsOf<Schema>, "realm"> & { method: "credentials"; allowedAddresses?: undefined };

/** Arguments of an {@link InboundAuth} that lets in callers from listed addresses. */
export type IpAuthArgs = Common & {
  method: "ip";
  allowedAddresses: NonNullable<ArgsOf<Schema>["allowedAddresses"]>;
  realm?: undefined;
};

/** Arguments of an {@link InboundAuth}. */
export type InboundAuthArgs = CredentialsAuthArgs | IpAuthArgs;

/** The fields of the inbound trunk that InboundAuth owns, as they should be. */
function authFields(args: InboundAuthInputs, marker: Marker | undefined) {
  const format = formatOf(args) ?? formatOf(marker);
  const allowedNumbers = (args.allowedNumbers ?? []).flatMap((number) =>
    format ? writtenForms(number, format) : [number],
  );
  return {
    authUsername: args.method === "credentials" ? (args.username ?? "") : "",
    authPassword: args.method === "credentials" ? (args.password ?? "") : "",
    authRealm: args.method === "credentials" ? (args.realm ?? "") : "",
    allowedAddresses: args.method === "ip" ? (args.allowedAddresses ?? []) : [],
    allowedNumbers: [...new Set(allowedNumbers)],
  } satisfies Partial<InboundFields>;
}

/** How numbers are written: as declared, or as a trunk says for whom a state of version 0.1 does not. */
function formatOf(from: Partial<Pick<Marker, "country" | "numberFormat">> = {}): NumberFormatOptions | undefined {
  const { country, numberFormat: declared = "international" } = from;
  const numberFormat = NUMBER_FORMATS.find((format) => format === declared);
  return country !== undefined && numberFormat ? { numberFormat, country } : undefined;
}

/** The argument that a LiveKit field shows as in the plan, where it has another name. */
const ARGUMENT_OF: Readonly<Record<string, string>> = {
  authUsername: "username",
  authRealm: "realm",
};

/** The arguments that LiveKit's own messages mark as sensitive; the password has its fingerprint. */
const SENSITIVE: ReadonlySet<string> = new Set<keyof InboundAuthInputs>(["username"]);

/** Compares what is on the platform with what was applied. */
function compare(
  live: InboundTrunk,
  { owner, args }: Wanted<InboundAuthInputs>,
  id: string,
  apiSecret: string,
): Observation {
  const { marker } = trunks.metadataOf(live);
  const wanted: Props = authFields(args, marker);
  const view: Props = { ...live };
  const changed = differences<Props>(wanted, view).filter(
    (field) => field !== "authPassword" || !trunks.hidesPassword(live),
  );
  const shown = shownChanges(
    changed
      .filter((field) => field !== "authPassword")
      .map((field) => ({ argument: ARGUMENT_OF[field] ?? field, declared: wanted[field], live: view[field] })),
    { sensitive: SENSITIVE, apiSecret, subject: owner },
  );
  const values: Record<string, unknown> = { ...shown.values };
  if (changed.includes("authPassword") && args.method === "credentials") {
    values.credentialFingerprint = credentialFingerprint(apiSecret, args.trunk, live.authPassword);
  }
  const words: string[] = [];
  const exposure = exposureOf(live);
  if (exposure !== "none" && !trunks.hidesPassword(live)) {
    words.push(
      exposure === "anyone"
        ? `inbound trunk ${live.id} is OPEN TO ANYONE`
        : `inbound trunk ${live.id} is OPEN TO ANYONE who writes an allowed host into the From header`,
    );
  }
  if (!marker) {
    // Its SipTrunk closes it, because it can't tell any more who opened it.
    words.push(`the metadata of inbound trunk ${live.id} was overwritten outside Pulumi`);
  } else if (marker.openedBy?.id !== id) {
    const by = marker.openedBy;
    words.push(
      by
        ? `inbound trunk ${live.id} was opened by InboundAuth "${nameOf(by.owner)}" since`
        : `inbound trunk ${live.id} is closed`,
    );
  }
  if (changed.length > 0) {
    const names = [...shown.names, ...(changed.includes("authPassword") ? ["password"] : [])];
    words.push(changedOutside(names, shown.digest));
  }
  const hidden = trunks.hiddenChange("inbound", live);
  if (hidden && args.method === "credentials") {
    values.credentialFingerprint = "hidden";
    words.push(hidden);
  }
  return { values, words };
}

/** Sets who may call in one call to LiveKit, so that there is no moment between two ways in which the trunk is open. */
async function open(
  { account, own }: Session,
  live: InboundTrunk,
  { owner, args }: Wanted<InboundAuthInputs>,
  id: string,
): Promise<Props> {
  const { user, marker } = trunks.metadataOf(live);
  if (!marker) {
    throw new ResourceError(
      `InboundAuth "${nameOf(owner)}": the metadata of inbound trunk ${live.id} was overwritten outside Pulumi: update its SipTrunk with it, by \`pulumi up\` without --target.`,
    );
  }
  const { openedBy, unconfirmed: _, ...confirmed } = marker;
  const isOurs = [marker.id, live.id, openedBy?.id].some((known) => own.has(known));
  if (openedBy && !isOurs && stackOf(openedBy.owner) !== stackOf(owner)) {
    throw new ResourceError(
      `InboundAuth "${nameOf(owner)}": the inbound trunk ${live.id} was opened by ${openedBy.owner}, another stack's: remove that InboundAuth first.`,
    );
  }
  const fields = authFields(args, marker);
  const metadata = trunks.metadataFor(live, user, confirmed, { owner, id });
  const updated = await sip.inbound.update(account.connection, live, {
    ...fields,
    metadata,
  });
  await account.inbound.put(updated);
  return { inboundTrunkId: updated.id, project: account.connection.project };
}

/** The lifecycle of an {@link InboundAuth}. */
export const inboundAuth: Resource<Schema> = {
  kind: "InboundAuth",
  schema,
  stableOutputs: ["inboundTrunkId"],
  goneNeedsNewId: false,
  deleteBeforeReplace: false,

  rules({ method, trunk = "", allowedAddresses, realm, username, password }, isKnown) {
    const problems: string[] = [];
    if (method === "ip" && isKnown("allowedAddresses") && !allowedAddresses?.length) {
      problems.push(
        'allowedAddresses is empty, which would let anyone in: list the addresses that calls come from, or use method: "credentials".',
      );
    }
    if (method === "ip" && realm !== undefined) {
      problems.push('realm does not go with method: "ip", which asks callers for nothing: remove it.');
    }
    if (method === "credentials" && allowedAddresses !== undefined) {
      problems.push('allowedAddresses does not go with method: "credentials": remove it, or use method: "ip".');
    }
    const hasCredential =
      (username !== undefined || !isKnown("username")) && (password !== undefined || !isKnown("password"));
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
  },

  canonical: () => ({}),

  claims({ trunk }) {
    return trunk === undefined
      ? []
      : [{ key: trunk, words: `trunk "${nameOf(trunk)}" can only have one InboundAuth, and has one` }];
  },

  computed(session, _owner, { method, trunk = "", password }, olds, isKnown) {
    if (method !== "credentials") {
      return {};
    }
    return fingerprintOf(session, trunk, isKnown("password") ? password : UNKNOWN, olds);
  },

  async conflicts({ account, calledNumbers, own }, _owner, { trunk = "", ...args }, existing) {
    const names = [trunk, own.formerOwner("SipTrunk", trunk)].filter((name) => name !== undefined);
    const named = await Promise.all(names.map((owner) => trunks.inboundOf(account, own.keyOf(owner))));
    const live = named.find((it) => it !== undefined);
    const numbers = calledNumbers.get(trunk) ?? live?.numbers;
    if (!numbers || !args.allowedNumbers?.length) {
      return NO_CONFLICTS;
    }
    const { allowedNumbers } = authFields({ trunk, method: "ip", ...args }, live && trunks.metadataOf(live).marker);
    const others = await trunks.conflictingTrunks(account, { numbers, allowedNumbers });
    // The trunk that this InboundAuth opened, which may have a new SipTrunk or an overwritten marker, but not another stack's.
    const isOpened = (trunk: InboundTrunk) => {
      const { marker } = trunks.metadataOf(trunk);
      const isOurs = !marker || own.has(marker.id) || marker.openedBy?.id === existing?.id;
      return (
        existing !== undefined &&
        names.includes(String(existing.state.trunk)) &&
        trunk.id === existing.state.inboundTrunkId &&
        isOurs
      );
    };
    const taken = others.find((trunk) => trunk.id !== live?.id && !isOpened(trunk));
    return taken
      ? {
          problems: [
            `allowedNumbers: the inbound trunk ${taken.id} of this LiveKit project takes the same callers for the same number, and LiveKit allows one: remove them here, or from that trunk.`,
          ],
        }
      : NO_CONFLICTS;
  },

  async observe(session, id, applied, state) {
    const { account } = session;
    const live = await trunks.inboundOf(account, openedKey(session, applied, id, state));
    if (!live) {
      goneForGood("InboundAuth", applied.owner, state, account.connection);
      return undefined;
    }
    return compare(live, applied, id, account.connection.apiSecret);
  },

  async create(session, wanted) {
    const { account } = session;
    const id = `inbound-auth-${randomBytes(6).toString("hex")}`;
    const live = await trunkToOpen(session, wanted, id, {});
    try {
      return { id, outputs: await open(session, live, wanted, id) };
    } catch (error) {
      if (!isTransient(error)) {
        throw error;
      }
      // The trunk may be open by now: who is recorded can close it.
      const properties = { ...wanted.inputs, inboundTrunkId: live.id, project: account.connection.project };
      throw new ResourceError(
        `Creating InboundAuth "${nameOf(wanted.owner)}": ${error.message} It may be done all the same: run \`pulumi up\` again to finish it.`,
        { cause: error, partial: { id, properties } },
      );
    }
  },

  async update(session, id, wanted, state) {
    return open(session, await trunkToOpen(session, wanted, id, state), wanted, id);
  },

  async delete(session, id, applied, state) {
    const { account } = session;
    const live = await trunks.inboundToClose(account, openedKey(session, applied, id, state));
    if (!live) {
      goneForGood("InboundAuth", applied.owner, state, account.connection);
      return;
    }
    const { user, marker } = trunks.metadataOf(live);
    // Another InboundAuth has opened the trunk since: closing it now would undo that one's work.
    if (marker && marker.openedBy?.id === id) {
      const { openedBy: _, ...own } = marker;
      const closed = await sip.inbound.update(account.connection, live, {
        ...trunks.closedFields(),
        metadata: composeMetadata(user, own),
      });
      await account.inbound.put(closed);
    }
  },
};

function openedKey({ own }: Session, { args }: Wanted<InboundAuthInputs>, id: string, state: Props): trunks.OpenedKey {
  return { ...own.keyOf(args.trunk), openedBy: id, recorded: state.inboundTrunkId };
}

async function trunkToOpen(
  session: Session,
  wanted: Wanted<InboundAuthInputs>,
  id: string,
  state: Props,
): Promise<InboundTrunk> {
  const { owner, args } = wanted;
  const { account } = session;
  const live = await trunks.freshInboundOf(account, openedKey(session, wanted, id, state));
  if (!live) {
    goneForGood("InboundAuth", owner, state, account.connection);
    throw new ResourceError(
      `InboundAuth "${nameOf(owner)}": the inbound trunk of SipTrunk "${nameOf(args.trunk)}" does not exist: run \`pulumi up\` without --target, so that the trunk is made first.`,
    );
  }
  return live;
}

/**
 * Says who may call in on a {@link SipTrunk}: callers who know its credential, or calls from listed addresses. Without one the
 * trunk is closed, and removing it closes the trunk again.
 *
 * @example
 * new InboundAuth("office", { trunk: office, method: "credentials" });
 */
export class InboundAuth extends pulumi.dynamic.Resource {
  /** Id of the inbound LiveKit trunk (`ST_…`) that is opened. */
  declare readonly inboundTrunkId: pulumi.Output<string>;
  /** The same as the trunk's while callers are asked for its credential; undefined with `method: "ip"`. */
  declare readonly credentialFingerprint: pulumi.Output<string | undefined>;
  /** `"in sync"`, or in words how the platform differs from what was applied. */
  declare readonly platformStatus: pulumi.Output<string>;

  constructor(name: string, args: InboundAuthArgs, options?: pulumi.CustomResourceOptions) {
    const { trunk, ...rest } = args;
    requireTrunk("InboundAuth", name, trunk);
    const { country, numberFormat } = dialPlanOf(trunk);
    super(
      thinProvider("InboundAuth"),
      name,
      {
        ...rest,
        ...(args.method === "credentials" ? credentialOf(trunk) : {}),
        ...(args.allowedNumbers === undefined ? {} : { country, numberFormat }),
        trunk: trunk.owner,
        owner: ownerOf(name, "pulumi-nodejs:dynamic/livekit:InboundAuth", options),
        inboundTrunkId: undefined,
        credentialFingerprint: undefined,
        platformStatus: undefined,
      },
      supported("InboundAuth", name, options),
      "livekit",
      "InboundAuth",
    );
  }
}
