/** Checks the credential against the VoIP system: `voipStatus` as a computed input, and the error if that system rejects it. */

import { z } from "zod";
import { ResourceError } from "../lifecycle/errors";
import { tell } from "../lifecycle/remarks";
import type { IsKnown, Probe, Wanted } from "../lifecycle/resource";
import { perSession, type Session } from "../lifecycle/session";
import { type Props, same } from "../lifecycle/values";
import { type Connection, requireVoipHost } from "../livekit/connection";
import { nameOf } from "../livekit/ownership";
import { printable } from "../printable";
import { CredentialChecks } from "../voip/checks";
import { verifies } from "../voip/credential";
import { type CheckResult, type CredentialQuery, statusAlone } from "../voip/credential-check";
import { withinTime } from "../voip/reach";
import * as status from "../voip/status";
import { type SipTrunkInputs, VOIP_CHECKS } from "./arguments";
import { declares } from "./direction";
import { callerIds } from "./mapping";

const checksOf = perSession(() => new CredentialChecks());

/** How long all checks of a program may wait for answers, in milliseconds. The engine runs them one after the other. */
const MOST_WAITING_MS = 2_000;

const waitingOf = perSession(() => ({ leftMs: MOST_WAITING_MS }));

/**
 * The `voipStatus` that the plan wants. As long as nothing changes that the VoIP system is asked about, that is the status in the state,
 * or "accepts" instead of a rejection. For a new or changed credential it is the VoIP system's answer, if it may be asked and
 * answers in time: so an unreachable VoIP system is no difference, and a plan promises nothing that nobody has asked about.
 */
export async function wantedVoipStatus(
  session: Session,
  owner: string,
  args: Partial<SipTrunkInputs>,
  isKnown: IsKnown<SipTrunkInputs>,
  olds: Props,
): Promise<Props> {
  const question = planned(session, args, isKnown);
  if (typeof question === "string") {
    return { voipStatus: question };
  }
  if (question && isUnchanged(CHECKED, args, olds)) {
    return { voipStatus: status.isRejection(olds.voipStatus) ? status.ACCEPTS : (olds.voipStatus ?? status.PENDING) };
  }
  const news = (text: string) => tell(session, "SipTrunk", owner, remarksOn(text));
  return { voipStatus: await askedInTime(session, question, args, olds, news) };
}

/**
 * What the VoIP system answers to the credential in a plan, or what is known without asking. If it may not be asked, or does not answer in
 * time, it is still to be asked.
 */
export async function answerInTime(
  session: Session,
  args: Partial<SipTrunkInputs>,
  isKnown: IsKnown<SipTrunkInputs>,
  olds: Props,
): Promise<string> {
  const question = planned(session, args, isKnown);
  return typeof question === "string" ? question : askedInTime(session, question, args, olds, () => {});
}

/** @param whenAnswered - gets the answer, also a late one */
async function askedInTime(
  session: Session,
  question: CredentialQuery | undefined,
  args: Partial<SipTrunkInputs>,
  olds: Props,
  whenAnswered: (text: string) => void,
): Promise<string> {
  // A digest sent to a wrong host can be misused there. Whoever can change the program must not be able to choose the host.
  const mayAsk = session.account.connection.voipHosts !== undefined || isUnchanged(DESTINATION, args, olds);
  if (!question || !mayAsk) {
    return status.PENDING;
  }
  const asked = ask(session, question).then((result) => {
    whenAnswered(result.status);
    return result.status;
  });
  return inTime(session, asked);
}

/** What to ask about the credential in a plan, or what is known without asking. Undefined if the plan does not know enough yet. */
function planned(
  session: Session,
  args: Partial<SipTrunkInputs>,
  isKnown: IsKnown<SipTrunkInputs>,
): CredentialQuery | string | undefined {
  const { connection } = session.account;
  const { address, password, verifier } = args;
  requireVoipHost(address, connection);
  if (verifier && password !== undefined && !verifies(verifier, password)) {
    return status.differs(verifier.source);
  }
  const isComplete = [...CHECKED, "voipCheckTimeout" as const].every(isKnown);
  return isComplete ? questionOf(complete.parse(args), connection) : undefined;
}

function isUnchanged(fields: readonly (keyof SipTrunkInputs)[], args: Partial<SipTrunkInputs>, olds: Props): boolean {
  return fields.every((field) => same(olds[field], args[field]));
}

/** Valid arguments in which everything is known that a check depends on. */
const complete = z.custom<SipTrunkInputs>();

/** The arguments that a check depends on. */
const CHECKED = [
  ...(["address", "port", "transport", "username", "password", "voipCheck"] as const),
  ...(["type", "extension", "numbers", "country", "numberFormat", "fromHost", "direction"] as const),
];

/** The arguments that say where a digest goes. */
const DESTINATION = ["address", "port", "transport"] as const;

