/**
 * One run of the model: two stacks and an outsider on one platform, the commands that change them, and the checks after
 * each command.
 */

import type { Connection } from "../../../provider/livekit/connection";
import { Aliases } from "../../../provider/testing/engine/aliases";
import { urnOf } from "../../../provider/testing/engine/registration";
import { dependenciesOf, nameOf, type ResourceState } from "../../../provider/testing/engine/state";
import { expectSameDrift } from "./drift";
import { ModelHost } from "./host";
import { expectAsDeclared, markerOf } from "./oracle";
import { type Item, ModelPlatform } from "./platform";
import {
  type Declared,
  declared,
  EMPTY,
  effective,
  hasHalf,
  type ModelGoal,
  NAMES,
  OPTIONS,
  type Place,
  type Program,
  pick,
  TYPES,
} from "./program";
import { type Asked, ModelStack, type Outcome } from "./stack";
import { type Mishap, Wire } from "./wire";

/** An operation of one stack, and what goes wrong during it. */
export type Operation = Asked & { readonly mishaps: readonly Mishap[] };

/** What to do about a pair that is in no state. The message that refuses it offers both. */
export type Remedy = "delete" | "take over";

/** How many obstacles may be removed before `up` must succeed. */
const MOST_OBSTACLES = 20;

interface Side {
  readonly stack: ModelStack;
  program: Program;
  base: string;
  readonly pin: string;
  /** The stack configuration `livekit:takeOver`. */
  readonly takeOver: Set<string>;
  remedy: Remedy;
  /** The errors of the last operation. */
  errors: readonly string[];
  /** The ids of the SipTrunks in the state after the last successful operation. */
  settled: Set<string>;
  /**
   * Objects that it created but that are not recorded: its host was killed, its state was lost, or the object is a
   * rule, which has no marker. They are only found again by a declaration that still matches. Also holds the ids of
   * InboundAuths that opened a trunk.
   */
  lost: Set<string>;
}

/** A stack that has created nothing yet. */
function side(name: string, base: string, pin: string): Side {
  const stack = new ModelStack("customer", name);
  const nothing = { takeOver: new Set<string>(), settled: new Set<string>(), lost: new Set<string>(), errors: [] };
  return { stack, program: EMPTY, base, pin, remedy: "delete", ...nothing };
}

/** A resource that the program renamed or moved without an alias, and its entry in the state. */
interface Forgotten {
  readonly goal: ModelGoal;
  readonly old: ResourceState;
}

export class World {
  readonly sides: Readonly<Record<"ours" | "theirs", Side>> = {
    ours: side("ours", "10", "4"),
    theirs: side("others", "20", "6"),
  };

  private constructor(readonly platform: ModelPlatform) {}

  static async start(): Promise<World> {
    return new World(await ModelPlatform.start());
  }

  stop(): void {
    this.platform.stop();
  }

  /** Someone else's connection to LiveKit. */
  get outsider(): Connection {
    const { config } = this.platform;
    return {
      url: config["livekit:url"],
      apiKey: config["livekit:apiKey"],
      apiSecret: config["livekit:apiSecret"],
      project: "outsider",
    };
  }

  /** Changes what a stack's program declares. */
  declare(actor: "ours" | "theirs", change: (program: Program) => Program): void {
    this.sides[actor].program = change(this.sides[actor].program);
  }

