/**
 * Makes a Pulumi lifecycle out of what a resource says of itself: its schema, what it wants, what it observes. check(),
 * diff(), read() and the words of the plan are the same for all resources and live here; a resource only talks about LiveKit.
 */

import type { dynamic } from "@pulumi/pulumi";
import { z } from "zod";
import { ConfigurationError } from "../livekit/connection";
import { LiveKitError } from "../livekit/errors";
import { nameOf } from "../livekit/ownership";
import { printable } from "../printable";
import { isSameStatus } from "../voip/status";
import { explain, ResourceError } from "./errors";
import type { Claim, Session } from "./session";
import { containsUnknown, defined, type Props, same, secret, UNKNOWN } from "./values";

/** The resource types of this package. */
export type Kind = "SipTrunk" | "InboundAuth" | "DispatchRule" | "TestCall";

/** What `platformStatus` says while the platform is as declared. */
export const IN_SYNC = "in sync";

/** What a field's `meta()` may say of how a change of it behaves. */
export interface FieldBehaviour {
  /** What LiveKit does when the field is left out: leaving it out and saying this are the same. */
  readonly whenAbsent?: unknown;
  /** A change makes a new resource instead of updating this one. */
  readonly replaces?: boolean;
  /** Always masked and encrypted, also where a transform or an older state gave it in clear. */
  readonly secret?: boolean;
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

const UNCHANGED: Observation = { values: {}, words: [] };

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

/** What a resource says of itself. */
export interface Resource<Schema extends z.ZodObject> {
  readonly kind: Kind;
  readonly schema: Schema;
  /** Rules across fields, as sentences. A field that is not known yet, or not given, is undefined. */
  rules(args: Partial<z.output<Schema>>, isKnown: (field: keyof z.output<Schema>) => boolean): string[];
  /** Fields in one way of writing, where that takes other fields to know; what it returns replaces what was given. */
  canonical(args: Partial<z.output<Schema>>): Partial<z.output<Schema>>;
  /** What no other resource of the program may have; only called when every field it needs may be unknown. */
  claims(args: Partial<z.output<Schema>>): Claim[];
  /** Computed inputs beside `platformStatus`: what the plan shows of things that can't be shown themselves. */
  computed(
    session: Session,
    owner: string,
    args: Partial<z.output<Schema>>,
    olds: Props,
    isKnown: (field: keyof z.output<Schema>) => boolean,
  ): Props;
  /** What stands in the way on the platform. */
  conflicts(
    session: Session,
    owner: string,
    args: Partial<z.output<Schema>>,
    /** The resource itself, where it exists already. */
    existing?: { readonly id: string; readonly state: Props },
  ): Promise<Conflicts>;
  /** Names of outputs that hold LiveKit ids and that an update in place does not change. */
  readonly stableOutputs: readonly string[];
  /**
   * Compares the platform with what was last applied; undefined when the resource is gone. A resource that leaves nothing on the
   * platform has no such method, and no `platformStatus`.
   */
  observe?(
    session: Session,
    id: string,
    applied: Wanted<z.output<Schema>>,
    state: Props,
  ): Promise<Observation | undefined>;
  /** Whether a resource that is gone can only come back under a new id. */
  readonly goneNeedsNewId: boolean;
  /** Whether, when it is replaced, the old one has to go first. */
  readonly deleteBeforeReplace: boolean;
  /**
   * What there is to say of things beyond LiveKit, as computed inputs. Only read() asks, where the engine works in parallel;
   * LiveKit has been observed by then.
   */
  probe?(session: Session, applied: Wanted<z.output<Schema>>): Promise<Probe>;
  create(session: Session, wanted: Wanted<z.output<Schema>>): Promise<{ id: string; outputs: Props }>;
  /** Brings the platform to what is wanted, whatever it finds there. Returns the outputs beside the inputs. */
  update(session: Session, id: string, wanted: Wanted<z.output<Schema>>, state: Props): Promise<Props>;
  delete(session: Session, id: string, applied: Wanted<z.output<Schema>>, state: Props): Promise<void>;
}

/** The dynamic provider methods of one resource, for one host process. */
export type Lifecycle = Required<
  Pick<dynamic.ResourceProvider, "check" | "diff" | "create" | "read" | "update" | "delete">
>;

export function lifecycle<Schema extends z.ZodObject>(resource: Resource<Schema>, session: Session): Lifecycle {
  type Args = z.output<Schema>;
  const fields = fieldsOf(resource.schema);
  const absent = (field: string) => fields.get(field)?.whenAbsent;

  // check() applies the schema. Here it is not applied again: a state that an earlier version wrote must always load.
  const asGiven = z.custom<Args>();
  const wanted = (props: Props): Wanted<Args> => {
    const given = [...fields.keys()].filter((field) => (props[field] ?? undefined) !== undefined);
    const args = asGiven.parse(Object.fromEntries(given.map((field) => [field, props[field]])));
    return { owner: String(props.owner), args, inputs: props };
  };

  /** Records what the state holds as this stack's own. */
  const known = (id: string, state: Props): void => {
    session.own.add(resource.kind, String(state.owner), id, ...resource.stableOutputs.map((output) => state[output]));
  };

  const secrets = new Set(["__lastApplied", ...[...fields].filter(([, it]) => it.secret).map(([field]) => field)]);
  /** As the engine takes it: without what is undefined, and what is secret marked as such. */
  const sealed = (props: Props): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(defined(props)).map(([field, value]) => [
        field,
        secrets.has(field) && value !== UNKNOWN && value !== null ? secret(value) : value,
      ]),
    );

