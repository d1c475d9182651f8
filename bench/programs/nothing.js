// Resources that do nothing, so that only Pulumi's own time is measured. With BENCH_SUBJECT=floor they have as many and
// as long properties as this package's resources, otherwise only the program's arguments. Strict mode, because Pulumi
// writes more into the state for functions that are not strict.

"use strict";

const pulumi = require("@pulumi/pulumi");

const isFloor = process.env.BENCH_SUBJECT === "floor";
const added = (inputs) => (isFloor ? inputs : {});
const ownerOf = (name) => `organization/bench/bench/${name}`;

/** Like this package's provider, a short function that loads everything else in the host. */
function thinProvider(k) {
  const take = function (c) {
    return Object.assign(this, require("./the-host-of-the-floor").of(k, c));
  };
  return { configure: take, create: take };
}

// One object per type, which Pulumi serializes once.
const providers = new Map(["SipTrunk", "InboundAuth", "DispatchRule"].map((kind) => [kind, thinProvider(kind)]));

class Nothing extends pulumi.dynamic.Resource {
  constructor(kind, name, inputs, outputs) {
    const computed = added(Object.fromEntries(outputs.map((output) => [output, undefined])));
    const secrets = { additionalSecretOutputs: ["password", "__lastApplied"] };
    super(providers.get(kind), name, { ...inputs, ...computed }, secrets, "livekit", kind);
  }
}

exports.SipTrunk = class SipTrunk extends Nothing {
  constructor(name, { password, ...args }) {
    const inputs = { ...args, password: pulumi.secret(password), ...added({ name, owner: ownerOf(name) }) };
    const ids = ["inboundTrunkId", "outboundTrunkId"];
    super("SipTrunk", name, inputs, [...ids, "sipUri", "credentialFingerprint", "platformStatus", "voipStatus"]);
    this.reference = ownerOf(name);
    this.credential = { username: args.username, password };
  }
};

exports.InboundAuth = class InboundAuth extends Nothing {
  constructor(name, { trunk, ...args }) {
    const { username, password } = trunk.credential;
    const credential = added({ username, password: pulumi.secret(password), owner: ownerOf(name) });
    const inputs = { ...args, trunk: trunk.reference, ...credential };
    super("InboundAuth", name, inputs, ["inboundTrunkId", "credentialFingerprint", "platformStatus"]);
  }
};

exports.DispatchRule = class DispatchRule extends Nothing {
  constructor(name, { trunks, ...args }) {
    const references = trunks.map(({ reference }) => reference);
    const inputs = { ...args, trunks: references, ...added({ name, owner: ownerOf(name) }) };
    super("DispatchRule", name, inputs, ["platformStatus"]);
  }
};
