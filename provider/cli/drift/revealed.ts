/**
 * Completes a resource's state without decrypting it. The fingerprint in the state tells whether the password on LiveKit is the applied one.
 * Every other encrypted value is taken to be what LiveKit has, and the report says that it was not compared.
 */

import { credentialFingerprint, FINGERPRINT_OF, isFingerprintBy } from "../../lifecycle/fingerprint";
import type { Session } from "../../lifecycle/session";
import type { Props } from "../../lifecycle/values";
import { hidesPassword, inboundOf, metadataOf, type Pair, pairOf } from "../../livekit/trunks";
import { isEncrypted, type SipResource } from "./sip-stack";

/** A state without encrypted values. */
export interface Revealed {
  readonly state: Props;
  /** What is known of the applied password: `state` has it, LiveKit has another or shows none, or its fingerprint tells nothing. */
  readonly password: "known" | "unknown" | "not compared";
  /** The other arguments, or parts of them, that were not compared. */
  readonly notCompared: readonly string[];
  /** Set if nothing could be compared: why, as a sentence. */
  readonly problem?: string;
}

/** Stands for a value that is not the one on LiveKit. Nobody can have set it there. */
const ANOTHER = "\0";

/** Arguments whose form on LiveKit depends on other arguments. */
const CONVERTED: ReadonlySet<string> = new Set(["numbers", "address", "allowedNumbers"]);

/** @param session the stack's; it has read the resources that this one refers to */
export async function revealed(resource: SipResource, session: Session): Promise<Revealed> {
  const { kind, name, state } = resource;
  const live = await liveArguments(resource, session);
  const notCompared: string[] = [];
  const result: Record<string, unknown> = {};
  let password: Revealed["password"] = "unknown";
  for (const [argument, value] of Object.entries(state)) {
    if (!containsEncrypted(value)) {
      result[argument] = value;
    } else if (argument === "password") {
      [password, result[argument]] = passwordOf(resource, live, session.account.connection.apiSecret);
    } else if (!hasNoCounterpart(argument)) {
      if (CONVERTED.has(argument) || (live && !(argument in live))) {
        const problem = `${kind} "${name}" was not compared, because its ${argument} is a secret: use --preview.`;
        return { state: {}, password, notCompared: [], problem };
      }
      result[argument] = filled(value, live?.[argument], argument, notCompared);
    }
  }
  return { state: result, password, notCompared };
}

/** What is not on LiveKit: what this package keeps for itself, and the hash that the phone system stores. */
function hasNoCounterpart(argument: string): boolean {
  return argument.startsWith("__") || argument === "verifier";
}

/** What LiveKit has, under the names of the arguments. Undefined if there is nothing. */
async function liveArguments({ kind, id, state }: SipResource, { account, own }: Session): Promise<Props | undefined> {
  if (kind === "DispatchRule") {
    const rule = await account.rules.get(id);
    return rule && { ...rule, roomName: rule.room, roomPrefix: rule.room };
  }
  // Found as a refresh finds them: after an interrupted create, the state does not have their ids.
  const { inboundTrunkId, outboundTrunkId } = state;
  const { inbound, outbound }: Pick<Pair, "inbound" | "outbound"> =
    kind === "SipTrunk"
      ? await pairOf(account, { id, inboundTrunkId, outboundTrunkId })
      : {
          inbound: await inboundOf(account, {
            ...own.keyOf("SipTrunk", String(state.trunk)),
            openedBy: id,
            recorded: inboundTrunkId,
          }),
        };
  const trunk = outbound ?? inbound;
  return (
    trunk && {
      ...inbound,
      ...outbound,
      username: trunk.authUsername,
      realm: inbound?.authRealm,
      metadata: metadataOf(trunk).user,
      password: hidesPassword(trunk) ? undefined : trunk.authPassword,
    }
  );
}

function passwordOf(
  { kind, state }: SipResource,
  live: Props | undefined,
  apiSecret: string,
): [Revealed["password"], string] {
  const { credentialFingerprint: fingerprint } = state;
  const found = live?.password;
  // A platform that hides passwords says when a trunk was changed instead. Without a fingerprint, the password is not used.
  if (typeof found !== "string" || typeof fingerprint !== "string") {
    return ["unknown", ANOTHER];
  }
  if (!isFingerprintBy(apiSecret, fingerprint)) {
    return ["not compared", found];
  }
  const subject = String(state[FINGERPRINT_OF] ?? (kind === "InboundAuth" ? state.trunk : state.owner));
  return credentialFingerprint(apiSecret, subject, found) === fingerprint ? ["known", found] : ["unknown", ANOTHER];
}

/** Whether a value in a state is an encrypted secret, or holds one. */
export function containsEncrypted(value: unknown): boolean {
  return (
    isEncrypted(value) || (typeof value === "object" && value !== null && Object.values(value).some(containsEncrypted))
  );
}

/** A value with what is on LiveKit in place of what is encrypted. If LiveKit has nothing there, that is a difference. */
function filled(value: unknown, live: unknown, path: string, notCompared: string[]): unknown {
  // Which entry of a list a secret is, nobody knows: LiveKit may have the entries in another order.
  if (isEncrypted(value) || (Array.isArray(value) && value.some(isEncrypted))) {
    if (isNothing(live)) {
      return Array.isArray(live) ? [ANOTHER] : ANOTHER;
    }
    notCompared.push(path);
    return live;
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const isList = Array.isArray(value);
  const parts = Object.entries(value).map(([key, part]): [string, unknown] => {
    const there: unknown = typeof live === "object" && live !== null ? Reflect.get(live, key) : undefined;
    return [key, filled(part, there, isList ? `${path}[${key}]` : `${path}.${key}`, notCompared)];
  });
  return isList ? parts.map(([, part]) => part) : Object.fromEntries(parts);
}

function isNothing(live: unknown): boolean {
  return (
    live === undefined || live === "" || (typeof live === "object" && live !== null && Object.keys(live).length === 0)
  );
}
