/** Writes TypeScript: values as literals, and comments that nothing in them can end. Pure. */

import { SecretReference } from "../inference/secrets";
import { printable } from "../printable";

/** An expression that goes into the program as it is. */
export class Expression {
  constructor(readonly code: string) {}
}

/** The longest line, in characters. */
const WIDTH = 120;

/** A value as a TypeScript expression. */
export function literal(value: unknown, secret: (reference: SecretReference) => string, indent = ""): string {
  if (value instanceof Expression) {
    return value.code;
  }
  if (value instanceof SecretReference) {
    return secret(value);
  }
  if (typeof value !== "object" || value === null) {
    return typeof value === "string" ? text(value) : String(value);
  }
  const isList = Array.isArray(value);
  const inner = `${indent}  `;
  const items = isList
    ? value.map((item) => literal(item, secret, inner))
    : Object.entries(value).map(([key, item]) => `${propertyName(key)}: ${literal(item, secret, inner)}`);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  const pad = isList || items.length === 0 ? "" : " ";
  const line = `${open}${pad}${items.join(", ")}${pad}${close}`;
  const isShort = indent.length + line.length <= WIDTH - 40 && !line.includes("\n");
  return isShort ? line : `${open}\n${items.map((item) => `${inner}${item},\n`).join("")}${indent}${close}`;
}

/** An object on lines of its own, as the arguments of a resource. */
export function block(value: object, secret: (reference: SecretReference) => string): string {
  const lines = Object.entries(value).map(([key, item]) => `  ${propertyName(key)}: ${literal(item, secret, "  ")},\n`);
  return `{\n${lines.join("")}}`;
}

/** Comment lines, without anything that could end them. */
export function comment(text: string): string {
  const words = printable(text, 4_000).split(" ");
  const lines = [""];
  for (const word of words) {
    const last = lines.length - 1;
    const line = `${lines[last]} ${word}`;
    if (line.length > WIDTH - 4 && lines[last] !== "") {
      lines.push(` ${word}`);
    } else {
      lines[last] = line;
    }
  }
  return lines.map((line) => `//${line}\n`).join("");
}

/** A string literal. JSON's escapes are TypeScript's; invisible characters are escaped too, so that a reviewer sees them. */
function text(value: string): string {
  return JSON.stringify(value).replace(
    /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu,
    (character) =>
      [...Array(character.length).keys()]
        .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
        .join(""),
  );
}

/** A property name. `__proto__` as a plain name would set the prototype instead. */
function propertyName(key: string): string {
  if (key === "__proto__") {
    return '["__proto__"]';
  }
  return /^[a-z_$][\w$]*$/i.test(key) ? key : text(key);
}
