/** Text in columns of a terminal: how wide it is, and how it wraps. Pure. */

/** Characters that take two columns: East Asian wide ones and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** How many columns a text takes on a terminal. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    columns += /\p{M}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  }
  return columns;
}

/** Breaks a text into lines of at most `width` columns: at spaces, and inside a word only if it does not fit on a line. */
export function wrap(text: string, width: number): string[] {
  if (columnsOf(text) <= width) {
    return [text];
  }
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((word) => pieces(word, width))) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (columnsOf(longer) <= width) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

/** A word in pieces of at most `width` columns. */
function pieces(word: string, width: number): string[] {
  if (columnsOf(word) <= width) {
    return [word];
  }
  const parts = [""];
  for (const character of word) {
    const last = parts.length - 1;
    const longer = `${parts[last]}${character}`;
    if (columnsOf(longer) <= width) {
      parts[last] = longer;
    } else {
      parts.push(character);
    }
  }
  return parts.filter((part) => part !== "");
}

/** A row of cells as lines, each cell wrapped to its column. The last column may have no width; it then takes the rest. */
export function row(cells: readonly string[], widths: readonly (number | undefined)[], gap = "  "): string[] {
  const wrapped = cells.map((cell, column) => {
    const width = widths[column];
    return width === undefined ? [cell] : wrap(cell, width);
  });
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, index) =>
    wrapped
      .map((lines, column) => {
        const text = lines[index] ?? "";
        return text + " ".repeat(Math.max(0, (widths[column] ?? 0) - columnsOf(text)));
      })
      .join(gap)
      .trimEnd(),
  );
}
