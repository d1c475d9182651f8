/** Trunks lead only to the phone systems of a list. */

import { z } from "zod";
import { isAllowedHost, isHostPattern } from "../livekit/addresses";
import { policy } from "./policy";

export const phoneSystems = policy({
  name: "sip-phone-systems",
  description: "Trunks may lead only to the phone systems of a list.",
  enforcementLevel: "mandatory",
  severity: "high",
  settings: z.strictObject({
    hosts: z
      .array(
        z.string().refine(isHostPattern, {
          error: 'must be a host name, "*." with a domain, an IP address or a CIDR range',
        }),
      )
      .default([])
      .describe(
        "The hosts that may be an `address`: names, `*.acme.com` for all names below a domain, IP addresses and CIDR ranges. While it is empty, every host may.",
      ),
  }),
  judges: {
    SipTrunk: ({ args: { address } }, { hosts }) =>
      hosts.length === 0 || address === undefined || isAllowedHost(address, hosts)
        ? []
        : ["address is not one of the phone systems in hosts: correct it, or add it to hosts."],
  },
});
