/**
 * Preserves fields of a newer LiveKit. Protobuf keeps unknown fields with the message. A message that is built anew, for example
 * from JSON, does not have them, so it gets them from the message that it replaces.
 */

import { type FieldInfo, Message } from "@bufbuild/protobuf";
import { RoomAgentDispatch } from "@livekit/protocol";

/** The field that identifies an item of a list, for types that have one. */
const NAME_FIELDS: ReadonlyMap<string, string> = new Map([[RoomAgentDispatch.typeName, "agentName"]]);

/**
 * Copies the unknown fields of `current` to `wanted`, and those of each message inside it to its counterpart. Messages in
 * `current` without a counterpart are dropped whole.
 */
export function keepUnknownFields<Kind extends Message<Kind>>(wanted: Kind, current: Kind): void {
  const { fields, runtime } = wanted.getType();
  if (!mayHoldOtherKind(wanted, current)) {
    for (const { no, wireType, data } of runtime.bin.listUnknownFields(current)) {
      runtime.bin.onUnknownField(wanted, no, wireType, data);
    }
  }
  for (const field of fields.list()) {
    const [items, before] = [messagesIn(wanted, field), messagesIn(current, field)];
    const found = counterparts(
      items,
      before,
      (item, other) => item.equals(other),
      (item, other) => {
        const name = NAME_FIELDS.get(item.getType().typeName);
        return name === undefined
          ? items.length === before.length && items.indexOf(item) === before.indexOf(other)
          : Reflect.get(item, name) === Reflect.get(other, name);
      },
    );
    for (const [item, counterpart] of found) {
      keepUnknownFields(item, counterpart);
    }
  }
}

/**
 * Matches each item of `wanted` to an item of `current`: first by the first test, then the remaining ones by the second, and so
 * on. No item is matched twice.
 */
export function counterparts<Wanted, Current>(
  wanted: readonly Wanted[],
  current: readonly Current[],
  ...tests: readonly ((item: Wanted, other: Current) => boolean)[]
): Map<Wanted, Current> {
  const found = new Map<Wanted, Current>();
  const left = new Set(current);
  for (const test of tests) {
    for (const item of wanted) {
      const other = found.has(item) ? undefined : [...left].find((candidate) => test(item, candidate));
      if (other !== undefined) {
        found.set(item, other);
        left.delete(other);
      }
    }
  }
  return found;
}

/**
 * Whether the unknown fields of `current` may be its kind: a member of a oneof that only a newer LiveKit has. Copied beside the
 * kind of `wanted`, it would win.
 */
function mayHoldOtherKind(wanted: Message, current: Message): boolean {
  const oneofs = wanted
    .getType()
    .fields.byMember()
    .filter(({ kind }) => kind === "oneof");
  return oneofs.some(({ localName }) => chosen(wanted, localName).case && !chosen(current, localName).case);
}

/** The messages in a field: one, those of a list, or none. LiveKit's maps hold strings only. */
function messagesIn(message: Message, field: FieldInfo): Message[] {
  const { case: member, value } = field.oneof
    ? chosen(message, field.oneof.localName)
    : { case: field.localName, value: Reflect.get(message, field.localName) };
  const values: unknown[] = member !== field.localName ? [] : Array.isArray(value) ? value : [value];
  return values.filter((item) => item instanceof Message);
}

/** The member of a oneof that is set. */
function chosen(message: Message, oneof: string): { case?: unknown; value?: unknown } {
  const value: unknown = Reflect.get(message, oneof);
  return typeof value === "object" && value !== null ? value : {};
}
