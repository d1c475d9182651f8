/** Creates, updates and removes the two trunks of a SipTrunk, whatever state they are in. */

import { adoptedIn, adoptedOutput } from "../lifecycle/adopted";
import { ResourceError } from "../lifecycle/errors";
import type { Wanted } from "../lifecycle/resource";
import { differences, NONE, type Props } from "../lifecycle/values";
import type { Account } from "../livekit/account";
import { LiveKitError } from "../livekit/errors";
import type { InboundFields, InboundTrunk, OutboundFields, OutboundTrunk } from "../livekit/messages";
import { composeMetadata, type Marker, nameOf } from "../livekit/ownership";
import { isTransient } from "../livekit/retry";
import * as sip from "../livekit/sip-api";
import * as trunks from "../livekit/trunks";
import type { SipTrunkInputs } from "./arguments";
import { declaredPair, declares } from "./direction";
import { inboundFields, outboundFields, ownMarker } from "./mapping";
import { isLeftOpen, keepsCredential, openerOf } from "./opener";
import { createProof } from "./take-over";

/**
 * Creates or updates the inbound trunk. At every moment it is either closed or open through the InboundAuth that opened it. A trunk that
 * is adopted stays open for the InboundAuth that takes it over.
 */
async function ensureInbound(
  account: Account,
  live: InboundTrunk | undefined,
  { args }: Wanted<SipTrunkInputs>,
  own: trunks.OwnMarker,
  { openedBy, staysOpen }: { readonly openedBy: Marker["openedBy"]; readonly staysOpen: boolean },
): Promise<InboundTrunk> {
  const wanted = inboundFields(args);
  const user = args.metadata;
  if (!live) {
    const fields = { ...wanted, ...trunks.closedFields(), allowedNumbers: [], metadata: composeMetadata(user, own) };
    const mine = (trunk: InboundTrunk) => trunks.metadataOf(trunk).marker?.id === own.id;
    return sip.inbound.create(account.connection, fields, async () => (await account.inbound.fresh()).find(mine));
  }
  const changes: Partial<InboundFields> = Object.fromEntries(
    differences<Partial<InboundFields>>(wanted, live).map((field) => [field, Reflect.get(wanted, field)]),
  );
  const isOpen = openedBy !== undefined || staysOpen;
  const mustClose = !isOpen && !trunks.isClosed(live);
  if (Object.keys(changes).length === 0 && !mustClose && !trunks.metadataIsToWrite(live, user, own)) {
    return live;
  }
  const metadata = trunks.metadataFor(live, user, own, openedBy);
  const credential = mustClose ? trunks.closedFields() : hiddenCredential(live, changes, isOpen, args);
  return sip.inbound.update(account.connection, live, { ...changes, ...credential, metadata });
}

/**
 * Replacing the whole trunk must include its password. If LiveKit hides the password, this is the credential's own, or a new one
 * that closes the trunk.
 */
function hiddenCredential(
  live: InboundTrunk,
  changes: Partial<InboundFields>,
  isOpen: boolean,
  args: SipTrunkInputs,
): Partial<InboundFields> {
  if (sip.inbound.isFieldWise(changes) || !trunks.hidesPassword(live)) {
    return {};
  }
  return isOpen && args.password !== undefined && keepsCredential(live, changes, args)
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
  const user = args.metadata;
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
  // If LiveKit hides the password, replacing the whole trunk must include it.
  const password = hidden ? { authPassword: wanted.authPassword } : {};
  return sip.outbound.update(account.connection, live, {
    ...changes,
    ...password,
    metadata,
  });
}

/**
 * Creates or updates the declared trunks, then removes the others. If one trunk fails, the other is recorded. If it is unknown
 * whether the first one was created, the resource is recorded, and its id finds the trunk later.
 */
export async function ensure(
  account: Account,
  id: string,
  pair: trunks.Pair & { readonly mayStayOpen?: boolean; readonly staysOpen?: boolean; readonly adopts?: boolean },
  wanted: Wanted<SipTrunkInputs>,
  state: Props,
  doing: "Creating" | "Updating",
): Promise<Props> {
  const marker = ownMarker(wanted.owner, id, wanted.args);
  const proof = doing === "Creating" ? createProof(wanted.owner, wanted.args, account.connection) : undefined;
  const own = proof === undefined ? marker : { ...marker, unconfirmed: proof };
  const { args } = wanted;
  const { inbound: liveInbound, outbound: liveOutbound, spare } = declaredPair(pair, args);
  const [hasInbound, hasOutbound] = [declares(args, "inbound"), declares(args, "outbound")];
  const outputs: Record<string, unknown> = {
    inboundTrunkId: pair.inbound?.id ?? (hasInbound ? undefined : NONE),
    outboundTrunkId: pair.outbound?.id ?? (hasOutbound ? undefined : NONE),
    project: account.connection.project,
  };
  const mayStayOpen = pair.mayStayOpen ?? true;
  const openedBy = liveInbound && mayStayOpen ? openerOf(liveInbound, state) : undefined;
  const staysOpen = pair.staysOpen ?? (liveInbound !== undefined && isLeftOpen(liveInbound, state));
  const adopted = adoptedIn(state) ?? (pair.adopts ? { staysOpen } : undefined);
  // Until it has been written, a trunk that is adopted is not ours.
  let isWritten = false;
  try {
    if (hasInbound) {
      const inbound = await ensureInbound(account, liveInbound, wanted, own, { openedBy, staysOpen });
      outputs.inboundTrunkId = inbound.id;
      isWritten = true;
      await account.inbound.put(inbound);
    }
    if (hasOutbound) {
      const outbound = await ensureOutbound(account, liveOutbound, wanted, own, state);
      outputs.outboundTrunkId = outbound.id;
      isWritten = true;
      await account.outbound.put(outbound);
    }
    await removeTrunks(account, spare);
    Object.assign(outputs, !hasInbound && { inboundTrunkId: NONE }, !hasOutbound && { outboundTrunkId: NONE });
  } catch (error) {
    const first = hasInbound ? outputs.inboundTrunkId : outputs.outboundTrunkId;
    const isOurs = pair.adopts ? isWritten : first !== undefined;
    const mayExist = isOurs || isTransient(error);
    if (!(error instanceof LiveKitError) || !mayExist) {
      throw error;
    }
    throw new ResourceError(
      `${doing} SipTrunk "${nameOf(wanted.owner)}": ${error.message} The completed part is recorded: run \`pulumi up\` again to finish it.`,
      {
        cause: error,
        partial: { id, properties: { ...wanted.inputs, ...outputs, ...(adopted && adoptedOutput(adopted)) } },
      },
    );
  }
  return outputs;
}

/** Deletes inbound or outbound trunks. */
export async function removeTrunks(account: Account, pair: readonly { readonly id: string }[]): Promise<void> {
  for (const { id } of pair) {
    await sip.deleteTrunk(account.connection, id);
    await Promise.all([account.inbound.remove(id), account.outbound.remove(id)]);
  }
}
