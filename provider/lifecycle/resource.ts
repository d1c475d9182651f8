/** What a resource says of itself, and what a front door gets to know of it. */

import type { z } from "zod";
import type { Claim } from "./claims";
import type { Session } from "./session";
import type { Props } from "./values";

/** What `platformStatus` says while the platform is as declared. */
export const IN_SYNC = "in sync";

/** What a field's `meta()` may say, beside its default. */
export interface FieldBehaviour {
  /** A change makes a new resource instead of updating this one. */
  readonly replaces?: boolean;
  /** Always masked and encrypted, also where a transform or an older state gave it in clear. */
  readonly secret?: boolean;
  /** The field names a resource of this type by its owner. A new name of that resource is no change. */
  readonly refersTo?: string;
}

declare module "zod" {
  interface GlobalMeta extends FieldBehaviour {}
}

/** What was found on the platform for a resource that exists. */
export interface Observation {
  /** The inputs that differ there, as they are there; never a password: its fingerprint stands for it. */
  readonly values: Props;
  /** Each difference in words, without any value; empty when all is as applied. */
  readonly words: readonly string[];
  /** Outputs that have changed by themselves. */
  readonly outputs?: Props;
}

/** What was found beyond LiveKit. */
export interface Probe {
  /** Computed inputs, as they are. */
  readonly values: Props;
  /** What the user has to know although it is no difference. */
  readonly remarks: readonly string[];
}

/** What stands in the way of a resource, as sentences, and what the user has to know of what it is about to take over. */
export interface Conflicts {
  readonly problems: readonly string[];
  readonly remarks?: readonly string[];
}

/** Nothing stands in the way. */
export const NO_CONFLICTS: Conflicts = { problems: [] };

/** What a resource's operations are given. */
export interface Wanted<Args> {
  /** Who owns it: organization/project/stack/name. */
  readonly owner: string;
  readonly args: Args;
  /** The inputs as the engine has them: what goes back as outputs. */
  readonly inputs: Props;
}

/** Whether a field is known: in a preview, what depends on resources that do not exist yet is not. */
export type IsKnown<Args> = (field: keyof Args) => boolean;

/** What a resource says of itself. Hooks that it does not need are absent. */
export interface Resource<Schema extends z.ZodObject, Args = z.output<Schema>> {
  /** The resource's type, as its users call it. */
  readonly kind: string;
  /** The arguments, with their defaults. It is applied to what a program declares, never to a state. */
  readonly schema: Schema;
  /**
   * The computed inputs that the resource has beside `platformStatus`, and when two values of one are the same to a plan: what the
   * plan shows of things that can't be shown themselves.
   */
  readonly computedInputs?: Readonly<Record<string, (old: unknown, wanted: unknown) => boolean>>;
  /** Names of outputs that hold LiveKit ids and that an update in place does not change. */
  readonly stableOutputs?: readonly string[];
  /** Whether a resource that is gone can only come back under a new id. */
  readonly goneNeedsNewId?: boolean;
  /** Whether, when the resource is replaced, the old one has to be deleted first. */
  readonly deleteBeforeReplace?: boolean;
  /** Rules across fields, as sentences. Fields that are not known yet, or not given, are undefined. */
  rules?(given: Partial<Args>, isKnown: IsKnown<Args>): string[];
  /** Fields in one way of writing, where that depends on other fields. What it returns replaces what was given. */
  canonical?(given: Partial<Args>): Partial<Args>;
  /** What no other resource of the program may have. Called even when some fields are still unknown. */
  claims?(args: Partial<Args>): Claim[];
  /** The values of the computed inputs that the plan wants. */
  computed?(session: Session, owner: string, args: Partial<Args>, olds: Props, isKnown: IsKnown<Args>): Props;
  /** What stands in the way on the platform. Called even when some fields are still unknown. */
  conflicts?(
    session: Session,
    owner: string,
    args: Partial<Args>,
    /** The resource itself, where it exists already. */
    existing?: { readonly id: string; readonly state: Props },
  ): Promise<Conflicts>;
  /**
   * Compares the platform with what was last applied; undefined when the resource is gone. A resource that leaves nothing on the
   * platform has no such hook, and no `platformStatus`.
   */
  observe?(session: Session, id: string, applied: Wanted<Args>, state: Props): Promise<Observation | undefined>;
  /** What was found beyond LiveKit, as computed inputs. Only read() asks, after observe(). */
  probe?(session: Session, applied: Wanted<Args>): Promise<Probe>;
  create(session: Session, wanted: Wanted<Args>): Promise<{ id: string; outputs: Props }>;
  /** Brings the platform to what is wanted, whatever it finds there. Returns the outputs beside the inputs. */
  update(session: Session, id: string, wanted: Wanted<Args>, state: Props): Promise<Props>;
  /** Deletes what the resource has on the platform. That it is gone already is success. */
  delete?(session: Session, id: string, applied: Wanted<Args>, state: Props): Promise<void>;
}

/** How the state of a resource differs from what is wanted. */
export interface Difference {
  /** The inputs that have changed. */
  readonly changed: readonly string[];
  /** Those among them that can only change with a new resource. */
  readonly replaces: readonly string[];
  /** How the platform differs from the state, in words; empty where it was not looked at, or is the same. */
  readonly drift: readonly string[];
  /** Whether there is anything to do: a change, a drift, or a create that was not finished. */
  readonly needsUpdate: boolean;
}

/** A resource as a front door sees it: Pulumi's operations in plain values, without Pulumi. */
export interface Lifecycle {
  /** The properties that are always secret. */
  readonly secrets: ReadonlySet<string>;
  /** The outputs that an update in place does not change. */
  readonly stableOutputs: readonly string[];
  readonly deleteBeforeReplace: boolean;
  /** The inputs as they count, and what is wrong with them, as sentences. */
  check(olds: Props, news: Props): Promise<{ readonly inputs: Props; readonly problems: readonly string[] }>;
  diff(id: string, olds: Props, news: Props): Promise<Difference>;
  create(inputs: Props): Promise<{ readonly id: string; readonly outputs: Props }>;
  /** Undefined when the resource is gone. */
  read(id: string, state: Props): Promise<{ readonly inputs: Props; readonly outputs: Props } | undefined>;
  update(id: string, olds: Props, news: Props): Promise<{ readonly outputs: Props }>;
  delete(id: string, state: Props): Promise<void>;
}
