/** Validates what a program passes: each known field by its schema, then the rules across fields. */

import type { z } from "zod";
import type { FieldBehaviour, Resource } from "./resource";
import { containsUnknown, type Props, same } from "./values";

/**
 * The values that were applied before the platform changed. They are kept in the state so that a refresh does not turn drift into
 * the new normal.
 */
export const LAST_APPLIED = "__lastApplied";

/** An argument: how to parse it, and what a change of it does. */
export interface Field extends FieldBehaviour {
  readonly schema: z.ZodType;
  readonly isOptional: boolean;
  /** The default. Omitting the field and setting it to this value mean the same. */
  readonly whenAbsent: unknown;
}

/** The arguments of a schema by name. Computed once per resource type, because zod recomputes it on every access. */
export function fieldsOf({ shape }: z.ZodObject): ReadonlyMap<string, Field> {
  return new Map(
    Object.entries<z.ZodType>(shape).map(([name, schema]) => {
      const { success, data } = schema.safeParse(undefined);
      return [name, { ...schema.meta(), schema, isOptional: success, whenAbsent: data }];
    }),
  );
}

/** A program's arguments, as far as they are known, and what is wrong with them. */
export interface Validated<Args> {
  readonly inputs: Record<string, unknown>;
  readonly known: Partial<Args>;
  isKnown(field: keyof Args): boolean;
  readonly problems: readonly string[];
}

/**
 * Validates a program's arguments. With ignoreChanges, values that somebody set on the platform arrive here as if the program had
 * set them. If such a value is invalid, for example an empty allowlist, the value applied before is used instead.
 */
export function validateKept<Schema extends z.ZodObject>(
  resource: Resource<Schema>,
  fields: ReadonlyMap<string, Field>,
  own: readonly string[],
  olds: Props,
  news: Props,
): Validated<z.output<Schema>> {
  const validated = validate(resource, fields, own, news);
  const applied = Object.entries(lastApplied(olds)).filter(([field]) => same(olds[field], news[field]));
  return validated.problems.length > 0 && applied.length > 0
    ? validate(resource, fields, own, { ...news, ...Object.fromEntries(applied) })
    : validated;
}

/**
 * Parses each known field with its schema, then applies the rules across fields.
 *
 * @param own - the properties that the lifecycle adds to the arguments
 */
export function validate<Schema extends z.ZodObject>(
  resource: Pick<Resource<Schema>, "kind" | "rules" | "canonical">,
  fields: ReadonlyMap<string, Field>,
  own: readonly string[],
  news: Props,
): Validated<z.output<Schema>> {
  const inputs: Record<string, unknown> = { owner: news.owner };
  const known: Record<string, unknown> = {};
  const problems: string[] = [];
  const unknown = new Set<string>();
  for (const [field, { schema, isOptional }] of fields) {
    const value = news[field] ?? undefined;
    if (value === undefined && isOptional) {
      continue;
    }
    if (containsUnknown(value)) {
      inputs[field] = value;
      unknown.add(field);
      continue;
    }
    const result = schema.safeParse(value);
    if (result.success) {
      if (result.data !== undefined) {
        inputs[field] = result.data;
        known[field] = result.data;
      }
    } else {
      problems.push(...result.error.issues.map((issue) => sentence(field, value, issue)));
    }
  }
  const stray = Object.keys(news).filter((field) => !fields.has(field) && !own.includes(field));
  problems.push(...stray.map((field) => `${field} is not an argument of ${resource.kind}: check its spelling.`));
  const args = known as Partial<z.output<Schema>>;
  const isKnown = (field: keyof z.output<Schema>) => !unknown.has(String(field));
  if (problems.length === 0) {
    problems.push(...(resource.rules?.(args, isKnown) ?? []));
  }
  const canonical = problems.length === 0 ? resource.canonical?.(args) : {};
  return { inputs: { ...inputs, ...canonical }, known: { ...args, ...canonical }, isKnown, problems };
}

/** Our own messages start in lower case and continue after the field's name. Zod's start with a capital and are prefixed. */
function sentence(field: string, value: unknown, { path, message }: z.core.$ZodIssue): string {
  if (value === undefined) {
    return `${field} is missing: set it.`;
  }
  const where = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  const first = message.charAt(0);
  const isOurs = first === first.toLowerCase();
  return `${field}${where} ${isOurs ? message : `is not valid: ${first.toLowerCase()}${message.slice(1)}`}.`;
}

/** The applied values of the fields that have since changed on the platform. JSON can represent absent ones, as null. */
export function lastApplied({ [LAST_APPLIED]: text }: Props): Props {
  const fields: Record<string, unknown> = typeof text === "string" ? JSON.parse(text) : {};
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, value ?? undefined]));
}
