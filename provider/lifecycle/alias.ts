/** How a program declares that a resource was renamed or moved. */

import { nameOf } from "../livekit/ownership";

/**
 * The `aliases` option that a program needs so that Pulumi recognises the resource which the state has under `former`. It names
 * the earlier parent if that changed too. It is not a URN, because a CI system could take the `::` for a command.
 */
export function aliasOf(former: string, owner: string): string {
  const name = nameOf(former);
  const [before = "", now = ""] = [former, owner].map(parentsOf);
  const [nearest] = before.split("$").slice(-2);
  const parent = before === "" ? "pulumi.rootStackResource" : `<the ${nearest}>`;
  return before === now ? `aliases: [{ name: "${name}" }]` : `aliases: [{ name: "${name}", parent: ${parent} }]`;
}

/** The types of a resource's parents, each followed by `$`. */
function parentsOf(owner: string): string {
  const path = owner.split("/").slice(3).join("/");
  return path.slice(0, path.length - nameOf(owner).length);
}
