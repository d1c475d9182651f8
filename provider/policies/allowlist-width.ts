/** No entry of an allowlist is wider than a prefix length. */

import { z } from "zod";
import { prefixOf } from "../livekit/addresses";
import { policy } from "./policy";

export const allowlistWidth = policy({
  name: "sip-allowlist-width",
  description: "No range that calls may come from may be wider than allowed.",
  enforcementLevel: "mandatory",
  severity: "high",
  settings: z.strictObject({
    minIpv4PrefixLength: z
      .number()
      .int()
      .min(0)
      .max(32)
      .default(24)
      .describe("The shortest prefix length of an IPv4 range. 24 allows 256 addresses."),
    minIpv6PrefixLength: z
      .number()
      .int()
      .min(0)
      .max(128)
      .default(64)
      .describe("The shortest prefix length of an IPv6 range. 64 allows one subnet."),
  }),
  judges: {
    InboundAuth: ({ args: { allowedAddresses = [] } }, settings) =>
      allowedAddresses.flatMap((address, index) => {
        const prefix = prefixOf(address);
        const setting = prefix?.version === 6 ? "minIpv6PrefixLength" : "minIpv4PrefixLength";
        return prefix && prefix.length < settings[setting]
          ? [
              `allowedAddresses[${index}] is a /${prefix.length}, and an IPv${prefix.version} range must be a /${settings[setting]} or narrower (${setting}): list only the addresses of the phone system.`,
            ]
          : [];
      }),
  },
});
