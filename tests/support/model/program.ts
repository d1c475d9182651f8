/**
 * The programs of the model: what they declare, as data that shrinks well, and the goals that the package's classes
 * would pass to the engine.
 */

import type { Properties } from "../../../provider/testing/engine/property";
import { type Goal, urnOf } from "../../../provider/testing/engine/registration";
import type { ResourceState } from "../../../provider/testing/engine/state";
import { PROVIDER_KEY } from "./host";

/** What every declaration may have. */
interface Common {
  /** Its parent. "trunk" is its trunk, or the first of its trunks; without a trunk it has no parent. */
  readonly parent: Parent;
  /** Whether its other names, and its places under other parents, are aliases. */
  readonly aliased: boolean;
  readonly option: Option;
}

/** What a resource can be a child of. */
export type Parent = "none" | "component" | "trunk";

/** Pulumi's options, with the fields that each one ignores. */
export const OPTIONS = {
  none: [],
  "ignore all": ["*"],
  "ignore password": ["password"],
  "ignore numbers": ["numbers", "extension"],
  "retain on delete": [],
  "replace on changes": [],
  "delete before replace": [],
  "deleted with its trunk": [],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Option = keyof typeof OPTIONS;

/** One SipTrunk. Each small number selects one of a few values. Slot 1 has numbers, the others an extension. */
export interface TrunkSpec extends Common {
  /** Which of its two names it has. Each is an alias of the other. */
  readonly renamed: boolean;
  readonly number: number;
  readonly password: number;
  readonly address: number;
  /** Changing these requires replacing the whole trunk on LiveKit. */
  readonly headers: number;
  readonly metadata: number;
  readonly krisp: boolean;
  readonly direction: Direction;
}

/** Which of the two LiveKit trunks a SipTrunk declares. */
export type Direction = "both" | "inbound" | "outbound";

/** One InboundAuth. */
export interface AuthSpec extends Common {
  /**
   * The slot of its trunk. If that trunk is not declared or already has an InboundAuth, this one is not declared
   * either.
   */
  readonly trunk: number;
  readonly method: "credentials" | "ip";
  readonly addresses: number;
  readonly callers: number;
}

/** One DispatchRule. */
export interface RuleSpec extends Common {
  readonly renamed: boolean;
  /**
   * The slots of its trunks; empty for "all". Undeclared trunks are left out. If none is left, the rule is not
   * declared.
   */
  readonly trunks: readonly number[];
  readonly pin: boolean;
  readonly room: number;
}

/** What a program declares, by slot. */
export interface Program {
  readonly trunks: Readonly<Record<number, TrunkSpec>>;
  readonly auths: Readonly<Record<number, AuthSpec>>;
  readonly rules: Readonly<Record<number, RuleSpec>>;
  /** Whether the component is inside another one. The place where it is not is its alias. */
  readonly nested: boolean;
}

export const EMPTY: Program = { trunks: {}, auths: {}, rules: {}, nested: false };

/** Where a program runs. */
export interface Place {
  readonly project: string;
  readonly stack: string;
  /** Part of the stack's numbers, so that they differ from the other stack's. */
  readonly base: string;
  /** Part of the PINs of its rules for all trunks, so that they differ from the other stack's. */
  readonly pin: string;
}

/** A resource as it should be. */
interface DeclaredResource extends Made {
  readonly args: Readonly<Record<string, unknown>>;
}

/** A resource and its place among the others. */
interface Made {
  readonly name: string;
  readonly urn: string;
  /** The URN of its parent. Empty for none. */
  readonly parent: string;
  readonly owner: string;
  /** The other URNs that it may have had. */
  readonly twins: readonly string[];
  readonly aliased: boolean;
  readonly option: Option;
}

/** A trunk as it should be on LiveKit, and who may call in through it. */
export interface DeclaredTrunk extends DeclaredResource {
  readonly numbers: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly auth?: DeclaredAuth;
}

/** An InboundAuth as it should be. */
export interface DeclaredAuth extends DeclaredResource {
  /** As LiveKit stores it. */
  readonly allowedAddresses: readonly string[];
  readonly allowedNumbers: readonly string[];
  /** The credential that callers are asked for, if it is not the trunk's. */
  readonly credential?: { readonly username: string; readonly password: string };
}

/** A rule as it should be. */
export interface DeclaredRule extends DeclaredResource {
  /** The owners of its trunks. Undefined for all trunks. */
  readonly trunks: readonly string[] | undefined;
}

/** What the program asks the engine for. */
export interface ModelGoal extends Goal {
  readonly urn: string;
  /** Its other names and places, whether they are its aliases or not. */
  readonly twins: readonly string[];
  /** The inputs that are outputs of resources registered before it. */
  later(outputsOf: (urn: string) => Properties): Properties;
}

/** Everything that a program declares on one stack. */
export interface Declared {
  readonly trunks: readonly DeclaredTrunk[];
  readonly rules: readonly DeclaredRule[];
  readonly goals: readonly ModelGoal[];
}

/** The names of a slot. */
export const NAMES = { trunk: ["alpha", "beta", "gamma"], auth: ["ada", "bob"], rule: ["red", "blue"] } as const;

/** The resource type of a slot. */
export const TYPES = {
  trunk: typeToken("SipTrunk"),
  auth: typeToken("InboundAuth"),
  rule: typeToken("DispatchRule"),
} as const;

const PASSWORDS = ["First-Password-1", "Second-Password-2", "Third-Password-3"];
const ADDRESSES = ["pbx.acme.example", "198.51.100.9"];
const HEADERS = [undefined, { "X-Account": "7" }, { "X-Account": "8", "X-Team": "a" }];
const METADATA = [undefined, "free text", '{"customer":7}'];
const ALLOWED = [["203.0.113.7"], ["203.0.113.0/24", "198.51.100.4"]];
const CALLERS = [undefined, ["+12025550188"]];

/**
 * What a program declares on a stack.
 *
 * @param resources - the stack's state; an option is dropped if it would keep a reference to a trunk that goes away
 */
export function declared(program: Program, place: Place, resources: readonly ResourceState[]): Declared {
  const site = new Site(program.nested, place);
  const bySlot = new Map(
    Object.entries(program.trunks).map(([slot, spec]) => [Number(slot), trunkAt(Number(slot), spec, site)]),
  );
  // An InboundAuth or a rule of a trunk that takes no calls is refused, so the program has none.
  const answered = [...bySlot].filter(([, trunk]) => takesCalls(trunk, resources));
  const callable = new Map(answered);
  const owners = new Map(answered.map(([, trunk]) => [trunk.urn, ownerIn(trunk, resources)]));
  /** Whether the state holds references other than the accepted ones. */
  const refersElsewhere = (kind: "auth" | "rule", slot: number, { urn }: Made, accepted: Iterable<string>) => {
    const known = new Set([urn, ...site.twins(kind, slot, urn)]);
    const old = resources.find((state) => known.has(state.urn) && !state.delete)?.inputs ?? {};
    const references = [old.trunk ?? old.trunks ?? []].flat().map(String);
    return references.some((reference) => !new Set(accepted).has(reference));
  };
  const taken = new Set<number>();
  const auths: [DeclaredAuth, Made][] = [];
  const trunks = new Map(bySlot);
  for (const [key, spec] of Object.entries(program.auths)) {
    const [slot, trunk] = [Number(key), callable.get(spec.trunk)];
    if (trunk && !taken.has(spec.trunk)) {
      taken.add(spec.trunk);
      const auth = authAt(slot, spec, site, trunk);
      const option = refersElsewhere("auth", slot, auth, [owners.get(trunk.urn) ?? ""]) ? "none" : spec.option;
      trunks.set(spec.trunk, { ...trunk, auth: { ...auth, option } });
      auths.push([{ ...auth, option }, trunk]);
    }
  }
  const rules = Object.entries(program.rules).flatMap(([key, spec]): [DeclaredRule, readonly Made[]][] => {
    const slot = Number(key);
    const to = spec.trunks.flatMap((trunk) => callable.get(trunk) ?? []);
    if (spec.trunks.length > 0 && to.length === 0) {
      return [];
    }
    const rule = ruleAt(slot, spec, site, to);
    const option = refersElsewhere("rule", slot, rule, ["all", ...owners.values()]) ? "none" : spec.option;
    return [[{ ...rule, option }, to]];
  });
  return {
    trunks: [...trunks.values()],
    rules: rules.map(([rule]) => rule),
    goals: goalsOf(site, program, [...bySlot.values()], auths, rules),
  };
}

/** The same declaration, but with ignored fields as they are in the state after an operation. */
export function effective({ trunks, rules, goals }: Declared, resources: readonly ResourceState[]): Declared {
  const kept = (declaration: DeclaredResource) => {
    const { inputs = {} } = resources.find(({ urn, delete: goes }) => urn === declaration.urn && !goes) ?? {};
    const names: readonly string[] = OPTIONS[declaration.option];
    const isKept = (name: string) => names.includes(name) || names.includes("*");
    return Object.fromEntries(Object.entries(inputs).filter(([name]) => isKept(name)));
  };
  const keptTrunks = trunks.map((trunk): DeclaredTrunk => {
    const now = kept(trunk);
    const args = trunk.option === "ignore all" ? now : { ...trunk.args, ...now };
    return {
      ...trunk,
      args,
      owner: String(now.owner ?? trunk.owner),
      numbers: [args.numbers ?? args.extension].flat().map(String),
      username: String(now.username ?? trunk.username),
      password: String(now.password ?? trunk.password),
      ...(trunk.auth ? { auth: keptAuth(trunk.auth, kept(trunk.auth)) } : {}),
    };
  });
  const ownerNow = new Map(trunks.map(({ owner }, index) => [owner, keptTrunks[index]?.owner ?? owner]));
  const keptRules = rules.map((rule): DeclaredRule => {
    const now = kept(rule);
    const { trunks: to = rule.trunks?.map((owner) => ownerNow.get(owner) ?? owner) ?? "all" } = now;
    const args = rule.option === "ignore all" ? now : { ...rule.args, ...now };
    return { ...rule, args, trunks: to === "all" ? undefined : [to].flat().map(String) };
  });
  return { trunks: keptTrunks, rules: keptRules, goals };
}

function keptAuth(auth: DeclaredAuth, now: Properties): DeclaredAuth {
  const isKept = auth.option === "ignore all";
  return {
    ...auth,
    owner: String(now.owner ?? auth.owner),
    args: isKept ? now : auth.args,
    allowedAddresses: isKept ? [now.allowedAddresses ?? []].flat().map(String) : auth.allowedAddresses,
    allowedNumbers: isKept ? [now.allowedNumbers ?? []].flat().map(String) : auth.allowedNumbers,
    ...(isKept && now.method === "credentials"
      ? { credential: { username: String(now.username), password: String(now.password) } }
      : {}),
  };
}

/** The owner of a trunk. A trunk that ignores every change keeps its old one. */
function ownerIn({ urn, owner, option, twins }: Made, resources: readonly ResourceState[]): string {
  const known = new Set([urn, ...twins]);
  const old = resources.find((state) => known.has(state.urn) && !state.delete);
  return option === "ignore all" && old ? String(old.inputs.owner) : owner;
}

/** Whether a SipTrunk declares one of the two LiveKit trunks. */
export function hasHalf({ direction }: { readonly direction?: unknown }, half: "inbound" | "outbound"): boolean {
  return (direction ?? "both") === "both" || direction === half;
}

/** Whether a trunk takes calls. One that ignores every change keeps its old direction. */
function takesCalls({ urn, option, twins, args }: DeclaredTrunk, resources: readonly ResourceState[]): boolean {
  const known = new Set([urn, ...twins]);
  const old = resources.find((state) => known.has(state.urn) && !state.delete);
  const kept = option === "ignore all" && old ? old.inputs : {};
  return hasHalf(args, "inbound") && hasHalf(kept, "inbound");
}

/** Where a program's resources are. */
class Site {
  constructor(
    private readonly nested: boolean,
    readonly place: Place,
  ) {}

  /** The component's current URN. */
  get line(): string {
    return this.#line(this.nested);
  }

  get #outer(): string {
    return this.#urn("", "acme:index:Site", "site");
  }

  #line(nested: boolean): string {
    return this.#urn(nested ? this.#outer : "", "acme:index:Line", "line");
  }

  #urn(parent: string, type: string, name: string): string {
    return urnOf(this.place.stack, this.place.project, parent, type, name);
  }

  urn(kind: keyof typeof TYPES, name: string, parent: string): string {
    return this.#urn(parent, TYPES[kind], name);
  }

  /** The other URNs that a resource in a slot may have. */
  twins(kind: keyof typeof TYPES, slot: number, urn: string): string[] {
    const places = ["", this.#line(false), this.#line(true)];
    const parents = kind === "trunk" ? places : places.flatMap((place) => [place, this.urn("trunk", "any", place)]);
    const first = pick(NAMES[kind], slot);
    const names = kind === "auth" ? [first] : [first, `${first}-renamed`];
    return parents.flatMap((parent) => names.map((name) => this.urn(kind, name, parent))).filter((it) => it !== urn);
  }

  /** The components themselves, each with its other place as an alias. */
  components(): ModelGoal[] {
    const common = { custom: false, aliased: true, option: "none" } as const;
    const parent = this.nested ? this.#outer : "";
    const twins = [this.#line(!this.nested)];
    const line = goal({ ...common, type: "acme:index:Line", name: "line", urn: this.line, twins, parent });
    const outer = { type: "acme:index:Site", name: "site", urn: this.#outer, twins: [], parent: "" };
    return this.nested ? [goal({ ...common, ...outer }), line] : [line];
  }
}

function made(
  site: Site,
  kind: keyof typeof TYPES,
  slot: number,
  spec: Common & { readonly renamed: boolean },
  trunk?: Made,
): Made {
  const name = `${pick(NAMES[kind], slot)}${spec.renamed ? "-renamed" : ""}`;
  const parents = { none: "", component: site.line, trunk: trunk?.urn ?? "" };
  const parent = parents[spec.parent];
  const urn = site.urn(kind, name, parent);
  const { option, aliased } = spec;
  return { name, urn, parent, owner: ownerOf(urn), twins: site.twins(kind, slot, urn), option, aliased };
}

function trunkAt(slot: number, spec: TrunkSpec, site: Site): DeclaredTrunk {
  const { base } = site.place;
  const isDid = slot === 1;
  const extension = `${base}${slot}${spec.number % 2}`;
  const e164 = [`+1202555${base}${slot}1`, `+1202555${base}${slot}2`];
  const numbers = isDid ? e164.slice(0, 1 + (spec.number % 2)) : [extension];
  const username = isDid ? "acme" : extension;
  const password = pick(PASSWORDS, spec.password);
  const { direction } = spec;
  const args = {
    ...(isDid ? { type: "did", numbers, username } : { type: "extension", extension }),
    ...(direction === "both" ? {} : { direction }),
    ...(hasHalf({ direction }, "outbound") ? { address: pick(ADDRESSES, spec.address), voipCheck: "off" } : {}),
    password,
    country: "US",
    name: NAMES.trunk[slot % 3],
    headers: pick(HEADERS, spec.headers),
    metadata: pick(METADATA, spec.metadata),
    krispEnabled: (hasHalf({ direction }, "inbound") && spec.krisp) || undefined,
  };
  return { ...made(site, "trunk", slot, spec), args, numbers, username, password };
}

function authAt(slot: number, spec: AuthSpec, site: Site, trunk: Made): DeclaredAuth {
  const { method, addresses, callers } = spec;
  const allowed = method === "ip" ? pick(ALLOWED, addresses) : undefined;
  const allowedNumbers = pick(CALLERS, callers);
  return {
    ...made(site, "auth", slot, { ...spec, renamed: false }, trunk),
    args: { method, allowedAddresses: allowed, allowedNumbers },
    allowedAddresses: (allowed ?? []).map((address) => (address.includes("/") ? address : `${address}/32`)),
    allowedNumbers: allowedNumbers ?? [],
  };
}

function ruleAt(slot: number, spec: RuleSpec, site: Site, trunks: readonly Made[]): DeclaredRule {
  const toAll = spec.trunks.length === 0;
  const pin = spec.pin ? `${slot}77` : `${slot}88`;
  const args = {
    rule: "direct",
    roomName: `room-${spec.room}`,
    // Rules for all trunks would conflict between the two stacks.
    pin: toAll ? `${pin}${site.place.pin}` : pin,
    name: NAMES.rule[slot % 2],
  };
  const owners = trunks.map(({ owner }) => owner);
  return { ...made(site, "rule", slot, spec, trunks[0]), args, trunks: toAll ? undefined : owners };
}

/** What the classes add to the arguments before the engine sees them (each resource.ts). */
function goalsOf(
  site: Site,
  program: Program,
  trunks: readonly DeclaredTrunk[],
  auths: readonly (readonly [DeclaredAuth, Made])[],
  rules: readonly (readonly [DeclaredRule, readonly Made[]])[],
): ModelGoal[] {
  const specs = [...Object.values(program.trunks), ...Object.values(program.auths), ...Object.values(program.rules)];
  return [
    ...(specs.some(({ parent }) => parent === "component") ? site.components() : []),
    ...trunks.map((trunk) => resourceGoal("trunk", trunk, { username: trunk.username }, [], () => ({}))),
    ...auths.map(([auth, trunk]) =>
      resourceGoal(
        "auth",
        auth,
        auth.args.allowedNumbers ? { country: "US" } : {},
        [trunk],
        ([{ owner = "", username = "", password = "" } = {}]) => ({
          trunk: owner,
          ...(auth.args.method === "credentials" ? { username, password } : {}),
        }),
      ),
    ),
    ...rules.map(([rule, to]) =>
      resourceGoal("rule", rule, {}, to, (outputs) => ({
        trunks: rule.trunks ? outputs.map(({ owner = "" }) => owner) : "all",
      })),
    ),
  ];
}

/** A resource of this package as a goal: its arguments as the program gives them. */
export function resourceGoal(
  kind: keyof typeof TYPES,
  resource: DeclaredResource,
  inputs: Properties,
  trunks: readonly Made[],
  later: (outputs: Properties[]) => Properties,
): ModelGoal {
  const urns = trunks.map(({ urn }) => urn);
  const own = toProperties({ ...resource.args, ...inputs, owner: resource.owner });
  const [first = ""] = urns;
  return {
    ...goal({ ...resource, type: TYPES[kind], custom: true }),
    inputs: { ...own, [PROVIDER_KEY]: "the serialized provider" },
    dependencies: urns,
    propertyDependencies: urns.length === 0 ? {} : { [kind === "auth" ? "trunk" : "trunks"]: urns },
    deletedWith: resource.option === "deleted with its trunk" ? first : "",
    later: (outputsOf) => later(urns.map(outputsOf)),
  };
}

function goal(from: Omit<Made, "owner"> & { readonly type: string; readonly custom: boolean }): ModelGoal {
  const { type, name, custom, urn, parent, twins, aliased, option } = from;
  return {
    type,
    name,
    custom,
    urn,
    twins,
    inputs: {},
    parent,
    protect: undefined,
    dependencies: [],
    propertyDependencies: {},
    provider: "",
    deleteBeforeReplace: option === "delete before replace" ? true : undefined,
    ignoreChanges: [...OPTIONS[option]],
    additionalSecretOutputs: [],
    aliases: aliased ? twins.map((twin) => ({ urn: twin })) : [],
    replaceOnChanges: option === "replace on changes" ? ["*"] : [],
    retainOnDelete: option === "retain on delete" ? true : undefined,
    deletedWith: "",
    replaceWith: [],
    later: () => ({}),
  };
}

/** The configuration with which the program in tests/support/programs/customer declares the same. */
export function asConfiguration({ trunks, rules, goals }: Declared) {
  const named = new Map(trunks.map(({ owner, name }) => [owner, name]));
  const nameOf = (urn: string) => urn.split("::").at(-1);
  const optionsByUrn = new Map(
    goals.map((it) => [
      it.urn,
      {
        aliases: it.aliases.map(({ urn }) => urn),
        ignoreChanges: it.ignoreChanges,
        replaceOnChanges: it.replaceOnChanges,
        ...(it.deleteBeforeReplace ? { deleteBeforeReplace: true } : {}),
        ...(it.retainOnDelete ? { retainOnDelete: true } : {}),
        ...(it.parent ? { parent: nameOf(it.parent) } : {}),
        ...(it.deletedWith ? { deletedWith: nameOf(it.deletedWith) } : {}),
      },
    ]),
  );
  const options = ({ urn }: { readonly urn: string }) => optionsByUrn.get(urn);
  return {
    components: Object.fromEntries(
      goals.filter(({ custom }) => !custom).map((it) => [it.name, { type: it.type, options: options(it) }]),
    ),
    trunks: Object.fromEntries(trunks.map((trunk) => [trunk.name, { ...trunk.args, options: options(trunk) }])),
    auths: Object.fromEntries(
      trunks.flatMap(({ name: trunk, auth }) =>
        auth ? [[auth.name, { ...auth.args, trunk, options: options(auth) }]] : [],
      ),
    ),
    rules: Object.fromEntries(
      rules.map((rule) => [
        rule.name,
        {
          ...rule.args,
          trunks: rule.trunks?.flatMap((owner) => named.get(owner) ?? []) ?? "all",
          options: options(rule),
        },
      ]),
    ),
  };
}

/** The owner, derived from the URN as for every resource. */
function ownerOf(urn: string): string {
  const [stack = "", project = "", types = "", ...name] = urn.slice("urn:pulumi:".length).split("::");
  return `organization/${project}/${stack}/${[...types.split("$").slice(0, -1), name.join("::")].join("$")}`;
}

function typeToken(kind: string): string {
  return `pulumi-nodejs:dynamic/livekit:${kind}`;
}

/** The item at an index, modulo the length. */
export function pick<Item>(items: readonly Item[], index: number): Item {
  const entry = [...items.entries()].find(([at]) => at === index % items.length);
  if (!entry) {
    throw new Error("There is nothing to choose from.");
  }
  return entry[1];
}

function toProperties(value: Readonly<Record<string, unknown>>): Properties {
  return JSON.parse(JSON.stringify(value));
}
