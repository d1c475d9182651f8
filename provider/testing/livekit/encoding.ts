/** Twirp's two message encodings. JSON is written as Go's protojson writes it for LiveKit. */

import { type JsonObject, type JsonValue, Message, type MessageType } from "@bufbuild/protobuf";
import { TwirpError } from "./twirp-error";

/** How a message is written: as JSON, like livekit-server-sdk does, or as binary protobuf. */
export type Encoding = "json" | "protobuf";

/** The encoding that a Content-Type names. Undefined when Twirp does not have it. */
export function encodingOf(contentType: string | undefined): Encoding | undefined {
  const [type = ""] = (contentType ?? "").split(";");
  switch (type.trim().toLowerCase()) {
    case "application/json":
      return "json";
    case "application/protobuf":
      return "protobuf";
    default:
      return undefined;
  }
}

/**
 * Reads a request. Unknown JSON fields are ignored, unknown binary fields are kept.
 *
 * @throws TwirpError malformed
 */
export function decode<Request extends Message<Request>>(
  type: MessageType<Request>,
  body: Uint8Array,
  encoding: Encoding,
): Request {
  try {
    if (encoding === "protobuf") {
      return type.fromBinary(body);
    }
    const json: JsonValue = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return type.fromJson(json, { ignoreUnknownFields: true });
  } catch {
    throw new TwirpError("malformed", `the ${encoding} request could not be decoded`);
  }
}

export function encode<Response extends Message<Response>>(message: Response, encoding: Encoding): Uint8Array {
  return encoding === "protobuf" ? message.toBinary() : Buffer.from(JSON.stringify(toProtoJson(message)));
}

/**
 * JSON with the field names of the .proto file, with every field that has no presence, and null for an unset message
 * (protojson: UseProtoNames, EmitUnpopulated). protobuf-es writes all of that except the nulls.
 */
function toProtoJson<Item extends Message<Item>>(message: Item): JsonValue {
  const json = message.toJson({ emitDefaultValues: true, useProtoFieldName: true });
  return isObject(json) ? withNulls(message, json) : json;
}

function withNulls<Item extends Message<Item>>(message: Item, json: JsonObject): JsonObject {
  for (const field of message.getType().fields.list()) {
    if (field.kind !== "message") {
      continue;
    }
    const value = fieldValue(message, field.localName, field.oneof?.localName);
    const written = json[field.name];
    if (field.repeated && Array.isArray(value) && Array.isArray(written)) {
      json[field.name] = written.map((item, index) => completed(value[index], item));
    } else if (value instanceof Message && written !== undefined) {
      json[field.name] = completed(value, written);
    } else if (value === undefined && !field.oneof && !field.opt) {
      json[field.name] = null;
    }
  }
  return json;
}

function completed(value: unknown, json: JsonValue): JsonValue {
  return value instanceof Message && isObject(json) ? withNulls(value, json) : json;
}

function fieldValue(message: object, field: string, oneof: string | undefined): unknown {
  if (oneof === undefined) {
    return Reflect.get(message, field);
  }
  const chosen: unknown = Reflect.get(message, oneof);
  const isChosen = typeof chosen === "object" && chosen !== null && "case" in chosen && chosen.case === field;
  return isChosen && "value" in chosen ? chosen.value : undefined;
}

function isObject(json: JsonValue | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
