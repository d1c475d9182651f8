/** The calls that the package knows the transport of go over TLS. */

import { z } from "zod";
import { declares } from "../sip-trunk/direction";
import { policy } from "./policy";

function notTls(transport: string): string[] {
  return transport === "tls"
    ? []
    : [`transport is "${transport}", which may send calls and credential digests unencrypted: use transport: "tls".`];
}

export const signallingTls = policy({
  name: "sip-signalling-tls",
  description: "Outgoing calls and test calls must use TLS.",
  enforcementLevel: "advisory",
  severity: "high",
  settings: z.strictObject({}),
  judges: {
    SipTrunk: ({ args, isKnown }) =>
      args.transport !== undefined && isKnown("direction") && declares(args, "outbound") ? notTls(args.transport) : [],
    TestCall: ({ args: { direction, transport } }) =>
      // An outbound test call goes through the trunk.
      direction === "inbound" && transport !== undefined ? notTls(transport) : [],
  },
});
