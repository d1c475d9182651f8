/** The lifecycle of an InboundAuth. */

import { randomBytes } from "node:crypto";
import { z } from "zod";
import { ADOPTED, adoptedIn } from "../lifecycle/adopted";
import { ResourceError } from "../lifecycle/errors";
import { FINGERPRINT_OF, fingerprintOf } from "../lifecycle/fingerprint";
import { goneForGood } from "../lifecycle/gone-for-good";
import type { Own } from "../lifecycle/own";
import { changesThere } from "../lifecycle/remarks";
import { type IsKnown, NO_CONFLICTS, type Resource, type Wanted } from "../lifecycle/resource";
import type { Session } from "../lifecycle/session";
import { defined, keysOf, type Props, same, UNKNOWN } from "../lifecycle/values";
import type { Account } from "../livekit/account";
import type { InboundTrunk } from "../livekit/messages";
import { composeMetadata, type Marker, nameOf, stackOf } from "../livekit/ownership";
import { isTransient } from "../livekit/retry";
import * as sip from "../livekit/sip-api";
import * as trunks from "../livekit/trunks";
import { cannotUse } from "../sip-trunk/direction";
import { declaredCredentials, declaredNumbers } from "../sip-trunk/lifecycle";
import { type InboundAuthInputs, problemsAcross, type Schema, schema } from "./arguments";
import { compare, takeOverChanges } from "./comparison";
import { allowedNumbers, authFields } from "./mapping";

