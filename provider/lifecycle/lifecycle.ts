/**
 * Builds a lifecycle from a resource's description: its schema and hooks. The parts that are the same for all resources are here:
 * check(), diff(), read() and the wording of the plan. Nothing here depends on a particular resource or on Pulumi's API.
 */

import { z } from "zod";
import { ConfigurationError } from "../livekit/connection";
import { LiveKitError } from "../livekit/errors";
import { nameOf } from "../livekit/ownership";
import { printable } from "../printable";
import { adoptedIn } from "./adopted";
import { entriesOf, inWords } from "./drift";
import { explain, ResourceError } from "./errors";
import { tell } from "./remarks";
import { IN_SYNC, type Lifecycle, NO_CONFLICTS, type Observation, type Resource, type Wanted } from "./resource";
import type { Session } from "./session";
import { fieldsOf, LAST_APPLIED, lastApplied, type Validated, validate, validateKept } from "./validation";
import { defined, NONE, type Props, same } from "./values";

const UNCHANGED: Observation = { values: {}, drift: [] };

/**
 * The resource's own id, kept among its inputs so that check() can recognise it. Pulumi does not show names that begin with `__`.
 */
const ID = "__id";

/**
 * The name under which the inputs hold an argument that only create() acts on. Pulumi keeps the inputs of a create in the state, and
 * would show that a later update removes the argument.
 */
function hidden(field: string): string {
  return `__${field}`;
}

const INTERNAL: readonly string[] = ["owner", "__provider", ID, LAST_APPLIED];

