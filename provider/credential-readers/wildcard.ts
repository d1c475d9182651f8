/**
 * Matches names with the wildcards of glob(7), in time that grows with the lengths alone: translated to a regular expression, twelve
 * asterisks can take longer than anybody waits.
 */

/** Makes a test for names of a pattern with `*`, `?`, `[sets]` and `\`. */
export function wildcard(pattern: string): (name: string) => boolean {
  const tokens = tokensOf(pattern);
  return (name) => matches(tokens, [...name]);
}

function matches(tokens: readonly Token[], characters: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  // Where to go on after the latest asterisk has taken one more character. An earlier one never needs to take more.
  let retry: { token: number; at: number } | undefined;
  while (at < characters.length) {
    const current = tokens[token];
    if (current === "any") {
      retry = { token: ++token, at };
    } else if (current?.(characters[at] ?? "")) {
      token++;
      at++;
    } else if (retry) {
      token = retry.token;
      at = ++retry.at;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every((rest) => rest === "any");
}

/** Any number of characters, or one character that a test accepts. */
type Token = "any" | ((character: string) => boolean);

function tokensOf(pattern: string): Token[] {
  return (pattern.match(/\[[!^]?\]?[^\]]*\]|\\.|./gsu) ?? []).map((piece) => {
    if (piece === "*") {
      return "any";
    }
    if (piece === "?") {
      return () => true;
    }
    if (piece.length > 2 && piece.startsWith("[")) {
      return setOf(piece.slice(1, -1));
    }
    const literal = piece.length > 1 && piece.startsWith("\\") ? piece.slice(1) : piece;
    return (character) => character === literal;
  });
}

/** A set such as `a-z_`, or `!a-z` for every other character. */
function setOf(text: string): (character: string) => boolean {
  const negated = /^[!^]/.test(text);
  const isIn = characterSet(negated ? text.slice(1) : text);
  return (character) => isIn(character) !== negated;
}

/** Makes a test for the characters of a bracket expression, without its brackets: characters, and ranges such as `a-z`. */
export function characterSet(text: string): (character: string) => boolean {
  const members = [...text];
  const ranges: [from: string, to: string][] = [];
  for (let index = 0; index < members.length; index++) {
    const from = members[index] ?? "";
    const to = members[index + 1] === "-" ? members[index + 2] : undefined;
    ranges.push([from, to ?? from]);
    index += to === undefined ? 0 : 2;
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to);
}
