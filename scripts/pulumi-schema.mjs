// Makes schema.json, the schema of the native provider for SDKs in every Pulumi language, from the schemas of the arguments and their doc
// comments.

import { createRequire } from "node:module";
import { z } from "zod";
import { blocksOf } from "./example-files.mjs";

const require = createRequire(import.meta.url);
const { name: publisher, version, license, homepage, repository } = require("../package.json");
const { GO_PACKAGE, PACKAGE } = require("../dist/resource-types.js");

/** Arguments that a class of the Node.js package takes from elsewhere, and that programs in other languages pass. */
const PASSED = {
  InboundAuth: {
    username: "The trunk's user name. Only for a trunk of another stack; otherwise it follows the trunk.",
    password:
      "The trunk's password. Always kept secret. Only for a trunk of another stack; otherwise it follows the trunk.",
    country: "The trunk's country. Only for a trunk of another stack, with `allowedNumbers`.",
    numberFormat: "The trunk's number format. Only for a trunk of another stack, with `allowedNumbers`.",
  },
};

/** What differs from the Node.js package: there a resource is passed as an object, here by its reference. */
const TEXTS = {
  SipTrunk: {
    reference:
      "How other resources refer to this trunk: pass it as `trunk`, or in `trunks`. Known in the first preview.",
  },
  InboundAuth: { trunk: "The SipTrunk to open: its output `reference`, also from another stack." },
  DispatchRule: {
    trunks:
      'The trunks whose calls this rule takes: the output `reference` of SipTrunks, also from another stack, or ids (`ST_…`) of trunks that this package does not manage. `["all"]` takes every call of the project, even calls that no trunk\'s allowlist admits: LiveKit then needs no trunk.',
  },
  TestCall: { trunk: "The SipTrunk to call on: its output `reference`. It must be declared in this program." },
};

/** The examples of resources and functions: what each shows, by its topic. */
const EXAMPLES_OF = {
  SipTrunk: {
    "one-trunk": "An extension of a phone system",
    directions: "Trunks that only take or only make calls",
    "pending-password": "A password that is about to change",
    "two-projects": "A trunk of another LiveKit project",
  },
  InboundAuth: { "who-may-call": "Callers with the trunk's credential, and callers from known addresses" },
  DispatchRule: { "where-calls-go": "A room and an agent for each caller" },
  TestCall: { "test-call": "A call in each direction" },
  kamailioCredential: { "stored-credential": "A trunk with the credential that Kamailio stores" },
};

/** The types of outputs that are no text. */
const OUTPUT_TYPES = {
  platformDrift: { type: "array", items: { type: "string" } },
  sipStatus: { type: "integer" },
};

/** The outputs that every resource of a kind has. */
const ALWAYS = new Set(["owner", "reference", "platformStatus", "voipStatus", "voipVerdict"]);

/** The arguments that are no outputs. */
const NEVER = new Set(["adopt", "verifier", "pendingPassword", "credential"]);

/**
 * The text of the file.
 *
 * @param docs - what docs.mjs reads of each resource
 * @param readers - and of each credential reader
 */
export function pulumiSchema(docs, readers) {
  const kinds = docs.map((doc) => ({ ...doc, json: jsonOf(doc) }));
  const types = new Types(kinds);
  const resources = Object.fromEntries(kinds.map((kind) => [token(kind.type), resourceSpec(kind, types)]));
  const config = configSpec(types);
  const spec = {
    name: PACKAGE,
    displayName: "LiveKit SIP",
    version,
    description:
      "SIP integrations on LiveKit: trunks, inbound authentication and dispatch rules, with credential drift in the plan.",
    keywords: ["pulumi", "category/network", "kind/native", "livekit", "sip", "telephony"],
    license,
    publisher,
    homepage,
    repository: repository?.url,
    config: { variables: config },
    provider: {
      description:
        "A connection to a LiveKit project. Without it, the stack's configuration and the environment are used.",
      inputProperties: config,
    },
    resources,
    functions: Object.fromEntries([
      [token("formatDialedNumber"), dialedNumberSpec(types)],
      ...readers.map((reader) => [token(reader.name), readerSpec(reader, types)]),
    ]),
    language: {
      csharp: { respectSchemaVersion: true },
      go: {
        // Without it, programs that Pulumi writes import another path.
        importBasePath: GO_PACKAGE,
        respectSchemaVersion: true,
        generateResourceContainerTypes: true,
      },
      java: { buildFiles: "gradle" },
      nodejs: { respectSchemaVersion: true },
      python: { respectSchemaVersion: true, pyproject: { enabled: true }, inputTypes: "classes-and-dicts" },
    },
  };
  return `${JSON.stringify({ ...spec, types: types.specs }, undefined, 2)}\n`;
}

