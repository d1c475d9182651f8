/** The file for `pulumi import --file`: resources with their whole state, so that no provider is asked. */

import { runtime } from "@pulumi/pulumi";
import { thinProvider } from "../dynamic/provider";
import { SecretReference } from "../inference/secrets";
import type { Kind } from "../inference/trial";
import type { Props } from "../lifecycle/values";
import { derivedOutputs } from "../native/derived";
import { typeOfKind } from "../resource-types";
import type { Declared } from "./program";

/** A resource in the file (Pulumi's documentation, "pulumi import"; `outputs` since CLI 3.254). */
export interface ImportEntry {
  readonly type: string;
  /** The entry's own name in the file. */
  readonly name: string;
  readonly logicalName: string;
  readonly id: string;
  readonly inputs: Props;
  readonly outputs: Props;
}

/**
 * The entries of resources. They contain the passwords in plain text, as Pulumi requires it. The computed inputs are left out of
 * `inputs`, because Pulumi warns of each one that a provider's Read does not return; a preview computes them.
 *
 * @param isNative whether the program declares them with the native provider
 */
export async function importEntries(resources: readonly Declared[], isNative: boolean): Promise<ImportEntry[]> {
  const kinds = isNative ? [] : [...new Set(resources.map(({ resource }) => resource.kind))];
  const providers = new Map(await Promise.all(kinds.map(async (kind) => [kind, await providerText(kind)] as const)));
  return resources.map(({ resource: { kind, name, id, owner, outputs }, inputs }) => {
    const own = { owner, ...(!isNative && { __provider: providers.get(kind) }) };
    const derived = isNative ? derivedOutputs(kind, outputs) : {};
    return {
      type: typeOfKind(kind, isNative),
      name: `${kind} ${name}`,
      logicalName: name,
      id,
      inputs: sealed({ ...inputs, ...own }),
      outputs: sealed({ ...outputs, ...derived, ...inputs, ...own }),
    };
  });
}

/** The provider as Pulumi's runtime serializes it into a resource that a program declares. */
async function providerText(kind: Kind): Promise<string> {
  const provider = thinProvider(kind);
  const { text } = await runtime.serializeFunction(() => provider, { allowSecrets: true });
  return text;
}

/** Wraps what is secret in the form that Pulumi's CLI reads and encrypts. */
function sealed(props: Props): Props {
  return Object.fromEntries(Object.entries(props).map(([field, value]) => [field, sealedValue(value)]));
}

function sealedValue(value: unknown): unknown {
  if (value instanceof SecretReference) {
    return { [runtime.specialSigKey]: runtime.specialSecretSig, plaintext: JSON.stringify(value.value) };
  }
  if (Array.isArray(value)) {
    return value.map(sealedValue);
  }
  return typeof value === "object" && value !== null ? sealed({ ...value }) : value;
}
