/** Names for a program: resource names from names on LiveKit, and the names of variables from those. Pure. */

/** The most characters of a resource name. Names on LiveKit can be as long as their authors like. */
const MOST_CHARACTERS = 60;

/**
 * A resource name: lower-case words with hyphens. A name on LiveKit without Latin letters or digits gives `fallback`.
 *
 * @example resourceName("Zentrale München (neu)", "trunk") // "zentrale-munchen-neu"
 */
export function resourceName(text: string, fallback: string): string {
  const words = text
    .slice(0, 4 * MOST_CHARACTERS)
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/([a-z\d])([A-Z])/g, "$1-$2")
    .toLowerCase()
    .replace(/[^a-z\d]+/g, "-");
  const name = words.replace(/^-/, "").slice(0, MOST_CHARACTERS).replace(/-+$/, "");
  return name === "" ? fallback : name;
}

/** The last characters of a LiveKit id, as they distinguish two objects of one name. */
export function idSuffix(id: string): string {
  return resourceName(id.replace(/^[A-Z]+_/, "").slice(-6), "x").replaceAll("-", "");
}

/**
 * Gives every item a name of its own. Items that want the same name get the end of their id behind it, all but the one with the lowest
 * id. Names that are `taken` from an earlier run stay with their ids.
 */
export function distinctNames(
  items: readonly { readonly id: string; readonly wants: string }[],
  taken: ReadonlyMap<string, string>,
): Map<string, string> {
  const names = new Map(items.flatMap(({ id }) => [[id, taken.get(id)] as const]).filter(hasName));
  const used = new Set([...taken.values()]);
  for (const { id, wants } of items.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    if (names.has(id)) {
      continue;
    }
    let name = used.has(wants) ? `${wants}-${idSuffix(id)}` : wants;
    for (let count = 2; used.has(name); count += 1) {
      name = `${wants}-${idSuffix(id)}-${count}`;
    }
    used.add(name);
    names.set(id, name);
  }
  return names;
}

function hasName(pair: readonly [string, string | undefined]): pair is readonly [string, string] {
  return pair[1] !== undefined;
}

/** Gives names to variables: each distinct and none that means something else in the program. */
export class VariableNames {
  private readonly used: Set<string>;

  /** @param reserved words that are no names, and names that the program uses itself */
  constructor(
    reserved: readonly string[],
    private readonly style: "camelCase" | "snake_case",
  ) {
    this.used = new Set(reserved);
  }

  /** A name for a resource, with the word behind it if it is taken. */
  take(name: string, word: string): string {
    const start = this.cased(name);
    const wanted = /^[a-z]/i.test(start) ? start : `${word}${start}`;
    let variable = wanted;
    for (let count = 1; this.used.has(variable); count += 1) {
      variable = this.cased(`${wanted}-${word}`) + (count === 1 ? "" : String(count));
    }
    this.used.add(variable);
    return variable;
  }

  private cased(text: string): string {
    if (this.style === "snake_case") {
      return text.replace(/\W+/g, "_").toLowerCase();
    }
    return text.replace(/[^a-z\d]+([a-z\d])/gi, (_, letter: string) => letter.toUpperCase()).replace(/\W/g, "");
  }
}