/** The answer, if it comes in time. */
async function inTime(session: Session, asked: Promise<string>): Promise<string> {
  const waiting = waitingOf(session);
  const start = performance.now();
  const isOver = AbortSignal.timeout(Math.max(0, Math.ceil(waiting.leftMs)));
  try {
    return await withinTime(asked, isOver);
  } catch (error) {
    if (!isOver.aborted) {
      throw error;
    }
    return status.PENDING;
  } finally {
    waiting.leftMs -= performance.now() - start;
  }
}

/** What to tell the user about a status that a plan does not show as drift. */
function remarksOn(text: string): string[] {
  if (status.isRejection(text)) {
    return [`has a new credential, but ${text}: \`pulumi up\` would change nothing and fail.`];
  }
  return status.isInconclusive(text) ? [`has a credential that could not be verified: ${text}.`] : [];
}

/** Asks the VoIP system about the declared credential. */
export function askVoip(session: Session, args: SipTrunkInputs): Promise<CheckResult> {
  return ask(session, questionOf(args, session.account.connection));
}

/** Asks the VoIP system during a refresh. Adds a remark if the result says nothing about the credential. */
export async function probeVoip(session: Session, args: SipTrunkInputs): Promise<Probe> {
  const question = questionOf(args, session.account.connection);
  const { status: voipStatus } = await ask(session, question);
  const isNews = !status.isRejection(voipStatus) && typeof question !== "string";
  return { values: { voipStatus }, remarks: isNews ? remarksOn(voipStatus) : [] };
}

/**
 * Asks the VoIP system before anything is changed.
 *
 * @returns the resource's `voipStatus`
 * @throws ResourceError if the VoIP system rejects the credential
 */
export async function requireAccepted(
  session: Session,
  doing: string,
  { owner, args }: Wanted<SipTrunkInputs>,
): Promise<Props> {
  const resource = `${doing} SipTrunk "${nameOf(owner)}"`;
  const { address, transport, username, password, verifier } = args;
  if (verifier && password !== undefined && !verifies(verifier, password)) {
    throw new ResourceError(
      `${resource}: ${status.differs(verifier.source)} for user "${verifier.username}" than the declared one, and \`up\` can't adopt it, ` +
        "because only a hash is stored there. Declare the VoIP system's password, or set the declared one there. Nothing was changed on LiveKit.",
    );
  }
  const question = questionOf(args, session.account.connection);
  const { status: voipStatus, mayBeStranger, withoutQop } = await ask(session, question);
  if (status.isRejection(voipStatus)) {
    const stranger = mayBeStranger
      ? ` Asterisk also answers so to a caller or an address that it does not know: check its endpoint for "${callerOf(args)}".`
      : "";
    throw new ResourceError(
      `${resource}: ${voipStatus}, so nothing was changed on LiveKit. Set the declared password for user "${username}" in the VoIP system, ` +
        `or declare the one that it has (voipCheck: "off" skips this check).${stranger}`,
    );
  }
  const weak =
    withoutQop && transport !== "tls"
      ? [
          `proves its credential without qop, because ${address} offers none: whoever sees the digest can test passwords against it faster. Use transport: "tls", or turn qop on there.`,
        ]
      : [];
  tell(session, "SipTrunk", owner, [...(typeof question === "string" ? [] : remarksOn(voipStatus)), ...weak]);
  return { voipStatus };
}

async function ask(session: Session, question: CredentialQuery | string): Promise<CheckResult> {
  if (typeof question === "string") {
    return statusAlone(question);
  }
  const result = await checksOf(session).ask(question);
  return { ...result, status: printable(result.status) };
}

/**
 * What to ask the VoIP system, or the status that is known without asking. The question is that of LiveKit's call: the From header of
 * its calls has the caller number, at `fromHost` or at LiveKit's own SIP host (livekit/sip).
 */
function questionOf(args: SipTrunkInputs, { sipHost }: Pick<Connection, "sipHost">): CredentialQuery | string {
  const { address, port, transport, fromHost, username, password, voipCheckTimeout } = args;
  if (address === undefined || !declares(args, "outbound")) {
    return status.NO_ADDRESS;
  }
  // A value that another version wrote to the state turns the check off.
  const check = VOIP_CHECKS.find((it) => it === args.voipCheck) ?? "off";
  if (check === "off") {
    return status.OFF;
  }
  if (username === undefined || password === undefined) {
    return status.NO_CREDENTIAL;
  }
  return {
    server: {
      host: address,
      ...(port === undefined ? {} : { port }),
      // LiveKit calls over UDP by default.
      protocol: transport === "auto" ? "udp" : transport,
    },
    caller: callerOf(args),
    domain: (fromHost || sipHost?.replace(/:\d+$/, "") || address).toLowerCase(),
    username,
    password,
    optionsOnly: check === "options",
    timeoutMs: voipCheckTimeout * 1000,
  };
}

/** The user in the From header of LiveKit's calls. */
function callerOf(args: SipTrunkInputs): string {
  return callerIds(args)[0] ?? args.username ?? "";
}
