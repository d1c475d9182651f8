/** Decides which resources describe what is on LiveKit, and what is left alone. Changes nothing. */

import { type Halves, type Hints, ruleArguments } from "../inference/guesses";
import { secretKey } from "../inference/secrets";
import { type Accepted, isAccepted, type Refused, type Trial } from "../inference/trial";
import { asReason, type DeclaredTrunk, declareTrunk, either, isRefused } from "../inference/trunk";
import type { InboundTrunk, Rule } from "../livekit/messages";
import { nameOf, stackOf } from "../livekit/ownership";
import * as trunks from "../livekit/trunks";
import { countryOf } from "../phone-number/format";
import { printable } from "../printable";
import type { Inventory, LiveKitObject } from "./inventory";
import { distinctNames, idSuffix, resourceName } from "./names";
import { type ChosenTrunk, namesOf, type Trunk, type Unit, unitsOf } from "./units";

/** A SipTrunk of the program and, if callers are let in, its InboundAuth. */
export interface ImportedTrunk extends DeclaredTrunk {
  /** Why the two trunks are one SipTrunk; empty for a trunk that has no counterpart. */
  readonly because: string;
  /** Why it is not one SipTrunk with a trunk that looks like its counterpart. */
  readonly apart?: string;
}

/** A DispatchRule of the program. */
export interface ImportedRule {
  readonly rule: Accepted;
}

/** An object on LiveKit that the program does not manage. */
export interface LeftAlone extends LiveKitObject {
  /** Why, and what to do about it, as sentences. */
  readonly reason: string;
}

export interface ImportPlan {
  readonly trunks: readonly ImportedTrunk[];
  readonly rules: readonly ImportedRule[];
  readonly leftAlone: readonly LeftAlone[];
}

export interface Choices extends Omit<Hints, "password"> {
  /** The stack's secrets by their keys: among them the passwords that LiveKit hides. */
  readonly secrets?: ReadonlyMap<string, string>;
  /** Selects objects. Default: all of them. */
  readonly isSelected?: (texts: readonly string[]) => boolean;
  /** The pairs to use instead of those that are found. */
  readonly pairs?: readonly ChosenTrunk[];
  /** The names from an earlier run, by the ids of LiveKit's objects. */
  readonly names?: ReadonlyMap<string, string>;
  /** Called with the number of objects done, and of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Notes that an object is left alone. */
type Leave = (kind: LeftAlone["kind"], object: Trunk | Rule, reason: string) => void;

/** Which stack a resource goes into. */
export interface Layout {
  /** organization/project/stack of a SipTrunk and its InboundAuth. */
  stackOf(trunk: string): string;
  /** Whether a stack is one of this import's. */
  isOwn(stack: string): boolean;
}

export async function planImport(
  { inbound, outbound, rules }: Inventory,
  trial: Trial,
  layout: Layout,
  choices: Choices,
): Promise<ImportPlan> {
  const leftAlone: LeftAlone[] = [];
  const leave: Leave = (kind, { id, name }, reason) => {
    leftAlone.push({ id, kind, name, reason });
  };
  const kindOf = (trunk: Trunk) => ("allowedAddresses" in trunk ? "inbound trunk" : "outbound trunk");
  const isSelected = (trunk: Trunk) =>
    choices.isSelected?.([trunk.name, trunk.id, ...trunk.numbers, trunk.metadata]) ?? true;
  const foreign = new Map<string, string>();
  const isOwn = (trunk: Trunk): boolean => {
    const owner = trunks.metadataOf(trunk).marker?.owner;
    if (owner === undefined || layout.isOwn(stackOf(owner))) {
      return true;
    }
    foreign.set(trunk.id, owner);
    leave(kindOf(trunk), trunk, `It belongs to ${printable(owner, 200)}.`);
    return false;
  };
  const available = {
    inbound: inbound.filter(isSelected).filter(isOwn),
    outbound: outbound.filter(isSelected).filter(isOwn),
  };
  const units = unitsOf(available, choices.pairs);
  const country = choices.country ?? commonCountry([...inbound, ...outbound]);
  const hints = { ...choices, ...(country !== undefined && { country }) };
  const names = namesOf(units, choices.names ?? new Map());
  let done = 0;
  const total = units.length + rules.length;
  const progress = () => {
    done += 1;
    choices.onProgress?.(done, total);
  };

  const imported: ImportedTrunk[] = [];
  for (const unit of units) {
    imported.push(...(await importUnit({ trial, layout, names, hints }, unit, leave)));
    progress();
  }

  const importedRules = await importRules(
    { trial, layout, rules, inbound, imported, foreign, choices, progress },
    leave,
  );
  return {
    trunks: imported.toSorted((a, b) => (a.trunk.owner < b.trunk.owner ? -1 : 1)),
    rules: importedRules.toSorted((a, b) => (a.rule.owner < b.rule.owner ? -1 : 1)),
    leftAlone,
  };
}

/** What the rules of an import depend on. */
interface RuleContext {
  readonly trial: Trial;
  readonly layout: Layout;
  readonly rules: readonly Rule[];
  readonly inbound: readonly InboundTrunk[];
  readonly imported: readonly ImportedTrunk[];
  /** The owners of other stacks' trunks, by id. */
  readonly foreign: ReadonlyMap<string, string>;
  readonly choices: Choices;
  progress(): void;
}

async function importRules(
  { trial, layout, rules, inbound, imported, foreign, choices, progress }: RuleContext,
  leave: Leave,
): Promise<ImportedRule[]> {
  const references = new Map(imported.flatMap((it) => (it.inbound ? [[it.inbound.id, it.trunk.owner] as const] : [])));
  const known = new Set(inbound.map(({ id }) => id));
  const importedRules: ImportedRule[] = [];
  const ruleNames = distinctNames(
    rules.map((rule) => ({ id: rule.id, wants: resourceName(rule.name, `rule-${idSuffix(rule.id)}`) })),
    choices.names ?? new Map(),
  );
  for (const rule of rules) {
    progress();
    const isWanted =
      rule.trunkIds.some((id) => references.has(id)) ||
      (choices.isSelected?.([rule.name, rule.id, ...rule.trunkIds]) ?? true);
    if (!isWanted) {
      continue;
    }
    const problem = ruleProblem(rule, foreign, known);
    if (problem) {
      leave("dispatch rule", rule, problem);
      continue;
    }
    const stacks = new Set(rule.trunkIds.flatMap((id) => references.get(id) ?? []).map(stackOf));
    if (stacks.size > 1) {
      leave(
        "dispatch rule",
        rule,
        `It takes the calls of trunks of ${stacks.size} stacks: give each stack a rule of its own.`,
      );
      continue;
    }
    const name = ruleNames.get(rule.id) ?? rule.id;
    const owner = `${[...stacks][0] ?? layout.stackOf(name)}/${name}`;
    const candidate = {
      kind: "DispatchRule",
      owner,
      id: rule.id,
      args: ruleArguments(rule, references),
      ids: {},
    } as const;
    const result = await trial.accepts(candidate);
    if (isAccepted(result)) {
      importedRules.push({ rule: result });
    } else {
      leave("dispatch rule", rule, asReason(result));
    }
  }
  return importedRules;
}

/** The country of most numbers: a guess for a trunk whose own numbers do not show one. */
function commonCountry(all: readonly Trunk[]): string | undefined {
  const counts = new Map<string, number>();
  for (const country of all.flatMap(({ numbers }) => numbers.map(countryOf))) {
    if (country !== undefined) {
      counts.set(country, (counts.get(country) ?? 0) + 1);
    }
  }
  return [...counts].toSorted(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))[0]?.[0];
}

