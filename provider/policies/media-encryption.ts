/** The media of calls is encrypted. */

import { z } from "zod";
import { takesEveryCall } from "../dispatch-rule/arguments";
import { MEDIA_ENCRYPTIONS } from "../livekit/messages";
import { policy } from "./policy";

type MediaEncryption = (typeof MEDIA_ENCRYPTIONS)[number];

function tooWeak(found: MediaEncryption, atLeast: MediaEncryption, fix: string): string[] {
  return MEDIA_ENCRYPTIONS.indexOf(found) < MEDIA_ENCRYPTIONS.indexOf(atLeast)
    ? [
        `mediaEncryption is "${found}", and must be ${atLeast === "allow" ? '"allow" or "require"' : '"require"'}: ${fix}.`,
      ]
    : [];
}

export const mediaEncryption = policy({
  name: "sip-media-encryption",
  description: "The media of calls must be encrypted (SRTP).",
  enforcementLevel: "advisory",
  severity: "high",
  settings: z.strictObject({
    atLeast: z
      .enum(["allow", "require"])
      .default("require")
      .describe('`"require"`, or `"allow"` to also accept calls whose other side does not encrypt.'),
  }),
  judges: {
    SipTrunk: ({ args }, { atLeast }) =>
      args.mediaEncryption === undefined
        ? []
        : tooWeak(args.mediaEncryption, atLeast, `set mediaEncryption: "${atLeast}"`),
    DispatchRule: ({ args, isKnown }, { atLeast }) => {
      if (args.mediaEncryption === undefined || !isKnown("trunks")) {
        return [];
      }
      // "disabled" leaves it to the trunk. Anything else replaces the trunk's setting, and a rule for every call has no trunk.
      const isLeftToTrunk = args.mediaEncryption === "disabled" && args.trunks && !takesEveryCall(args.trunks);
      return isLeftToTrunk ? [] : tooWeak(args.mediaEncryption, atLeast, `set mediaEncryption: "${atLeast}"`);
    },
  },
});