  /** Whether a reference names the same SipTrunk as before, which the program has renamed or moved. */
  const isRename = (old: unknown, wanted: unknown): boolean =>
    typeof wanted === "string" && old !== undefined && session.own.formerOwner("SipTrunk", wanted) === old;

  const status = (text: string): Props => (resource.observe ? { platformStatus: text } : {});

  const guarded = async <Result>(doing: string, props: Props, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error, doing, resource.kind, props, session.told);
    }
  };

  return {
    async check(olds: Props, news: Props) {
      const { inputs, known, isKnown, problems } = validate(resource, fields, news);
      const owner = String(news.owner);
      session.own.declare(resource.kind, owner, olds.owner);
      // A replacement that Pulumi decides on by itself asks neither read() nor diff() of this process which resource it replaces.
      session.own.add(resource.kind, owner, olds[ID]);
      try {
        if (problems.length === 0) {
          problems.push(...session.claims.make(resource.kind, owner, resource.claims(known)));
          const exists = Object.keys(olds).length > 0;
          const stable = resource.stableOutputs.map((output) => [output, olds[output]]);
          const computed = { ...resource.computed(session, owner, known, olds, isKnown), ...status(IN_SYNC) };
          // The program gives no computed input: what comes here was put back by ignoreChanges and is to stay.
          const kept = computedInputs(news).map((field) => [field, news[field]]);
          Object.assign(inputs, Object.fromEntries(stable), { [ID]: olds[ID] }, computed, Object.fromEntries(kept));
          if (!exists) {
            const { problems: inTheWay, remarks = [] } = await resource.conflicts(session, owner, known);
            problems.push(...inTheWay);
            tell(session, resource.kind, news, remarks);
          }
        }
      } catch (error) {
        if (!(error instanceof LiveKitError || error instanceof ConfigurationError)) {
          throw explain(error, "Checking", resource.kind, news, session.told);
        }
        problems.push(error.message);
      }
      // The engine prints the value of the property that a failure names, secret or not: the sentence names it instead.
      return {
        inputs: sealed(inputs),
        failures: problems.map((reason) => ({ property: "", reason: printable(reason) })),
      };
    },

    diff: (id: string, olds: Props, news: Props) =>
      guarded("Comparing", news, async () => {
        known(id, olds);
        const changed = [
          ...[...fields.keys()].filter(
            (field) =>
              !same(olds[field] ?? absent(field), news[field] ?? absent(field)) &&
              (resource.observe || !isRename(olds[field], news[field])),
          ),
          ...computedInputs(news).filter(
            (field) => !COMPUTED[field]?.(olds[field] ?? undefined, news[field] ?? undefined),
          ),
          // A renamed resource has to write its new name to where others look for it.
          ...(olds.owner === news.owner || !resource.observe ? [] : ["owner"]),
        ];
        const replaces = changed.filter((field) => fields.get(field)?.replaces && !isRename(olds[field], news[field]));
        const drift: string[] = [];
        if (resource.observe && olds.platformStatus === IN_SYNC) {
          const observation = await resource.observe(session, id, wanted(olds), olds);
          drift.push(...(observation?.words ?? ["gone from LiveKit"]));
          if (!observation && resource.goneNeedsNewId) {
            replaces.push("platformStatus");
          }
          const declared = `is not as declared: ${drift.join("; ")}.`;
          tell(session, resource.kind, news, drift.length > 0 ? [declared] : []);
        }
        if (replaces.length > 0) {
          // The replacement is checked anew, and under its new name where ignoreChanges has kept the old one.
          session.claims.release(resource.kind, String(news.owner));
        }
        const args = validate(resource, fields, news).known;
        const { problems } = await resource.conflicts(session, String(news.owner), args, { id, state: olds });
        if (problems.length > 0) {
          throw new ResourceError(`${resource.kind} "${nameOf(String(news.owner))}": ${problems.join(" ")}`);
        }
        // What a create has not made is no change that the program could ignore.
        const isUnfinished = resource.stableOutputs.some((output) => (olds[output] ?? undefined) === undefined);
        return {
          changes: changed.length > 0 || drift.length > 0 || isUnfinished,
          replaces,
          deleteBeforeReplace: resource.deleteBeforeReplace,
        };
      }),

    create: (news: Props) =>
      guarded("Creating", news, async () => {
        const { id, outputs } = await resource.create(session, wanted(news));
        known(id, { ...news, ...outputs });
        return { id, outs: sealed({ ...news, ...outputs }) };
      }),

    read: (id: string, state: Props) =>
      guarded("Reading", state, async () => {
        known(id, state);
        const applied = { ...state, ...lastApplied(state), ...status(IN_SYNC) };
        const observation = resource.observe ? await resource.observe(session, id, wanted(applied), state) : UNCHANGED;
        if (!observation) {
          return {};
        }
        const { words, outputs } = observation;
        const probe = await resource.probe?.(session, wanted(applied));
        tell(session, resource.kind, state, probe?.remarks ?? []);
        const values = Object.fromEntries(
          Object.entries(observation.values).filter(
            ([field, value]) => !same(value, Reflect.get(applied, field) ?? absent(field)),
          ),
        );
        const live = { ...applied, ...values, ...probe?.values, ...status(printable(words.join("; ")) || IN_SYNC) };
        const before = Object.fromEntries(
          Object.keys(values).map((field) => [field, Reflect.get(applied, field) ?? null]),
        );
        return {
          id,
          inputs: sealed({
            [ID]: id,
            ...Object.fromEntries(
              ["owner", ...fields.keys(), ...computedInputs(live)].map((field) => [field, Reflect.get(live, field)]),
            ),
            // As inputs, the ids stay known in the preview of an update. What is gone will come back under another id.
            ...Object.fromEntries(resource.stableOutputs.map((field) => [field, Reflect.get(outputs ?? live, field)])),
          }),
          // What was last applied stays in the state: a refresh that is kept must not make drift look like the normal.
          props: sealed({ ...live, ...outputs, __lastApplied: words.length > 0 ? JSON.stringify(before) : undefined }),
        };
      }),

    update: (id: string, olds: Props, news: Props) =>
      guarded("Updating", news, async () => {
        known(id, olds);
        return { outs: sealed({ ...news, ...(await resource.update(session, id, wanted(news), olds)) }) };
      }),

    delete: (id: string, state: Props) =>
      guarded("Deleting", state, async () => {
        known(id, state);
        if (!session.own.isHeldByAnother(resource.kind, String(state.owner), id)) {
          await resource.delete(session, id, wanted({ ...state, ...lastApplied(state) }), state);
        }
      }),
  };
}

