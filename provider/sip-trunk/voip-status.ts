/** Checks the credential against the VoIP system: `voipStatus` as a computed input, and the error if that system rejects it. */

import { z } from "zod";
import { ResourceError } from "../lifecycle/errors";
import { tell } from "../lifecycle/remarks";
import type { IsKnown, Probe } from "../lifecycle/resource";
import { perSession, type Session } from "../lifecycle/session";
import { type Props, same } from "../lifecycle/values";
import { isAllowedHost } from "../livekit/addresses";
import { ConfigurationError, type Connection } from "../livekit/connection";
import { nameOf } from "../livekit/ownership";
import { printable } from "../printable";
import { CredentialChecks } from "../voip/checks";
import { type CredentialVerifier, verifies } from "../voip/credential";
import type { CheckResult, CredentialQuery } from "../voip/credential-check";
import * as status from "../voip/status";
import { type SipTrunkInputs, VOIP_CHECKS, type VoipCheck } from "./arguments";
import { callerIds } from "./mapping";

/** A credential, the VoIP system that should accept it, and how that is checked. Values that are not given are absent. */
interface VoipSide {
  readonly username?: string;
  readonly password?: string;
  /** What the VoIP system stores, if that is only a hash. */
  readonly verifier?: CredentialVerifier;
  readonly check: VoipCheck;
  readonly address: string;
  readonly port?: number;
  readonly transport: SipTrunkInputs["transport"];
  /** The user and the host in the From header of LiveKit's calls. */
  readonly caller: string;
  readonly domain: string;
  readonly timeoutSeconds: number;
}

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
  const { connection } = session.account;
  const { address, password, verifier } = args;
  if (address !== undefined && connection.voipHosts && !isAllowedHost(address, connection.voipHosts)) {
    throw new ConfigurationError(
      `address: "${address}" is not among livekit:voipHosts, the only VoIP systems of this stack: correct it, or add it there.`,
    );
  }
  if (verifier && password !== undefined && !verifies(verifier, password)) {
    return { voipStatus: status.differs(verifier.source) };
  }
  const isComplete = [...CHECKED, "voipCheckTimeout" as const].every(isKnown);
  const side = isComplete ? voipSide(complete.parse(args), connection) : undefined;
  const still = side && standing(side);
  if (still !== undefined) {
    return { voipStatus: still };
  }
  const unchanged = (field: keyof SipTrunkInputs) => same(olds[field], args[field]);
  if (side && CHECKED.every(unchanged)) {
    return { voipStatus: status.isRejection(olds.voipStatus) ? status.ACCEPTS : (olds.voipStatus ?? status.PENDING) };
  }
  // A digest sent to a wrong host can be misused there. Whoever can change the program must not be able to choose the host.
  const mayAsk = side && (connection.voipHosts ?? DESTINATION.every(unchanged));
  return { voipStatus: mayAsk ? await askedInTime(session, owner, side) : status.PENDING };
}

/** Valid arguments in which everything is known that a check depends on. */
const complete = z.custom<SipTrunkInputs>();

/** The arguments that a check depends on. */
const CHECKED = [
  ...(["address", "port", "transport", "username", "password", "voipCheck"] as const),
  ...(["type", "extension", "numbers", "country", "numberFormat", "fromHost"] as const),
];

/** The arguments that say where a digest goes. */
const DESTINATION = ["address", "port", "transport"] as const;

/** The answer, if it comes in time. A late one is printed as a remark. */
async function askedInTime(session: Session, owner: string, side: VoipSide): Promise<string> {
  const waiting = waitingOf(session);
  const asked = ask(session, side).then((result) => {
    tell(session, "SipTrunk", owner, remarksOn(result.status));
    return result.status;
  });
  const start = performance.now();
  const inTime = await withTimeout(asked, waiting.leftMs);
  waiting.leftMs -= performance.now() - start;
  return inTime ?? status.PENDING;
}

/** The result, or undefined if it takes longer. */
async function withTimeout<Result>(work: Promise<Result>, limitMs: number): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), Math.max(0, limitMs));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What to tell the user about a status that a plan does not show as drift. */
function remarksOn(text: string): string[] {
  if (status.isRejection(text)) {
    return [`has a new credential, but ${text}: \`pulumi up\` would change nothing and fail.`];
  }
  return status.isInconclusive(text) ? [`has a credential that could not be verified: ${text}.`] : [];
}