function jsonOf({ page }) {
  const { schema } = require(`../dist/${page}/arguments.js`);
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}

function token(name) {
  return `${PACKAGE}:index:${name}`;
}

/** The text of a doc comment without what only this package's own docs understand. */
function plain(text) {
  return text.replace(/\{@link (?:\w+\.)?(\w+)\}/g, "`$1`");
}

/** A description with examples, of which each SDK shows the one in its language (Pulumi's documentation, "Schema", "Examples"). */
function withExamples(name, text) {
  const sections = Object.entries(EXAMPLES_OF[name] ?? {}).map(([topic, title]) => {
    const blocks = blocksOf(topic).map(({ block }) => block);
    return `{{% example %}}\n### ${title}\n\n${blocks.join("\n")}\n{{% /example %}}`;
  });
  const examples =
    sections.length > 0 ? `\n\n{{% examples %}}\n## Example Usage\n${sections.join("\n")}\n{{% /examples %}}` : "";
  return `${plain(text)}${examples}`;
}

/** The types that properties refer to: enumerations and objects. */
class Types {
  specs = {};

  constructor(kinds) {
    this.shapes = new Map();
    for (const { json } of kinds) {
      for (const [field, property] of Object.entries(json.properties)) {
        const shape = JSON.stringify(property.enum ?? property.items?.properties ?? property.properties);
        this.shapes.set(field, [...(this.shapes.get(field) ?? []), shape]);
      }
    }
  }

  /** The specification of a property's type. A type of its own has the property's description. */
  specOf(kind, field, json, description) {
    if (json.enum) {
      const values = json.enum.map((value) => ({ name: pascal(value), value }));
      return this.refer(kind, field, { type: "string", description, enum: values });
    }
    if (json.anyOf) {
      // The text is an item of the list (provider/dispatch-rule/listed-trunks.ts).
      return this.specOf(kind, field, listIn(json.anyOf), description);
    }
    switch (json.type) {
      case "array":
        return { type: "array", items: this.specOf(kind, field, json.items, description) };
      case "object": {
        if (!json.properties) {
          const values = json.additionalProperties;
          return { type: "object", additionalProperties: this.specOf(kind, field, values) };
        }
        const properties = Object.entries(json.properties).map(([name, property]) => [
          name,
          this.specOf(kind, `${singular(field)} ${name}`, property),
        ]);
        const { required } = json;
        const spec = { type: "object", description, properties: Object.fromEntries(properties), required };
        return this.refer(kind, singular(field), spec);
      }
      case "string":
      case "number":
      case "integer":
      case "boolean":
        return { type: json.type };
      default:
        return { $ref: "pulumi.json#/Any" };
    }
  }

  /** A type that is the same wherever an argument of this name is has no resource in its name. */
  refer(kind, field, spec) {
    const shapes = this.shapes.get(field) ?? this.shapes.get(`${field}s`) ?? [];
    const isShared = shapes.length > 1 && new Set(shapes).size === 1;
    // A DispatchRule's rule is a DispatchRuleKind.
    const own = kind.endsWith(pascal(field)) ? `${kind}Kind` : `${kind}${pascal(field)}`;
    const name = token(isShared ? pascal(field) : own);
    this.specs[name] ??= spec;
    return { $ref: `#/types/${name}` };
  }
}

/** The list in a union of a list and a text. */
function listIn(options) {
  const [list, ...more] = options.filter(({ type }) => type === "array");
  if (!list || more.length > 0 || options.some(({ type }) => type !== "array" && type !== "string")) {
    throw new Error(`The schema of the native provider has no type for ${JSON.stringify(options)}.`);
  }
  return list;
}