export function lifecycle<Schema extends z.ZodObject>(resource: Resource<Schema>, session: Session): Lifecycle {
  type Args = z.output<Schema>;
  const { kind, stableOutputs = [], deleteBeforeReplace = false, goneNeedsNewId = false } = resource;
  const fields = fieldsOf(resource.schema);
  const defaults = new Map([...fields].map(([field, it]) => [field, it.whenAbsent]));
  /** The arguments that an existing resource has. */
  const lasting = [...fields.keys()].filter((field) => !fields.get(field)?.createOnly);
  const createOnly = [...fields.keys()].filter((field) => fields.get(field)?.createOnly);
  const withoutCreateOnly = (props: Props): Props => {
    const left = new Set([...createOnly, ...createOnly.map(hidden)]);
    return Object.fromEntries(Object.entries(props).filter(([field]) => !left.has(field)));
  };
  const valueIn = (props: Props, field: string) => props[field] ?? defaults.get(field);
  const sameInPlan = { ...(resource.observe && { platformStatus: same }), ...resource.computedInputs };
  const status = (text: string): Props => (resource.observe ? { platformStatus: text } : {});
  /** The properties that the lifecycle adds to the arguments. */
  const own = [...INTERNAL, ...createOnly.map(hidden), ...Object.keys(sameInPlan), ...stableOutputs];
  /** The names of the computed inputs among a resource's properties. */
  const computedIn = (props: Props) => Object.keys(sameInPlan).filter((field) => field in props);

  // Only check() applies the schema. State must always load, even if an earlier version wrote it, so it is not validated here.
  const asGiven = z.custom<Args>();
  const asFarAsKnown = z.custom<Partial<Args>>();
  const valuesIn = (props: Props, names: readonly string[]) =>
    defined(Object.fromEntries(names.map((field) => [field, valueIn(props, field)])));
  /** The arguments among a resource's properties, with defaults filled in. */
  const wanted = (props: Props): Wanted<Args> => ({
    owner: String(props.owner),
    args: asGiven.parse(valuesIn(props, [...fields.keys()])),
    inputs: withoutCreateOnly(props),
  });
  /** The same for a program's arguments. Unknown ones stay undefined. */
  const withDefaults = ({ known, isKnown }: Validated<Args>): Partial<Args> =>
    asFarAsKnown.parse(valuesIn(known, [...fields.keys()].filter(isKnown)));

  const hasOutput = (output: string, args: Partial<Args>) => resource.hasOutput?.(output, args) ?? true;

  /** Records the ids in the state as belonging to this stack. */
  const known = (id: string, state: Props): void => {
    session.own.add(kind, String(state.owner), id, ...stableOutputs.map((output) => state[output]));
  };

  /**
   * Whether a field still refers to the same resource, which has only been renamed or moved: by this program, or by an earlier `up`
   * that failed before it came here. In the latter case both have the same LiveKit ids in their state.
   */
  const isRename = (field: string, olds: Props, news: Props): boolean => {
    const { refersTo } = fields.get(field) ?? {};
    const [old, wanted] = [olds[field], news[field]];
    if (refersTo === undefined || typeof old !== "string" || typeof wanted !== "string") {
      return false;
    }
    const { ids } = session.own.keyOf(refersTo, wanted);
    return (
      session.own.formerOwner(refersTo, wanted) === old || stableOutputs.some((output) => ids.has(String(olds[output])))
    );
  };

  const guarded = async <Result>(doing: string, props: Props, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error, doing, kind, props, session.told);
    }
  };

  return {
    secrets: new Set([LAST_APPLIED, ...[...fields].filter(([, it]) => it.secret).map(([field]) => field)]),
    stableOutputs,
    deleteBeforeReplace,

    async check(olds, news) {
      const exists = Object.keys(olds).length > 0;
      const validated = validateKept(resource, fields, own, olds, exists ? withoutCreateOnly(news) : news);
      const { inputs, isKnown } = validated;
      const problems = [...validated.problems];
      const owner = String(news.owner);
      session.own.declare(kind, owner, olds.owner);
      // When Pulumi replaces a resource on its own account, this process gets no read() or diff() that would tell it the old id.
      session.own.add(kind, owner, olds[ID]);
      try {
        if (problems.length === 0) {
          const given = withDefaults(validated);
          problems.push(...session.claims.make(kind, owner, resource.claims?.(given) ?? []));
          const before = exists ? { ...olds, ...valuesIn(olds, [...fields.keys()]) } : {};
          const settled = await resource.settle?.(session, owner, given, before, isKnown);
          Object.assign(inputs, settled);
          const args = { ...given, ...settled };
          const computed = {
            ...(await resource.computed?.(session, owner, args, before, isKnown)),
            ...status(IN_SYNC),
          };
          // Programs do not set computed inputs. One that arrives here was restored by ignoreChanges and must stay.
          const kept = computedIn(news).map((field) => [field, news[field]]);
          const stable = stableOutputs.map((output) => [
            output,
            hasOutput(output, args) ? (olds[output] ?? undefined) : NONE,
          ]);
          Object.assign(inputs, Object.fromEntries(stable), { [ID]: olds[ID] }, computed, Object.fromEntries(kept));
          if (!exists) {
            const found = (await resource.conflicts?.(session, owner, args, undefined, isKnown)) ?? NO_CONFLICTS;
            problems.push(...found.problems);
            tell(session, kind, owner, found.remarks ?? []);
          }
        }
      } catch (error) {
        if (!(error instanceof LiveKitError || error instanceof ConfigurationError)) {
          throw explain(error, "Checking", kind, news, session.told);
        }
        problems.push(error.message);
      }
      const once = createOnly.map((field) => [hidden(field), inputs[field]]);
      const shown = { ...withoutCreateOnly(inputs), ...Object.fromEntries(once) };
      return { inputs: defined(shown), problems: problems.map((problem) => printable(problem)) };
    },

    diff: (id, olds, news) =>
      guarded("Comparing", news, async () => {
        known(id, olds);
        const isChanged = (field: string) =>
          !same(valueIn(olds, field), valueIn(news, field)) && (resource.observe || !isRename(field, olds, news));
        const isOtherStatus = (field: string) =>
          !Reflect.get(sameInPlan, field)(olds[field] ?? undefined, news[field] ?? undefined);
        const changed = [
          ...lasting.filter(isChanged),
          ...computedIn(news).filter(isOtherStatus),
          // A renamed resource must write its new name to the platform, where others look for it.
          ...(olds.owner === news.owner || !resource.observe ? [] : ["owner"]),
        ];
        const replaces = changed.filter((field) => fields.get(field)?.replaces && !isRename(field, olds, news));
        const drift: string[] = [];
        if (resource.observe && olds.platformStatus === IN_SYNC) {
          const observation = await resource.observe(session, id, wanted(olds), olds);
          drift.push(...(observation?.drift.map(inWords) ?? ["gone from LiveKit"]));
          if (!observation && goneNeedsNewId) {
            replaces.push("platformStatus");
          }
          const declared = `differs from its declaration: ${drift.join("; ")}.`;
          tell(session, kind, news.owner, drift.length > 0 ? [declared] : []);
        }
        if (replaces.length > 0) {
          // The replacement goes through check() again, and under its new name if ignoreChanges had kept the old one.
          session.claims.release(kind, String(news.owner));
        }
        if (resource.conflicts) {
          const validated = validate(resource, fields, own, withoutCreateOnly(news));
          const existing = { id, state: olds };
          const { problems } = await resource.conflicts(
            session,
            String(news.owner),
            withDefaults(validated),
            existing,
            validated.isKnown,
          );
          if (problems.length > 0) {
            throw new ResourceError(`${kind} "${nameOf(String(news.owner))}": ${problems.join(" ")}`);
          }
        }
        // If a create was interrupted or the resource was imported, it needs an update, whatever the program ignores.
        const { args: applied } = wanted(olds);
        const isUnfinished =
          stableOutputs.some((output) => hasOutput(output, applied) && (olds[output] ?? undefined) === undefined) ||
          adoptedIn(olds) !== undefined;
        return { changed, replaces, drift, needsUpdate: changed.length > 0 || drift.length > 0 || isUnfinished };
      }),

    create: (inputs) =>
      guarded("Creating", inputs, async () => {
        const once = createOnly.map((field) => [field, inputs[hidden(field)]]);
        const declared = wanted({ ...inputs, ...Object.fromEntries(once) });
        const { id, outputs } = await resource.create(session, declared);
        known(id, { ...inputs, ...outputs });
        return { id, outputs: defined({ ...declared.inputs, ...outputs }) };
      }),

    read: (id, state) =>
      guarded("Reading", state, async () => {
        known(id, state);
        const applied = { ...state, ...lastApplied(state), ...status(IN_SYNC) };
        const observation = resource.observe ? await resource.observe(session, id, wanted(applied), state) : UNCHANGED;
        if (!observation) {
          return undefined;
        }
        const { drift, outputs } = observation;
        const probe = await resource.probe?.(session, wanted(applied));
        tell(session, kind, state.owner, probe?.remarks ?? []);
        const values = Object.fromEntries(
          Object.entries(observation.values).filter(([field, value]) => !same(value, valueIn(applied, field))),
        );
        const before = Object.fromEntries(
          Object.keys(values).map((field) => [field, Reflect.get(applied, field) ?? null]),
        );
        const live: Props = {
          ...applied,
          ...values,
          ...probe?.values,
          ...status(printable(drift.map(inWords).join("; ")) || IN_SYNC),
          platformDrift: drift.length > 0 ? entriesOf(drift) : undefined,
          [LAST_APPLIED]: drift.length > 0 ? JSON.stringify(before) : undefined,
        };
        // As inputs, the ids stay known when an update is previewed. The id of a deleted object is left out: it will change.
        const stable = stableOutputs.map((field) => [field, Reflect.get(outputs ?? live, field)]);
        const inputs = ["owner", LAST_APPLIED, ...lasting, ...computedIn(live)].map((field) => [field, live[field]]);
        return {
          inputs: defined({ [ID]: id, ...Object.fromEntries(inputs), ...Object.fromEntries(stable) }),
          outputs: defined({ ...live, ...outputs }),
        };
      }),

    update: (id, olds, news) =>
      guarded("Updating", news, async () => {
        known(id, olds);
        return { outputs: defined({ ...news, ...(await resource.update(session, id, wanted(news), olds)) }) };
      }),

    delete: (id, state) =>
      guarded("Deleting", state, async () => {
        known(id, state);
        if (!session.own.isHeldByAnother(kind, String(state.owner), id)) {
          await resource.delete?.(session, id, wanted({ ...state, ...lastApplied(state) }), state);
        }
      }),
  };
}
