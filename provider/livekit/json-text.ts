/**
 * Edits JSON as text, so that its bytes are preserved. JSON.parse loses 64-bit integers, duplicate keys and the order of some
 * keys, and JSON.stringify throws on deep nesting. Nothing here recurses, and everything runs in linear time.
 */

/** A member of a JSON object, by its positions in the text. */
export interface Member {
  /** The key, unescaped. */
  readonly key: string;
  /** Where the key begins. */
  readonly start: number;
  /** Where the value begins, including white space before it. */
  readonly valueStart: number;
  /** Where the value ends. */
  readonly end: number;
}

/** The members of a JSON object in order. Undefined if the text is not a JSON object. */
export function membersOf(text: string): Member[] | undefined {
  if (!/^[ \t\r\n]*\{/.test(text) || !isJson(text)) {
    return undefined;
  }
  const members: Member[] = [];
  let depth = 0;
  let keyStart = -1;
  let key = "";
  let valueStart = 0;
  let last = 0;
  for (let start = tokenFrom(text, 0), end = 0; start < text.length; start = tokenFrom(text, end)) {
    end = endOfToken(text, start);
    const first = text.charAt(start);
    if (depth === 1) {
      if (keyStart >= 0 && (first === "," || first === "}")) {
        members.push({ key, start: keyStart, valueStart, end: last });
        keyStart = -1;
      } else if (first === ":") {
        valueStart = end;
      } else if (keyStart < 0 && first === '"') {
        keyStart = start;
        key = decoded(text, start, end);
      }
    }
    depth += first === "{" || first === "[" ? 1 : first === "}" || first === "]" ? -1 : 0;
    last = end;
  }
  return members;
}

/** Adds a member at the end of a JSON object. Every other byte stays the same. */
export function withMember(text: string, members: readonly Member[], key: string, value: string): string {
  const last = members.at(-1);
  const at = last ? last.end : text.indexOf("{") + 1;
  return `${text.slice(0, at)}${last ? "," : ""}${JSON.stringify(key)}:${value}${text.slice(at)}`;
}

/** Removes a member from a JSON object. Every other byte stays the same, except for the adjacent comma. */
export function withoutMember(text: string, members: readonly Member[], member: Member): string {
  const index = members.indexOf(member);
  const [before, after] = [members[index - 1], members[index + 1]];
  const start = before ? before.end : member.start;
  const end = before || !after ? member.end : after.start;
  return text.slice(0, start) + text.slice(end);
}

/** Valid JSON without insignificant white space. */
export function compact(text: string): string {
  const tokens: string[] = [];
  for (let start = tokenFrom(text, 0), end = 0; start < text.length; start = tokenFrom(text, end)) {
    end = endOfToken(text, start);
    tokens.push(text.slice(start, end));
  }
  return tokens.join("");
}

/** The strings in JSON that are not keys, each both unescaped and as written. Empty if the text is not JSON. */
export function stringsIn(text: string): string[] {
  if (!text.includes('"') || !isJson(text)) {
    return [];
  }
  const strings: string[] = [];
  for (let start = tokenFrom(text, 0), end = 0, next = 0; start < text.length; start = next) {
    end = endOfToken(text, start);
    next = tokenFrom(text, end);
    if (text.charAt(start) === '"' && text.charAt(next) !== ":") {
      strings.push(decoded(text, start, end), text.slice(start + 1, end - 1));
    }
  }
  return strings;
}

/** Whether a text is JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A JSON string, unescaped. */
function decoded(text: string, start: number, end: number): string {
  return JSON.parse(text.slice(start, end));
}

/** Where the first token at or after a position begins: a bracket, a separator, a string or another value. Skips white space. */
function tokenFrom(text: string, place: number): number {
  let at = place;
  while (isSpace(text.charAt(at))) {
    at += 1;
  }
  return at;
}

/** Where a token of valid JSON ends. */
function endOfToken(text: string, start: number): number {
  const first = text.charAt(start);
  let at = start + 1;
  if (first === '"') {
    at = text.indexOf('"', at);
    while (isEscaped(text, at)) {
      at = text.indexOf('"', at + 1);
    }
    return at + 1;
  }
  if (!isMark(first)) {
    while (at < text.length && !isMark(text.charAt(at)) && !isSpace(text.charAt(at))) {
      at += 1;
    }
  }
  return at;
}

/** Whether a quotation mark is escaped: an odd number of backslashes comes before it. */
function isEscaped(text: string, quote: number): boolean {
  let at = quote;
  while (text.charAt(at - 1) === "\\") {
    at -= 1;
  }
  return (quote - at) % 2 === 1;
}

function isSpace(character: string): boolean {
  return character === " " || character === "\n" || character === "\t" || character === "\r";
}

function isMark(character: string): boolean {
  switch (character) {
    case "{":
    case "}":
    case "[":
    case "]":
    case ":":
    case ",":
      return true;
    default:
      return false;
  }
}
