/** Aliases: a renamed resource keeps its state. */

import { type Goal, urnOf } from "./registration";
import { nameOf, typeOf } from "./state";

/** Finds the URN under which the state knows a resource. */
export class Aliases {
  /** From the URN in the program to the URN in the state. */
  readonly #found = new Map<string, string>();

  constructor(
    private readonly stack: string,
    private readonly project: string,
  ) {}

  /** The URN under which the state knows a resource, if any. */
  find(urn: string, goal: Goal, isKnown: (urn: string) => boolean): string | undefined {
    const match = [urn, ...this.#candidates(goal)].find(isKnown);
    if (match !== undefined && match !== urn) {
      this.#found.set(urn, match);
    }
    return match;
  }

  /** From the URN in the state to the URN in the program. */
  get renamed(): Map<string, string> {
    return new Map([...this.#found].map(([urn, alias]) => [alias, urn]));
  }

  #candidates(goal: Goal): string[] {
    const own = goal.aliases.map((alias) => {
      if (alias.urn) {
        return alias.urn;
      }
      const given = alias.parent ? (this.#found.get(alias.parent) ?? alias.parent) : goal.parent;
      const parent = alias.noParent ? "" : given;
      const [type, name] = [alias.type || goal.type, alias.name || goal.name];
      return urnOf(alias.stack || this.stack, alias.project || this.project, parent, type, name);
    });
    const parent = this.#found.get(goal.parent);
    return parent ? [...own, ...this.#inherited(goal, parent, own)] : own;
  }

  /** When a parent was renamed, the state may know the child under the parent's earlier name. */
  #inherited(goal: Goal, parent: string, own: string[]): string[] {
    const parentName = nameOf(goal.parent);
    const child = (type: string, name: string) => {
      const earlier = name.startsWith(parentName) ? nameOf(parent) + name.slice(parentName.length) : name;
      return urnOf(this.stack, this.project, parent, type, earlier);
    };
    return [child(goal.type, goal.name), ...own.map((urn) => child(typeOf(urn), nameOf(urn)))];
  }
}
