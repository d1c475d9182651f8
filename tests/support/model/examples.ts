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
  "closes a trunk again whose closed credential got a password that somebody knows": [
    trunk(0),
    up(),
    byHand("inbound password"),
    up(),
  ],
  "takes no proxy's empty page for LiveKit's answer": [rule(), up({ after: 0, what: "empty", times: 6 }), up()],
  "writes a new name to the trunks although nothing else changed": [trunk(2), up(), trunk(2, { renamed: true }), up()],
  "closes a trunk that is renamed while its InboundAuth is removed": [
    auth({ trunk: 2 }),
    trunk(2, { renamed: true }),
    up(),
    trunk(2),
    gone("auth"),
    up(),
  ],
  "finds a trunk again of which it never learned that it was made, and removes it with its declaration": [
    trunk(0),
    up({ after: 2, what: "500 after", times: 40 }),
    gone("trunk"),
    up(),
  ],
  "closes a trunk of which it never learned that it was opened, once nothing declares that": [
    trunk(2),
    auth({ trunk: 2 }),
    up({ after: 5, what: "503 after", times: 6 }),
    gone("auth"),
    up(),
  ],
  "closes a trunk whose number somebody else's trunk has for other callers": [
    trunk(1),
    auth({ trunk: 1, callers: 1 }),
    up(),
    // The end of every run follows: destroy must close the trunk.
    byHand("foreign trunk", 3),
  ],
  "keeps both halves of a pair whose taking over was cut off between them": [
    trunk(0),
    up({ after: 3, what: "kill after", times: 1 }),
    up({ after: 2, what: "429", times: 1 }, { after: 1, what: "429", times: 40 }, { after: 0, what: "429", times: 1 }),
  ],
  "names the SipTrunk, and not its InboundAuth, that has a number, where the trunk's marker was overwritten": [
    trunk(1),
    auth({ trunk: 1, option: "deleted with its trunk" }),
    up(),
    byHand("metadata of one overwritten"),
    trunk(1, { parent: "component", aliased: false }),
  ],
  "refuses in the preview what another stack of the same name has made of half a pair": [
    trunk(0, { option: "delete before replace" }),
    { do: "second backend" },
    up(),
    byHand("metadata of the other overwritten"),
    { do: "up", in: "theirs", refresh: false, parallel: 1, mishaps: [] },
    up({ after: 0, what: "429", times: 1 }),
  ],
  "leads a rule to this stack's own trunk, also where another stack's has the same name": [
    { do: "trunk", in: "theirs", slot: 2, spec: TRUNK },
    { do: "up", in: "theirs", refresh: false, parallel: 1, mishaps: [] },
    trunk(2, { renamed: true }),
    rule({ parent: "component", trunks: [2] }),
    { do: "rename", in: "ours", to: 1 },
    up(),
    trunk(2),
  ],
  "leads a rule to a trunk that is not to be repaired, although its marker was overwritten": [
    trunk(2),
    up(),
    rule({ trunks: [2], option: "deleted with its trunk" }),
    trunk(2, { parent: "component", option: "ignore all" }),
    byHand("metadata of one overwritten"),
  ],
  "makes a rule again whose changes are ignored, although its stack was renamed": [
    rule({ parent: "component", option: "ignore all" }),
    up({ after: 0, what: "429", times: 1 }),
    { do: "rename", in: "ours", to: 1 },
    byHand("everything deleted"),
    up({ after: 0, what: "429", times: 1 }),
  ],
  "makes a renamed trunk beside its former self, where that takes the calls of certain callers alone": [
    trunk(1, { option: "ignore password" }),
    auth({ trunk: 1, option: "deleted with its trunk", callers: 1 }),
    up(),
    trunk(1, { parent: "component", aliased: false }),
    gone("auth"),
    up(),
  ],
  "refuses in the preview the callers of a trunk that another stack has taken over with them": [
    trunk(0),
    auth({ trunk: 0, parent: "component", callers: 1 }),
    up(),
    byHand("taken over by another stack"),
    up(),
  ],
  "accepts what an InboundAuth that ignores all changes gets back of an allowlist that somebody emptied": [
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
  "goes on where an up was killed after it had opened a new trunk, and nothing declares that any more": [
    trunk(1, { option: "ignore password" }),
    auth({ trunk: 1, option: "deleted with its trunk" }),
    up({ after: 4, what: "kill after", times: 1 }),
    gone("auth"),
    up(),
  ],
  "does not take back a pair that another stack of the same name has, although its own state still holds the ids": [
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
};