/** What is wrong with a rule before its arguments are looked at. */
function ruleProblem(rule: Rule, foreign: ReadonlyMap<string, string>, known: ReadonlySet<string>): string | undefined {
  if (rule.trunkIds.length === 0) {
    return 'It takes every call of the project, also those that no trunk admits: list its trunks on LiveKit, or declare it by hand with "all" as its trunks.';
  }
  const others = rule.trunkIds.filter((id) => foreign.has(id));
  if (others.length > 0) {
    const owner = foreign.get(others[0] ?? "") ?? "";
    return `It takes the calls of ${others.join(", ")}, which belongs to ${printable(owner, 200)}: declare it there.`;
  }
  return rule.trunkIds.some((id) => known.has(id))
    ? undefined
    : "All of its trunks are gone: delete it, or give it trunks.";
}

/** What all trunks of an import have in common. */
interface Context {
  readonly trial: Trial;
  readonly layout: Layout;
  /** The names of SipTrunks by the ids of their trunks. */
  readonly names: ReadonlyMap<string, string>;
  readonly hints: Omit<Hints, "password"> & Pick<Choices, "secrets">;
}

/** Tries to declare one or two trunks as one SipTrunk. */
function importHalves({ trial, layout, names, hints }: Context, halves: Halves): Promise<DeclaredTrunk | Refused> {
  const { id } = either(halves);
  const name = names.get(id) ?? id;
  const owner = trunks.metadataOf(either(halves)).marker?.owner ?? `${layout.stackOf(name)}/${name}`;
  const password = hints.secrets?.get(secretKey(nameOf(owner), "password"));
  return declareTrunk(trial, owner, { ...hints, ...(password !== undefined && { password }) }, halves);
}

async function importUnit(context: Context, unit: Unit, leave: Leave): Promise<ImportedTrunk[]> {
  const { inbound, outbound, because, apart: before, isChosen } = unit;
  const whole = await importHalves(context, { inbound, outbound });
  if (!isRefused(whole)) {
    return [{ ...whole, because, ...(before !== undefined && { apart: before }) }];
  }
  if (!inbound || !outbound) {
    leave(inbound ? "inbound trunk" : "outbound trunk", either(unit), asReason(whole));
    return [];
  }
  if (isChosen) {
    leave("inbound trunk", inbound, asReason(whole));
    leave("outbound trunk", outbound, asReason(whole));
    return [];
  }
  const apart = ({ id }: Trunk) => `Not one SipTrunk with ${id}, although ${because}. ${asReason(whole)}`;
  const [first, second] = [await importHalves(context, { inbound }), await importHalves(context, { outbound })];
  const imported: ImportedTrunk[] = [];
  if (isRefused(first)) {
    leave("inbound trunk", inbound, asReason(first));
  } else {
    imported.push({ ...first, because: "", apart: apart(outbound) });
  }
  if (isRefused(second)) {
    leave("outbound trunk", outbound, asReason(second));
  } else {
    imported.push({ ...second, because: "", apart: apart(inbound) });
  }
  return imported;
}
