/** The provider's functions: the number format, and the credential readers. */

import { z } from "zod";
import type { Reader } from "../credential-readers/reading";
import { formatDialedNumber, NUMBER_FORMATS } from "../phone-number/format";
import { PACKAGE } from "../resource-types";
import { openedProps, secret, type Wire } from "./values";

/** What a function returns, or what is wrong with its arguments, as sentences. */
export type Returned = { readonly value: Wire } | { readonly failures: readonly string[] };

/** The arguments of `formatDialedNumber`. */
export const dialedNumber = z.strictObject({
  number: z.string(),
  country: z.string(),
  numberFormat: z.enum(NUMBER_FORMATS),
});

/** The readers by their names. Each is loaded when it is called: most programs call none. */
const READERS: Readonly<Record<string, () => Reader<z.ZodType>>> = {
  asteriskConfigCredential: () => require("../credential-readers/asterisk-config").asteriskConfigReader,
  asteriskRealtimeCredential: () => require("../credential-readers/asterisk-realtime").asteriskRealtimeReader,
  freeswitchCredential: () => require("../credential-readers/freeswitch").freeswitchReader,
  kamailioCredential: () => require("../credential-readers/kamailio").kamailioReader,
  telnyxCredential: () => require("../credential-readers/telnyx").telnyxReader,
};

/**
 * Calls a function.
 *
 * @param token - its type in the schema, such as `livekit-sip:index:kamailioCredential`
 * @throws CredentialReadError if there is no such credential
 */
export async function invoke(token: string, args: Wire): Promise<Returned> {
  const name = token.split(":").at(-1) ?? "";
  const values = openedProps(args);
  if (name === "formatDialedNumber") {
    const { success, data, error } = dialedNumber.safeParse(values);
    return success
      ? { value: { number: formatDialedNumber(data.number, data) } }
      : { failures: error.issues.map(({ path, message }) => `${path.join(".")} is not valid: ${message}.`) };
  }
  const reader = READERS[name]?.();
  if (!reader) {
    return { failures: [`${token} is not a function of ${PACKAGE}: check its name.`] };
  }
  const { readNow }: typeof import("../credential-readers/reading") = require("../credential-readers/reading");
  return { value: { credential: secret(await readNow(reader, values)) } };
}
