/** What can happen in a run, as data. A run that fast-check reports can be copied as it is and become an example. */

import { SIPDispatchRule, SIPDispatchRuleInfo, SIPInboundTrunkInfo, SIPOutboundTrunkInfo } from "@livekit/protocol";
import fc from "fast-check";
import { keysOf } from "../../../provider/lifecycle/values";
import { inboundTrunk, type OutboundFields, outboundTrunk, rule } from "../../../provider/livekit/messages";
import * as sip from "../../../provider/livekit/sip-api";
import type { Item } from "./platform";
import {
  type AuthSpec,
  type Direction,
  type Option,
  type Program,
  pick,
  type RuleSpec,
  type TrunkSpec,
} from "./program";
import { MISHAPS, type Mishap } from "./wire";
import { type Remedy, World } from "./world";

/** One of the two stacks. */
export type Stack = "ours" | "theirs";

/** Something that happens. */
export type Command =
  | { readonly do: "trunk"; readonly in: Stack; readonly slot: number; readonly spec: TrunkSpec | null }
  | { readonly do: "auth"; readonly in: Stack; readonly slot: number; readonly spec: AuthSpec | null }
  | { readonly do: "rule"; readonly in: Stack; readonly slot: number; readonly spec: RuleSpec | null }
  /** Moves the component into another component, or out of it. */
  | { readonly do: "nest"; readonly in: Stack; readonly on: boolean }
  /**
   * `pulumi stack rename`. Some places are in another project. The stacks may share a name, because each has its own
   * state backend.
   */
  | { readonly do: "rename"; readonly in: Stack; readonly to: number }
  /** `pulumi state move` of a trunk, with its InboundAuth and children, to the other stack. */
  | { readonly do: "move state"; readonly from: Stack; readonly slot: number }
  /** The state loses everything, or a resource together with its dependents. */
  | {
      readonly do: "lose";
      readonly in: Stack;
      readonly what: "everything" | "trunk" | "auth" | "rule";
      readonly slot: number;
      readonly remedy: Remedy;
    }
  /**
   * Turns the other stack into that of someone who runs our program against our LiveKit project with their own state
   * backend.
   */
  | { readonly do: "second backend" }
  /** Does what the error messages of the last operation advise. */
  | { readonly do: "remedy"; readonly in: Stack }
  /** Gives the other stack the same numbers as ours, or its own again. */
  | { readonly do: "clash"; readonly on: boolean }
  | { readonly do: "preview"; readonly in: Stack; readonly refresh: boolean; readonly mishaps: readonly Mishap[] }
  | {
      readonly do: "up";
      readonly in: Stack;
      readonly refresh: boolean;
      readonly parallel: number;
      readonly mishaps: readonly Mishap[];
    }
  /** A change by hand. `which` selects one of the objects that the move applies to. */
  | { readonly do: "by hand"; readonly move: Move; readonly which: number };

/** Runs commands on an empty platform, then checks the end that every run must reach. */
export async function run(commands: readonly Command[]): Promise<void> {
  const world = await World.start();
  try {
    for (const command of commands) {
      await carryOut(world, command);
    }
    await world.settle((id) => remove(world, id));
  } finally {
    world.stop();
  }
}

async function carryOut(world: World, command: Command): Promise<void> {
  switch (command.do) {
    case "trunk":
      world.declare(command.in, (program) => ({ ...program, trunks: placed(program.trunks, command) }));
      return;
    case "auth":
      world.declare(command.in, (program) => ({ ...program, auths: placed(program.auths, command) }));
      return;
    case "rule":
      world.declare(command.in, (program) => ({ ...program, rules: placed(program.rules, command) }));
      return;
    case "nest":
      world.declare(command.in, (program) => ({ ...program, nested: command.on }));
      return;
    case "rename": {
      const [project, name] = pick(PLACES, command.to);
      world.sides[command.in].stack.rename(project, name);
      return;
    }
    case "move state":
      world.moveState(command.from, command.slot);
      return;
    case "lose":
      world.lose(command.in, command.what, command.slot, command.remedy);
      return;
    case "second backend":
      world.secondBackend();
      return;
    case "remedy":
      await world.remedy(command.in, (id) => remove(world, id));
      return;
    case "clash":
      world.sides.theirs.base = command.on ? world.sides.ours.base : "20";
      return;
    case "preview":
      await world.operate(command.in, { kind: "update", preview: true, parallel: 1, ...command });
      return;
    case "up":
      await world.operate(command.in, { kind: "update", preview: false, ...command });
      return;
    case "by hand":
      await byHand(world, command.move, command.which);
      return;
  }
}

