/** No rule takes the calls of trunks that it does not list. */

import { z } from "zod";
import { takesEveryCall } from "../dispatch-rule/arguments";
import { policy } from "./policy";

export const catchAllRule = policy({
  name: "sip-no-catch-all-rule",
  description: "No dispatch rule may take every call of the LiveKit project.",
  enforcementLevel: "mandatory",
  severity: "critical",
  settings: z.strictObject({}),
  judges: {
    DispatchRule: ({ args: { trunks } }) =>
      trunks !== undefined && takesEveryCall(trunks)
        ? ['trunks is "all", which takes every call of the project, also those that no trunk admits: list its trunks.']
        : [],
  },
});
