/** What the model has found, each as the shortest run that shows it. */

import type { Command } from "./commands";
import type { AuthSpec, RuleSpec, TrunkSpec } from "./program";
import type { Mishap } from "./wire";

const COMMON = { parent: "none", aliased: true, option: "none" } as const;
const TRUNK = {
  ...COMMON,
  renamed: false,
  number: 0,
  password: 0,
  address: 0,
  headers: 0,
  metadata: 0,
  krisp: false,
  direction: "both",
} as const;

const trunk = (slot: number, spec: Partial<TrunkSpec> = {}): Command => ({
  do: "trunk",
  in: "ours",
  slot,
  spec: { ...TRUNK, ...spec },
});
const auth = (spec: Partial<AuthSpec> & { readonly trunk: number }): Command => ({
  do: "auth",
  in: "ours",
  slot: 0,
  spec: { ...COMMON, method: "credentials", addresses: 0, callers: 0, ...spec },
});
const rule = (spec: Partial<RuleSpec> = {}): Command => ({
  do: "rule",
  in: "ours",
  slot: 0,
  spec: { ...COMMON, renamed: false, trunks: [], pin: false, room: 0, ...spec },
});
const gone = (what: "trunk" | "auth"): Command => ({ do: what, in: "ours", slot: 0, spec: null });
const up = (...mishaps: Mishap[]): Command => ({ do: "up", in: "ours", refresh: false, parallel: 1, mishaps });
const byHand = (move: (Command & { readonly do: "by hand" })["move"], which = 0): Command => ({
  do: "by hand",
  move,
  which,
});

