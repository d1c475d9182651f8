/**
 * What is wrong with a customer's file, once it is YAML. Each field is checked by the schema of its resource, and what goes together
 * by the rules of the resource, so a file is refused for the same reasons as a program.
 */

import type { z } from "zod";
import * as rule from "../dispatch-rule/arguments";
import * as auth from "../inbound-auth/arguments";
import type { Resource } from "../lifecycle/resource";
import { type Field, fieldsOf, validate } from "../lifecycle/validation";
import { UNKNOWN } from "../lifecycle/values";
import * as trunk from "../sip-trunk/arguments";
import { declares, TRUNK_DIRECTIONS } from "../sip-trunk/direction";
import * as call from "../test-call/arguments";
import { callsSection, inboundSection, schema, testCallSection, trunkSection } from "./arguments";
import { describeIssue, nearest } from "./customer-words";
import type { Path, YamlFile } from "./yaml-file";

/** One thing that is wrong, and where. */
export interface Problem {
  readonly path: Path;
  /** Whether the key at the path is wrong, or its value. */
  readonly part: "key" | "value";
  readonly message: string;
}

/** The part of a file that one resource takes. */
export interface Section {
  /** The type of the resource. */
  readonly resource: string;
  /** Its key; undefined for the top level. */
  readonly key: string | undefined;
  readonly fields: ReadonlyMap<string, Field>;
  /** The sentences of the resource's own rules about values that are valid by themselves. */
  rules(values: Record<string, unknown>): readonly string[];
}

/**
 * @param args - the schema of the resource
 * @param inFile - the schema of what a file can say of it
 */
function section<Schema extends z.ZodObject>(
  resource: string,
  key: string | undefined,
  { schema: args, problemsAcross: rules }: { schema: Schema; problemsAcross: Resource<Schema>["rules"] },
  inFile: z.ZodObject,
): Section {
  const fields = fieldsOf(inFile);
  const all = fieldsOf(args);
  // What the program adds, and what is reported already, is unknown to the rules.
  const unknown = [...all].filter(([name, { isOptional, secret }]) => !fields.has(name) || secret || !isOptional);
  const start = Object.fromEntries(unknown.map(([name]) => [name, UNKNOWN]));
  return {
    resource,
    key,
    fields,
    rules: (values) => {
      const known = Object.entries(values).filter(([name]) => all.has(name));
      return validate({ kind: resource, ...(rules && { rules }) }, all, [], { ...start, ...Object.fromEntries(known) })
        .problems;
    },
  };
}

/** The top level of a file. */
export const TOP = section("SipTrunk", undefined, trunk, trunkSection);
/** The sections of a file. */
export const SECTIONS = [
  section("InboundAuth", "inbound", auth, inboundSection),
  section("DispatchRule", "calls", rule, callsSection),
  section("TestCall", "testCall", call, testCallSection),
];

/** Every problem of a file's content, in no particular order. */
export function problemsOf(customer: unknown, yaml: YamlFile): Problem[] {
  if (!isMap(customer)) {
    return [problem([], "the file must hold settings, one on each line, for example country: US.")];
  }
  const inSections = SECTIONS.flatMap((part) => {
    const name = String(part.key);
    const value = customer[name];
    if (isMap(value)) {
      return problemsIn(part, value, [name], yaml);
    }
    const what = value === null ? "is empty: fill it in, or remove it" : "must hold settings, indented below it";
    return value === undefined ? [] : [problem([name], `${name}: ${what}.`)];
  });
  return [...problemsIn(TOP, customer, [], yaml), ...inSections, ...problemsOfDirection(customer)];
}

