/**
 * Matches POSIX extended regular expressions as far as configuration files need them: literals, `.`, bracket expressions, `*`, `+`,
 * `?`, `^`, `$` and `|`, but no groups or intervals. The time grows with the lengths alone, unlike that of JavaScript's RegExp.
 */

import { characterSet } from "./wildcard";

/** Whether a text contains a match. */
export type Matcher = (text: string) => boolean;

/** An atom and how often it may occur. */
interface Piece {
  readonly accepts: (character: string) => boolean;
  readonly optional: boolean;
  readonly repeats: boolean;
}

interface Branch {
  readonly pieces: readonly Piece[];
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

const PIECE = /(\[\^?\]?[^\][]*\]|\\[^\w\s]|[^\\[\](){}|^$*+?])([*+?]?)/suy;

/** Makes a matcher of an expression. Undefined if it uses what is not supported. */
export function posixRegex(expression: string): Matcher | undefined {
  const branches: Branch[] = [];
  let at = 0;
  do {
    const atStart = expression[at] === "^";
    at += atStart ? 1 : 0;
    const pieces: Piece[] = [];
    for (;;) {
      PIECE.lastIndex = at;
      const [all = "", atom = "", repetition = ""] = PIECE.exec(expression) ?? [];
      if (all === "") {
        break;
      }
      at += all.length;
      pieces.push({
        accepts: acceptorOf(atom),
        optional: repetition === "*" || repetition === "?",
        repeats: repetition === "*" || repetition === "+",
      });
    }
    const atEnd = expression[at] === "$";
    at += atEnd ? 1 : 0;
    branches.push({ pieces, atStart, atEnd });
    if (at < expression.length && expression[at] !== "|") {
      return undefined;
    }
  } while (expression[at++] === "|");
  return (text) => branches.some((branch) => matches(branch, text));
}

function acceptorOf(atom: string): (character: string) => boolean {
  if (atom === ".") {
    return () => true;
  }
  if (atom.startsWith("[")) {
    const negated = atom[1] === "^";
    const isIn = characterSet(atom.slice(negated ? 2 : 1, -1));
    return (character) => isIn(character) !== negated;
  }
  const literal = atom.startsWith("\\") ? atom.slice(1) : atom;
  return (character) => character === literal;
}

/** Goes through the text once, with the set of all pieces that may come next. */
function matches({ pieces, atStart, atEnd }: Branch, text: string): boolean {
  let states = new Set<number>();
  const enter = (into: Set<number>, state: number) => {
    // A state that is in the set came with those that follow it.
    for (let next = state; !into.has(next); next++) {
      into.add(next);
      if (!pieces[next]?.optional) {
        break;
      }
    }
  };
  enter(states, 0);
  for (const character of text) {
    if (!atEnd && states.has(pieces.length)) {
      return true;
    }
    const next = new Set<number>();
    for (const state of states) {
      const piece = pieces[state];
      if (piece?.accepts(character)) {
        enter(next, state + 1);
        if (piece.repeats) {
          enter(next, state);
        }
      }
    }
    if (!atStart) {
      enter(next, 0);
    }
    states = next;
  }
  return states.has(pieces.length);
}
