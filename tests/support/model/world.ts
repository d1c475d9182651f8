/**
 * One run of the model: two stacks and an outsider on one platform, the commands that move them, and what must hold after each.
 */

import type { Connection } from "../../../provider/livekit/connection";
import { ModelHost } from "./host";
import { expectAsDeclared, markerOf } from "./oracle";
import { type Actor, ModelPlatform } from "./platform";
import { type Declared, declared, EMPTY, PROJECT, type Program } from "./program";
import { type Asked, ModelStack, type Outcome } from "./stack";
import { type Mishap, Wire } from "./wire";

/** An operation of one stack, and what goes wrong in it. */
export type Operation = Asked & { readonly mishaps: readonly Mishap[] };

/** How often a refused `up` may be freed from what is in its way. */
const MOST_OBSTACLES = 20;

interface Side {
  readonly stack: ModelStack;
  program: Program;
  /** Tells its numbers from those of the other stack. */
  base: string;
  /**
   * What it made and nobody recorded, because its host was killed, or because it is a rule, which carries no marker: only a
   * declaration that still fits finds these again. Ids of InboundAuths among them: those that opened a trunk.
   */
  lost: Set<string>;
}

export class World {
  readonly sides: Readonly<Record<"ours" | "theirs", Side>> = {
    ours: { stack: new ModelStack(PROJECT, "ours"), program: EMPTY, base: "10", lost: new Set() },
    theirs: { stack: new ModelStack(PROJECT, "others"), program: EMPTY, base: "20", lost: new Set() },
  };

  private constructor(readonly platform: ModelPlatform) {}

  static async start(): Promise<World> {
    return new World(await ModelPlatform.start());
  }

  stop(): void {
    this.platform.stop();
  }

  /** Somebody else's way to LiveKit. */
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

  /** Runs an operation and looks at what it left. */
  async operate(actor: "ours" | "theirs", operation: Operation): Promise<Outcome> {
    const { platform } = this;
    const side = this.sides[actor];
    const wanted = this.declaredBy(actor);
    const host = new ModelHost(platform.config);
    const wire = new Wire(platform.emulator, operation.mishaps, () => host.kill());
    const keeps = operation.kind === "update" ? this.#kept(side, wanted) : new Set<string>();
    const original = globalThis.fetch;
    globalThis.fetch = wire.fetch;
    let outcome: Outcome;
    try {
      outcome = await platform.acting(actor, { readOnly: operation.preview, keeps }, async () => {
        const result = await side.stack.operate(operation, wanted.goals, host);
        await host.drained();
        return result;
      });
    } finally {
      wire.mend();
      globalThis.fetch = original;
    }
    this.#noteLost(actor, wire.isDead);
    this.#refuseViolations();
    if (!outcome.succeeded) {
      this.#expectReason(actor, outcome, wire.hasStruck);
    } else if (!operation.preview) {
      this.#expectDone(actor, operation.kind === "update" ? wanted : declared(EMPTY, side.stack.name, side.base));
    }
    return outcome;
  }

  /** What a stack declares now. */
  declaredBy(actor: "ours" | "theirs"): Declared {
    const { program, stack, base } = this.sides[actor];
    return declared(program, stack.name, base);
  }

  /** Whether the state knows an object, so that it is found even without its marker. */
  isRecorded(actor: "ours" | "theirs", id: string): boolean {
    return this.#recorded(this.sides[actor]).has(id);
  }

  /** Gives an object up to the outsider: nothing tells any more whose it was. */
  disown(id: string): void {
    this.platform.owners.set(id, "outsider");
    for (const side of Object.values(this.sides)) {
      side.lost.delete(id);
    }
  }

  /** What every run ends with: one `up` converges, the next preview is empty, destroy leaves only what is others'. */
  async settle(unblock: (id: string) => Promise<void>): Promise<void> {
    const quiet = { parallel: 1, refresh: true, mishaps: [] } as const;
    for (let obstacles = 0; ; obstacles += 1) {
      const outcome = await this.operate("ours", { ...quiet, kind: "update", preview: false });
      if (outcome.succeeded) {
        break;
      }
      if (obstacles > MOST_OBSTACLES) {
        throw new Error(`up does not come to an end: ${outcome.errors.join("\n")}`);
      }
      for (const id of this.#obstacles("ours", outcome)) {
        await unblock(id);
      }
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

  #refuseViolations(): void {
    const { violations } = this.platform;
    if (violations.length > 0) {
      throw new Error(`What must never happen: ${violations.join("; ")}`);
    }
  }

  /** The objects in the way that a refusal names: others', or lost ones. */
  #obstacles(actor: Actor, { errors }: Outcome): string[] {
    const named = errors.flatMap((text) => text.match(/(ST|SDR)_\w+/g) ?? []);
    const lost = actor === "outsider" ? new Set<string>() : this.sides[actor].lost;
    return [...new Set(named)].filter((id) => this.platform.owners.get(id) !== actor || lost.has(id));
  }

  #expectReason(actor: "ours" | "theirs", outcome: Outcome, hasStruck: boolean): void {
    const isConflict = outcome.errors.some((text) =>
      /is taken by|still has the number|already takes|still takes the calls|of the same name|Conflicting|already exists/.test(
        text,
      ),
    );
    if (!hasStruck && !(isConflict && this.#obstacles(actor, outcome).length > 0)) {
      throw new Error(`It failed without a reason: ${outcome.errors.join("\n")}`);
    }
  }

  #expectDone(actor: "ours" | "theirs", wanted: Declared): void {
    const { lost, stack } = this.sides[actor];
    const owners = new Set(wanted.trunks.map(({ owner }) => owner));
    const left = this.platform
      .itemsOf(actor)
      .filter((item) => !lost.has(item.id) || owners.has(markerOf(item)?.owner ?? ""));
    const rules = new Set(stack.resources.filter(({ type }) => type.endsWith(":DispatchRule")).map(({ id }) => id));
    expectAsDeclared(left, wanted, rules, lost);
  }

  /** Notes what an operation made and did not record. */
  #noteLost(actor: "ours" | "theirs", wasKilled: boolean): void {
    const side = this.sides[actor];
    const recorded = this.#recorded(side);
    const resources = new Set(side.stack.resources.map(({ id }) => id));
    const before = side.lost;
    side.lost = new Set();
    const lose = (id: string, what: string, canBeFound: boolean) => {
      if (!wasKilled && canBeFound && !before.has(id)) {
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

  /** The ids on LiveKit that the state holds. */
  #recorded({ stack }: Side): Set<string> {
    return new Set(
      stack.resources.flatMap(({ type, id, outputs = {} }) =>
        type.endsWith(":SipTrunk") ? [String(outputs.inboundTrunkId), String(outputs.outboundTrunkId)] : [id],
      ),
    );
  }

  /** The recorded objects of resources that the program still declares. */
  #kept({ stack }: Side, { goals }: Declared): Set<string> {
    const known = new Set(
      goals.flatMap(({ type, name, aliases }) => [name, ...aliases.map((alias) => alias.name)].map((it) => type + it)),
    );
    return this.#recorded({
      ...this.sides.ours,
      stack: Object.assign(new ModelStack(stack.project, stack.name), {
        resources: stack.resources.filter(({ type, urn }) => known.has(type + urn.split("::").at(-1))),
      }),
    });
  }
}
