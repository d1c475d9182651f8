/** The owner of a resource, in the program. */

import * as pulumi from "@pulumi/pulumi";
import { NO_ORGANIZATION, ownerIn } from "../lifecycle/owner";

/** The owner from the URN. It is known even in the first preview, so other resources can refer to this one before it exists. */
export function ownerOf(name: string, type: string, options?: pulumi.ResourceOptions): pulumi.Input<string> {
  const stack = `${organization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const parent = options?.parent;
  if (!parent) {
    return `${stack}/${name}`;
  }
  // A promise, not an output: an output made from a component's URN depends on the component's children, and a resource that
  // waits for its siblings or itself is never registered.
  return new Promise((resolve) => {
    pulumi.createUrn(name, type, parent).apply((urn) => resolve(ownerIn(urn, organization())));
  });
}

/** Unit tests with `setMocks` may not set an organization. */
function organization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return NO_ORGANIZATION;
  }
}
