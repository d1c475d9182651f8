/** The owner: the name that distinguishes a resource's objects on the platform from those of other stacks. */

import * as pulumi from "@pulumi/pulumi";

/**
 * A resource's `organization/project/stack/name`, with the types of its parents before the name if it has any. It comes from the
 * URN and is known even in the first preview, so other resources can refer to this one before it exists.
 */
export function ownerOf(name: string, type: string, options?: pulumi.ResourceOptions): pulumi.Input<string> {
  const stack = `${organization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const parent = options?.parent;
  if (!parent) {
    return `${stack}/${name}`;
  }
  // A promise, not an output: an output made from a component's URN depends on the component's children, and a resource that
  // waits for its siblings or itself is never registered.
  return new Promise((resolve) => {
    pulumi.createUrn(name, type, parent).apply((urn) => {
      // urn:pulumi:<stack>::<project>::<parent types$type>::<name> (Pulumi's documentation, "Resource URNs").
      const [, , types = ""] = urn.slice("urn:pulumi:".length).split("::");
      const parents = types.split("$").slice(0, -1);
      resolve(`${stack}/${[...parents, name].join("$")}`);
    });
  });
}

/** Unit tests with `setMocks` may not set an organization. Pulumi uses "organization" for stacks on a file backend. */
function organization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "organization";
  }
}
