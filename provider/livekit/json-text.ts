/**
 * JSON as text, for what has to keep its bytes: JSON.parse loses 64-bit integers, duplicate keys and the order of some keys, and
 * JSON.stringify throws on deep nesting. Nothing here recurses, and all of it takes linear time.
 */

/** A member of a JSON object, by where it stands in the text. */
export interface Member {
  /** The key, its escapes undone. */
  readonly key: string;
  /** Where the key begins. */
  readonly start: number;
  /** Where the value begins, white space before it included. */
  readonly valueStart: number;
  /** Where the value ends. */
  readonly end: number;
}

/** A bracket, a separator, a string, or another value; never white space. */
interface Token {
  /** The first character: tells what it is. */
  readonly first: string;
  readonly start: number;
  readonly end: number;
}

/** The members of a JSON object in their order; undefined when the text is no JSON object. */
export function membersOf(text: string): Member[] | undefined {
  if (!/^[ \t\r\n]*\{/.test(text) || !isJson(text)) {
    return undefined;
  }
  const members: Member[] = [];
  let depth = 0;
  let key: Token | undefined;
  let valueStart = 0;
  let end = 0;
  for (const token of tokensOf(text)) {
    const { first } = token;
    if (depth === 1) {
      if (key && (first === "," || first === "}")) {
        members.push({ key: decoded(text, key), start: key.start, valueStart, end });
        key = undefined;
      } else if (first === ":") {
        valueStart = token.end;
      } else if (!key && first === '"') {
        key = token;
      }
    }
    depth += first === "{" || first === "[" ? 1 : first === "}" || first === "]" ? -1 : 0;
    end = token.end;
  }
  return members;
}

/** A JSON object with one more member behind its last; every other byte stays. */
export function withMember(text: string, members: readonly Member[], key: string, value: string): string {
  const last = members.at(-1);
  const at = last ? last.end : text.indexOf("{") + 1;
  return `${text.slice(0, at)}${last ? "," : ""}${JSON.stringify(key)}:${value}${text.slice(at)}`;
}

/** A JSON object without one of its members; every other byte stays, but for the comma that parted it from the others. */
export function withoutMember(text: string, members: readonly Member[], member: Member): string {
  const index = members.indexOf(member);
  const [before, after] = [members[index - 1], members[index + 1]];
  const start = before ? before.end : member.start;
  const end = before || !after ? member.end : after.start;
  return text.slice(0, start) + text.slice(end);
}

/** JSON without insignificant white space. */
export function compact(text: string): string {
  return Array.from(tokensOf(text), ({ start, end }) => text.slice(start, end)).join("");
}

/** The strings in JSON that are no keys, each with its escapes undone, and as it stands there; none when the text is no JSON. */
export function stringsIn(text: string): string[] {
  if (!text.includes('"') || !isJson(text)) {
    return [];
  }
  const strings: string[] = [];
  let last: Token | undefined;
  for (const token of tokensOf(text)) {
    if (last && token.first !== ":") {
      strings.push(decoded(text, last), text.slice(last.start + 1, last.end - 1));
    }
    last = token.first === '"' ? token : undefined;
  }
  if (last) {
    strings.push(decoded(text, last), text.slice(last.start + 1, last.end - 1));
  }
  return strings;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function decoded(text: string, { start, end }: Token): string {
  return JSON.parse(text.slice(start, end));
}

/** The tokens of a text that is valid JSON. */
function* tokensOf(text: string): Generator<Token> {
  let at = 0;
  while (at < text.length) {
    const first = text.charAt(at);
    if (isSpace(first)) {
      at += 1;
      continue;
    }
    const start = at;
    at = first === '"' ? endOfString(text, at) : isMark(first) ? at + 1 : endOfScalar(text, at);
    yield { first, start, end: at };
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charAt(at) !== '"') {
    at += text.charAt(at) === "\\" ? 2 : 1;
  }
  return at + 1;
}

/** The end of a number, `true`, `false` or `null`. */
function endOfScalar(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && !isSpace(text.charAt(at)) && !isMark(text.charAt(at))) {
    at += 1;
  }
  return at;
}

function isSpace(character: string): boolean {
  return character === " " || character === "\n" || character === "\t" || character === "\r";
}

function isMark(character: string): boolean {
  return "{}[]:,".includes(character);
}
