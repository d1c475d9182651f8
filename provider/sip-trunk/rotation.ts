/** Rotation of a credential: which of two passwords is in use, and since when. */

import { tell } from "../lifecycle/remarks";
import type { IsKnown } from "../lifecycle/resource";
import type { Session } from "../lifecycle/session";
import { type Props, UNKNOWN } from "../lifecycle/values";
import { isRejection, verdictOf } from "../voip/status";
import type { SipTrunkInputs } from "./arguments";
import { answerInTime } from "./voip-status";

/**
 * Which of `password` and `pendingPassword` is in use: the one that was last applied, or `password` if neither was. It changes only when
 * the VoIP system rejects that one and accepts the other. Only after a rejection is the other one shown to the VoIP system, because
 * failed attempts get an address banned.
 */
export async function passwordInUse(
  session: Session,
  owner: string,
  args: Partial<SipTrunkInputs>,
  olds: Props,
  isKnown: IsKnown<SipTrunkInputs>,
): Promise<Pick<Partial<SipTrunkInputs>, "password">> {
  const { password, pendingPassword } = args;
  if (password === undefined || pendingPassword === undefined || password === pendingPassword) {
    return {};
  }
  const isSwitched = olds.password === pendingPassword;
  const [current, next] = isSwitched
    ? (["pendingPassword", "password"] as const)
    : (["password", "pendingPassword"] as const);
  const answerTo = (name: typeof current) => answerInTime(session, { ...args, password: args[name] }, isKnown, olds);
  // What a refresh has just found is not asked again: a second failed attempt would count, too.
  const isRefused = olds.password === args[current] && isRejection(olds.voipStatus);
  const answer = isRefused ? String(olds.voipStatus) : await answerTo(current);
  if (!isRejection(answer)) {
    tell(session, "SipTrunk", owner, isSwitched ? [FINISH] : []);
    return { password: args[current] };
  }
  const isAccepted = verdictOf(await answerTo(next)) === "accepts";
  const both = `can use neither password nor pendingPassword, because ${answer}: declare the one that the VoIP system has.`;
  const change = `switches to ${next}: the VoIP system accepts it and rejects ${current}.`;
  tell(session, "SipTrunk", owner, [isAccepted ? change : both]);
  return { password: args[isAccepted ? next : current] };
}

/** What remains to be done after a rotation. */
const FINISH = "uses pendingPassword: the rotation is complete, so declare it as password and remove pendingPassword.";

/**
 * The date in UTC on which the credential was first applied. It is absent if that is not known: the trunk was taken over or imported, or
 * the credential is older than the first version that recorded the date.
 */
export function credentialChangedAt(
  { username, password, adopt }: Partial<SipTrunkInputs>,
  olds: Props,
  isKnown: IsKnown<SipTrunkInputs>,
): Props {
  if (!isKnown("username") || !isKnown("password")) {
    return { credentialChangedAt: UNKNOWN };
  }
  if (password === undefined) {
    return {};
  }
  const isOld = (olds.username === username && olds.password === password) || adopt !== undefined;
  const today = new Date().toISOString().slice(0, "YYYY-MM-DD".length);
  return { credentialChangedAt: isOld ? olds.credentialChangedAt : today };
}
