/** How a program says that a resource has a new name or place. */

import { nameOf } from "../livekit/ownership";

/**
 * The option that tells Pulumi that a resource is the one which the state has under an earlier owner, as a program writes it: with
 * the earlier parent where that is another one. Not as a URN, because no message may hold what a CI system could take for a command.
 */
export function aliasOf(former: string, owner: string): string {
  const name = nameOf(former);
  const [before = "", now = ""] = [former, owner].map(parentsOf);
  const [nearest] = before.split("$").slice(-2);
  const parent = before === "" ? "pulumi.rootStackResource" : `<the ${nearest}>`;
  return before === now ? `aliases: [{ name: "${name}" }]` : `aliases: [{ name: "${name}", parent: ${parent} }]`;
}

/** The types of a resource's parents, each with the `$` that follows it. */
function parentsOf(owner: string): string {
  const path = owner.split("/").slice(3).join("/");
  return path.slice(0, path.length - nameOf(owner).length);
}
