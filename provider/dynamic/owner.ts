/** Who owns what is on the platform: the name by which a resource is told from those of other stacks. */

import * as pulumi from "@pulumi/pulumi";

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

/** Unit tests with `setMocks` may leave the organization out; Pulumi says "organization" for every stack of a file backend. */
function organization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "organization";
  }
}
