/** Writes the program of an import: the resources as somebody would declare them by hand. Pure. */

import { schema as ruleSchema } from "../dispatch-rule/arguments";
import { schema as authSchema } from "../inbound-auth/arguments";
import { type SecretReference, Secrets } from "../inference/secrets";
import type { Accepted, Kind } from "../inference/trial";
import { fieldsOf } from "../lifecycle/validation";
import { type Props, same } from "../lifecycle/values";
import { nameOf, stackOf } from "../livekit/ownership";
import { schema as trunkSchema } from "../sip-trunk/arguments";
import { block, comment, Expression } from "./code";
import { labelOf } from "./inventory";
import { variableNames } from "./names";
import type { ImportedRule, ImportedTrunk, ImportPlan, LeftAlone } from "./plan";

/** How a program reads its secrets: each from a value of its own, or all from one value, because Pulumi takes a second for each. */
export type SecretStyle = "each" | "one";

/** From how many secrets on all of them are one value. */
const MOST_SINGLE_SECRETS = 30;

/** The key of the value that holds all secrets. */
export const ALL_SECRETS = "secrets";

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

/** Names that the program uses itself. */
const OWN_NAMES: ReadonlySet<string> = new Set(["pulumi", "config", ALL_SECRETS]);

export interface ProgramOptions {
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

function writeProgram(
  { trunks, rules }: Pick<ImportPlan, "trunks" | "rules">,
  { adopt = false }: ProgramOptions,
): Program {
  const secrets = new Secrets();
  const variables = variableNames(
    trunks.map(({ trunk }) => trunk.name),
    OWN_NAMES,
  );
  const variableOf = (owner: string): string | undefined => variables.get(nameOf(owner));
  const resources: Declared[] = [];
  /** The arguments with references in place of secrets. What a resource takes from another one is sealed already. */
  const sealed = (resource: Accepted, prefix: string, taken: Props = {}): Props => {
    const known = FIELDS[resource.kind];
    const own = Object.entries(resource.inputs).filter(([field]) => known.has(field) && !(field in taken));
    const args = secrets.replaceIn(prefix, Object.fromEntries(own), (field) => known.get(field)?.secret ?? false);
    resources.push({ resource, inputs: { ...args, ...taken } });
    return args;
  };
  const used = new Set<string>();
  const statement = ({ kind, name }: Accepted, args: Props, variable?: string) => {
    used.add(kind);
    return (secret: (reference: SecretReference) => string) =>
      `${variable === undefined ? "" : `const ${variable} = `}new ${kind}(${JSON.stringify(name)}, ${block(args, secret)});\n`;
  };
  const isReferred = new Set([
    ...trunks.filter(({ auth }) => auth).map(({ trunk }) => trunk.owner),
    ...rules.flatMap(({ rule }) => trunksOf(rule)),
  ]);
  const statements = [
    ...trunks.map(({ trunk, auth, apart = "", inbound, outbound }) => {
      const variable = variables.get(trunk.name) ?? trunk.name;
      const inputs = sealed(trunk, trunk.name);
      const ids = { ...(inbound && { inbound: inbound.id }), ...(outbound && { outbound: outbound.id }) };
      const args = { ...worthWriting(trunk, inputs), ...(adopt && { adopt: ids }) };
      const parts = [statement(trunk, args, isReferred.has(trunk.owner) ? variable : undefined)];
      if (auth) {
        const taken = Object.keys(auth.inputs).filter((field) => FOLLOWS_TRUNK.includes(field));
        const follows = taken.map((field) => [field, field === "password" ? inputs.password : auth.inputs[field]]);
        const sealedAuth = sealed(auth, `${trunk.name}-auth`, Object.fromEntries(follows));
        parts.push(statement(auth, { trunk: new Expression(variable), ...worthWriting(auth, sealedAuth) }));
      }
      return { remark: apart, parts };
    }),
    ...rules.map(({ rule }) => {
      const inputs = sealed(rule, `${rule.name}-rule`);
      const { trunks: _, ...rest } = worthWriting(rule, inputs);
      const trunkList = trunksOf(rule).map((trunk) => {
        const variable = variableOf(trunk);
        return trunk.includes("/") && variable !== undefined ? new Expression(variable) : trunk;
      });
      const args = { trunks: trunkList, ...rest, ...(adopt && { adopt: rule.id }) };
      return { remark: "", parts: [statement(rule, args)] };
    }),
  ];
  const style = secrets.references.length > MOST_SINGLE_SECRETS ? "one" : "each";
  const secret = ({ key }: SecretReference) =>
    style === "one" ? `${ALL_SECRETS}.${key}` : `config.requireSecret(${JSON.stringify(key)})`;
  const body = statements.map(
    ({ remark, parts }) => `${remark === "" ? "" : comment(remark)}${parts.map((part) => part(secret)).join("")}`,
  );
  const code = [...head([...used], secrets.references.length, style), ...body].join("\n");
  return { code, style, secrets: secrets.references, resources };
}

function head(kinds: readonly string[], secretCount: number, style: SecretStyle): string[] {
  const imports = [
    ...(secretCount > 0 ? ['import * as pulumi from "@pulumi/pulumi";\n'] : []),
    ...(kinds.length > 0 ? [`import { ${kinds.toSorted().join(", ")} } from "pulumi-livekit-sip";\n`] : []),
  ];
  const settings =
    secretCount === 0
      ? []
      : style === "each"
        ? ["const config = new pulumi.Config();\n"]
        : [
            `const config = new pulumi.Config();\n${comment(
              `All secrets are one value, a JSON object. To change one, change the whole value: pulumi config get ${ALL_SECRETS} > FILE, edit FILE, pulumi config set --secret ${ALL_SECRETS} < FILE, delete FILE.`,
            )}const ${ALL_SECRETS} = config.requireSecretObject<Record<string, string>>("${ALL_SECRETS}");\n`,
          ];
  return [imports.join(""), ...settings].filter((part) => part !== "");
}

/** A comment about an object that the program does not manage. */
export function remarkOn(object: LeftAlone): string {
  return comment(`Not managed: ${labelOf(object)}. ${object.reason}`);
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