export const EXAMPLES: Readonly<Record<string, readonly Command[]>> = {
  "closes a trunk again after somebody set the password of its closed credential": [
    trunk(0),
    up(),
    byHand("inbound password"),
    up(),
  ],
  "does not accept a proxy's empty page as LiveKit's answer": [rule(), up({ after: 0, what: "empty", times: 6 }), up()],
  "writes a new name to the trunks when nothing else changed": [trunk(2), up(), trunk(2, { renamed: true }), up()],
  "closes a trunk that is renamed while its InboundAuth is removed": [
    auth({ trunk: 2 }),
    trunk(2, { renamed: true }),
    up(),
    trunk(2),
    gone("auth"),
    up(),
  ],
  "finds a trunk whose create got no answer, and removes it with its declaration": [
    trunk(0),
    up({ after: 2, what: "500 after", times: 40 }),
    gone("trunk"),
    up(),
  ],
  "closes a trunk whose opening got no answer, once no InboundAuth is declared": [
    trunk(2),
    auth({ trunk: 2 }),
    up({ after: 5, what: "503 after", times: 6 }),
    gone("auth"),
    up(),
  ],
  "closes a trunk whose number a foreign trunk has for other callers": [
    trunk(1),
    auth({ trunk: 1, callers: 1 }),
    up(),
    // The end of every run follows: destroy must close the trunk.
    byHand("foreign trunk", 3),
  ],
  "keeps both halves of a pair when its takeover is interrupted between them": [
    trunk(0),
    up({ after: 3, what: "kill after", times: 1 }),
    up({ after: 2, what: "429", times: 1 }, { after: 1, what: "429", times: 40 }, { after: 0, what: "429", times: 1 }),
  ],
  "names the SipTrunk that has a number, and not its InboundAuth, when the trunk's marker was overwritten": [
    trunk(1),
    auth({ trunk: 1, option: "deleted with its trunk" }),
    up(),
    byHand("metadata of one overwritten"),
    trunk(1, { parent: "component", aliased: false }),
  ],
  "refuses a pair in the preview that another stack of the same name has taken over by half": [
    trunk(0, { option: "delete before replace" }),
    { do: "second backend" },
    up(),
    byHand("metadata of the other overwritten"),
    { do: "up", in: "theirs", refresh: false, parallel: 1, mishaps: [] },
    up({ after: 0, what: "429", times: 1 }),
  ],
  "points a rule to this stack's own trunk, even if another stack's trunk has the same name": [
    { do: "trunk", in: "theirs", slot: 2, spec: TRUNK },
    { do: "up", in: "theirs", refresh: false, parallel: 1, mishaps: [] },
    trunk(2, { renamed: true }),
    rule({ parent: "component", trunks: [2] }),
    { do: "rename", in: "ours", to: 1 },
    up(),
    trunk(2),
  ],
  "points a rule to a trunk that ignores all changes, even if its marker was overwritten": [
    trunk(2),
    up(),
    rule({ trunks: [2], option: "deleted with its trunk" }),
    trunk(2, { parent: "component", option: "ignore all" }),
    byHand("metadata of one overwritten"),
  ],
  "recreates a rule that ignores all changes, even after its stack was renamed": [
    rule({ parent: "component", option: "ignore all" }),
    up({ after: 0, what: "429", times: 1 }),
    { do: "rename", in: "ours", to: 1 },
    byHand("everything deleted"),
    up({ after: 0, what: "429", times: 1 }),
  ],
  "creates a renamed trunk beside the old one if the old one accepts only certain callers": [
    trunk(1, { option: "ignore password" }),
    auth({ trunk: 1, option: "deleted with its trunk", callers: 1 }),
    up(),
    trunk(1, { parent: "component", aliased: false }),
    gone("auth"),
    up(),
  ],
  "refuses callers in the preview when another stack has taken over the trunk with them": [
    trunk(0),
    auth({ trunk: 0, parent: "component", callers: 1 }),
    up(),
    byHand("taken over by another stack"),
    up(),
  ],
  "accepts the allowlist that an InboundAuth with ignored changes restores after somebody cleared it": [
    auth({ trunk: 0, parent: "component", option: "ignore all", method: "ip" }),
    trunk(0),
    up(),
    byHand("inbound opened"),
    byHand("inbound password"),
  ],
  "leaves a trunk open to its addresses when the trunk itself changes": [
    trunk(0),
    auth({ trunk: 0, method: "ip" }),
    up(),
    trunk(0, { headers: 1 }),
    up(),
  ],
  "recovers from an up that was killed after it opened a new trunk that is no longer declared open": [
    trunk(1, { option: "ignore password" }),
    auth({ trunk: 1, option: "deleted with its trunk" }),
    up({ after: 4, what: "kill after", times: 1 }),
    gone("auth"),
    up(),
  ],
  "does not take back a pair that another stack of the same name has, even if its own state still has the IDs": [
    trunk(0),
    up(),
    { do: "second backend" },
    {
      do: "auth",
      in: "theirs",
      slot: 0,
      spec: { ...COMMON, trunk: 0, method: "credentials", addresses: 0, callers: 0 },
    },
    { do: "up", in: "theirs", refresh: false, parallel: 1, mishaps: [] },
    // The end of every run follows: our `up` is refused, then succeeds under another stack name.
  ],
  "keeps an InboundAuth in place if an earlier up moved its trunk, but failed before it came to the InboundAuth": [
    trunk(1, { parent: "component" }),
    auth({ trunk: 1, parent: "component" }),
    up(),
    trunk(1),
    up({ after: 4, what: "429", times: 40 }),
    byHand("inbound password"),
  ],
  "leaves a trunk without a note alone if its other half belongs to another stack of the same name": [
    trunk(0),
    { do: "second backend" },
    { do: "up", in: "theirs", refresh: false, parallel: 1, mishaps: [] },
    up(),
    byHand("metadata of one overwritten"),
    { do: "up", in: "theirs", refresh: false, parallel: 1, mishaps: [] },
  ],
  "takes over a trunk that an up had renamed on LiveKit before it was killed": [
    trunk(0, { parent: "component", aliased: false }),
    up(),
    { do: "nest", in: "ours", on: true },
    up({ after: 4, what: "kill after", times: 1 }),
  ],
  "leads a rule to a trunk whose new InboundAuth ignores changes that were made by hand": [
    rule({ parent: "component", trunks: [2] }),
    trunk(2),
    up(),
    auth({ trunk: 2, option: "ignore all" }),
    byHand("inbound password"),
  ],
  "knows the password of a trunk that an interrupted create left, whose id is in no state": [
    trunk(0, { direction: "outbound" }),
    up({ after: 2, what: "500 after", times: 40 }, { after: 0, what: "429", times: 1 }),
    gone("trunk"),
  ],
};