/** Asks the VoIP system during a refresh. Adds a remark if the result says nothing about the credential. */
export async function probeVoip(session: Session, side: VoipSide): Promise<Probe> {
  const { status: voipStatus } = await ask(session, side);
  const isNews = !status.isRejection(voipStatus) && voipStatus !== standing(side);
  return { values: { voipStatus }, remarks: isNews ? remarksOn(voipStatus) : [] };
}

/**
 * Asks the VoIP system before anything is changed.
 *
 * @returns the resource's `voipStatus`
 * @throws ResourceError if the VoIP system rejects the credential
 */
export async function requireAccepted(session: Session, doing: string, owner: string, side: VoipSide): Promise<Props> {
  const resource = `${doing} SipTrunk "${nameOf(owner)}"`;
  const { verifier, password, username } = side;
  if (verifier && password !== undefined && !verifies(verifier, password)) {
    throw new ResourceError(
      `${resource}: ${status.differs(verifier.source)} for user "${verifier.username}" than the declared one, and \`up\` can't adopt it, ` +
        "because only a hash is stored there. Declare the VoIP system's password, or set the declared one there. Nothing was changed on LiveKit.",
    );
  }
  const { status: voipStatus, mayBeStranger, withoutQop } = await ask(session, side);
  if (status.isRejection(voipStatus)) {
    const stranger = mayBeStranger
      ? ` Asterisk also answers so to a caller or an address that it does not know: check its endpoint for "${side.caller}".`
      : "";
    throw new ResourceError(
      `${resource}: ${voipStatus}, so nothing was changed on LiveKit. Set the declared password for user "${username}" in the VoIP system, ` +
        `or declare the one that it has (voipCheck: "off" skips this check).${stranger}`,
    );
  }
  const weak =
    withoutQop && side.transport !== "tls"
      ? [
          `proves its credential without qop, because ${side.address} offers none: whoever sees the digest can test passwords against it faster. Use transport: "tls", or turn qop on there.`,
        ]
      : [];
  tell(session, "SipTrunk", owner, [...(voipStatus === standing(side) ? [] : remarksOn(voipStatus)), ...weak]);
  return { voipStatus };
}

/** The status that is known without asking, if any. */
function standing({ check, username, password }: VoipSide): string | undefined {
  if (check === "off") {
    return status.OFF;
  }
  return username === undefined || password === undefined ? status.NO_CREDENTIAL : undefined;
}

async function ask(session: Session, side: VoipSide): Promise<CheckResult> {
  const query = queryOf(side);
  const known = standing(side) ?? (query ? undefined : status.NO_CREDENTIAL);
  if (known !== undefined || !query) {
    return { status: known ?? status.NO_CREDENTIAL, mayBeStranger: false, withoutQop: false };
  }
  const result = await checksOf(session).ask(query);
  return { ...result, status: printable(result.status) };
}

function queryOf(side: VoipSide): CredentialQuery | undefined {
  const { address, port, transport, caller, domain, username, password, check, timeoutSeconds } = side;
  if (check === "off" || username === undefined || password === undefined) {
    return undefined;
  }
  return {
    // LiveKit calls over UDP by default.
    server: {
      host: address,
      ...(port === undefined ? {} : { port }),
      protocol: transport === "auto" ? "udp" : transport,
    },
    caller,
    domain,
    username,
    password,
    optionsOnly: check === "options",
    timeoutMs: timeoutSeconds * 1000,
  };
}

/**
 * The VoIP system and credential that the arguments describe. The check asks what LiveKit's call would ask: the From header of its
 * calls has the caller number, at `fromHost` or at LiveKit's own SIP host (livekit/sip).
 */
export function voipSide(args: SipTrunkInputs, { sipHost }: Pick<Connection, "sipHost">): VoipSide {
  const { address, port, transport, fromHost, username, password, verifier, voipCheckTimeout } = args;
  const [caller = username ?? ""] = callerIds(args);
  return {
    address,
    transport,
    ...(port === undefined ? {} : { port }),
    caller,
    domain: (fromHost || sipHost?.replace(/:\d+$/, "") || address).toLowerCase(),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(verifier === undefined ? {} : { verifier }),
    check: checkIn(args.voipCheck),
    timeoutSeconds: voipCheckTimeout,
  };
}

/** A value that another version wrote to the state turns the check off. */
function checkIn(voipCheck: unknown = "register"): VoipCheck {
  return VOIP_CHECKS.find((it) => it === voipCheck) ?? "off";
}
