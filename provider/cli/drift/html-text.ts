/** HTML as a template: what is put in is escaped unless it is HTML already, so that no text becomes markup by mistake. Pure. */

import { INVISIBLE } from "../../printable";
import { moment } from "./words";

/** HTML that goes into a document as it is. Only `html` and the constants of the page make it. */
export class Html {
  constructor(readonly text: string) {}
}

/** What a template takes. False and undefined become nothing. */
export type Content = Html | string | number | false | undefined | readonly Content[];

/** A template whose values are escaped. Values may stand between tags and in quoted attributes, nowhere else. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(parts.map((part, index) => `${index === 0 ? "" : textOf(values[index - 1])}${part}`).join(""));
}

function textOf(content: Content): string {
  if (content instanceof Html) {
    return content.text;
  }
  if (typeof content === "object") {
    return content.map(textOf).join("");
  }
  return content === false || content === undefined ? "" : escaped(String(content));
}

/** A time. A text that is none is shown as it is. */
export function time(iso: string): Html {
  return Number.isNaN(Date.parse(iso)) ? html`<bdi>${iso}</bdi>` : html`<time datetime="${iso}">${moment(iso)}</time>`;
}

/** Line breaks and control characters, which become a space. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

const REFERENCES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text
    .replace(BREAKS, " ")
    .replace(INVISIBLE, "")
    .replace(/[&<>"']/g, (character) => REFERENCES[character] ?? "");
}
