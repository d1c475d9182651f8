/** Who owns what is on the platform: the name by which a resource is told from those of other stacks. */

import * as pulumi from "@pulumi/pulumi";

/**
 * `organization/project/stack/name` of a resource, with the types of its parents before the name where it has any. Made of
 * the URN, so known in the first preview already: another resource can refer to this one before anything exists.
 */
export function ownerOf(name: string, type: string, options?: pulumi.ResourceOptions): pulumi.Input<string> {
  const stack = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  if (!options?.parent) {
    return `${stack}/${name}`;
  }
  return pulumi.createUrn(name, type, options.parent).apply((urn) => {
    // urn:pulumi:<stack>::<project>::<parent types$type>::<name> (Pulumi's documentation, "Resource URNs").
    const [, , types = ""] = urn.slice("urn:pulumi:".length).split("::");
    const parents = types.split("$").slice(0, -1);
    return `${stack}/${[...parents, name].join("$")}`;
  });
}
