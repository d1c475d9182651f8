/** The lifecycle of a SipTrunk. */

import { randomBytes } from "node:crypto";
import { adoptionClaim } from "../lifecycle/claims";
import { ResourceError } from "../lifecycle/errors";
import { FINGERPRINT_OF, fingerprintOf } from "../lifecycle/fingerprint";
import { goneForGood } from "../lifecycle/gone-for-good";
import { tell } from "../lifecycle/remarks";
import { NO_CONFLICTS, type Resource } from "../lifecycle/resource";
import { perSession } from "../lifecycle/session";
import { NONE, type Props, same, UNKNOWN } from "../lifecycle/values";
import { ConfigurationError } from "../livekit/connection";
import { nameOf } from "../livekit/ownership";
import * as trunks from "../livekit/trunks";
import { matchingForm, parseNumber } from "../phone-number/format";
import { isSameStatus } from "../voip/status";
import { adoptionOf, adoptionRemarks, NO_ADOPTION, readAdopted } from "./adopt";
import { problemsAcross, type Schema, type SipTrunkInputs, schema } from "./arguments";
import { compare } from "./comparison";
import { declareDirection, declaredPair, declares, takesCalls, turns } from "./direction";
import { ensure, removeTrunks } from "./ensure";
import { calledNumbers, numberArguments } from "./mapping";
import { credentialChangedAt, passwordInUse } from "./rotation";
import { leftoverOf, numberTakenBy, takenOver } from "./take-over";
import { probeVoip, requireAccepted, wantedVoipStatus } from "./voip-status";

function pairKey(id: string, state: Props): trunks.PairKey {
  return { id, inboundTrunkId: state.inboundTrunkId, outboundTrunkId: state.outboundTrunkId };
}

/** The numbers that each SipTrunk of the program is called by, keyed by owner. Known before the trunk exists. */
export const declaredNumbers = perSession(() => new Map<string, readonly string[]>());

/** The credential that each SipTrunk of the program declares, keyed by owner, as far as it is known. */
export const declaredCredentials = perSession(
  () => new Map<string, Pick<Partial<SipTrunkInputs>, "username" | "password">>(),
);