/** Sets who may call. One request to LiveKit does it all, so the trunk is never open while the method changes. */
async function open(
  { account, own }: Session,
  live: InboundTrunk,
  { owner, args }: Wanted<InboundAuthInputs>,
  id: string,
): Promise<Props> {
  const { user, marker } = trunks.metadataOf(live);
  if (!marker) {
    throw new ResourceError(
      `InboundAuth "${nameOf(owner)}": inbound trunk ${live.id} has no marker of its SipTrunk: run \`pulumi up\` of ${stackOf(args.trunk)} without --target, so that its SipTrunk writes it.`,
    );
  }
  const { openedBy: _, unconfirmed: __, ...confirmed } = marker;
  const opened = openedByAnother(own, live, owner);
  if (opened) {
    throw new ResourceError(`InboundAuth "${nameOf(owner)}": ${opened}`);
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

/** Closes a trunk, unless another InboundAuth has since opened it. */
async function close(account: Account, live: InboundTrunk, id: string, isImported: boolean): Promise<void> {
  const { user, marker } = trunks.metadataOf(live);
  const isOpened = marker ? marker.openedBy?.id === id : isImported && !trunks.isClosed(live);
  if (isOpened) {
    const closed = await sip.inbound.update(account.connection, live, {
      ...trunks.closedFields(),
      ...(marker && { metadata: composeMetadata(user, withoutOpener(marker)) }),
    });
    await account.inbound.put(closed);
  }
}

function withoutOpener({ openedBy: _, ...marker }: Marker): Marker {
  return marker;
}

/** Whether a trunk is another stack's, which exports a reference to it. */
function isElsewhere(trunk: string, owner: string): boolean {
  return stackOf(trunk) !== stackOf(owner);
}

/** The problem if an InboundAuth of another stack has opened the trunk. */
function openedByAnother(own: Own, live: InboundTrunk, owner: string): string | undefined {
  const { marker } = trunks.metadataOf(live);
  const { openedBy } = marker ?? {};
  const isOurs = [marker?.id, live.id, openedBy?.id].some((known) => own.has(known));
  return openedBy && !isOurs && isElsewhere(openedBy.owner, owner)
    ? `the inbound trunk ${live.id} was opened by ${openedBy.owner} of another stack: remove that InboundAuth first.`
    : undefined;
}

/** What is missing if the inbound trunk of a SipTrunk does not exist, and how to create it. */
function trunkIsMissing(trunk: string, owner: string): string {
  return isElsewhere(trunk, owner)
    ? `trunk: LiveKit has no inbound trunk of SipTrunk "${nameOf(trunk)}" of stack ${stackOf(trunk)}: run \`pulumi up\` there first, with the same LiveKit project and a direction other than "outbound".`
    : `the inbound trunk of SipTrunk "${nameOf(trunk)}" does not exist: run \`pulumi up\` without --target, so that the trunk is created first.`;
}

/** What a preview says of an open inbound trunk that its SipTrunk adopts, and that this takes over. */
function takeOverRemarks(
  session: Session,
  live: InboundTrunk,
  trunk: string,
  args: Partial<InboundAuthInputs>,
  isKnown: IsKnown<InboundAuthInputs>,
): string[] {
  const { own } = session;
  const isAdopted = own.willHave(live.id) && !own.has(live.id) && !trunks.metadataOf(live).marker;
  if (!isAdopted || trunks.isClosed(live)) {
    return [];
  }
  // In a first preview, the outputs of the trunk are not known yet, but what the program declares for it is.
  const credential = args.method === "credentials" ? declaredCredentials(session).get(trunk) : {};
  const declared = { ...args, ...defined({ ...credential }) };
  const hasValue = (field: keyof InboundAuthInputs) => isKnown(field) || Object.keys(declared).includes(field);
  const changes = takeOverChanges(live, asDeclared.parse(declared), hasValue);
  const unknown = keysOf(schema.shape).filter((field) => !hasValue(field));
  return [`takes over the open inbound trunk ${live.id}${changesThere(changes, unknown)}.`];
}

const asDeclared = z.custom<InboundAuthInputs>();

export const inboundAuth: Resource<Schema> = {
  kind: "InboundAuth",
  schema,
  computedInputs: { credentialFingerprint: same, [FINGERPRINT_OF]: () => true },
  stableOutputs: ["inboundTrunkId"],

  rules: problemsAcross,

  claims({ trunk }) {
    return trunk === undefined ? [] : [{ key: trunk, words: `trunk "${nameOf(trunk)}" can only have one InboundAuth` }];
  },

  computed(session, _owner, { method, trunk = "", password }, olds, isKnown) {
    if (method !== "credentials") {
      return {};
    }
    return fingerprintOf(session, trunk, isKnown("password") ? password : UNKNOWN, olds, olds.trunk);
  },

  async conflicts(session, owner, args, existing, isKnown) {
    const { account, own } = session;
    const { trunk } = args;
    if (trunk === undefined) {
      return NO_CONFLICTS;
    }
    const refusal = cannotUse(session, trunk, "inbound");
    if (refusal) {
      return {
        problems: [`trunk: ${refusal}: remove this InboundAuth, or set the trunk's direction to "both".`],
      };
    }
    const key = own.keyOf("SipTrunk", trunk);
    const live = await trunks.inboundOf(account, key);
    if (isElsewhere(trunk, owner)) {
      const problem = live ? openedByAnother(own, live, owner) : trunkIsMissing(trunk, owner);
      if (problem) {
        return { problems: [problem] };
      }
    }
    const remarks = live && !existing ? takeOverRemarks(session, live, trunk, args, isKnown) : [];
    const numbers = declaredNumbers(session).get(trunk) ?? live?.numbers;
    if (!numbers || !args.allowedNumbers?.length) {
      return { problems: [], remarks };
    }
    const callers = allowedNumbers(args, live && trunks.metadataOf(live).marker);
    const others = await trunks.conflictingTrunks(account, { numbers, allowedNumbers: callers });
    // The trunk that this InboundAuth opened. Its SipTrunk may be new or its marker overwritten, but not another stack's.
    const isOpened = (trunk: InboundTrunk) => {
      const { marker } = trunks.metadataOf(trunk);
      const isOurs = !marker || own.has(marker.id) || marker.openedBy?.id === existing?.id;
      return (
        existing !== undefined &&
        key.owners.includes(String(existing.state.trunk)) &&
        trunk.id === existing.state.inboundTrunkId &&
        isOurs
      );
    };
    const taken = others.find((trunk) => trunk.id !== live?.id && !isOpened(trunk));
    return taken
      ? {
          problems: [
            `allowedNumbers: the inbound trunk ${taken.id} of this LiveKit project takes the same callers for the same number, and LiveKit allows only one such trunk: remove them here, or from that trunk.`,
          ],
        }
      : { problems: [], remarks };
  },

  async observe(session, id, applied, state) {
    const { account } = session;
    const live = await trunks.inboundOf(account, openedKey(session, applied, id, state));
    if (!live) {
      goneForGood("InboundAuth", applied.owner, state, account.connection);
      return undefined;
    }
    const isImported = adoptedIn(state) !== undefined;
    const observation = compare(live, applied, id, account.connection.apiSecret, isImported);
    // Once the trunk has a marker, that says who opened it.
    return isImported && trunks.metadataOf(live).marker
      ? { ...observation, outputs: { inboundTrunkId: live.id, [ADOPTED]: undefined } }
      : observation;
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
      // The trunk may already be open. Recording the resource makes sure that it can be closed again.
      const properties = { ...wanted.inputs, inboundTrunkId: live.id, project: account.connection.project };
      throw new ResourceError(
        `Creating InboundAuth "${nameOf(wanted.owner)}": ${error.message} It may have succeeded anyway: run \`pulumi up\` again to finish it.`,
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
    await account.inTurn(live.id, async () => {
      const current = await account.inbound.get(live.id);
      if (current) {
        await close(account, current, id, adoptedIn(state) !== undefined);
      }
    });
  },
};

function openedKey({ own }: Session, { args }: Wanted<InboundAuthInputs>, id: string, state: Props): trunks.OpenedKey {
  return { ...own.keyOf("SipTrunk", args.trunk), openedBy: id, recorded: state.inboundTrunkId };
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
    throw new ResourceError(`InboundAuth "${nameOf(owner)}": ${trunkIsMissing(args.trunk, owner)}`);
  }
  return live;
}
