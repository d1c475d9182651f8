/** YAML, where the program is part of Pulumi.yaml. Pure. */

import { SecretReference } from "../../inference/secrets";
import { isJson } from "../../livekit/json-text";
import { PACKAGE } from "../../resource-types";
import { comment, quotedByCodePoint } from "../code";
import { VariableNames } from "../names";
import {
  ABOUT_ALL_SECRETS,
  ALL_SECRETS,
  type Declaration,
  type Draft,
  type Language,
  type References,
  TrunkReference,
} from "./language";
import { providerPackageFile } from "./packages";
import { functionKey } from "./problems";

export const yaml: Language = {
  isNative: true,
  runtime: "yaml",
  file: "Pulumi.yaml",
  commentMark: "#",
  // Pulumi's host for YAML reads JSON, too.
  keepsText: (value) => !READ_AS_NUMBER.test(value) && !READ_AS_BOOLEAN.test(value) && !isJson(value),
  files: () => ({ ".gitignore": "node_modules/\n" }),
  packageFiles: () => ({ "package.json": providerPackageFile() }),
  write: program,
};

/** What the key of a resource has behind its name, as all resources of a program have keys of their own. */
const WORDS = { SipTrunk: "trunk", InboundAuth: "auth", DispatchRule: "rule" } as const;

function program({ sections, style, secretKeys }: Draft, projectFile: string): string {
  const names = new VariableNames(["pulumi", ...(style === "one" ? [ALL_SECRETS] : secretKeys)], "camelCase");
  const keyed = sections.map(({ remark, declarations }) => ({
    remark,
    declarations: declarations.map((declaration) => {
      const { kind, name } = declaration;
      const wanted = kind === "SipTrunk" ? name : `${name}-${WORDS[kind]}`;
      return { key: names.take(wanted, WORDS[kind]), declaration };
    }),
  }));
  const keys = new Map(
    keyed.flatMap(({ declarations }) =>
      declarations.flatMap(({ key, declaration: { kind, name } }) =>
        kind === "SipTrunk" ? [[name, key] as const] : [],
      ),
    ),
  );
  const references: References = {
    secret: ({ key }) => {
      const index = `["${key}"]`;
      const isName = !/^\d/.test(key);
      return style === "one" ? `\${${ALL_SECRETS}${isName ? `.${key}` : index}}` : `\${${isName ? key : index}}`;
    },
    trunk: ({ trunk }) => `\${${keys.get(trunk)}.reference}`,
  };
  const resource = (key: string, { kind, name, args }: Declaration) => [
    `  ${key}:\n    type: ${PACKAGE}:${kind}\n`,
    ...(key === name ? [] : [`    name: ${scalar(name)}\n`]),
    "    properties:\n",
    ...entries(args, references, "      ", name),
  ];
  // The CLI would refuse a declared object that is one secret as a whole. A program can read it without a declaration.
  const config =
    style === "one"
      ? [comment(ABOUT_ALL_SECRETS, "#")]
      : ["config:\n", ...secretKeys.map((key) => `  ${scalar(key)}:\n    type: string\n    secret: true\n`)];
  const resources = keyed.flatMap(({ remark, declarations }) => [
    ...(remark === "" ? [] : [indented(comment(remark, "#"))]),
    ...declarations.flatMap(({ key, declaration }) => resource(key, declaration)),
  ]);
  return [
    projectFile,
    ...(secretKeys.length > 0 ? config : []),
    ...(resources.length > 0 ? ["resources:\n", ...resources] : []),
  ].join("");
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

/** The members of an object, each on lines of its own. */
function entries(object: object, references: References, indent: string, name: string): string[] {
  return Object.entries(object).map(([key, value]) => {
    if (/^fn::/i.test(key)) {
      throw functionKey(name, key);
    }
    return `${indent}${scalar(escaped(key))}:${node(value, references, indent, name)}`;
  });
}

/** A value behind its key, or behind the dash of an item. */
function node(value: unknown, references: References, indent: string, name: string): string {
  const inner = `${indent}  `;
  if (value instanceof SecretReference) {
    return ` ${references.secret(value)}\n`;
  }
  if (value instanceof TrunkReference) {
    return ` ${references.trunk(value)}\n`;
  }
  if (Array.isArray(value)) {
    return value.length === 0
      ? " []\n"
      : `\n${value.map((item) => `${inner}-${listItem(item, references, inner, name)}`).join("")}`;
  }
  if (typeof value === "object" && value !== null) {
    const lines = entries(value, references, inner, name);
    return lines.length === 0 ? " {}\n" : `\n${lines.join("")}`;
  }
  return ` ${typeof value === "string" ? scalar(escaped(value)) : String(value)}\n`;
}

/** An item behind its dash: an object begins on the same line. */
function listItem(value: unknown, references: References, indent: string, name: string): string {
  const text = node(value, references, indent, name);
  return text.startsWith("\n") ? ` ${text.slice(1 + indent.length + 2)}` : text;
}

/** A text in which a program finds no reference. */
function escaped(text: string): string {
  return /\$[{$]/.test(text) ? text.replaceAll("$", "$$$$") : text;
}

/** A text without quotation marks if every reader of YAML takes it for one, otherwise in quotation marks. */
function scalar(text: string): string {
  return PLAIN.test(text) && !WORDS_OF_YAML.test(text) ? text : quotedByCodePoint(text);
}

const PLAIN = /^[a-z][\w./-]*(?: [\w./-]+)*$/i;

/** What some version of YAML takes for a truth value, a number or nothing. */
const WORDS_OF_YAML = /^(?:true|false|yes|no|on|off|y|n|null|nan|inf|infinity)$/i;

/** What Pulumi's host for YAML takes for a number in the configuration. */
const READ_AS_NUMBER = /^[+-]?(?:0x[\da-f_.p+-]+|[\d_]*\.?[\d_]*(?:e[+-]?\d+)?|inf|infinity|nan)$/i;

/** What it takes for a truth value. */
const READ_AS_BOOLEAN = /^(?:t|true|f|false)$/i;