function placed<Spec>(
  specs: Program["trunks"] | Readonly<Record<number, Spec>>,
  { slot, spec }: { slot: number; spec: Spec | null },
): Record<number, Spec>;
function placed<Spec>(specs: Readonly<Record<number, Spec>>, { slot, spec }: { slot: number; spec: Spec | null }) {
  const { [slot]: _, ...others } = specs;
  return spec ? { ...others, [slot]: spec } : others;
}

/** Projects and stacks. */
const PLACES = [
  ["customer", "ours"],
  ["customer", "others"],
  ["client", "ours"],
  ["customer", "production"],
] as const;

const FOREIGN_NUMBERS = ["7001", "1000", "1020", "+12025551011"];

type OnInbound = (world: World, item: Item & { kind: "inbound" }) => Promise<unknown>;
type OnOutbound = (world: World, item: Item & { kind: "outbound" }) => Promise<unknown>;
type OnRule = (world: World, item: Item & { kind: "rule" }) => Promise<unknown>;

const changeInbound =
  (fields: Parameters<typeof sip.inbound.update>[2]): OnInbound =>
  ({ outsider }, { message }) =>
    sip.inbound.update(outsider, inboundTrunk(message), fields);
const changeOutbound =
  (fields: Partial<OutboundFields>): OnOutbound =>
  ({ outsider }, { message }) =>
    sip.outbound.update(outsider, outboundTrunk(message), fields);

const ON_INBOUND = {
  "inbound password": changeInbound({ authPassword: "By-Hand-1" }),
  "inbound opened": changeInbound({ authUsername: "", authPassword: "", allowedAddresses: [] }),
  "inbound for others": changeInbound({ authUsername: "others", authPassword: "theirs" }),
  "inbound addresses cleared": changeInbound({ allowedAddresses: [] }),
  "inbound addresses of everyone": changeInbound({ authUsername: "", allowedAddresses: ["0.0.0.0/0"] }),
  "inbound numbers": changeInbound({ numbers: ["7777"] }),
  "inbound phone number": changeInbound({ numbers: ["+12025557777"] }),
  "inbound callers": changeInbound({ allowedNumbers: ["+12025550111"] }),
  "inbound name": changeInbound({ name: "by hand" }),
  "inbound krisp": changeInbound({ krispEnabled: true, maxCallDuration: 60 }),
  "inbound deleted": ({ outsider }, { id }) => sip.deleteTrunk(outsider, id),
} satisfies Record<string, OnInbound>;

const ON_OUTBOUND = {
  "outbound password": changeOutbound({ authPassword: "By-Hand-2" }),
  "outbound address": changeOutbound({ address: "192.0.2.1", destinationCountry: "RO" }),
  "outbound numbers": changeOutbound({ numbers: ["8888"] }),
  "outbound phone number": changeOutbound({ numbers: ["+12025558888"] }),
  "outbound headers": changeOutbound({ headers: { "X-By-Hand": "1" } }),
  "outbound deleted": ({ outsider }, { id }) => sip.deleteTrunk(outsider, id),
} satisfies Record<string, OnOutbound>;

const ON_RULE = {
  "rule room": ({ outsider }, { message }) => {
    const live = rule(message);
    return sip.rules.update(outsider, live, { ...live, rule: "direct", room: "by-hand" });
  },
  "rule for all": ({ outsider }, { message }) => {
    const live = rule(message);
    return sip.rules.update(outsider, live, { ...live, trunkIds: [] });
  },
  "rule pin": ({ outsider }, { message }) => {
    const live = rule(message);
    return sip.rules.update(outsider, live, { ...live, pin: "99" });
  },
  "rule deleted": ({ outsider }, { id }) => sip.deleteRule(outsider, id),
} satisfies Record<string, OnRule>;

