/** The programs of the model: what they declare, as data that shrinks well, and what the classes of the package make of it for the engine. */

import type { Properties } from "../../../provider/testing/engine/property";
import { type Goal, urnOf } from "../../../provider/testing/engine/registration";
import { PROVIDER_KEY } from "./host";

/** One SipTrunk; small numbers choose among a few values each. Slot 1 has numbers, the others an extension. */
export interface TrunkSpec {
  /** Which of its two names it has; each is an alias of the other. */
  readonly renamed: boolean;
  readonly number: number;
  readonly password: number;
  readonly address: number;
  /** Other values take a replacement of the whole trunk on LiveKit. */
  readonly headers: number;
  readonly metadata: number;
  readonly krisp: boolean;
}

/** One InboundAuth. */
export interface AuthSpec {
  /** The slot of its trunk. Where that is not declared, or has an InboundAuth already, neither is this one. */
  readonly trunk: number;
  readonly method: "credentials" | "ip";
  readonly addresses: number;
  readonly callers: number;
}

/** One DispatchRule. */
export interface RuleSpec {
  readonly renamed: boolean;
  /** The slots of its trunks; empty for "all". Those that are not declared are left out, and with all of them the rule. */
  readonly trunks: readonly number[];
  readonly pin: boolean;
  readonly room: number;
}

/** What a program declares, slot by slot. */
export interface Program {
  readonly trunks: Readonly<Record<number, TrunkSpec>>;
  readonly auths: Readonly<Record<number, AuthSpec>>;
  readonly rules: Readonly<Record<number, RuleSpec>>;
}

export const EMPTY: Program = { trunks: {}, auths: {}, rules: {} };

/** A trunk as it should be on LiveKit, and who may call in on it. */
export interface DeclaredTrunk {
  readonly name: string;
  readonly owner: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly numbers: readonly string[];
  readonly username: string;
  readonly password: string;
  readonly auth?: DeclaredAuth;
}

/** An InboundAuth as it should be. */
export interface DeclaredAuth {
  readonly name: string;
  readonly owner: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** As LiveKit has it. */
  readonly allowedAddresses: readonly string[];
  readonly allowedNumbers: readonly string[];
}

/** A rule as it should be. */
export interface DeclaredRule {
  readonly name: string;
  readonly owner: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The owners of its trunks; undefined for all trunks. */
  readonly trunks: readonly string[] | undefined;
}

/** Everything that a program declares, for one stack. */
export interface Declared {
  readonly trunks: readonly DeclaredTrunk[];
  readonly rules: readonly DeclaredRule[];
  readonly goals: readonly Goal[];
}

export const PROJECT = "customer";

/** The names of a slot. */
const NAMES = { trunk: ["alpha", "beta", "gamma"], auth: ["ada", "bob"], rule: ["red", "blue"] } as const;

const PASSWORDS = ["First-Password-1", "Second-Password-2", "Third-Password-3"];
const ADDRESSES = ["pbx.acme.example", "198.51.100.9"];
const HEADERS = [undefined, { "X-Account": "7" }, { "X-Account": "8", "X-Team": "a" }];
const METADATA = [undefined, "free text", '{"customer":7}'];
const ALLOWED = [["203.0.113.7"], ["203.0.113.0/24", "198.51.100.4"]];
const CALLERS = [undefined, ["+12025550188"]];

/** What a program declares on a stack. `base` tells the numbers of one stack from those of another. */
export function declared(program: Program, stack: string, base: string): Declared {
  const taken = new Set<number>();
  const auths = new Map<number, DeclaredAuth>();
  for (const [slot, spec] of Object.entries(program.auths)) {
    if (spec.trunk in program.trunks && !taken.has(spec.trunk)) {
      taken.add(spec.trunk);
      auths.set(spec.trunk, declaredAuth(Number(slot), spec, stack));
    }
  }
  const bySlot = new Map(
    Object.entries(program.trunks).map(([slot, spec]) => [
      Number(slot),
      declaredTrunk(Number(slot), spec, stack, base, auths.get(Number(slot))),
    ]),
  );
  const rules = Object.entries(program.rules).flatMap(([slot, spec]) => {
    const trunks = spec.trunks.flatMap((trunk) => bySlot.get(trunk)?.owner ?? []);
    return spec.trunks.length > 0 && trunks.length === 0 ? [] : [declaredRule(Number(slot), spec, stack, trunks)];
  });
  const trunks = [...bySlot.values()];
  return { trunks, rules, goals: goalsOf(stack, trunks, rules) };
}

function declaredTrunk(
  slot: number,
  spec: TrunkSpec,
  stack: string,
  base: string,
  auth: DeclaredAuth | undefined,
): DeclaredTrunk {
  const name = nameIn(NAMES.trunk, slot, spec.renamed);
  const isDid = slot === 1;
  const extension = `${base}${slot}${spec.number % 2}`;
  const e164 = [`+1202555${base}${slot}1`, `+1202555${base}${slot}2`];
  const numbers = isDid ? e164.slice(0, 1 + (spec.number % 2)) : [extension];
  const username = isDid ? "acme" : extension;
  const password = pick(PASSWORDS, spec.password);
  const args = {
    ...(isDid ? { type: "did", numbers, username } : { type: "extension", extension }),
    address: pick(ADDRESSES, spec.address),
    password,
    country: "US",
    voipCheck: "off",
    name: NAMES.trunk[slot % 3],
    headers: pick(HEADERS, spec.headers),
    metadata: pick(METADATA, spec.metadata),
    krispEnabled: spec.krisp || undefined,
  };
  return { name, owner: ownerOf(stack, name), args, numbers, username, password, ...(auth ? { auth } : {}) };
}

