/** Python. Pure. */

import { SecretReference } from "../../inference/secrets";
import { comment, enclosed, quotedByCodePoint } from "../code";
import { VariableNames } from "../names";
import {
  ABOUT_ALL_SECRETS,
  ALL_SECRETS,
  type Declaration,
  type Draft,
  type Language,
  type References,
  TrunkReference,
  trunkVariables,
} from "./language";
import { oldestPulumi, providerPackageFile } from "./packages";
import { ANY, type Type, typeOf } from "./types";

export const python: Language = {
  isNative: true,
  runtime: { name: "python", options: { toolchain: "pip", virtualenv: "venv" } },
  file: "__main__.py",
  commentMark: "#",
  files: () => ({ ".gitignore": "node_modules/\nvenv/\n__pycache__/\n" }),
  packageFiles: () => ({
    "package.json": providerPackageFile(),
    "requirements.txt": `pulumi>=${oldestPulumi()},<4\n`,
  }),
  write: program,
};

const OWN_NAMES = ["pulumi", "livekit", "config", ALL_SECRETS];

const STEP = "    ";

function program(draft: Draft): string {
  const { sections, style, secretKeys } = draft;
  const declarations = sections.flatMap((section) => section.declarations);
  const names = new VariableNames([...RESERVED_WORDS, ...OWN_NAMES], "snake_case");
  const variables = trunkVariables(draft, names);
  const references: References = {
    secret: ({ key }) =>
      style === "one"
        ? `${ALL_SECRETS}[${quotedByCodePoint(key)}]`
        : `config.require_secret(${quotedByCodePoint(key)})`,
    trunk: ({ trunk }) => `${variables.get(trunk)}.reference`,
  };
  const statement = ({ kind, name, args, isReferred }: Declaration) => {
    const lines = Object.entries(args).map(
      ([argument, value]) =>
        `${STEP}${snakeCase(argument)}=${expression(typeOf(kind, argument), value, references, STEP)},\n`,
    );
    const variable = isReferred ? `${variables.get(name)} = ` : "";
    return `${variable}livekit.${kind}(\n${STEP}${quotedByCodePoint(name)},\n${lines.join("")})\n`;
  };
  const imports = [
    ...(secretKeys.length > 0 ? ["import pulumi\n"] : []),
    ...(declarations.length > 0 ? ["import pulumi_livekit_sip as livekit\n"] : []),
  ];
  const parts = [
    imports.join(""),
    secretKeys.length > 0 ? configuration(style) : "",
    ...sections.map(
      ({ remark, declarations: own }) => `${remark === "" ? "" : comment(remark, "#")}${own.map(statement).join("")}`,
    ),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function configuration(style: Draft["style"]): string {
  const config = "config = pulumi.Config()\n";
  return style === "each"
    ? config
    : `${config}${comment(ABOUT_ALL_SECRETS, "#")}${ALL_SECRETS} = config.require_secret_object("${ALL_SECRETS}")\n`;
}

/** A value as an expression. */
function expression(type: Type, value: unknown, references: References, indent: string): string {
  if (value instanceof SecretReference) {
    return references.secret(value);
  }
  if (value instanceof TrunkReference) {
    return references.trunk(value);
  }
  const inner = `${indent}${STEP}`;
  if (type.is === "enum") {
    return `livekit.${type.name}.${snakeCase(type.members.get(value) ?? "").toUpperCase()}`;
  }
  if (type.is === "object") {
    const items = Object.entries(Object(value)).map(
      ([key, item]) => `${snakeCase(key)}=${expression(type.properties.get(key) ?? ANY, item, references, inner)}`,
    );
    return enclosed(items, { open: `livekit.${type.name}Args(`, close: ")", step: STEP }, indent);
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => expression(type.is === "list" ? type.items : ANY, item, references, inner));
    return enclosed(items, { open: "[", close: "]", step: STEP }, indent);
  }
  switch (typeof value) {
    case "string":
      return quotedByCodePoint(value);
    case "boolean":
      return value ? "True" : "False";
    case "object":
      return value === null ? "None" : dictionary(type, value, references, indent);
    default:
      return String(value);
  }
}

function dictionary(type: Type, value: object, references: References, indent: string): string {
  const inner = `${indent}${STEP}`;
  const items = Object.entries(value).map(
    ([key, item]) =>
      `${quotedByCodePoint(key)}: ${expression(type.is === "map" ? type.values : ANY, item, references, inner)}`,
  );
  return enclosed(items, { open: "{", close: "}", step: STEP }, indent);
}

function snakeCase(name: string): string {
  return name.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

const RESERVED_WORDS = (
  "and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not " +
  "or pass raise return try while with yield"
).split(" ");
