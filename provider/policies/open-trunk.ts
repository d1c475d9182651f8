/** No trunk lets in callers who prove nothing. */

import { z } from "zod";
import type { InboundAuthInputs } from "../inbound-auth/arguments";
import { authFields } from "../inbound-auth/mapping";
import { exposureOf } from "../livekit/addresses";
import { policy } from "./policy";

/** Why a trunk is open, by the method of its InboundAuth. */
const OPEN: Readonly<Record<InboundAuthInputs["method"], string>> = {
  credentials:
    "the trunk has no user name or no password, so LiveKit lets everybody in: give the SipTrunk a username and a password.",
  ip: "allowedAddresses admits every address, which lets everybody in: list only those of the phone system.",
};

const SPOOFABLE =
  "allowedAddresses has a host name or an address without a prefix length, which callers can write into their From header: write each one as a range, for example 203.0.113.7/32.";

/** A trunk without an InboundAuth is closed, so the InboundAuth alone decides. It has the trunk's credential among its inputs. */
export const openTrunk = policy({
  name: "sip-no-open-trunk",
  description: "No trunk may let in callers who neither know its credential nor call from its allowed addresses.",
  enforcementLevel: "mandatory",
  severity: "critical",
  settings: z.strictObject({}),
  judges: {
    InboundAuth: ({ args, isKnown }) => {
      const decisive = args.method === "ip" ? (["allowedAddresses"] as const) : (["username", "password"] as const);
      if (args.method === undefined || !decisive.every(isKnown)) {
        return [];
      }
      switch (exposureOf(authFields(args, undefined))) {
        case "none":
          return [];
        case "anyone":
          return [OPEN[args.method]];
        case "spoofable":
          return [SPOOFABLE];
      }
    },
  },
});
