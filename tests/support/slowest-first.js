"use strict";
// On a machine where jest has not timed the suites yet, it starts the largest files first. This starts suites with many
// processes first, so that none of them is left to run alone at the end.

const { default: Sequencer } = require("@jest/test-sequencer");

const SLOWEST = [
  "field-programs",
  "sip-trunk",
  "options",
  "faults",
  "faults-adopt",
  "sip-integration",
  "policy-pack",
  "templates",
  "fleet-drift",
  "fleet",
  "direction",
  "adopt",
  "voip-status",
  "rotation",
  "gitops",
  "docs-commands",
  "inbound-auth",
  "dispatch-rule",
  "imported-state",
  "bad-input",
  "import-command",
  "drift-command",
  "faults-host",
  "project",
  "test-call",
  "test-stack",
  "model",
  "drift-page",
  "states",
  "package",
  "credential-readers",
  "smoke",
  "foreign-secrets",
  "import",
  "faults-secrets",
  "fields",
  "livekit-conformance",
  "faults-scale",
];

const rank = ({ path }) => {
  const at = SLOWEST.findIndex((suite) => path.endsWith(`/${suite}.test.ts`));
  return at < 0 ? SLOWEST.length : at;
};

module.exports = class SlowestFirst extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) =>
      a.duration === undefined || b.duration === undefined ? rank(a) - rank(b) : 0,
    );
  }
};
