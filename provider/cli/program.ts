/** Composes the program of an import: the resources as somebody would declare them by hand, in some language. Pure. */

import { schema as ruleSchema } from "../dispatch-rule/arguments";
import { schema as authSchema } from "../inbound-auth/arguments";
import { type SecretReference, Secrets } from "../inference/secrets";
import type { Accepted, Kind } from "../inference/trial";
import { fieldsOf } from "../lifecycle/validation";
import { type Props, same } from "../lifecycle/values";
import { nameOf, stackOf } from "../livekit/ownership";
import { schema as trunkSchema } from "../sip-trunk/arguments";
import { comment } from "./code";
import { labelOf } from "./inventory";
import {
  type Declaration,
  type Draft,
  type Language,
  type SecretStyle,
  type Section,
  TrunkReference,
} from "./languages/language";
import type { ImportedRule, ImportedTrunk, ImportPlan, LeftAlone } from "./plan";

/** From how many secrets on all of them are one value. */
const MOST_SINGLE_SECRETS = 30;

export interface Program {
  readonly code: string;
  readonly style: SecretStyle;
  /** The secrets that the program reads. */
  readonly secrets: readonly SecretReference[];
  /** The resources in the order of their declaration, with references in place of their secrets. */
  readonly resources: readonly Declared[];
}

/** A resource of the program. */
export interface Declared {
  readonly resource: Accepted;
  /** Its inputs, with references in place of secrets. */
  readonly inputs: Props;
}

const FIELDS: Record<Kind, ReturnType<typeof fieldsOf>> = {
  SipTrunk: fieldsOf(trunkSchema),
  InboundAuth: fieldsOf(authSchema),
  DispatchRule: fieldsOf(ruleSchema),
};

/** What an InboundAuth takes from its trunk, and a program does not write. */
const FOLLOWS_TRUNK: readonly string[] = ["trunk", "username", "password", "country", "numberFormat"];

/** What programs are written in, and how. */
export interface ProgramOptions {
  readonly language: Language;
  /** Pulumi.yaml without resources. */
  readonly projectFile: string;
  /** Whether the resources take over what is on LiveKit by `adopt`, for a CLI that can't import them. */
  readonly adopt?: boolean;
}

/** The program of each stack, by the stack's name. */
export function writeStacks({ trunks, rules }: ImportPlan, options: ProgramOptions): Map<string, Program> {
  const parts = new Map<string, { trunks: ImportedTrunk[]; rules: ImportedRule[] }>();
  const partOf = ({ owner }: Accepted) => {
    const stack = stackOf(owner).split("/").at(-1) ?? "";
    const part = parts.get(stack) ?? { trunks: [], rules: [] };
    parts.set(stack, part);
    return part;
  };
  for (const trunk of trunks) {
    partOf(trunk.trunk).trunks.push(trunk);
  }
  for (const rule of rules) {
    partOf(rule.rule).rules.push(rule);
  }
  return new Map([...parts].map(([stack, part]) => [stack, writeProgram(part, options)]));
}

/** The program of a stack that nothing is imported into. */
export function emptyProgram(options: ProgramOptions): Program {
  return writeProgram({ trunks: [], rules: [] }, options);
}

function writeProgram(
  { trunks, rules }: Pick<ImportPlan, "trunks" | "rules">,
  { language, projectFile, adopt = false }: ProgramOptions,
): Program {
  const secrets = new Secrets();
  const resources: Declared[] = [];
  /** The arguments with references in place of secrets. What a resource takes from another one is sealed already. */
  const sealed = (resource: Accepted, prefix: string, taken: Props = {}): Props => {
    const known = FIELDS[resource.kind];
    const own = Object.entries(resource.inputs).filter(([field]) => known.has(field) && !(field in taken));
    const args = secrets.replaceIn(prefix, Object.fromEntries(own), (field) => known.get(field)?.secret ?? false);
    resources.push({ resource, inputs: { ...args, ...taken } });
    return args;
  };
  const names = new Set(trunks.map(({ trunk }) => trunk.name));
  const isReferred = new Set([
    ...trunks.filter(({ auth }) => auth).map(({ trunk }) => trunk.owner),
    ...rules.flatMap(({ rule }) => trunksOf(rule)),
  ]);
  const declaration = ({ kind, name, owner }: Accepted, args: Props): Declaration => ({
    kind,
    name,
    args,
    isReferred: kind === "SipTrunk" && isReferred.has(owner),
  });
  const sections: Section[] = [
    ...trunks.map(({ trunk, auth, apart = "", inbound, outbound }) => {
      const inputs = sealed(trunk, trunk.name);
      const ids = { ...(inbound && { inbound: inbound.id }), ...(outbound && { outbound: outbound.id }) };
      const args = { ...worthWriting(trunk, inputs), ...(adopt && { adopt: ids }) };
      const declarations = [declaration(trunk, args)];
      if (auth) {
        const taken = Object.keys(auth.inputs).filter((field) => FOLLOWS_TRUNK.includes(field));
        const follows = taken.map((field) => [field, field === "password" ? inputs.password : auth.inputs[field]]);
        const sealedAuth = sealed(auth, `${trunk.name}-auth`, Object.fromEntries(follows));
        const reference = new TrunkReference(trunk.name);
        declarations.push(declaration(auth, { trunk: reference, ...worthWriting(auth, sealedAuth) }));
      }
      return { remark: apart, declarations };
    }),
    ...rules.map(({ rule }) => {
      const inputs = sealed(rule, `${rule.name}-rule`);
      const { trunks: _, ...rest } = worthWriting(rule, inputs);
      const references = trunksOf(rule).map((trunk) =>
        trunk.includes("/") && names.has(nameOf(trunk)) ? new TrunkReference(nameOf(trunk)) : trunk,
      );
      const args = { trunks: references, ...rest, ...(adopt && { adopt: rule.id }) };
      return { remark: "", declarations: [declaration(rule, args)] };
    }),
  ];
  const { references } = secrets;
  const isMisread = references.some(({ value }) => value !== undefined && language.keepsText?.(value) === false);
  const style = isMisread || references.length > MOST_SINGLE_SECRETS ? "one" : "each";
  const draft: Draft = { sections, style, secretKeys: references.map(({ key }) => key) };
  return { code: language.write(draft, projectFile), style, secrets: references, resources };
}

/** A comment about an object that the program does not manage. */
export function remarkOn(object: LeftAlone, { commentMark }: Language): string {
  return comment(`Not managed: ${labelOf(object)}. ${object.reason}`, commentMark);
}

/** The arguments that a program needs: no default, and nothing that follows from the rest. */
function worthWriting({ kind, name }: Accepted, inputs: Props): Record<string, unknown> {
  const written = Object.entries(inputs).filter(([field, value]) => {
    const { whenAbsent } = FIELDS[kind].get(field) ?? {};
    return (
      !same(value, whenAbsent) &&
      !(field === "name" && value === name) &&
      !(field === "username" && value === inputs.extension) &&
      !(field === "destinationCountry" && value === inputs.country)
    );
  });
  return Object.fromEntries(written);
}

function trunksOf({ inputs }: Accepted): string[] {
  const { trunks } = inputs;
  return Array.isArray(trunks) ? trunks.map(String) : [];
}