/** An argument: how it is read, and how a change of it behaves. */
interface Field extends FieldBehaviour {
  readonly schema: z.ZodType;
  readonly isOptional: boolean;
}

/** The arguments of a schema by name. Asked once for all resources of a type, because zod looks it up anew each time. */
function fieldsOf({ shape }: z.ZodObject): ReadonlyMap<string, Field> {
  return new Map(
    Object.entries<z.ZodType>(shape).map(([name, schema]) => {
      const { success, data } = schema.safeParse(undefined);
      return [name, { ...schema.meta(), schema, isOptional: success && data === undefined }];
    }),
  );
}

/** Reads each field that is known by its schema, then applies the rules across fields. */
function validate<Schema extends z.ZodObject>(
  resource: Resource<Schema>,
  fields: ReadonlyMap<string, Field>,
  news: Props,
) {
  const inputs: Record<string, unknown> = { owner: news.owner };
  const known: Record<string, unknown> = {};
  const problems: string[] = [];
  const unknown = new Set<string>();
  for (const [field, { schema, isOptional }] of fields) {
    const value = news[field] ?? undefined;
    if (value === undefined && isOptional) {
      continue;
    }
    if (containsUnknown(value)) {
      inputs[field] = value;
      unknown.add(field);
      continue;
    }
    const result = schema.safeParse(value);
    if (result.success) {
      if (result.data !== undefined) {
        inputs[field] = result.data;
        known[field] = result.data;
      }
    } else {
      problems.push(...result.error.issues.map((issue) => sentence(field, value, issue)));
    }
  }
  const own = new Set([...INTERNAL, ...Object.keys(COMPUTED), ...resource.stableOutputs]);
  const stray = Object.keys(news).filter((field) => !fields.has(field) && !own.has(field));
  problems.push(...stray.map((field) => `${field} is not an argument of ${resource.kind}: check its spelling.`));
  const args = known as Partial<z.output<Schema>>;
  const isKnown = (field: keyof z.output<Schema>) => !unknown.has(String(field));
  if (problems.length === 0) {
    problems.push(...resource.rules(args, isKnown));
  }
  const canonical = problems.length === 0 ? resource.canonical(args) : {};
  return { inputs: { ...inputs, ...canonical }, known: { ...args, ...canonical }, isKnown, problems };
}

