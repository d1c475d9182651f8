/** What a check needs of a stack's state: the resources that are compared, the LiveKit project and its settings. */

import { runtime } from "@pulumi/pulumi";
import { dispatchRule } from "../../dispatch-rule/lifecycle";
import { withoutListedAll } from "../../dispatch-rule/listed-trunks";
import { inboundAuth } from "../../inbound-auth/lifecycle";
import type { Kind } from "../../inference/trial";
import { nameIn } from "../../lifecycle/owner";
import type { Props } from "../../lifecycle/values";
import { isOfKind, KINDS, PACKAGE } from "../../resource-types";
import { sipTrunk } from "../../sip-trunk/lifecycle";
import { type Deployment, liveKitIds } from "../state";

/** The names of each type's arguments. */
export const ARGUMENTS: Readonly<Record<Kind, ReadonlySet<string>>> = {
  SipTrunk: new Set(Object.keys(sipTrunk.schema.shape)),
  InboundAuth: new Set(Object.keys(inboundAuth.schema.shape)),
  DispatchRule: new Set(Object.keys(dispatchRule.schema.shape)),
};

/** A resource in a state. */
export interface SipResource {
  readonly kind: Kind;
  readonly urn: string;
  readonly name: string;
  readonly id: string;
  /** The outputs, which include the arguments. Secrets are encrypted. */
  readonly state: Props;
}

/** The part of a state that a check needs. */
export interface SipStack {
  /** organization/project/stack */
  readonly name: string;
  readonly updatedAt?: string;
  readonly isInterrupted: boolean;
  readonly lockedBy?: string;
  readonly resources: readonly SipResource[];
  /** The ids on LiveKit of everything that it manages. */
  readonly managed: readonly string[];
  /** The `livekit:*` configuration that is not secret. */
  readonly settings: ReadonlyMap<string, string>;
}

/** @param name the stack's name. If it is not the full one, the state tells. */
export function sipStackIn(deployment: Deployment, name: string, lockedBy?: string): SipStack {
  const resources = KINDS.flatMap((kind) =>
    deployment.resources.flatMap(({ type, urn, id, outputs }): SipResource[] =>
      isOfKind(type, kind) && id !== undefined
        ? [{ kind, urn, name: nameIn(urn), id, state: withoutListedAll(outputs ?? {}) }]
        : [],
    ),
  );
  const { updatedAt, isInterrupted } = deployment;
  return {
    name: name.split("/").length === 3 ? name : (fullNameIn(resources) ?? name),
    ...(updatedAt !== undefined && { updatedAt }),
    ...(lockedBy !== undefined && { lockedBy }),
    isInterrupted,
    resources,
    managed: [...liveKitIds(deployment), ...liveKitIds({ resources: deployment.replaced })],
    settings: settingsIn(deployment),
  };
}

/** A resource's owner keeps the former name of a stack that was renamed, until the next `up`. Its URN has the present one. */
function fullNameIn(resources: readonly SipResource[]): string | undefined {
  const named = resources.find(({ state }) => typeof state.owner === "string");
  if (!named) {
    return undefined;
  }
  const [organization] = String(named.state.owner).split("/");
  const [stack, project] = named.urn.slice("urn:pulumi:".length).split("::");
  return `${organization}/${project}/${stack}`;
}

/** Pulumi keeps the stack's configuration in the inputs of the provider of all dynamic resources, or of the native provider. */
function settingsIn({ resources }: Deployment): Map<string, string> {
  const inputsOf = (name: string) => resources.find(({ type }) => type === `pulumi:providers:${name}`)?.inputs ?? {};
  const native = Object.entries(inputsOf(PACKAGE)).map(([key, value]) => [`livekit:${key}`, value] as const);
  return new Map(
    [...Object.entries(inputsOf("pulumi-nodejs")), ...native].filter(
      (entry): entry is [string, string] => entry[0].startsWith("livekit:") && typeof entry[1] === "string",
    ),
  );
}

/** Whether a value in a state is an encrypted secret. */
export function isEncrypted(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    Reflect.get(value, runtime.specialSigKey) === runtime.specialSecretSig
  );
}