export const sipTrunk: Resource<Schema> = {
  kind: "SipTrunk",
  schema,
  computedInputs: {
    credentialFingerprint: same,
    [FINGERPRINT_OF]: () => true,
    credentialChangedAt: same,
    sipUri: same,
    voipStatus: isSameStatus,
  },
  stableOutputs: ["inboundTrunkId", "outboundTrunkId"],
  hasOutput: (output, args) => declares(args, output === "inboundTrunkId" ? "inbound" : "outbound"),

  rules: problemsAcross,

  canonical({ numbers, country }) {
    return numbers && country ? { numbers: numbers.map((number) => parseNumber(number, country)) } : {};
  },

  async settle(session, owner, args, olds, isKnown) {
    return { ...(await passwordInUse(session, owner, args, olds, isKnown)), pendingPassword: undefined };
  },

  claims({ extension, numbers, adopt, ...args }) {
    // LiveKit does not compare outbound trunks: several may have the same number.
    const called = (takesCalls(args) ? [extension, ...(numbers ?? [])] : [])
      .filter((number) => number !== undefined)
      .map((number) => ({ key: matchingForm(number), words: `the number ${number} can only be on one trunk` }));
    return [...called, ...adoptionClaim(adopt?.inbound), ...adoptionClaim(adopt?.outbound)];
  },

  async computed(session, owner, args, olds, isKnown) {
    const { username, password, fixedIp } = args;
    const { connection } = session.account;
    declaredCredentials(session).set(owner, { username, password });
    const numbers = numberArguments(args);
    declareDirection(session, owner, args);
    if (numbers) {
      declaredNumbers(session).set(owner, calledNumbers(numbers));
    }
    if (fixedIp && !connection.outboundProxy) {
      throw new ConfigurationError(
        "fixedIp needs the stack configuration livekit:outboundProxy: run `pulumi config set --path livekit:outboundProxy.address <proxy>`, or set fixedIp to false.",
      );
    }
    return {
      ...fingerprintOf(session, owner, isKnown("password") ? password : UNKNOWN, olds, olds.owner),
      ...credentialChangedAt(args, olds, isKnown),
      ...(await wantedVoipStatus(session, owner, args, isKnown, olds)),
      sipUri: connection.sipHost && declares(args, "inbound") ? `sip:${connection.sipHost}` : NONE,
    };
  },

  async conflicts(session, owner, args, existing, isKnown) {
    const numbers = numberArguments(args);
    const adoption = existing ? NO_ADOPTION : await adoptionOf(session, owner, args.adopt);
    if (adoption.refusal) {
      return { problems: [adoption.refusal] };
    }
    if (!numbers || !isKnown("adopt")) {
      return NO_CONFLICTS;
    }
    const { own } = session;
    const live = existing && (await trunks.pairOf(session.account, pairKey(existing.id, existing.state)));
    const lost = live && (await takenOver(session, live, existing.state));
    if (lost) {
      return { problems: [lost] };
    }
    const left = live?.inbound || live?.outbound ? undefined : await leftoverOf(session, owner, args, adoption);
    if (left?.refusal) {
      return { problems: [left.refusal] };
    }
    const number =
      takesCalls(args) &&
      (await numberTakenBy(session, owner, numbers, existing, left !== undefined, adoption.inbound));
    if (number) {
      return { problems: [number] };
    }
    if (existing) {
      tell(session, "SipTrunk", owner, turns(existing.state, args, live));
    }
    const found = left ? [left.inbound, left.outbound, ...left.spare].filter((trunk) => trunk !== undefined) : [];
    const named = [adoption.inbound?.id, adoption.outbound?.id];
    const isThere = (half: "inbound" | "outbound") => left?.[half] !== undefined;
    const remarks = adoptionRemarks(session, adoption, args, isKnown, isThere);
    const taken = found.map(({ id }) => id);
    own.takeOver("SipTrunk", owner, taken);
    const strange = found.filter(
      (trunk) => !named.includes(trunk.id) && !own.has(trunk.id) && !own.has(trunks.metadataOf(trunk).marker?.id),
    );
    if (strange.length === 0) {
      return { problems: [], remarks };
    }
    const { inbound, spare = [] } = left ? declaredPair(left, args) : {};
    const closes =
      inbound && !left?.mayStayOpen && !named.includes(inbound.id)
        ? "; the inbound trunk is closed until an InboundAuth opens it"
        : "";
    const surplus = spare.filter((trunk) => !left?.spare.includes(trunk));
    const deletes = surplus.map(({ id }) => `; ${id} is deleted, because direction is "${args.direction}"`).join("");
    return {
      problems: [],
      remarks: [
        ...remarks,
        `takes over ${strange.map(({ id }) => id).join(" and ")} on LiveKit, which carry its name but are not in the state${closes}${deletes}.`,
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

  probe: (session, { args }) => probeVoip(session, args),

  async create(session, wanted) {
    const { account } = session;
    const voip = await requireAccepted(session, "Creating", wanted);
    const id = `sip-trunk-${randomBytes(6).toString("hex")}`;
    await readAdopted(session, wanted.args.adopt);
    const adoption = await adoptionOf(session, wanted.owner, wanted.args.adopt);
    const leftover = await leftoverOf(session, wanted.owner, wanted.args, adoption);
    const taken = takesCalls(wanted.args)
      ? await numberTakenBy(session, wanted.owner, wanted.args, undefined, true, adoption.inbound)
      : undefined;
    const problem = adoption.refusal ?? leftover.refusal ?? taken;
    if (problem) {
      throw new ResourceError(`Creating SipTrunk "${nameOf(wanted.owner)}": ${problem}`);
    }
    return { id, outputs: { ...voip, ...(await ensure(account, id, leftover, wanted, {}, "Creating")) } };
  },

  async update(session, id, wanted, state) {
    const { account } = session;
    const voip = await requireAccepted(session, "Updating", wanted);
    const pair = await trunks.freshPairOf(account, pairKey(id, state), (half) => declares(wanted.args, half));
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
    const found = [inbound, outbound, ...spare].filter((trunk) => trunk !== undefined);
    await account.inTurn(inbound?.id ?? id, () => removeTrunks(account, found));
  },
};