const ELSEWHERE = {
  "metadata of one overwritten": (world, which) => scribble(world, chosen(world, "inbound", which)),
  "metadata of the other overwritten": (world, which) => scribble(world, chosen(world, "outbound", which)),
  "taken over by another stack": async (world, which) => {
    const marker = {
      owner: "organization/customer/elsewhere/alpha",
      id: "sip-trunk-elsewhere",
      numberFormat: "international",
    };
    const metadata = JSON.stringify({ "pulumi-livekit-sip": { ...marker, country: "US" } });
    const item = chosen(world, which % 2 === 0 ? "inbound" : "outbound", which);
    if (item?.kind === "inbound") {
      await changeInbound({ metadata })(world, item);
    } else if (item?.kind === "outbound") {
      await changeOutbound({ metadata })(world, item);
    }
    if (item) {
      world.disown(item.id);
    }
  },
  "everything deleted": async (world) => {
    for (const { id } of world.platform.itemsOf("ours")) {
      await remove(world, id);
    }
  },
  "foreign trunk": async ({ outsider }, which) => {
    const number = pick(FOREIGN_NUMBERS, which);
    const blank = inboundTrunk(new SIPInboundTrunkInfo());
    await sip.inbound.create(outsider, { ...blank, name: "foreign", numbers: [number] }, async () => undefined);
  },
  "foreign outbound trunk": async ({ outsider }) => {
    const fields = { name: "alpha", numbers: ["1000"], address: "192.0.2.2" };
    await sip.outbound.create(
      outsider,
      { ...outboundTrunk(new SIPOutboundTrunkInfo()), ...fields },
      async () => undefined,
    );
  },
  "foreign rule": async (world, which) => {
    const trunk = chosen(world, "inbound", which);
    const blank = rule(new SIPDispatchRuleInfo({ rule: new SIPDispatchRule() }));
    const pin = pick(["", "077", "088", "177"], which);
    const fields = { ...blank, name: "foreign", rule: "direct", room: "foreign", pin } as const;
    await sip.rules.create(world.outsider, { ...fields, trunkIds: trunk ? [trunk.id] : [] }, async () => undefined);
  },
  "foreign object removed": async (world, which) => {
    const foreign = world.platform.itemsOf("outsider");
    if (foreign.length > 0) {
      await remove(world, pick(foreign, which).id);
    }
  },
} satisfies Record<string, (world: World, which: number) => Promise<void>>;

/** What people do by hand. */
export type Move = keyof typeof ON_INBOUND | keyof typeof ON_OUTBOUND | keyof typeof ON_RULE | keyof typeof ELSEWHERE;

/**
 * Changes that `ignoreChanges` would keep and that would leave the program without something it needs. The model does
 * not make them.
 */
const BREAKS_WHAT_IS_IGNORED: ReadonlySet<string> = new Set<Move>([
  "inbound numbers",
  "outbound numbers",
  "inbound deleted",
  "outbound deleted",
  "metadata of one overwritten",
  "metadata of the other overwritten",
  "taken over by another stack",
]);

/** Makes a change by hand. Does nothing if LiveKit refuses it. */
async function byHand(world: World, move: Move, which: number): Promise<void> {
  if (
    BREAKS_WHAT_IS_IGNORED.has(move) &&
    world.platform.itemsOf("ours").some(({ id }) => world.isIgnored("ours", id))
  ) {
    return;
  }
  try {
    await moved(world, move, which);
  } catch (error) {
    if (!(error instanceof Error && error.name === "LiveKitError")) {
      throw error;
    }
  }
}

async function moved(world: World, move: Move, which: number): Promise<void> {
  if (isKey(ON_INBOUND, move)) {
    const item = chosen(world, "inbound", which);
    await (item?.kind === "inbound" ? ON_INBOUND[move](world, item) : undefined);
  } else if (isKey(ON_OUTBOUND, move)) {
    const item = chosen(world, "outbound", which);
    await (item?.kind === "outbound" ? ON_OUTBOUND[move](world, item) : undefined);
  } else if (isKey(ON_RULE, move)) {
    const item = chosen(world, "rule", which);
    await (item?.kind === "rule" ? ON_RULE[move](world, item) : undefined);
  } else {
    await ELSEWHERE[move](world, which);
  }
}

function isKey<Key extends string>(moves: Readonly<Record<Key, unknown>>, key: string): key is Key {
  return key in moves;
}

/** One of our objects of the given kind. */
function chosen({ platform }: World, kind: Item["kind"], which: number): Item | undefined {
  const items = platform
    .itemsOf("ours")
    .filter((item) => item.kind === kind)
    .toSorted((a, b) => (a.message.name < b.message.name ? -1 : 1));
  return items.length > 0 ? pick(items, which) : undefined;
}

/** Without its marker, an object is only recognizable as ours if the state holds its id. */
async function scribble(world: World, item: Item | undefined): Promise<void> {
  if (item?.kind === "inbound") {
    await changeInbound({ metadata: "by hand" })(world, item);
  } else if (item?.kind === "outbound") {
    await changeOutbound({ metadata: "" })(world, item);
  }
  if (item && !world.isRecorded("ours", item.id)) {
    world.disown(item.id);
  }
}

async function remove({ outsider, platform }: World, id: string): Promise<void> {
  const item = platform.items().find((it) => it.id === id);
  await (item?.kind === "rule" ? sip.deleteRule(outsider, id) : sip.deleteTrunk(outsider, id));
}

