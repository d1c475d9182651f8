/** Names for a program: resource names from names on LiveKit, and variable names from resource names. Pure. */

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

/** Variable names for resource names, each distinct and none that means something else in the program. */
export function variableNames(names: readonly string[], reserved: ReadonlySet<string>): Map<string, string> {
  const used = new Set([...RESERVED_WORDS, ...reserved]);
  const variables = new Map<string, string>();
  for (const name of names) {
    const camel = name.replace(/[^a-z\d]+([a-z\d])/gi, (_, letter: string) => letter.toUpperCase());
    const start = camel.replace(/[^\w$]/g, "");
    const wanted = /^[a-z]/i.test(start) ? start : `trunk${start}`;
    let variable = used.has(wanted) ? `${wanted}Trunk` : wanted;
    for (let count = 2; used.has(variable); count += 1) {
      variable = `${wanted}Trunk${count}`;
    }
    used.add(variable);
    variables.set(name, variable);
  }
  return variables;
}

/** Words that TypeScript does not accept as the name of a variable in a module in strict mode. */
const RESERVED_WORDS = (
  "abstract any arguments as async await boolean break case catch class const constructor continue debugger declare default delete do " +
  "else enum eval export extends false finally for from function get if implements import in instanceof interface let module " +
  "never new null number object of package private protected public require return set static string super switch symbol this " +
  "throw true try type typeof undefined unknown var void while with yield exports global globalThis process"
).split(" ");
