/** The owner: the name that distinguishes a resource's objects on the platform from those of other stacks. */

/** The organization of stacks on a backend that has none. Pulumi's own word for it. */
export const NO_ORGANIZATION = "organization";

/**
 * A resource's `organization/project/stack/name`, with the types of its parents before the name if it has any. A URN names
 * everything but the organization: `urn:pulumi:<stack>::<project>::<parent types$type>::<name>` (Pulumi's documentation, "Resource
 * URNs").
 */
export function ownerIn(urn: string, organization: string): string {
  const [stack = "", project = "", types = "", ...name] = urn.slice("urn:pulumi:".length).split("::");
  const parents = types.split("$").slice(0, -1);
  return `${organization}/${project}/${stack}/${[...parents, name.join("::")].join("$")}`;
}

/** The type in a URN, without the types of its parents. */
export function typeIn(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

/** The resource's name in a URN. */
export function nameIn(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
