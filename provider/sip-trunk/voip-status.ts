/** Checks the credential against the VoIP system: `voipStatus` as a computed input, and the error if that system rejects it. */

import { ResourceError } from "../lifecycle/errors";
import type { IsKnown, Probe } from "../lifecycle/resource";
import { perSession, type Session } from "../lifecycle/session";
import type { Props } from "../lifecycle/values";
import { nameOf } from "../livekit/ownership";
import { printable } from "../printable";
import { CredentialChecks } from "../voip/checks";
import { type CredentialVerifier, verifies } from "../voip/credential";
import type { CheckMethod, CredentialQuery } from "../voip/credential-check";
import * as status from "../voip/status";
import type { SipTrunkInputs } from "./arguments";

/** A credential and how to check it. Values that are unknown or not given are absent. */
interface DeclaredSide {
  readonly username?: string;
  readonly password?: string;
  /** What the VoIP system stores, if that is only a hash. */
  readonly verifier?: CredentialVerifier;
  /** The methods in the order to try. Empty if the VoIP system is not to be asked. */
  readonly methods: readonly CheckMethod[];
}

/** A credential and the VoIP system that should accept it. */
interface VoipSide extends DeclaredSide {
  readonly address: string;
  readonly port?: number;
  readonly transport: SipTrunkInputs["transport"];
  /** The user whose registration is queried. */
  readonly user?: string;
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
  const voipStatus = await ask(session, side);
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
  const voipStatus = await ask(session, side);
  if (status.isRejection(voipStatus)) {
    throw new ResourceError(
      `${resource}: ${voipStatus}, so calls would fail. Nothing was changed on LiveKit. Set the declared password for user "${username}" in the VoIP system, ` +
        'or declare the password that it has there; voipCheck: "off" skips this check.',
    );
  }
  return { voipStatus };
}

/** The status that is known without asking, if any. */
function standing({ methods, username, password }: DeclaredSide): string | undefined {
  if (methods.length === 0) {
    return status.OFF;
  }
  return username === undefined || password === undefined ? status.NO_CREDENTIAL : undefined;
}

async function ask(session: Session, side: VoipSide): Promise<string> {
  const query = queryOf(side);
  return standing(side) ?? (query ? printable(await checksOf(session).ask(query)) : status.NO_CREDENTIAL);
}

function queryOf(side: VoipSide): CredentialQuery | undefined {
  const { address, port, transport, user, username, password, timeoutSeconds } = side;
  const [first, ...others] = side.methods;
  if (first === undefined || username === undefined || password === undefined) {
    return undefined;
  }
  return {
    // LiveKit calls over UDP by default.
    server: {
      host: address,
      ...(port === undefined ? {} : { port }),
      protocol: transport === "auto" ? "udp" : transport,
    },
    user: user ?? username,
    username,
    password,
    methods: [first, ...others],
    timeoutMs: timeoutSeconds * 1000,
  };
}

/** The VoIP system and credential that the arguments describe. */
export function voipSide(args: SipTrunkInputs): VoipSide {
  const { address, port, transport, extension, voipCheckTimeout } = args;
  return {
    address,
    transport,
    ...(port === undefined ? {} : { port }),
    ...(extension === undefined ? {} : { user: extension }),
    ...declaredSide(args, () => true),
    timeoutSeconds: voipCheckTimeout,
  };
}

/** The part of it that the plan needs. The credential is left out while anything that the check depends on is unknown. */
export function declaredSide(args: Partial<SipTrunkInputs>, isKnown: IsKnown<SipTrunkInputs>): DeclaredSide {
  const { username, password, verifier } = args;
  const needed = ["address", "port", "transport", "username", "password", "extension", "voipCheck"] as const;
  const credential = needed.every(isKnown)
    ? { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) }
    : {};
  return { ...credential, ...(verifier === undefined ? {} : { verifier }), methods: checkMethods(args) };
}

function checkMethods({ type, voipCheck }: Partial<SipTrunkInputs>): readonly CheckMethod[] {
  switch (voipCheck ?? (type === "did" ? "options" : "register")) {
    case "register":
      return ["register"];
    case "options":
      return ["options", "register"];
    // "off", or a value that another version wrote to the state.
    default:
      return [];
  }
}