function pascal(text) {
  return text
    .split(/[^a-zA-Z\d]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

function singular(field) {
  return field.replace(/s$/, "");
}

function resourceSpec({ type, text, json, fields, outputs }, types) {
  const docs = new Map([...fields, ...outputs].map(({ name, text, tags }) => [name, describe(text, tags)]));
  const textOf = (name) => TEXTS[type]?.[name] ?? docs.get(name) ?? PASSED[type]?.[name] ?? OWN[name];
  const declared = Object.entries(json.properties).filter(([name]) => textOf(name) !== undefined);
  const inputs = declared.map(([name, property]) => [
    name,
    {
      ...types.specOf(type, name, property, textOf(name)),
      description: textOf(name),
      ...(property.secret && { secret: true }),
      ...(property.replaces && { replaceOnChanges: true }),
    },
  ]);
  if (type === "SipTrunk") {
    inputs.push(["credential", { ...credentialType(types), description: textOf("credential"), secret: true }]);
  }
  const isOptional = new Set([...fields.filter(({ fallback }) => fallback !== undefined).map(({ name }) => name)]);
  const requiredInputs = (json.required ?? []).filter((name) => textOf(name) !== undefined && !isOptional.has(name));
  const properties = [
    ...inputs.filter(([name]) => !NEVER.has(name)),
    ...[...outputs, ...(type === "SipTrunk" ? [] : [{ name: "owner" }])]
      .filter(({ name }) => !(name in json.properties))
      .map(({ name }) => [name, { ...(OUTPUT_TYPES[name] ?? { type: "string" }), description: textOf(name) }]),
  ];
  return {
    description: withExamples(type, text),
    properties: Object.fromEntries(properties),
    required: [...requiredInputs, ...properties.map(([name]) => name).filter((name) => ALWAYS.has(name))],
    inputProperties: Object.fromEntries(inputs),
    requiredInputs,
  };
}

/** Outputs that the classes of the Node.js package do not show. */
const OWN = { owner: "The resource's owner: organization/project/stack/name." };

/** A default is not in the schema: the SDKs would pass it, and every plan would show it. */
function describe(text, tags = {}) {
  return plain(tags.default === undefined ? text : `${text} Default: ${tags.default}.`);
}

/** The result of a credential reader. */
function credentialType(types) {
  const text = (description) => ({ type: "string", description });
  types.specs[token("VoipCredential")] = {
    type: "object",
    description: "A credential as a VoIP system stores it: the password itself, or a hash of it.",
    properties: {
      username: text("The user name."),
      password: { ...text("The password."), secret: true },
      realm: text("The realm that is part of the hash."),
      algorithm: text('The algorithm of the hash: `"MD5"` or `"SHA-256"`.'),
      ha1: {
        ...text("The hash: HA1 of the user name, the realm and the password (RFC 7616, section 3.4.2)."),
        secret: true,
      },
      source: text("Where it is stored, in words, for messages."),
    },
    required: ["username"],
  };
  return { $ref: `#/types/${token("VoipCredential")}` };
}

function dialedNumberSpec(types) {
  const { dialedNumber } = require("../dist/native/functions.js");
  const { properties, required } = z.toJSONSchema(dialedNumber, { io: "input" });
  const texts = {
    number: "The number to dial. An extension or a service code stays as it is.",
    country: "The trunk's country.",
    numberFormat: "The trunk's number format.",
  };
  return {
    description:
      "Formats a number for an agent to dial through a trunk: pass the result to LiveKit as `sip_call_to`. In the national format, a foreign number gets the country's international prefix.",
    inputs: {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, json]) => [
          name,
          { ...types.specOf("", name, json, texts[name]), description: texts[name] },
        ]),
      ),
      required,
    },
    outputs: {
      properties: { number: { type: "string", description: "The number as it is dialled." } },
      required: ["number"],
    },
  };
}

function readerSpec({ name, text, docs, schema }, types) {
  const { properties, required } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const kind = pascal(name.replace(/Credential$/, ""));
  return {
    description: withExamples(name, text),
    inputs: {
      properties: Object.fromEntries(
        Object.entries(properties).map(([argument, json]) => [
          argument,
          {
            ...types.specOf(kind, argument, json, plain(docs[argument] ?? "")),
            description: plain(docs[argument] ?? ""),
            ...(SECRET_ARGUMENTS.has(argument) && { secret: true }),
          },
        ]),
      ),
      required,
    },
    outputs: {
      properties: {
        credential: {
          ...credentialType(types),
          description: "The credential, for a SipTrunk's `credential`.",
          secret: true,
        },
      },
      required: ["credential"],
    },
  };
}

/** The arguments of readers that let others in. */
const SECRET_ARGUMENTS = new Set(["url", "apiKey"]);

/** The settings of the provider. */
function configSpec(types) {
  const { SETTINGS } = require("../dist/native/settings.js");
  types.specs[token("OutboundProxy")] = {
    type: "object",
    description: SETTINGS.outboundProxy,
    properties: { address: { type: "string" }, header: { type: "string" } },
    required: ["address"],
  };
  const special = {
    outboundProxy: { $ref: `#/types/${token("OutboundProxy")}` },
    voipHosts: { type: "array", items: { type: "string" } },
  };
  return Object.fromEntries(
    Object.entries(SETTINGS).map(([name, description]) => [
      name,
      { ...(special[name] ?? { type: "string" }), description, ...(name === "apiSecret" && { secret: true }) },
    ]),
  );
}
