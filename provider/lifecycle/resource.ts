/** The interfaces on both sides of the lifecycle: what a resource describes, and what callers such as dynamic/ get. */

import type { z } from "zod";
import type { Claim } from "./claims";
import type { Drift } from "./drift";
import type { Session } from "./session";
import type { Props } from "./values";

/** The value of `platformStatus` when the platform matches the declaration. */
export const IN_SYNC = "in sync";

/** What a field's `meta()` can declare besides its default. */
export interface FieldBehaviour {
  /** A change replaces the resource instead of updating it. */
  readonly replaces?: boolean;
  /** Always masked and encrypted, even if a transform or an older state contains it in plain text. */
  readonly secret?: boolean;
  /** The field refers to a resource of this type by its owner. Renaming that resource is not a change. */
  readonly refersTo?: string;
  /** Only create() acts on it. Later it is no difference, whatever it is, and it is neither in the inputs nor in the outputs. */
  readonly createOnly?: boolean;
}

declare module "zod" {
  interface GlobalMeta extends FieldBehaviour {}
}

/** The state of an existing resource on the platform. */
export interface Observation {
  /** The inputs that differ, with their values on the platform. Never a password: its fingerprint is included instead. */
  readonly values: Props;
  /** The differences, in the order of the plan. Empty if everything is as applied. */
  readonly drift: readonly Drift[];
  /** Outputs that have changed without an update. */
  readonly outputs?: Props;
}

/** What was learned from systems other than LiveKit. */
export interface Probe {
  /** Current values of computed inputs. */
  readonly values: Props;
  /** Things to tell the user that are not differences. */
  readonly remarks: readonly string[];
}

/** What prevents a resource from being created or updated, as sentences, and remarks about what it will take over. */
export interface Conflicts {
  readonly problems: readonly string[];
  readonly remarks?: readonly string[];
}

export const NO_CONFLICTS: Conflicts = { problems: [] };

/** The declared resource, as its operations receive it. */
export interface Wanted<Args> {
  /** The resource's full name: organization/project/stack/name. */
  readonly owner: string;
  readonly args: Args;
  /** The inputs as the engine passed them. They are returned as outputs. */
  readonly inputs: Props;
}

/** Whether a field is known. In a preview, values that depend on resources yet to be created are not. */
export type IsKnown<Args> = (field: keyof Args) => boolean;

/** The description of a resource type. Hooks that it does not need are absent. */
export interface Resource<Schema extends z.ZodObject, Args = z.output<Schema>> {
  /** The name of the resource type, for example `SipTrunk`. */
  readonly kind: string;
  /** The arguments, with their defaults. Applied to what a program declares, never to state. */
  readonly schema: Schema;
  /**
   * The computed inputs besides `platformStatus`, each with a test for whether two values are the same to a plan. They stand in
   * the plan for things that can't be shown themselves.
   */
  readonly computedInputs?: Readonly<Record<string, (old: unknown, wanted: unknown) => boolean>>;
  /** The outputs that hold LiveKit ids and keep their values when the resource is updated. */
  readonly stableOutputs?: readonly string[];
  /** Whether a resource with these arguments has a stable output. By default it has each of them. */
  hasOutput?(output: string, args: Partial<Args>): boolean;
  /** Whether a deleted resource can only be recreated under a new id. */
  readonly goneNeedsNewId?: boolean;
  /** Whether a replacement must delete the old resource before it creates the new one. */
  readonly deleteBeforeReplace?: boolean;
  /** Checks across fields. Returns problems as sentences. Unknown and absent fields are undefined. */
  rules?(given: Partial<Args>, isKnown: IsKnown<Args>): string[];
  /** Normalises fields whose normal form depends on other fields. The result replaces the given values. */
  canonical?(given: Partial<Args>): Partial<Args>;
  /**
   * Settles arguments whose values depend on systems other than LiveKit. The result replaces the given values, and an argument that it
   * leaves undefined is removed. Called only by check().
   */
  settle?(
    session: Session,
    owner: string,
    given: Partial<Args>,
    olds: Props,
    isKnown: IsKnown<Args>,
  ): Promise<Partial<Args>>;
  /** What no other resource of the program may have. Called even when some fields are still unknown. */
  claims?(args: Partial<Args>): Claim[];
  /** The values that the plan wants for the computed inputs. */
  computed?(
    session: Session,
    owner: string,
    args: Partial<Args>,
    olds: Props,
    isKnown: IsKnown<Args>,
  ): Props | Promise<Props>;
  /** Looks for conflicts on the platform. Called even when some fields are still unknown. */
  conflicts?(
    session: Session,
    owner: string,
    args: Partial<Args>,
    /** The resource itself, if it already exists. */
    existing: { readonly id: string; readonly state: Props } | undefined,
    isKnown: IsKnown<Args>,
  ): Promise<Conflicts>;
  /**
   * Compares the platform with what was last applied. Returns undefined if the resource is gone. A resource that leaves nothing
   * on the platform has no such hook and no `platformStatus`.
   */
  observe?(session: Session, id: string, applied: Wanted<Args>, state: Props): Promise<Observation | undefined>;
  /** Asks systems other than LiveKit, and returns computed inputs. Called only by read(), after observe(). */
  probe?(session: Session, applied: Wanted<Args>): Promise<Probe>;
  /**
   * Creates the resource. The id and the `stableOutputs` count as this stack's own from then on: return LiveKit's id only if the
   * resource owns that object.
   */
  create(session: Session, wanted: Wanted<Args>): Promise<{ id: string; outputs: Props }>;
  /** Makes the platform match the declaration, whatever is there now. Returns the outputs that are not inputs. */
  update(session: Session, id: string, wanted: Wanted<Args>, state: Props): Promise<Props>;
  /** Deletes the resource's objects on the platform. Succeeds if they are already gone. */
  delete?(session: Session, id: string, applied: Wanted<Args>, state: Props): Promise<void>;
}

/** The difference between a resource's state and its declaration. */
export interface Difference {
  /** The inputs that have changed. */
  readonly changed: readonly string[];
  /** The changed inputs that require a replacement. */
  readonly replaces: readonly string[];
  /** How the platform differs from the state, in words. Empty if it is the same or was not checked. */
  readonly drift: readonly string[];
  /** Whether an update is needed: because of a change, drift or an unfinished create. */
  readonly needsUpdate: boolean;
}

/** Pulumi's operations on a resource, in plain values and without Pulumi's types. */
export interface Lifecycle {
  /** The properties that are always secret. */
  readonly secrets: ReadonlySet<string>;
  /** The outputs that an update does not change. */
  readonly stableOutputs: readonly string[];
  readonly deleteBeforeReplace: boolean;
  /** The inputs in their normal form with the computed values, and the problems found, as sentences. */
  check(olds: Props, news: Props): Promise<{ readonly inputs: Props; readonly problems: readonly string[] }>;
  diff(id: string, olds: Props, news: Props): Promise<Difference>;
  create(inputs: Props): Promise<{ readonly id: string; readonly outputs: Props }>;
  /** Returns undefined if the resource is gone. */
  read(id: string, state: Props): Promise<{ readonly inputs: Props; readonly outputs: Props } | undefined>;
  update(id: string, olds: Props, news: Props): Promise<{ readonly outputs: Props }>;
  delete(id: string, state: Props): Promise<void>;
}
