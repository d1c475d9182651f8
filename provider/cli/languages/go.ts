/** Go, as gofmt formats it, except for long keys. Pure. */

import { SecretReference } from "../../inference/secrets";
import { GO_PACKAGE } from "../../resource-types";
import { comment, enclosed, quotedByCodePoint } from "../code";
import { resourceName, VariableNames } from "../names";
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

export const go: Language = {
  isNative: true,
  runtime: "go",
  file: "main.go",
  commentMark: "//",
  files: () => ({ ".gitignore": "node_modules/\n" }),
  packageFiles: (project) => ({
    "package.json": providerPackageFile(),
    "go.mod": `module pulumi-${resourceName(project, "livekit-sip")}\n\ngo 1.25\n\nrequire github.com/pulumi/pulumi/sdk/v3 v${oldestPulumi()}\n`,
  }),
  write: program,
};

/** Names that a program uses itself. */
const OWN_NAMES = ["livekitsip", "pulumi", "config", "conf", "ctx", "main", "err", "nil", "error", "string", "secret"];

function program(draft: Draft): string {
  const { sections, style, secretKeys } = draft;
  const declarations = sections.flatMap((section) => section.declarations);
  const names = new VariableNames([...RESERVED_WORDS, ...OWN_NAMES, ALL_SECRETS], "camelCase");
  const variables = trunkVariables(draft, names);
  const references: References = {
    secret: ({ key }) => `${style === "one" ? "secret" : "conf.RequireSecret"}(${quotedByCodePoint(key)})`,
    trunk: ({ trunk }) => `${variables.get(trunk)}.Reference`,
  };
  const first = declarations[0];
  const statement = (declaration: Declaration) => {
    const { kind, name, isReferred } = declaration;
    const variable = isReferred ? variables.get(name) : "_";
    const assign = isReferred || declaration === first ? ":=" : "=";
    const args = fields(
      Object.entries(declaration.args).map(([argument, value]) => [
        fieldName(argument),
        expression(typeOf(kind, argument), value, references, "\t\t\t"),
      ]),
      "\t\t\t",
    );
    return `${variable}, err ${assign} livekitsip.New${kind}(ctx, ${quotedByCodePoint(name)}, &livekitsip.${kind}Args{\n${args}\t\t})\nif err != nil {\n\treturn err\n}\n`;
  };
  const body = [
    ...(secretKeys.length > 0 ? [configuration(style)] : []),
    ...sections.map(
      ({ remark, declarations: own }) => `${remark === "" ? "" : comment(remark)}${own.map(statement).join("")}`,
    ),
    "return nil\n",
  ];
  const imports = [
    ...(declarations.length > 0 ? [GO_PACKAGE] : []),
    "github.com/pulumi/pulumi/sdk/v3/go/pulumi",
    ...(secretKeys.length > 0 ? ["github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"] : []),
  ];
  return `package main

import (
${imports.map((name) => `\t"${name}"\n`).join("")})

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
${body.map((part) => indented(part)).join("\n")}	})
}
`;
}

/** The statements inside of the function. Lines of arguments are indented already. */
function indented(text: string): string {
  return text.replace(/^(?!\t\t|$)/gm, "\t\t");
}

function configuration(style: Draft["style"]): string {
  const conf = 'conf := config.New(ctx, "")\n';
  return style === "each"
    ? conf
    : `${conf}${comment(ABOUT_ALL_SECRETS)}var ${ALL_SECRETS} map[string]string
conf.RequireSecretObject("${ALL_SECRETS}", &${ALL_SECRETS})
secret := func(key string) pulumi.StringOutput {
\treturn pulumi.ToSecret(pulumi.String(${ALL_SECRETS}[key])).(pulumi.StringOutput)
}
`;
}

