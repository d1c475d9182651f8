/** The stack's outputs in a preview. Values that only an update can know are left out of the comparison. */

import { isObject, type Properties, Unknown, type Value } from "./property";
import type { ObjectDiff, ValueDiff } from "./property-diff";

/** The marker that the SDK puts on a resource among the outputs. */
const resourceMark = "@isPulumiResource";

/** Removes from a difference what a preview cannot know. */
export function tidyStackOutputs(diff: ObjectDiff): void {
  const isResource = diff.adds.delete(resourceMark);
  for (const [key, added] of diff.adds) {
    if (isResource && added instanceof Unknown) {
      diff.adds.delete(key);
    } else {
      diff.adds.set(key, withoutMarks(added));
    }
  }
  for (const [key, update] of diff.updates) {
    tidyValue(update);
    if (update.new instanceof Unknown) {
      diff.updates.delete(key);
    }
  }
}

function tidyValue(update: ValueDiff): void {
  if (update.object) {
    tidyStackOutputs(update.object);
  }
  for (const [index, added] of update.array?.adds ?? []) {
    update.array?.adds.set(index, withoutMarks(added));
  }
  for (const nested of update.array?.updates.values() ?? []) {
    tidyValue(nested);
  }
}

function withoutMarks(value: Value): Value {
  if (Array.isArray(value)) {
    return value.map(withoutMarks);
  }
  if (!isObject(value)) {
    return value;
  }
  const kept = Object.entries(value).filter(([key]) => key !== resourceMark);
  return Object.fromEntries(kept.map(([key, item]): [string, Value] => [key, withoutMarks(item)])) satisfies Properties;
}
