/** Adapts a lifecycle to the methods of a Pulumi dynamic provider. */

import { type dynamic, runtime } from "@pulumi/pulumi";
import { ResourceError } from "../lifecycle/errors";
import type { Lifecycle } from "../lifecycle/resource";
import { defined, type Props, UNKNOWN } from "../lifecycle/values";

/** The methods of a dynamic provider that a lifecycle implements. */
export type Methods = Required<
  Pick<dynamic.ResourceProvider, "check" | "diff" | "create" | "read" | "update" | "delete">
>;

/** The property in which Pulumi keeps the serialized provider of a dynamic resource. */
const PROVIDER = "__provider";

export function methodsOf(lifecycle: Lifecycle): Methods {
  /** Marks secret properties, so that Pulumi masks and encrypts them even if they arrived as plain values. */
  const sealed = (props: Props): Props =>
    Object.fromEntries(
      Object.entries(props).map(([field, value]) => [
        field,
        lifecycle.secrets.has(field) && value !== UNKNOWN && value !== null ? secret(value) : value,
      ]),
    );

  return {
    async check(olds: Props, news: Props) {
      const { inputs, problems } = await lifecycle.check(olds, news);
      // The engine prints the value of the property that a failure names, even if it is secret. So the reason names it instead.
      return { inputs: sealed(inputs), failures: problems.map((reason) => ({ property: "", reason })) };
    },

    async diff(id: string, olds: Props, news: Props) {
      const { needsUpdate, replaces } = await lifecycle.diff(id, olds, news);
      // The state of a resource that the native provider managed has none, and no operation could load it.
      const lacksProvider = PROVIDER in news && !(PROVIDER in olds);
      return {
        changes: needsUpdate || lacksProvider,
        replaces: [...replaces],
        deleteBeforeReplace: lifecycle.deleteBeforeReplace,
      };
    },

    async create(inputs: Props) {
      const { id, outputs } = await recordingParts(lifecycle.create(inputs));
      return { id, outs: sealed(outputs) };
    },

    async read(id: string, state: Props) {
      const found = await lifecycle.read(id, state);
      return found ? { id, inputs: sealed(found.inputs), props: sealed(found.outputs) } : {};
    },

    async update(id: string, olds: Props, news: Props) {
      const { outputs } = await recordingParts(lifecycle.update(id, olds, news));
      return { outs: sealed(outputs) };
    },

    delete: (id: string, state: Props) => lifecycle.delete(id, state),
  };
}

/** Wraps a value as a Pulumi secret. */
function secret(value: unknown): Props {
  return { [runtime.specialSigKey]: runtime.specialSecretSig, value };
}

/** Puts the properties on an error that make Pulumi record a partially created resource. */
async function recordingParts<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ResourceError && error.partial) {
      const { id, properties } = error.partial;
      Object.assign(error, { id, properties: defined(properties), reasons: [error.message] });
    }
    throw error;
  }
}
