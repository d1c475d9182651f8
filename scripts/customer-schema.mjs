// Makes customer.schema.json, the JSON Schema of a customer's file, from the schemas of the arguments and their doc comments.

import { createRequire } from "node:module";
import { z } from "zod";

/** What `meta()` says for the package's own use. */
const OWN_META = ["secret", "createOnly", "replaces", "refersTo"];

const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
const TWO_LETTERS = LETTERS.flatMap((first) => LETTERS.map((second) => first + second));

/**
 * The text of the file.
 *
 * @param docs - what docs.mjs reads of each resource and of the component
 */
export function customerSchema(docs) {
  const require = createRequire(import.meta.url);
  const { schema } = require("../dist/sip-integration/arguments.js");
  const { SECTIONS, TOP } = require("../dist/sip-integration/customer-problems.js");
  const {
    $schema,
    $defs,
    definitions = $defs,
    ...json
  } = z.toJSONSchema(schema, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
  });
  tidy(json);
  const fieldsOf = (type) => docs.find((resource) => resource.type === type).fields;
  const own = fieldsOf("SipIntegration");
  describe(json, TOP, [...fieldsOf("SipTrunk"), ...own]);
  for (const section of SECTIONS) {
    describe(json.properties[section.key], section, [...fieldsOf(section.resource), ...own]);
  }
  const text = {
    $schema,
    title: "A customer",
    description:
      "The arguments of a SipIntegration of pulumi-livekit-sip: the trunk at the top level, who may call in, where calls go, and a test call. Passwords and pins are not in this file but in the stack's configuration.",
    ...json,
    definitions,
  };
  return `${JSON.stringify(text, undefined, 2)}\n`;
}

/** Removes secrets, which a file must not hold, and what no editor needs. */
function tidy(json) {
  for (const [name, property] of Object.entries(json.properties ?? {})) {
    if (property.secret) {
      delete json.properties[name];
    }
  }
  const inner = [json.items, json.additionalProperties, ...Object.values(json.properties ?? {})];
  for (const part of inner.filter((it) => typeof it === "object")) {
    tidy(part);
  }
  for (const key of OWN_META) {
    delete json[key];
  }
  if (isEmpty(json.default)) {
    delete json.default; // LiveKit's own default applies.
  }
  if (json.maximum === Number.MAX_SAFE_INTEGER) {
    delete json.maximum;
  }
  delete json.propertyNames;
}

function isEmpty(value) {
  return value === 0 || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
}

/** Adds the docs of the arguments, the countries, and which arguments another one requires. */
function describe(json, section, docs) {
  for (const [name, property] of Object.entries(json.properties)) {
    const { text, tags } = docs.find((field) => field.name === name) ?? {};
    if (!text) {
      throw new Error(`customer.schema.json: ${section.key ?? "the top level"} has ${name}, which has no doc comment`);
    }
    const field = section.fields.get(name);
    const countries =
      field && /country/i.test(name) ? TWO_LETTERS.filter((it) => field.schema.safeParse(it).success) : [];
    const known = countries.length > 0 && !field.schema.safeParse("XX").success;
    json.properties[name] = {
      description: tags.default === undefined ? text : `${text} Default: ${tags.default}.`,
      ...property,
      ...(known && { enum: [...(field.schema.safeParse("").success ? [""] : []), ...countries] }),
    };
  }
  const conditions = conditionsOf(section);
  if (conditions.length > 0) {
    json.allOf = conditions;
  }
}

/** Which arguments are required with which value of another: what the rules of the resource miss in a file with that value alone. */
function conditionsOf(section) {
  const missing = (values) =>
    section.rules(values).flatMap((sentence) => /^(\w+) is (?:missing|empty)/.exec(sentence)?.[1] ?? []);
  const always = missing({});
  return [...section.fields].flatMap(([name, { schema }]) =>
    optionsOf(schema).flatMap((value) => {
      const required = missing({ [name]: value });
      const is = { properties: { [name]: { const: value } }, required: [name] };
      const more = required.filter((field) => !always.includes(field));
      const less = always.filter((field) => !required.includes(field));
      return [
        ...(more.length > 0 ? [when(is, { required: more })] : []),
        ...(less.length > 0 ? [when({ not: is }, { required: less })] : []),
      ];
    }),
  );
}

function when(condition, consequence) {
  // biome-ignore lint/suspicious/noThenProperty: JSON Schema calls it so, and nothing awaits it.
  return { if: condition, then: consequence };
}

/** The values of an argument that has only a few. */
function optionsOf(schema) {
  const { enum: options = [] } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return options;
}
