/** What a policy is made of, and how it becomes one of Pulumi's: which resources it judges, what it knows of them, its settings. */

import type { EnforcementLevel, PolicyConfigSchema, ResourceValidationPolicy, Severity } from "@pulumi/policy";
import { z } from "zod";
import * as rule from "../dispatch-rule/arguments";
import { withoutListedAll } from "../dispatch-rule/listed-trunks";
import * as auth from "../inbound-auth/arguments";
import type { IsKnown } from "../lifecycle/resource";
import { fieldsOf } from "../lifecycle/validation";
import { containsUnknown, keysOf, type Props, UNKNOWN } from "../lifecycle/values";
import { printable } from "../printable";
import { isOfKind } from "../resource-types";
import * as trunk from "../sip-trunk/arguments";
import * as call from "../test-call/arguments";

/** The resources that a policy may judge, with their arguments. */
const SCHEMAS = {
  SipTrunk: trunk.schema,
  InboundAuth: auth.schema,
  DispatchRule: rule.schema,
  TestCall: call.schema,
};

type Kind = keyof typeof SCHEMAS;
type Args<OfKind extends Kind> = z.output<(typeof SCHEMAS)[OfKind]>;

/** A resource as far as its values are known. In a preview, those that depend on resources yet to be created are not. */
interface Judged<OfKind extends Kind> {
  /** The arguments, with defaults. Unknown ones are undefined. */
  readonly args: Partial<Args<OfKind>>;
  readonly isKnown: IsKnown<Args<OfKind>>;
  /** An input that the package computes; `UNKNOWN` if it is not known, undefined if the resource does not have it. */
  computed(name: string): unknown;
}

/**
 * Returns what is wrong, as sentences that begin with the argument and say how to fix it. They never quote an argument that can hold any
 * text: Pulumi shows policies the values of secrets without saying which values are secret.
 */
type Judge<OfKind extends Kind, Settings> = (resource: Judged<OfKind>, settings: Settings) => readonly string[];

/** A policy without its settings, as documentation and messages have it. */
interface Definition<Settings extends z.ZodObject> {
  /** In kebab case, with `sip-` in front: a company's own pack has policies for other clouds, too. */
  readonly name: string;
  /** What it demands, as a sentence. The CLI prints it with every violation. */
  readonly description: string;
  /** What happens on a violation, unless the pack's configuration says otherwise. */
  readonly enforcementLevel: EnforcementLevel;
  readonly severity: Severity;
  /** The settings in the pack's configuration, with their descriptions and defaults. */
  readonly settings: Settings;
  /** How each kind of resource is judged. Kinds without a judge are not concerned. */
  readonly judges: { readonly [OfKind in Kind]?: Judge<OfKind, z.output<Settings>> };
}

/** Makes a policy for Pulumi. */
export function policy<Settings extends z.ZodObject>(definition: Definition<Settings>): ResourceValidationPolicy {
  const { name, description, enforcementLevel, severity, settings, judges } = definition;

  function judged<OfKind extends Kind>(kind: OfKind, props: Props, config: object): readonly string[] {
    const judge = judges[kind];
    return judge ? judge(asFarAsKnown(kind, props), settingsIn(name, settings, config)) : [];
  }

  return {
    name,
    description,
    enforcementLevel,
    severity,
    configSchema: configSchemaOf(settings),
    validateResource: (resource, reportViolation) => {
      const kind = keysOf(SCHEMAS).find((candidate) => isOfKind(resource.type, candidate));
      for (const sentence of kind ? judged(kind, resource.props, resource.getConfig()) : []) {
        reportViolation(`${kind} "${printable(resource.name, 200)}": ${sentence}`);
      }
    },
  };
}

function asFarAsKnown<OfKind extends Kind>(kind: OfKind, props: Props): Judged<OfKind> {
  const fields = fieldsOf(SCHEMAS[kind]);
  const declared = Object.fromEntries([...fields.keys()].map((field) => [field, valueIn(props, field)]));
  const given = new Map(Object.entries(withoutListedAll(declared)));
  const isKnown: IsKnown<Args<OfKind>> = (field) => !containsUnknown(given.get(String(field)));
  const known = [...fields].flatMap(([field, { whenAbsent }]) => {
    const value = given.get(field) ?? whenAbsent;
    return containsUnknown(value) ? [] : [[field, value]];
  });
  return {
    args: z.custom<Partial<Args<OfKind>>>().parse(Object.fromEntries(known)),
    isKnown,
    computed: (name) => valueIn(props, name),
  };
}

/** An input. Pulumi's policies throw when they read a value that is unknown, at any depth. */
function valueIn(props: Props, field: string): unknown {
  try {
    const value = props[field];
    return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
  } catch {
    return UNKNOWN;
  }
}

/**
 * The settings in a policy's configuration.
 *
 * @throws Error for settings that Pulumi does not refuse, such as a misspelt name
 */
function settingsIn<Settings extends z.ZodObject>(name: string, schema: Settings, config: object): z.output<Settings> {
  const { success, data, error } = schema.safeParse(config);
  if (success) {
    return data;
  }
  const problems = error.issues.map(({ path, message }) => [...path, message].join(": "));
  const wrong = new Error(`The configuration of the policy ${name} is wrong: ${problems.join("; ")}.`);
  // Pulumi prints the stack.
  wrong.stack = wrong.message;
  throw wrong;
}

function configSchemaOf(settings: z.ZodObject): PolicyConfigSchema {
  const { properties = {} } = z.toJSONSchema(settings, { io: "input" });
  return { properties: z.custom<PolicyConfigSchema["properties"]>().parse(properties) };
}
