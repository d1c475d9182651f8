/** LiveKit messages with every field set, and with fields that only a newer LiveKit would set, at every depth. */

import { type FieldInfo, Message, type MessageType, ScalarType, WireType } from "@bufbuild/protobuf";
import type { Table } from "../../provider/livekit/fields";

/** A field number that no LiveKit message uses. */
const FUTURE_FIELD = 1900;

/** A message with every field set, in nested messages too. `choice` picks the member of each oneof. */
export function fullMessage<Full extends Message<Full>>(type: MessageType<Full>, choice = 0): Full {
  const message = new type();
  for (const member of type.fields.byMember()) {
    if (member.kind === "oneof") {
      const field = member.fields[choice % member.fields.length];
      Reflect.set(message, member.localName, field && { case: field.localName, value: fullValue(field, choice) });
    } else {
      const value = fullValue(member, choice);
      Reflect.set(message, member.localName, member.repeated ? [value, fullValue(member, choice, 2)] : value);
    }
  }
  return message;
}

function fullValue(field: FieldInfo, choice: number, count = 1): unknown {
  switch (field.kind) {
    case "message":
      return numbered(fullMessage(field.T, choice), count);
    case "map":
      return { key: "value" };
    case "enum":
      return 1;
    case "scalar":
      return scalar(field.T, `${field.localName}-${count}`, count);
  }
}

/** Makes a message's strings unique within its list. */
function numbered<Item extends Message<Item>>(message: Item, count: number): Item {
  for (const field of message.getType().fields.list()) {
    if (field.kind === "scalar" && field.T === ScalarType.STRING && !field.repeated && !field.oneof) {
      Reflect.set(message, field.localName, `${field.localName}-${count}`);
    }
  }
  return message;
}

function scalar(type: ScalarType, text: string, count: number): unknown {
  switch (type) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BOOL:
      return true;
    case ScalarType.BYTES:
      return Buffer.from(text);
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return BigInt(count);
    default:
      return count;
  }
}

/** Adds a field of a newer LiveKit to a message and to each nested message. Its value is the path to that message. */
export function withFutureFields<Item extends Message<Item>>(message: Item): Item {
  for (const [path, nested] of messagesIn(message)) {
    const text = Buffer.from(path);
    const data = Buffer.concat([Uint8Array.of(text.length), text]);
    nested.getType().runtime.bin.onUnknownField(nested, FUTURE_FIELD, WireType.LengthDelimited, data);
  }
  return message;
}

/** The unknown fields in a message and in each nested message: where they are now, and where they were added. */
export function futureFields<Item extends Message<Item>>(message: Item): string[] {
  return [...messagesIn(message)].flatMap(([path, nested]) =>
    nested
      .getType()
      .runtime.bin.listUnknownFields(nested)
      .map(({ data }) => `${path}: ${Buffer.from(data.subarray(1)).toString()}`),
  );
}

function* messagesIn<Item extends Message<Item>>(message: Item, path = "message"): Generator<[string, Message]> {
  yield [path, message];
  for (const { localName } of message.getType().fields.byMember()) {
    const value: unknown = Reflect.get(message, localName);
    const chosen = typeof value === "object" && value !== null && "case" in value && "value" in value;
    const items = chosen ? [value.value] : Array.isArray(value) ? value : [value];
    for (const [index, item] of items.entries()) {
      if (item instanceof Message) {
        yield* messagesIn(item, `${path}.${localName}${items.length > 1 ? `[${index}]` : ""}`);
      }
    }
  }
}

/** A change of each field of a table: its name, and the value that it gets instead of the one that it has. */
export function changesOf<Info>(rows: Table<Info>, message: Info): [name: string, value: unknown][] {
  return Object.entries(rows).map(([name, row]) => [name, other(row.read(message), row.words)]);
}

/** Another value of the same kind. */
function other(value: unknown, words: readonly string[] = []): unknown {
  switch (typeof value) {
    case "string":
      return words.find((word) => word !== value) ?? "123";
    case "number":
      return value + 7.5;
    case "boolean":
      return !value;
    default:
      return Array.isArray(value) ? value.map((item) => otherItem(item)) : { ...Object(value), ...OTHER_MEMBER };
  }
}

function otherItem(item: unknown): unknown {
  const { metadata } = Object(item);
  return typeof item === "string"
    ? "changed"
    : { ...Object(item), ...(metadata === undefined ? { rate: 7 } : { metadata: "changed" }) };
}

/** A member that maps, and a room's configuration, can have. */
const OTHER_MEMBER = { name: "changed" };