const small = (count: number) => fc.nat({ max: count - 1 });
/** Mostly the first value, so that two declarations often differ in only one field. */
const mostly = <Item>(first: Item, others: fc.Arbitrary<Item>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(first) }, { weight: 2, arbitrary: others });
const oftenTrue = fc.constantFrom(true, true, true, true, false);
const stack = fc.oneof(
  { weight: 5, arbitrary: fc.constant("ours" as const) },
  { weight: 1, arbitrary: fc.constant("theirs" as const) },
);

const option = (...options: readonly Option[]) => mostly<Option>("none", fc.constantFrom(...options));
const BINDING = ["ignore all", "retain on delete", "replace on changes", "delete before replace"] as const;

const trunkSpec: fc.Arbitrary<TrunkSpec> = fc.record({
  parent: mostly("none", fc.constant("component" as const)),
  aliased: oftenTrue,
  option: option("ignore password", "ignore numbers", ...BINDING),
  renamed: mostly(false, fc.boolean()),
  number: mostly(0, small(2)),
  password: mostly(0, small(3)),
  address: mostly(0, small(2)),
  headers: mostly(0, small(3)),
  metadata: mostly(0, small(3)),
  krisp: mostly(false, fc.boolean()),
  direction: mostly<Direction>("both", fc.constantFrom("inbound", "outbound")),
});

const authSpec: fc.Arbitrary<AuthSpec> = fc.record({
  parent: mostly("none", fc.constantFrom("component" as const, "trunk" as const)),
  aliased: oftenTrue,
  option: option("deleted with its trunk", ...BINDING),
  trunk: small(3),
  method: fc.constantFrom("credentials", "ip"),
  addresses: mostly(0, small(2)),
  callers: mostly(0, small(2)),
});

const ruleSpec: fc.Arbitrary<RuleSpec> = fc.record({
  parent: mostly("none", fc.constantFrom("component" as const, "trunk" as const)),
  aliased: oftenTrue,
  option: option("deleted with its trunk", ...BINDING),
  renamed: mostly(false, fc.boolean()),
  trunks: fc.uniqueArray(small(3), { maxLength: 3 }),
  pin: mostly(false, fc.boolean()),
  room: mostly(0, small(2)),
});

/** Declares something four times out of five. */
const declaring = <Spec>(spec: fc.Arbitrary<Spec>) => fc.option(spec, { freq: 4 });

const mishap: fc.Arbitrary<Mishap> = fc.record({
  after: fc.nat({ max: 12 }),
  what: fc.constantFrom<Mishap["what"][]>(...keysOf(MISHAPS), "kill before", "kill after", "kill after"),
  // A call is tried five times, and there may be as many reads in between. Some faults last longer than that.
  times: fc.constantFrom(1, 1, 2, 6, 40),
});

const mishaps = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: fc.array(mishap, { minLength: 1, maxLength: 3 }) },
);

const MOVES: Move[] = [...keysOf(ON_INBOUND), ...keysOf(ON_OUTBOUND), ...keysOf(ON_RULE), ...keysOf(ELSEWHERE)];

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("trunk" as const), in: stack, slot: small(3), spec: declaring(trunkSpec) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("auth" as const), in: stack, slot: small(2), spec: declaring(authSpec) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("rule" as const), in: stack, slot: small(2), spec: declaring(ruleSpec) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("up" as const),
      in: stack,
      refresh: fc.boolean(),
      parallel: fc.constantFrom(1, 1, 16),
      mishaps,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("preview" as const), in: stack, refresh: fc.boolean(), mishaps }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("by hand" as const), move: fc.constantFrom(...MOVES), which: small(4) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("clash" as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("nest" as const), in: stack, on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rename" as const), in: stack, to: small(PLACES.length) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("move state" as const), from: stack, slot: small(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("lose" as const),
      in: stack,
      what: fc.constantFrom("everything" as const, "trunk" as const, "auth" as const, "rule" as const),
      slot: small(3),
      remedy: fc.constantFrom<Remedy>("take over", "delete"),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "second backend" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remedy" as const), in: stack }) },
);

/** Commands of one run. */
export const commands: fc.Arbitrary<Command[]> = fc.array(command, { minLength: 1, maxLength: 14 });

const slots = <Spec>(spec: fc.Arbitrary<Spec>, count: number): fc.Arbitrary<Record<number, Spec>> =>
  fc
    .array(fc.option(spec, { freq: 2 }), { minLength: count, maxLength: count })
    .map((specs) => Object.fromEntries(specs.flatMap((it, slot) => (it ? [[slot, it]] : []))));

/** Programs that follow one another. */
export const programs: fc.Arbitrary<Program[]> = fc.array(
  fc.record({
    trunks: slots(trunkSpec, 3),
    auths: slots(authSpec, 2),
    rules: slots(ruleSpec, 2),
    nested: fc.boolean(),
  }),
  { minLength: 3, maxLength: 3 },
);