  /** Runs an operation and checks its result. An `up` is previewed first and must do what the preview showed. */
  async operate(actor: "ours" | "theirs", operation: Operation): Promise<Outcome> {
    if (operation.preview || operation.kind === "destroy") {
      return (await this.#run(actor, operation)).outcome;
    }
    const { outcome: promised } = await this.#run(actor, { ...operation, preview: true, mishaps: [] });
    const { outcome, hasStruck } = await this.#run(actor, operation);
    if (!hasStruck) {
      expectKept(promised, outcome);
    }
    return outcome;
  }

  async #run(actor: "ours" | "theirs", operation: Operation): Promise<{ outcome: Outcome; hasStruck: boolean }> {
    const { platform } = this;
    const side = this.sides[actor];
    const isUpdate = operation.kind === "update";
    const wanted = isUpdate ? this.declaredBy(actor) : declared(EMPTY, this.#place(side), []);
    const before = side.stack.resources;
    const mustBeRefused = isUpdate ? this.#mustBeRefused(side, wanted) : [];
    const host = new ModelHost({ ...platform.config, "livekit:takeOver": [...side.takeOver].join(",") });
    const wire = new Wire(platform.emulator, operation.mishaps, () => host.kill());
    const rights = {
      readOnly: operation.preview,
      keeps: isUpdate ? this.#kept(side, wanted) : new Set<string>(),
      free: this.#free(actor),
    };
    const original = globalThis.fetch;
    globalThis.fetch = wire.fetch;
    let outcome: Outcome;
    try {
      outcome = await platform.acting(actor, rights, async () => {
        const result = await side.stack.operate(operation, wanted.goals, host);
        await host.drained();
        return result;
      });
    } finally {
      wire.mend();
      globalThis.fetch = original;
    }
    side.errors = outcome.errors;
    this.#noteLost(actor, wire.isDead, leftOnPurpose(before, side.stack.resources));
    this.#refuseViolations();
    expectInPlace(wanted, before, outcome.changes);
    if (!outcome.succeeded) {
      this.#expectReason(actor, outcome, wire.hasStruck);
    } else {
      if (mustBeRefused.length > 0 && !wire.hasStruck) {
        throw new Error(`A resource was renamed without an alias: ${mustBeRefused.map(({ urn }) => urn).join(", ")}`);
      }
      if (!operation.preview) {
        expectIgnored(wanted, before, side.stack.resources, operation.refresh);
        this.#expectDone(actor, before, effective(wanted, side.stack.resources));
      }
    }
    return { outcome, hasStruck: wire.hasStruck };
  }

  /** What a stack declares now. */
  declaredBy(actor: "ours" | "theirs"): Declared {
    const side = this.sides[actor];
    return declared(side.program, this.#place(side), side.stack.resources);
  }

  #place({ stack, base, pin }: Side): Place {
    return { project: stack.project, stack: stack.name, base, pin };
  }

  /** Whether the state knows an object, so that it is found even without its marker. */
  isRecorded(actor: "ours" | "theirs", id: string): boolean {
    return this.#recorded(this.sides[actor].stack.resources).has(id);
  }

  /** Whether an object belongs to a resource that ignores changes. */
  isIgnored(actor: "ours" | "theirs", id: string): boolean {
    const { resources } = this.sides[actor].stack;
    return this.#recorded(resources.filter(({ ignoreChanges }) => ignoreChanges.length > 0)).has(id);
  }

  /** Hands an object over to the outsider: nothing shows any more who owned it. */
  disown(id: string): void {
    this.platform.owners.set(id, "outsider");
    for (const side of Object.values(this.sides)) {
      side.lost.delete(id);
    }
  }

  /** Someone else runs the same program against the same LiveKit project, with their own state backend. */
  secondBackend(): void {
    const { ours, theirs } = this.sides;
    theirs.stack.rename(ours.stack.project, ours.stack.name);
    Object.assign(theirs, { program: ours.program, base: ours.base });
  }

  /** Removes everything from a state, or the resources of one kind and slot and their dependents. */
  lose(actor: "ours" | "theirs", kind: keyof typeof TYPES | "everything", slot: number, remedy: Remedy): void {
    const side = this.sides[actor];
    side.stack.forget((state) => kind === "everything" || isAt(state, kind, slot));
    side.remedy = remedy;
    this.#noteLost(actor, true, new Set());
  }

  /** Moves a trunk with its InboundAuth and its children to the other stack, in the states and in the programs. */
  moveState(from: "ours" | "theirs", slot: number): void {
    const [source, to] = [this.sides[from], otherOf(from)];
    const dest = this.sides[to];
    const urns = new Set<string>();
    const moved = source.stack.resources.filter((state) => {
      const belongs = isAt(state, "trunk", slot) || urns.has(state.parent) || isAuthOf(state, urns);
      return belongs && !state.delete && Boolean(urns.add(state.urn));
    });
    const slots = (["trunk", "auth", "rule"] as const).flatMap((kind) =>
      [...NAMES[kind].keys()].filter((at) => moved.some((state) => isAt(state, kind, at))).map((at) => ({ kind, at })),
    );
    const isThere = ({ kind, at }: (typeof slots)[number]) =>
      at in dest.program[`${kind}s`] || dest.stack.resources.some((state) => isAt(state, kind, at));
    if (moved.length === 0 || slots.some(isThere)) {
      return;
    }
    const ids = new Set([...this.#recorded(moved), ...moved.map(({ id }) => id)]);
    for (const item of this.platform.itemsOf(from)) {
      const { id = "", openedBy } = markerOf(item) ?? {};
      if (ids.has(item.id) || ids.has(id)) {
        this.platform.owners.set(item.id, to);
        if (openedBy && source.lost.has(openedBy.id)) {
          dest.lost.add(openedBy.id);
        }
      }
    }
    source.stack.moveTo(dest.stack, moved);
    for (const { kind, at } of slots) {
      const { [at]: spec, ...others } = source.program[`${kind}s`];
      source.program = { ...source.program, [`${kind}s`]: others };
      dest.program = spec
        ? { ...dest.program, [`${kind}s`]: { ...dest.program[`${kind}s`], [at]: spec } }
        : dest.program;
    }
  }

  /** Does what the error messages of a stack's last operation advise. */
  async remedy(actor: "ours" | "theirs", remove: (id: string) => Promise<void>): Promise<void> {
    const side = this.sides[actor];
    const forgotten = this.#forgotten(side, this.declaredBy(actor));
    for (const text of side.errors) {
      const refused = forgotten.find(({ goal, old }) => text.includes(`'${goal.name}'`) && isSameKind(goal, old));
      if (refused && /aliases: \[/.test(text)) {
        expectAdvice(text, refused, side.stack);
        this.declare(actor, withAliases);
      } else {
        await this.#unblock(actor, text, remove);
      }
    }
  }

  async #unblock(actor: "ours" | "theirs", text: string, remove: (id: string) => Promise<void>): Promise<void> {
    const side = this.sides[actor];
    const other = this.sides[otherOf(actor)];
    const [, resourceIds] = text.match(/config set livekit:takeOver ([\w,-]+)`/) ?? [];
    const ids = this.#obstacles(actor, [text]);
    const isOthers = (id: string) => this.platform.owners.get(id) === otherOf(actor) && !other.lost.has(id);
    if (resourceIds !== undefined && ids.some(isOthers)) {
      side.stack.rename(side.stack.project, `${side.stack.name}-else`);
    } else if (resourceIds !== undefined && side.remedy === "take over") {
      for (const id of resourceIds.split(",")) {
        if (side.takeOver.has(id)) {
          throw new Error(`It is refused although livekit:takeOver says so: ${text}`);
        }
        side.takeOver.add(id);
      }
      for (const id of ids) {
        this.platform.owners.set(id, actor);
        other.lost.delete(id);
        side.lost.add(id);
      }
    } else {
      for (const id of ids) {
        await remove(id);
      }
    }
  }

  /** The end of every run: one `up` converges, the next preview is empty, and destroy leaves only foreign objects. */
  async settle(remove: (id: string) => Promise<void>): Promise<void> {
    await this.#expectDriftFound();
    const quiet = { parallel: 1, refresh: true, mishaps: [] } as const;
    for (let obstacles = 0; ; obstacles += 1) {
      const outcome = await this.operate("ours", { ...quiet, kind: "update", preview: false });
      if (outcome.succeeded) {
        break;
      }
      if (obstacles > MOST_OBSTACLES) {
        throw new Error(`up does not come to an end: ${outcome.errors.join("\n")}`);
      }
      await this.remedy("ours", remove);
    }
    for (const refresh of [true, false]) {
      const { succeeded, changes, errors } = await this.operate("ours", {
        ...quiet,
        refresh,
        kind: "update",
        preview: true,
      });
      if (!succeeded || changes.length > 0) {
        throw new Error(`The preview after up is not empty: ${[...changes, ...errors].join("\n")}`);
      }
    }
    const destroyed = await this.operate("ours", { ...quiet, kind: "destroy", preview: false });
    if (!destroyed.succeeded) {
      throw new Error(`destroy failed: ${destroyed.errors.join("\n")}`);
    }
  }

  /** Whatever has happened, `livekit-sip drift` says the same as a refresh. */
  async #expectDriftFound(): Promise<void> {
    const { config } = this.platform;
    const recorded = this.sides.ours.stack.resources.filter((state) => state.custom && !state.delete);
    await expectSameDrift(
      recorded.map(({ urn, type, id, outputs }) => ({ urn, type, id, outputs: { ...outputs } })),
      {
        LIVEKIT_URL: config["livekit:url"],
        LIVEKIT_API_KEY: config["livekit:apiKey"],
        LIVEKIT_API_SECRET: config["livekit:apiSecret"],
      },
    );
  }

  #refuseViolations(): void {
    const { violations } = this.platform;
    if (violations.length > 0) {
      throw new Error(`What must never happen: ${violations.join("; ")}`);
    }
  }

  /** The objects that a refusal names as being in the way: foreign or lost ones. */
  #obstacles(actor: "ours" | "theirs", errors: readonly string[]): string[] {
    const named = errors.flatMap((text) => text.match(/(ST|SDR)_\w+/g) ?? []);
    const { lost } = this.sides[actor];
    return [...new Set(named)].filter((id) => this.platform.owners.get(id) !== actor || lost.has(id));
  }

  #expectReason(actor: "ours" | "theirs", outcome: Outcome, hasStruck: boolean): void {
    const isConflict = outcome.errors.some((text) =>
      /is taken by|takes the same callers|still has the number|already takes|still takes the calls|of the same name|Conflicting|already exists/.test(
        text,
      ),
    );
    const isExpected =
      this.#obstacles(actor, outcome.errors).length > 0 ||
      this.#forgotten(this.sides[actor], this.declaredBy(actor)).length > 0;
    if (!hasStruck && !(isConflict && isExpected)) {
      throw new Error(`It failed without a reason: ${outcome.errors.join("\n")}`);
    }
  }

  #expectDone(actor: "ours" | "theirs", before: readonly ResourceState[], wanted: Declared): void {
    const side = this.sides[actor];
    const { lost } = side;
    const { touched } = this.platform;
    // An InboundAuth is part of its trunk's inbound half.
    const about = (state: ResourceState) => [...idsOf(state), String(state.outputs?.inboundTrunkId)];
    const exempted = side.stack.resources.filter(
      (state) => state.ignoreChanges.includes("*") && about(state).some((id) => touched.has(id)),
    );
    const exempt = new Set(exempted.map(({ urn }) => urn));
    const staysTouched = new Set(exempted.flatMap(about));
    for (const id of this.#recorded(side.stack.resources)) {
      if (!staysTouched.has(id)) {
        touched.delete(id);
      }
    }
    const isJudged = ({ urn, auth }: { readonly urn: string; readonly auth?: { readonly urn: string } }) =>
      !exempt.has(urn) && !exempt.has(auth?.urn ?? "");
    const owners = new Set(wanted.trunks.map(({ owner }) => owner));
    const items = this.platform.itemsOf(actor);
    const unjudged = new Set(wanted.trunks.filter((trunk) => !isJudged(trunk)).map(({ owner }) => owner));
    const unjudgedIds = this.#recorded(exempted);
    const ownerOf = new Map(items.map((item) => [item.id, markerOf(item)?.owner ?? ""]));
    const left = items.filter((item) => {
      const owner = ownerOf.get(item.id) ?? "";
      // A rule is judged together with the trunks that it leads to.
      const ids = [item.id, ...(item.kind === "rule" ? item.message.trunkIds : [])];
      const isUnjudged = ids.some((id) => unjudgedIds.has(id) || unjudged.has(ownerOf.get(id) ?? ""));
      return (!lost.has(item.id) || owners.has(owner)) && !isUnjudged;
    });
    const rules = wanted.rules.filter((rule) => isJudged(rule) && !rule.trunks?.some((owner) => unjudged.has(owner)));
    // The state before counts too, because a cut-off operation may have recorded a complete SipTrunk. A SipTrunk that
    // was only partly taken over has initErrors and is made again.
    const wasWhole = new Set(before.filter(({ initErrors }) => initErrors.length === 0).map(({ id }) => id));
    const isOld = (id: string) => side.settled.has(id) || wasWhole.has(id);
    expectAsDeclared(
      left,
      items,
      { ...wanted, trunks: wanted.trunks.filter(isJudged), rules },
      new Set(side.stack.resources.filter(({ type }) => type === TYPES.rule).map(({ id }) => id)),
      { lost, isOld },
    );
    side.settled = new Set(side.stack.resources.map(({ id }) => id));
  }

  /**
   * Records what an operation created but did not record in the state.
   *
   * @param onPurpose - ids that were left because of an option in the program
   */
  #noteLost(actor: "ours" | "theirs", wasKilled: boolean, onPurpose: ReadonlySet<string>): void {
    const side = this.sides[actor];
    const recorded = this.#recorded(side.stack.resources);
    const resources = new Set(side.stack.resources.filter(({ custom }) => custom).map(({ id }) => id));
    const before = side.lost;
    side.lost = new Set();
    const lose = (id: string, what: string, canBeFound: boolean) => {
      if (!wasKilled && canBeFound && !before.has(id) && !onPurpose.has(id)) {
        throw new Error(`${what} ${id} was orphaned: it is not in the state, although nothing was killed`);
      }
      side.lost.add(id);
    };
    for (const item of this.platform.itemsOf(actor)) {
      const { id = "", openedBy } = markerOf(item) ?? {};
      if (item.kind === "inbound" && openedBy && !resources.has(openedBy.id)) {
        lose(openedBy.id, "InboundAuth", true);
      }
      if (!recorded.has(item.id) && !resources.has(id)) {
        lose(item.id, item.kind, item.kind !== "rule");
      }
    }
  }

  /** The LiveKit ids in a state. */
  #recorded(resources: readonly ResourceState[]): Set<string> {
    return new Set(resources.flatMap((state) => idsOf(state)));
  }

  /**
   * Objects that the other stack created and that are in no state, and those that look the same: pairs that the same
   * program with the same password may have created in an interrupted create. Nothing has opened them, and no rule
   * leads to them.
   */
  #free(actor: "ours" | "theirs"): Set<string> {
    const other = otherOf(actor);
    const used = new Set(this.platform.items().flatMap((it) => (it.kind === "rule" ? it.message.trunkIds : [])));
    const items = this.platform.itemsOf(other).map((item) => ({ item, marker: markerOf(item) }));
    const isSettled = ({ item, marker }: (typeof items)[number]) =>
      !marker?.unconfirmed || marker.openedBy !== undefined || used.has(item.id);
    const settled = new Set(items.filter(isSettled).map(({ marker }) => marker?.id));
    const undecided = items.filter(({ marker }) => !settled.has(marker?.id));
    return new Set([...this.sides[other].lost, ...undecided.map(({ item }) => item.id)]);
  }

  /** The recorded objects of resources that the program still declares, except a trunk of another direction. */
  #kept({ stack }: Side, { goals }: Declared): Set<string> {
    const known = new Map(
      goals.flatMap((goal) => [goal.urn, ...goal.aliases.map(({ urn }) => urn)].map((urn) => [urn, goal])),
    );
    return new Set(
      stack.resources.flatMap((state) => {
        const { inputs } = known.get(state.urn) ?? {};
        return inputs ? idsOf(state, (half) => hasHalf(inputs, half)) : [];
      }),
    );
  }

  /** What the program renamed or moved without an alias of its own or of its parent. */
  #forgotten({ stack }: Side, { goals }: Declared): Forgotten[] {
    const states = new Map(stack.resources.filter((state) => !state.delete).map((state) => [state.urn, state]));
    const aliases = new Aliases(stack.name, stack.project);
    return goals.flatMap((goal) => {
      const found = aliases.find(goal.urn, goal, (urn) => states.has(urn));
      const [old] = goal.twins.flatMap((twin) => states.get(twin) ?? []);
      return old && found === undefined ? [{ goal, old }] : [];
    });
  }

  /** The forgotten resources that LiveKit's own rules don't allow beside the existing objects. */
  #mustBeRefused(side: Side, wanted: Declared): ModelGoal[] {
    const items = new Map(this.platform.items().map((item) => [item.id, item]));
    return this.#forgotten(side, wanted).flatMap(({ goal, old }) => {
      const found = idsOf(old).map((id) => items.get(id));
      const collides = found.some((item) => item && collidesWith(item, goal, wanted, items));
      return collides ? [goal] : [];
    });
  }
}

function otherOf(actor: "ours" | "theirs"): "ours" | "theirs" {
  return actor === "ours" ? "theirs" : "ours";
}

/** The LiveKit ids in a resource's state, of a SipTrunk those of the given halves. */
function idsOf(
  { type, id, custom, outputs = {} }: ResourceState,
  isMeant: (half: "inbound" | "outbound") => boolean = () => true,
): string[] {
  if (!custom) {
    return [];
  }
  const halves = (["inbound", "outbound"] as const).filter(isMeant).map((half) => outputs[`${half}TrunkId`]);
  return type === TYPES.trunk ? halves.filter((it) => typeof it === "string") : [id];
}

/** Whether a resource belongs to a slot, under either of its names. */
function isAt({ type, urn }: ResourceState, kind: keyof typeof TYPES, slot: number): boolean {
  return type === TYPES[kind] && nameOf(urn).replace(/-renamed$/, "") === pick(NAMES[kind], slot);
}

function isAuthOf(state: ResourceState, trunks: ReadonlySet<string>): boolean {
  return state.type === TYPES.auth && dependenciesOf(state).some((urn) => trunks.has(urn));
}

function isSameKind(goal: ModelGoal, { type }: ResourceState): boolean {
  return goal.type === type;
}

/** Whether LiveKit would refuse the goal beside an object. */
function collidesWith(item: Item, { urn }: ModelGoal, wanted: Declared, items: ReadonlyMap<string, Item>): boolean {
  const trunk = wanted.trunks.find((it) => it.urn === urn);
  const rule = wanted.rules.find((it) => it.urn === urn);
  if (item.kind === "inbound" && trunk) {
    if (markerOf(item)?.owner === trunk.owner) {
      return false; // An up that was killed afterwards has already renamed it, so it is taken over.
    }
    // Two trunks may share a number if they accept different callers. A list with entries also differs from an empty
    // one.
    const { numbers, allowedNumbers } = item.message;
    const callers = trunk.auth?.allowedNumbers ?? [];
    const isFree = allowedNumbers.length > 0 && !allowedNumbers.some((caller) => callers.includes(caller));
    return hasHalf(trunk.args, "inbound") && !isFree && numbers.some((number) => trunk.numbers.includes(number));
  }
  if (item.kind !== "rule" || !rule) {
    return false;
  }
  const { rule: { rule: kind } = {}, trunkIds } = item.message;
  const leadsTo = trunkIds.map((id) => items.get(id)).map((it) => it && markerOf(it)?.owner);
  const isSamePin = kind?.case === "dispatchRuleDirect" && kind.value.pin === rule.args.pin;
  const shared = leadsTo.filter((owner) => owner !== undefined && rule.trunks?.includes(owner));
  return isSamePin && (shared.length > 0 || (trunkIds.length === 0 && rule.trunks === undefined));
}

/**
 * What an operation left on LiveKit because of an option: `retainOnDelete`, or `deletedWith` a resource that was
 * deleted too.
 */
function leftOnPurpose(before: readonly ResourceState[], after: readonly ResourceState[]): Set<string> {
  const ids = new Set(after.flatMap((state) => [state.id, ...idsOf(state)]));
  const left = before.filter(({ id, retainOnDelete, deletedWith }) => !ids.has(id) && (retainOnDelete || deletedWith));
  return new Set(left.flatMap((state) => [state.id, ...idsOf(state)]));
}

/** Fails unless an undisturbed `up` did what its preview showed. */
function expectKept(promised: Outcome, done: Outcome): void {
  if (promised.succeeded !== done.succeeded) {
    const [which, { errors }] = promised.succeeded ? (["up", done] as const) : (["the preview", promised] as const);
    throw new Error(`The preview promised something else than up did. Only ${which} failed: ${errors.join("; ")}`);
  }
  const [shown, made] = [promised, done].map(({ changes }) => changes.toSorted().join("\n  "));
  if (done.succeeded && shown !== made) {
    throw new Error(`The preview promised something else than up did.\nShown:\n  ${shown}\nDone:\n  ${made}`);
  }
}

/** Fails if a SipTrunk was replaced, or an InboundAuth that still is about the same SipTrunk, unless an option asks for that. */
function expectInPlace({ goals }: Declared, before: readonly ResourceState[], changes: readonly string[]): void {
  const recorded = ({ urn, aliases }: ModelGoal) => {
    const known = new Set([urn, ...aliases.map((alias) => alias.urn)]);
    return before.find((state) => known.has(state.urn) && !state.delete);
  };
  for (const goal of goals.filter(
    ({ type, replaceOnChanges }) => type !== TYPES.rule && replaceOnChanges.length === 0,
  )) {
    const old = recorded(goal);
    const trunks = goals.filter(({ urn }) => goal.dependencies.includes(urn)).map(recorded);
    const isSame = trunks.every((trunk) => trunk && old?.dependencies.includes(trunk.urn));
    if (old && isSame && changes.some((change) => /^\S*replace\S* /.test(change) && change.endsWith(` ${goal.urn}`))) {
      throw new Error(`It was replaced, although all that has changed can change in place: ${goal.urn}`);
    }
  }
}

/** Fails unless ignored fields are unchanged. A refresh may bring in changes from the platform. */
function expectIgnored(
  { trunks }: Declared,
  before: readonly ResourceState[],
  after: readonly ResourceState[],
  refresh: boolean,
): void {
  for (const { urn, twins, aliased, option } of trunks) {
    const known = new Set([urn, ...(aliased ? twins : [])]);
    const now = after.find((state) => state.urn === urn && !state.delete);
    const old = before.find((state) => known.has(state.urn) && state.id === now?.id);
    const [ignored] = OPTIONS[option];
    const fields = ignored === "*" ? ["password", "numbers", "extension", "address", "owner"] : OPTIONS[option];
    for (const field of old && now ? fields : []) {
      const [was, is] = [old?.inputs[field], now?.inputs[field]].map((value) => JSON.stringify(value));
      if (was !== is && (!refresh || field === "password" || field === "owner")) {
        throw new Error(`${urn} ignores changes of ${field}, and it was changed`);
      }
    }
  }
}

/** Fails unless the alias that a refusal recommends leads to the resource in the state. */
function expectAdvice(text: string, { goal, old }: Forgotten, { project, name: stack }: ModelStack): void {
  const [, name = "", parent] = text.match(/aliases: \[\{ name: "([^"]+)"(?:, parent: (.+?))? \}\]/) ?? [];
  const [, type] = parent?.match(/^<the (.+)>$/) ?? [];
  // Its component may have moved since, so the advice can only give the component's type.
  const place = parent === "pulumi.rootStackResource" ? "" : goal.parent;
  const isMeant = type
    ? old.urn.endsWith(`${type}$${goal.type}::${name}`)
    : old.urn === urnOf(stack, project, place, goal.type, name);
  if (!isMeant) {
    throw new Error(`The advice leads nowhere: ${text}`);
  }
}

/** A program in which everything has its aliases. */
function withAliases(program: Program): Program {
  const each = <Spec>(specs: Readonly<Record<number, Spec>>): Record<number, Spec> =>
    Object.fromEntries(Object.entries(specs).map(([slot, spec]) => [slot, { ...spec, aliased: true }]));
  return { ...program, trunks: each(program.trunks), auths: each(program.auths), rules: each(program.rules) };
}
