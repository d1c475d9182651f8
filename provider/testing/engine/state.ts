/** The state of a stack's resources, in memory and as `pulumi stack export` writes it. */

import { SECRET, SIGNATURE } from "../../property-protocol";
import { isObject, type Properties, Reference, Secret, type Value } from "./property";
import type { Vault } from "./vault";
import { decode, encode } from "./wire";

/** One resource. The field names are the engine's. */
export interface ResourceState {
  urn: string;
  type: string;
  custom: boolean;
  id: string;
  inputs: Properties;
  outputs: Properties | undefined;
  parent: string;
  protect: boolean;
  retainOnDelete: boolean;
  /** It has been replaced and must still be deleted. */
  delete: boolean;
  /** It has been deleted and must still be recreated. */
  pendingReplacement: boolean;
  dependencies: string[];
  propertyDependencies: Record<string, string[]>;
  provider: string;
  additionalSecretOutputs: string[];
  initErrors: string[];
  ignoreChanges: string[];
  replaceOnChanges: string[];
  deletedWith: string;
  replaceWith: string[];
  created: string | undefined;
  modified: string | undefined;
}

/** A resource in an exported state. */
export interface ExportedResource {
  urn: string;
  custom: boolean;
  type: string;
  id?: string;
  delete?: boolean;
  pendingReplacement?: boolean;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  parent?: string;
  protect?: boolean;
  retainOnDelete?: boolean;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
  provider?: string;
  additionalSecretOutputs?: string[];
  initErrors?: string[];
  ignoreChanges?: string[];
  replaceOnChanges?: string[];
  deletedWith?: string;
  replaceWith?: string[];
  created?: string;
  modified?: string;
}

/** A stack's state as `pulumi stack export` prints it, with secrets as ciphertext. */
export interface StackState {
  version: number;
  deployment: {
    manifest: { time: string; magic: string; version: string };
    resources?: ExportedResource[];
  };
}

/** The type of the resource that represents the stack itself. */
export const stackType = "pulumi:pulumi:Stack";

/** The URNs that a resource depends on, including its provider but not its parent. */
export function dependenciesOf(state: ResourceState): string[] {
  return [
    ...state.dependencies,
    ...Object.values(state.propertyDependencies).flat(),
    ...(state.deletedWith ? [state.deletedWith] : []),
    ...state.replaceWith,
    ...(state.provider ? [providerUrn(state.provider)] : []),
  ];
}

/** The URN in a provider reference (`urn::id`). */
export function providerUrn(reference: string): string {
  return reference.slice(0, reference.lastIndexOf("::"));
}

/** The name at the end of a URN. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/** The last type in a URN. */
export function typeOf(urn: string): string {
  return (urn.split("::")[2] ?? "").split("$").pop() ?? "";
}

/** A copy that can be changed without changing the original. */
export function copyState(state: ResourceState): ResourceState {
  return { ...state, inputs: { ...state.inputs }, outputs: state.outputs && { ...state.outputs } };
}

/** The state as JSON, with encrypted secrets. */
export function exportState(resources: ResourceState[], vault: Vault): StackState {
  return {
    version: 3,
    deployment: {
      manifest: { time: new Date().toISOString(), magic: "", version: "pulumi-livekit-sip/testing" },
      ...(resources.length > 0 && { resources: resources.map((resource) => exportResource(resource, vault)) }),
    },
  };
}

/** The resources of an exported state, with decrypted secrets. */
export function importState(state: StackState, vault: Vault): ResourceState[] {
  return (state.deployment.resources ?? []).map((resource) => ({
    urn: resource.urn,
    type: resource.type,
    custom: resource.custom,
    id: resource.id ?? "",
    inputs: unseal(resource.inputs ?? {}, vault),
    outputs: unseal(resource.outputs ?? {}, vault),
    parent: resource.parent ?? "",
    protect: resource.protect ?? false,
    retainOnDelete: resource.retainOnDelete ?? false,
    delete: resource.delete ?? false,
    pendingReplacement: resource.pendingReplacement ?? false,
    dependencies: resource.dependencies ?? [],
    propertyDependencies: resource.propertyDependencies ?? {},
    provider: resource.provider ?? "",
    additionalSecretOutputs: resource.additionalSecretOutputs ?? [],
    initErrors: resource.initErrors ?? [],
    ignoreChanges: resource.ignoreChanges ?? [],
    replaceOnChanges: resource.replaceOnChanges ?? [],
    deletedWith: resource.deletedWith ?? "",
    replaceWith: resource.replaceWith ?? [],
    created: resource.created,
    modified: resource.modified,
  }));
}

function exportResource(state: ResourceState, vault: Vault): ExportedResource {
  const kept = (key: keyof ResourceState): boolean => {
    const value = state[key];
    return Array.isArray(value) ? value.length > 0 : Boolean(value);
  };
  return {
    urn: state.urn,
    custom: state.custom,
    ...(kept("delete") && { delete: true }),
    ...(kept("id") && { id: state.id }),
    type: state.type,
    ...(Object.keys(state.inputs).length > 0 && { inputs: seal(state.inputs, vault) }),
    ...(state.outputs && Object.keys(state.outputs).length > 0 && { outputs: seal(state.outputs, vault) }),
    ...(kept("parent") && { parent: state.parent }),
    ...(kept("protect") && { protect: true }),
    ...(kept("dependencies") && { dependencies: state.dependencies }),
    ...(kept("initErrors") && { initErrors: state.initErrors }),
    ...(kept("provider") && { provider: state.provider }),
    ...(Object.keys(state.propertyDependencies).length > 0 && { propertyDependencies: state.propertyDependencies }),
    ...(kept("pendingReplacement") && { pendingReplacement: true }),
    ...(kept("additionalSecretOutputs") && { additionalSecretOutputs: state.additionalSecretOutputs }),
    ...(kept("retainOnDelete") && { retainOnDelete: true }),
    ...(kept("deletedWith") && { deletedWith: state.deletedWith }),
    ...(kept("replaceWith") && { replaceWith: state.replaceWith }),
    ...(kept("ignoreChanges") && { ignoreChanges: state.ignoreChanges }),
    ...(kept("replaceOnChanges") && { replaceOnChanges: state.replaceOnChanges }),
    ...(state.created && { created: state.created }),
    ...(state.modified && { modified: state.modified }),
  };
}

function seal(properties: Properties, vault: Vault): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, sealValue(value, vault)]));
}

function sealValue(value: Value, vault: Vault): unknown {
  if (value instanceof Secret) {
    const text = JSON.stringify(encode(value.element, { secrets: true, unknowns: true, references: true }));
    return { [SIGNATURE]: SECRET, ciphertext: vault.encrypt(text) };
  }
  if (Array.isArray(value)) {
    return value.map((item) => sealValue(item, vault));
  }
  if (value instanceof Reference || !isObject(value)) {
    return encode(value, { secrets: true, unknowns: true, references: true });
  }
  return seal(value, vault);
}

function unseal(json: Record<string, unknown>, vault: Vault): Properties {
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, unsealValue(value, vault)]));
}

function unsealValue(json: unknown, vault: Vault): Value {
  if (Array.isArray(json)) {
    return json.map((item) => unsealValue(item, vault));
  }
  if (typeof json !== "object" || json === null) {
    return decode(json);
  }
  const fields = new Map(Object.entries(json));
  if (fields.get(SIGNATURE) === SECRET) {
    return new Secret(decode(JSON.parse(vault.decrypt(String(fields.get("ciphertext"))))));
  }
  return fields.has(SIGNATURE) ? decode(json) : unseal(Object.fromEntries(fields), vault);
}
