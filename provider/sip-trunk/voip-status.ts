/** Checks the credential against the VoIP system: `voipStatus` as a computed input, and the error if that system rejects it. */

import { ResourceError } from "../lifecycle/errors";
import type { IsKnown, Probe } from "../lifecycle/resource";
import { perSession, type Session } from "../lifecycle/session";
import type { Props } from "../lifecycle/values";
import type { Connection } from "../livekit/connection";
import { nameOf } from "../livekit/ownership";
import { printable } from "../printable";
import { CredentialChecks } from "../voip/checks";
import { type CredentialVerifier, verifies } from "../voip/credential";
import type { CheckResult, CredentialQuery } from "../voip/credential-check";
import * as status from "../voip/status";
import { type SipTrunkInputs, VOIP_CHECKS, type VoipCheck } from "./arguments";
import { callerIds } from "./mapping";

/** A credential and how to check it. Values that are unknown or not given are absent. */
interface DeclaredSide {
  readonly username?: string;
  readonly password?: string;
  /** What the VoIP system stores, if that is only a hash. */
  readonly verifier?: CredentialVerifier;
  readonly check: VoipCheck;
}

/** A credential and the VoIP system that should accept it. */
interface VoipSide extends DeclaredSide {
  readonly address: string;
  readonly port?: number;
  readonly transport: SipTrunkInputs["transport"];
  /** The user and the host in the From header of LiveKit's calls. */
  readonly caller: string;
  readonly domain: string;
  readonly timeoutSeconds: number;
}

const checksOf = perSession(() => new CredentialChecks());

/**
 * The `voipStatus` that the plan wants: the credential is accepted. A status that says nothing about the credential is kept, so
 * that an unreachable VoIP system is not a difference.
 */
export function wantedVoipStatus(side: DeclaredSide, olds: Props): Props {
  const { password, verifier } = side;
  if (verifier && password !== undefined && !verifies(verifier, password)) {
    return { voipStatus: status.differs(verifier.source) };
  }
  const still = standing(side);
  const { voipStatus } = olds;
  const keeps = typeof voipStatus === "string" && !status.isRejection(voipStatus) && voipStatus !== status.OFF;
  return { voipStatus: still ?? (keeps ? voipStatus : status.ACCEPTS) };
}

/** Asks the VoIP system during a refresh. Adds a remark if the result says nothing about the credential. */
export async function probeVoip(session: Session, side: VoipSide): Promise<Probe> {
  const { status: voipStatus } = await ask(session, side);
  const isNews = status.isInconclusive(voipStatus) && voipStatus !== standing(side);
  return {
    values: { voipStatus },
    remarks: isNews ? [`has a credential that could not be verified: ${voipStatus}.`] : [],
  };
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
  const { status: voipStatus, mayBeStranger } = await ask(session, side);
  if (status.isRejection(voipStatus)) {
    const stranger = mayBeStranger
      ? ` Asterisk gives the same answer to a caller that it does not know and to an address that it does not allow: check that an endpoint matches "${side.caller}" and that this machine's address is allowed.`
      : "";
    throw new ResourceError(
      `${resource}: ${voipStatus}, so calls would fail. Nothing was changed on LiveKit. Set the declared password for user "${username}" in the VoIP system, ` +
        `or declare the password that it has there; voipCheck: "off" skips this check.${stranger}`,
    );
  }
  return { voipStatus };
}

/** The status that is known without asking, if any. */
function standing({ check, username, password }: DeclaredSide): string | undefined {
  if (check === "off") {
    return status.OFF;
  }
  return username === undefined || password === undefined ? status.NO_CREDENTIAL : undefined;
}

async function ask(session: Session, side: VoipSide): Promise<CheckResult> {
  const query = queryOf(side);
  const known = standing(side) ?? (query ? undefined : status.NO_CREDENTIAL);
  if (known !== undefined || !query) {
    return { status: known ?? status.NO_CREDENTIAL, mayBeStranger: false };
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
  const { address, port, transport, fromHost, voipCheckTimeout } = args;
  const [caller = args.username ?? ""] = callerIds(args);
  return {
    address,
    transport,
    ...(port === undefined ? {} : { port }),
    caller,
    domain: (fromHost || sipHost?.replace(/:\d+$/, "") || address).toLowerCase(),
    ...declaredSide(args, () => true),
    timeoutSeconds: voipCheckTimeout,
  };
}

/** The part of it that the plan needs. The credential is left out while anything that the check depends on is unknown. */
export function declaredSide(args: Partial<SipTrunkInputs>, isKnown: IsKnown<SipTrunkInputs>): DeclaredSide {
  const { username, password, verifier, voipCheck } = args;
  const credential = CHECKED.every(isKnown)
    ? { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) }
    : {};
  return { ...credential, ...(verifier === undefined ? {} : { verifier }), check: checkIn(voipCheck) };
}

/** The arguments that a check depends on. */
const CHECKED = [
  ...(["address", "port", "transport", "username", "password", "voipCheck"] as const),
  ...(["extension", "numbers", "country", "numberFormat", "fromHost"] as const),
];

/** A value that another version wrote to the state turns the check off. */
function checkIn(voipCheck: unknown = "register"): VoipCheck {
  return VOIP_CHECKS.find((it) => it === voipCheck) ?? "off";
}