function declaredAuth(slot: number, { method, addresses, callers }: AuthSpec, stack: string): DeclaredAuth {
  const name = nameIn(NAMES.auth, slot, false);
  const allowed = method === "ip" ? pick(ALLOWED, addresses) : undefined;
  const allowedNumbers = pick(CALLERS, callers);
  return {
    name,
    owner: ownerOf(stack, name),
    args: { method, allowedAddresses: allowed, allowedNumbers },
    allowedAddresses: (allowed ?? []).map((address) => (address.includes("/") ? address : `${address}/32`)),
    allowedNumbers: allowedNumbers ?? [],
  };
}

function declaredRule(slot: number, spec: RuleSpec, stack: string, trunks: readonly string[]): DeclaredRule {
  const name = nameIn(NAMES.rule, slot, spec.renamed);
  const toAll = spec.trunks.length === 0;
  const pin = spec.pin ? `${slot}77` : `${slot}88`;
  const args = {
    trunks: toAll ? "all" : trunks,
    rule: "direct",
    roomName: `room-${spec.room}`,
    // Rules of two stacks that take all trunks would be in each other's way.
    pin: toAll ? `${pin}${stack.length}` : pin,
    name: NAMES.rule[slot % 2],
  };
  return { name, owner: ownerOf(stack, name), args, trunks: toAll ? undefined : trunks };
}

/** The classes' own part: what they add to the arguments before the engine sees them (sip-trunk.ts, inbound-auth.ts, dispatch-rule.ts). */
function goalsOf(stack: string, trunks: readonly DeclaredTrunk[], rules: readonly DeclaredRule[]): Goal[] {
  const urn = new Map(trunks.map(({ owner, name }) => [owner, urnOf(stack, PROJECT, "", typeToken("SipTrunk"), name)]));
  const dependsOn = (owners: readonly string[]) => owners.flatMap((owner) => urn.get(owner) ?? []);
  return [
    ...trunks.map(({ name, owner, args, username }) =>
      goal("SipTrunk", name, NAMES.trunk, { ...args, username, owner }, {}),
    ),
    ...trunks.flatMap(({ owner: trunk, username, password, auth }) => {
      const credential = auth?.args.method === "credentials" ? { username, password } : {};
      return auth
        ? [
            goal(
              "InboundAuth",
              auth.name,
              NAMES.auth,
              { ...auth.args, ...credential, trunk, owner: auth.owner },
              {
                trunk: dependsOn([trunk]),
              },
            ),
          ]
        : [];
    }),
    ...rules.map(({ name, owner, args, trunks: owners = [] }) =>
      goal("DispatchRule", name, NAMES.rule, { ...args, owner }, { trunks: dependsOn(owners) }),
    ),
  ];
}

function goal(
  kind: string,
  name: string,
  names: readonly string[],
  inputs: Readonly<Record<string, unknown>>,
  propertyDependencies: Record<string, string[]>,
): Goal {
  const type = typeToken(kind);
  return {
    type,
    name,
    custom: true,
    inputs: toProperties({ ...inputs, [PROVIDER_KEY]: "the serialized provider" }),
    parent: "",
    protect: undefined,
    dependencies: Object.values(propertyDependencies).flat(),
    propertyDependencies,
    provider: "",
    deleteBeforeReplace: undefined,
    ignoreChanges: [],
    additionalSecretOutputs: [],
    aliases: otherNames(names, name).map((other) => ({ name: other })),
    replaceOnChanges: [],
    retainOnDelete: undefined,
    deletedWith: "",
    replaceWith: [],
  };
}

/** What the program of tests/support/programs/customer takes as its configuration to declare the same. */
export function asConfiguration({ trunks, rules }: Declared) {
  const named = new Map(trunks.map(({ owner, name }) => [owner, name]));
  const aliases = (names: readonly string[], name: string) => ({
    options: { aliases: otherNames(names, name).map((other) => ({ name: other })) },
  });
  return {
    trunks: Object.fromEntries(trunks.map(({ name, args }) => [name, { ...args, ...aliases(NAMES.trunk, name) }])),
    auths: Object.fromEntries(
      trunks.flatMap(({ name: trunk, auth }) => (auth ? [[auth.name, { ...auth.args, trunk }]] : [])),
    ),
    rules: Object.fromEntries(
      rules.map(({ name, args, trunks: owners }) => [
        name,
        {
          ...args,
          trunks: owners?.flatMap((owner) => named.get(owner) ?? []) ?? "all",
          ...aliases(NAMES.rule, name),
        },
      ]),
    ),
  };
}

function otherNames(names: readonly string[], name: string): string[] {
  const first = name.replace(/-renamed$/, "");
  return names.includes(first) ? [first, `${first}-renamed`].filter((other) => other !== name) : [];
}

function nameIn(names: readonly string[], slot: number, renamed: boolean): string {
  return `${pick(names, slot)}${renamed ? "-renamed" : ""}`;
}

function ownerOf(stack: string, name: string): string {
  return `organization/${PROJECT}/${stack}/${name}`;
}

function typeToken(kind: string): string {
  return `pulumi-nodejs:dynamic/livekit:${kind}`;
}

/** The item with an index, counted around. */
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
