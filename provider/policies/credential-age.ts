/** Credentials are changed from time to time. */

import { z } from "zod";
import { UNKNOWN } from "../lifecycle/values";
import { policy } from "./policy";

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Judges by `credentialChangedAt`, the date in UTC on which the credential was first applied.
 *
 * @param now the present
 */
export function credentialAge(now: () => Date) {
  return policy({
    name: "sip-credential-age",
    description: "The credential of a trunk must be changed regularly.",
    enforcementLevel: "advisory",
    severity: "medium",
    settings: z.strictObject({
      maxAgeDays: z.number().int().min(1).max(3650).default(90).describe("How old a credential may be, in days."),
      acceptUnknownAge: z
        .boolean()
        .default(false)
        .describe(
          "Whether a trunk passes whose credential has not changed since it was imported, taken over or deployed by an older version of this package.",
        ),
    }),
    judges: {
      SipTrunk: ({ args, isKnown, computed }, { maxAgeDays, acceptUnknownAge }) => {
        const changedAt = computed("credentialChangedAt");
        if ((args.password === undefined && isKnown("password")) || changedAt === UNKNOWN) {
          return [];
        }
        const changed =
          typeof changedAt === "string" && /^\d{4}-\d\d-\d\d$/.test(changedAt) ? Date.parse(changedAt) : NaN;
        if (Number.isNaN(changed)) {
          return acceptUnknownAge
            ? []
            : [
                "credentialChangedAt is not set, because the credential has not changed since the trunk was imported, taken over or deployed by an older version of this package: change password once, here and in the phone system, or set acceptUnknownAge to true.",
              ];
        }
        const days = Math.floor((now().getTime() - changed) / DAY_MS);
        return days > maxAgeDays
          ? [
              `credentialChangedAt is ${changedAt}, ${days} days ago, which is more than maxAgeDays (${maxAgeDays}): change password, here and in the phone system.`,
            ]
          : [];
      },
    },
  });
}