function problemsIn(part: Section, given: Record<string, unknown>, path: Path, yaml: YamlFile): Problem[] {
  const problems: Problem[] = [];
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(given).filter((key) => !isArgument(part, key))) {
    problems.push({ path: [...path, name], part: "key", message: stray(part, name, path) });
  }
  for (const [name, field] of part.fields) {
    const at = [...path, name];
    const value = given[name];
    if (field.secret) {
      continue; // It is no argument of a file, and reported above.
    }
    if (value === undefined) {
      if (!field.isOptional) {
        problems.push({ path: at, part: "key", message: `${at.join(".")}: is missing: set it.` });
      }
      continue;
    }
    const { error } = field.schema.safeParse(value);
    values[name] = error ? UNKNOWN : value;
    for (const issue of error?.issues ?? []) {
      problems.push(described(issue, at, value, yaml));
    }
  }
  return [...problems, ...part.rules(values).map((sentence) => located(sentence, path, given))];
}

function isArgument({ key, fields }: Section, name: string): boolean {
  const field = fields.get(name);
  return field ? !field.secret : key === undefined && SECTIONS.some((part) => part.key === name);
}

/** Something that is not an argument there: a secret, an argument of another section, or a slip of the pen. */
function stray({ key, fields }: Section, name: string, path: Path): string {
  const where = [...path, name].join(".");
  if (fields.get(name)?.secret) {
    return `${where}: is a secret and must not be in this file: remove it, and run \`pulumi config set --secret ${name}\`.`;
  }
  const home = [TOP, ...SECTIONS].find((part) => part.key !== key && isArgument(part, name));
  if (home) {
    return `${where}: belongs ${home.key === undefined ? "to the top level of the file" : `under ${home.key}`}: move it there.`;
  }
  const names = Object.keys(key === undefined ? schema.shape : Object.fromEntries(fields));
  const likely = nearest(name, names);
  return `${where}: is not an argument here: ${likely === undefined ? "check its spelling." : `did you mean ${likely}?`}`;
}

function described(issue: z.core.$ZodIssue, at: Path, value: unknown, yaml: YamlFile): Problem {
  const steps = issue.path.filter((step) => typeof step !== "symbol");
  const path = [...at, ...steps];
  const inside = steps.reduce<unknown>((outer, step) => valueIn(outer, step), value);
  if (issue.code === "unrecognized_keys") {
    const [name = ""] = issue.keys;
    return {
      path: [...path, name],
      part: "key",
      message: `${keyOf([...path, name])}: is not an argument here: check its spelling.`,
    };
  }
  return problem(path, `${keyOf(path)}: ${describeIssue(issue, path, inside, yaml.sourceOf(path))}.`);
}

/** A sentence of a resource's rules, which begins with the name of an argument. */
function located(sentence: string, path: Path, given: Record<string, unknown>): Problem {
  const [, name = "", index, rest = ""] = /^(\w+)(?:\[(\d+)\])?(.*)$/s.exec(sentence) ?? [];
  const at = [...path, name, ...(index === undefined ? [] : [Number(index)])];
  const words = /^ (?!and )/.test(rest) ? `:${rest}` : rest;
  return { path: at, part: name in given ? "value" : "key", message: `${keyOf(at)}${words}` };
}

/** Sections that a trunk for one direction has no use for. */
function problemsOfDirection(customer: Record<string, unknown>): Problem[] {
  const direction = TRUNK_DIRECTIONS.find((known) => known === customer.direction);
  const lacks = (["inbound", "outbound"] as const).find((half) => !declares({ direction }, half));
  const useless = (name: string, why: string): Problem => ({
    path: [name],
    part: "key",
    message: `${name}: can't be used with direction: ${direction}, ${why}: remove it.`,
  });
  const { testCall } = customer;
  return [
    ...(lacks === "inbound"
      ? ["inbound", "calls"]
          .filter((name) => customer[name] !== undefined)
          .map((name) => useless(name, "which takes no incoming calls"))
      : []),
    ...(isMap(testCall) && lacks !== undefined && testCall.direction === lacks
      ? [useless("testCall", `which has no ${lacks} calls to test`)]
      : []),
  ];
}

function problem(path: Path, message: string): Problem {
  return { path, part: "value", message };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueIn(value: unknown, step: string | number): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined;
}

/** A path as people write it: `inbound.allowedAddresses[0]`. */
function keyOf(path: Path): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index > 0 ? "." : ""}${step}`))
    .join("");
}
