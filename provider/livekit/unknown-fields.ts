/**
 * Fields of a newer LiveKit. Protobuf keeps what a message's type does not know beside the message; a message that is made anew,
 * from JSON for example, does not have it, and gets it back here from the message whose place it takes.
 */

import { type FieldInfo, Message } from "@bufbuild/protobuf";
import { RoomAgentDispatch } from "@livekit/protocol";

/** The field by which an item of a list is known, for the types that have one. */
const NAME_FIELDS: ReadonlyMap<string, string> = new Map([[RoomAgentDispatch.typeName, "agentName"]]);

/**
 * Gives `wanted` the fields of `current` that their type does not know, and each message within it those of its counterpart. A
 * message within `current` that has no counterpart is gone as a whole.
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
 * Which item of `current` each of `wanted` was: the first that passes the first test, of what is left then the first that
 * passes the second, and so on. Nothing is the counterpart of two.
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
 * Whether what is not known in `current` may be the kind that it is: the member of a oneof that a newer LiveKit has. Written
 * beside the kind that `wanted` is, it would win.
 */
function mayHoldOtherKind(wanted: Message, current: Message): boolean {
  const oneofs = wanted
    .getType()
    .fields.byMember()
    .filter(({ kind }) => kind === "oneof");
  return oneofs.some(({ localName }) => chosen(wanted, localName).case && !chosen(current, localName).case);
}

/** The messages that a field holds: one, those of a list, or none. LiveKit's maps hold texts. */
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