/** Keys and values on lines of their own. gofmt aligns the values of lines that follow on each other. */
function fields(pairs: readonly (readonly [key: string, value: string])[], indent: string): string {
  const lines: string[] = [];
  const isShort = ([key, value]: readonly [string, string]) => !value.includes("\n") && width(key) <= LONGEST_ALIGNED;
  for (let start = 0; start < pairs.length; ) {
    const rest = pairs.slice(start);
    const end = rest.findIndex((pair) => !isShort(pair));
    const aligned = rest.slice(0, end === -1 ? rest.length : Math.max(end, 1));
    const widest = Math.max(...aligned.map(([key]) => width(key)));
    for (const [key, value] of aligned) {
      lines.push(`${indent}${key}:${" ".repeat(widest - width(key))} ${value},\n`);
    }
    start += aligned.length;
  }
  return lines.join("");
}

/** How wide gofmt takes a text to be: it counts whole characters. */
function width(text: string): number {
  return [...text].length;
}

/** gofmt has a rule of its own for longer keys. */
const LONGEST_ALIGNED = 40;

/** A value as an expression. */
function expression(type: Type, value: unknown, references: References, indent: string): string {
  if (value instanceof SecretReference) {
    return references.secret(value);
  }
  if (value instanceof TrunkReference) {
    return references.trunk(value);
  }
  switch (type.is) {
    case "string":
      return `pulumi.String(${quotedByCodePoint(String(value))})`;
    case "integer":
      return `pulumi.Int(${value})`;
    case "number":
      return `pulumi.Float64(${value})`;
    case "boolean":
      return `pulumi.Bool(${value})`;
    case "enum":
      return `livekitsip.${type.name}${type.members.get(value)}`;
    case "object":
      return composite(
        `&livekitsip.${type.name}Args`,
        Object.entries(Object(value)).map(([key, item]) => [fieldName(key), type.properties.get(key) ?? ANY, item]),
        references,
        indent,
      );
    case "list":
      return list(type.items, Array.isArray(value) ? value : [], references, indent);
    case "map":
      return map(type.values, Object(value), references, indent);
    case "any":
      return anything(value, references, indent);
  }
}

function anything(value: unknown, references: References, indent: string): string {
  switch (typeof value) {
    case "string":
      return expression({ is: "string" }, value, references, indent);
    case "number":
      return expression({ is: Number.isSafeInteger(value) ? "integer" : "number" }, value, references, indent);
    case "boolean":
      return expression({ is: "boolean" }, value, references, indent);
    default:
      return value === null || value === undefined
        ? "nil"
        : Array.isArray(value)
          ? list(ANY, value, references, indent)
          : map(ANY, value, references, indent);
  }
}

function list(items: Type, all: readonly unknown[], references: References, indent: string): string {
  const name =
    items.is === "object"
      ? `livekitsip.${items.name}Array`
      : items.is === "string"
        ? "pulumi.StringArray"
        : "pulumi.Array";
  const expressions = all.map((item) => expression(items, item, references, `${indent}\t`));
  return enclosed(expressions, { open: `${name}{`, close: "}", step: "\t" }, indent);
}

function map(items: Type, all: object, references: References, indent: string): string {
  const name = items.is === "string" ? "pulumi.StringMap" : "pulumi.Map";
  return composite(
    name,
    Object.entries(all).map(([key, item]) => [quotedByCodePoint(key), items, item]),
    references,
    indent,
  );
}

/** A composite literal with keys: on one line if it has one short pair, otherwise with a line for each. */
function composite(
  name: string,
  pairs: readonly (readonly [key: string, type: Type, value: unknown])[],
  references: References,
  indent: string,
): string {
  const written = pairs.map(([key, type, value]) => [key, expression(type, value, references, `${indent}\t`)] as const);
  const line = enclosed(
    written.map(([key, value]) => `${key}: ${value}`),
    { open: `${name}{`, close: "}", step: "\t" },
    indent,
  );
  return written.length < 2 || !line.includes("\n") ? line : `${name}{\n${fields(written, `${indent}\t`)}${indent}}`;
}

/** The field of a struct. */
function fieldName(argument: string): string {
  return argument.charAt(0).toUpperCase() + argument.slice(1);
}

const RESERVED_WORDS = (
  "break case chan const continue default defer else fallthrough for func go goto if import interface map package range return select " +
  "struct switch type var"
).split(" ");
