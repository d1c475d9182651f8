/** A strict parser for the HTML and XML that this package writes: it throws where a browser would guess. */

/** An element, with the text in it and below it. */
export interface MarkupElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: MarkupElement[];
  text: string;
}

const VOID = new Set(["meta", "input", "link", "br", "hr", "img"]);
const RAW = new Set(["script", "style"]);
const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

const TAG = /^<(\/?)([A-Za-z][\w:-]*)((?:\s+[A-Za-z_:][\w:.-]*(?:="[^"<]*")?)*)\s*(\/?)>/;

/** The root of a document. Every tag must be closed in order, every attribute quoted, every `&` a reference. */
export function parseMarkup(document: string): MarkupElement {
  const root: MarkupElement = { name: "", attributes: {}, children: [], text: "" };
  const open = [root];
  let rest = document.replace(/^(<\?xml[^<>]*\?>|<!doctype html>)\s*/i, "");
  while (rest !== "") {
    const current = open.at(-1) ?? root;
    if (!rest.startsWith("<")) {
      const end = rest.indexOf("<");
      const text = unescaped(end < 0 ? rest : rest.slice(0, end));
      for (const element of open) {
        element.text += text;
      }
      rest = end < 0 ? "" : rest.slice(end);
      continue;
    }
    const tag = TAG.exec(rest);
    if (!tag) {
      throw new Error(`This is no tag: ${rest.slice(0, 80)}`);
    }
    const [whole, close, name = "", attributes = "", selfClosed] = tag;
    rest = rest.slice(whole.length);
    if (close) {
      if (current.name !== name) {
        throw new Error(`</${name}> closes <${current.name}>`);
      }
      open.pop();
      continue;
    }
    const element: MarkupElement = { name, attributes: attributesIn(attributes), children: [], text: "" };
    current.children.push(element);
    if (RAW.has(name)) {
      const end = rest.indexOf(`</${name}>`);
      element.text = rest.slice(0, end);
      rest = rest.slice(end + name.length + 3);
    } else if (!selfClosed && !VOID.has(name)) {
      open.push(element);
    }
  }
  if (open.length > 1) {
    throw new Error(`<${open.at(-1)?.name}> is not closed`);
  }
  return root;
}

/** All elements of a name below one, in the document's order. */
export function elementsOf(parent: MarkupElement, name: string): MarkupElement[] {
  return parent.children.flatMap((child) => [...(child.name === name ? [child] : []), ...elementsOf(child, name)]);
}

/** All elements below one. */
export function allElements(parent: MarkupElement): MarkupElement[] {
  return parent.children.flatMap((child) => [child, ...allElements(child)]);
}

function attributesIn(text: string): Record<string, string> {
  const found: [string, string][] = [];
  for (const [, name = "", value = ""] of text.matchAll(/([\w:.-]+)(?:="([^"]*)")?/g)) {
    if (found.some(([other]) => other === name)) {
      throw new Error(`The attribute ${name} is there twice`);
    }
    found.push([name, unescaped(value)]);
  }
  return Object.fromEntries(found);
}

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+);|([a-z]+);)?/g, (reference, code?: string, name?: string) => {
    const character = code ? String.fromCodePoint(Number(code)) : NAMED[name ?? ""];
    if (character === undefined) {
      throw new Error(`This is no reference: ${reference}`);
    }
    return character;
  });
}