/** The resource's own id among its inputs, by which check() knows an existing resource. Pulumi does not show such names. */
const ID = "__id";

const INTERNAL: ReadonlySet<string> = new Set(["owner", "__provider", ID]);

/** Our own messages go on from the field's name in lower case; zod's begin with a capital letter and stand for themselves. */
function sentence(field: string, value: unknown, { path, message }: z.core.$ZodIssue): string {
  if (value === undefined) {
    return `${field} is missing: set it.`;
  }
  const where = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  const first = message.charAt(0);
  const isOurs = first === first.toLowerCase();
  return `${field}${where} ${isOurs ? message : `is not valid: ${first.toLowerCase()}${message.slice(1)}`}.`;
}

/** The computed inputs that there are, and when two of their values are the same to a plan. */
const COMPUTED: Readonly<Record<string, (old: unknown, wanted: unknown) => boolean>> = {
  credentialFingerprint: same,
  sipUri: same,
  platformStatus: same,
  voipStatus: isSameStatus,
};

/** The computed inputs that a resource's properties hold. */
function computedInputs(props: Props): string[] {
  return Object.keys(COMPUTED).filter((field) => field in props);
}

/** What was applied in the fields that have changed on the platform since; JSON, so that what was absent can be told, too. */
function lastApplied({ __lastApplied: text }: Props): Props {
  const fields: Record<string, unknown> = typeof text === "string" ? JSON.parse(text) : {};
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, value ?? undefined]));
}

/** What is no property has no place in the plan but the diagnostics: the host's output shows there as information. */
function tell(session: Session, kind: string, { owner }: Props, remarks: readonly string[]): void {
  for (const remark of remarks) {
    const line = printable(`${kind} "${nameOf(String(owner))}" ${remark}`);
    if (!session.told.has(line)) {
      session.told.add(line);
      process.stdout.write(`${line}\n`);
    }
  }
}
