/** Who owns what is on the platform: the name by which a resource is told from those of other stacks. */

import * as pulumi from "@pulumi/pulumi";
import { nameOf } from "../livekit/ownership";

/**
 * `organization/project/stack/name` of a resource, with the types of its parents before the name where it has any. Made of
 * the URN, so known in the first preview already: another resource can refer to this one before anything exists.
 */
export function ownerOf(name: string, type: string, options?: pulumi.ResourceOptions): pulumi.Input<string> {
  const stack = `${organization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const parent = options?.parent;
  if (!parent) {
    return `${stack}/${name}`;
  }
  // A promise and not an output: an output made of a component's URN depends on the component's children, and a resource that
  // waits for its siblings, or for itself, is never registered.
  return new Promise((resolve) => {
    pulumi.createUrn(name, type, parent).apply((urn) => {
      // urn:pulumi:<stack>::<project>::<parent types$type>::<name> (Pulumi's documentation, "Resource URNs").
      const [, , types = ""] = urn.slice("urn:pulumi:".length).split("::");
      const parents = types.split("$").slice(0, -1);
      resolve(`${stack}/${[...parents, name].join("$")}`);
    });
  });
}

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

/** Unit tests with `setMocks` may leave the organization out; Pulumi says "organization" for every stack of a file backend. */
function organization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "organization";
  }
}
