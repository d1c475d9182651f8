/**
 * A rule's `trunks` in programs of the native provider. In TypeScript they are a list or `"all"`. Most languages have no such type, so
 * there `"all"` is the only item of a list.
 */

import type { Props } from "../lifecycle/values";

const ALL = "all";

/** A resource's properties as the lifecycles have them. */
export function withoutListedAll(props: Props): Props {
  const { trunks } = props;
  return Array.isArray(trunks) && trunks.length === 1 && trunks[0] === ALL ? { ...props, trunks: ALL } : props;
}

/** A resource's properties as programs of the native provider have them. */
export function withListedAll(props: Props): Props {
  return props.trunks === ALL ? { ...props, trunks: [ALL] } : props;
}
