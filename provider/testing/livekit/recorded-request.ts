/** What the emulator records of a request: enough to assert on, but no token, and no password when it is printed. */

import { inspect } from "node:util";
import type { JsonValue } from "@bufbuild/protobuf";
import type { Encoding } from "./encoding";
import type { SipRequest } from "./methods";

const REDACTED = "[redacted]";
const SECRET_FIELDS: ReadonlySet<string> = new Set(["authPassword", "pin"]);

/** One request that reached the emulator. It shows no secret when it is printed, logged or turned into JSON. */
export class RecordedRequest {
  /** The API key, when the token was accepted. */
  apiKey?: string;
  /** The HTTP status of the answer. Unset while there is no answer, and when the connection was cut or left hanging. */
  status?: number;

  /**
   * @param method the Twirp method, such as `CreateSIPInboundTrunk`
   * @param encoding how the message was encoded; undefined when the Content-Type was not one of Twirp's
   * @param message the request itself, with passwords in plain text; undefined when it could not be read
   */
  constructor(
    readonly method: string,
    readonly encoding: Encoding | undefined,
    readonly message: SipRequest | undefined,
  ) {}

  toJSON(): JsonValue {
    const message = this.message === undefined ? null : redacted(this.message.toJson());
    return {
      method: this.method,
      encoding: this.encoding ?? null,
      apiKey: this.apiKey ?? null,
      status: this.status ?? null,
      message,
    };
  }

  toString(): string {
    return JSON.stringify(this);
  }

  [inspect.custom](): string {
    return `RecordedRequest ${this.toString()}`;
  }
}

/** A copy without passwords, PINs and the values of SIP headers, which may be keys. */
function redacted(json: JsonValue): JsonValue {
  if (Array.isArray(json)) {
    return json.map(redacted);
  }
  if (typeof json !== "object" || json === null) {
    return json;
  }
  const copy: { [name: string]: JsonValue } = {};
  for (const [name, value] of Object.entries(json)) {
    if (SECRET_FIELDS.has(name)) {
      copy[name] = REDACTED;
    } else if (name === "headers" && typeof value === "object" && value !== null) {
      copy[name] = Object.fromEntries(Object.keys(value).map((header) => [header, REDACTED]));
    } else {
      copy[name] = redacted(value);
    }
  }
  return copy;
}
