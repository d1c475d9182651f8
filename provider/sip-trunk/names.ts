/** The arguments of a SipTrunk whose default is another name. Apart from the schema, which programs do not need to load. */

/** Fills in the defaults that are the resource's name or another argument. */
export function withNames<Args extends { name?: unknown; username?: unknown; extension?: unknown }>(
  args: Args,
  name: string,
) {
  return { ...args, name: args.name ?? name, username: args.username ?? args.extension };
}
