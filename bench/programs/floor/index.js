// The floor: resources that do nothing, with the same inputs and outputs as this package's, in number and in size. What they take
// is Pulumi's own time. Strict, because Pulumi writes more into the state of functions that are not.

"use strict";

const pulumi = require("@pulumi/pulumi");

function thinProvider(k) {
  const take = function (c) {
    return Object.assign(this, require("./the-host-of-the-floor").of(k, c));
  };
  return { configure: take, create: take };
}

// One object for each type, which Pulumi serializes once.
const PROVIDERS = {
  SipTrunk: thinProvider("SipTrunk"),
  InboundAuth: thinProvider("InboundAuth"),
  DispatchRule: thinProvider("DispatchRule"),
};

class Nothing extends pulumi.dynamic.Resource {
  constructor(kind, name, inputs, outputs) {
    const computed = Object.fromEntries(outputs.map((output) => [output, undefined]));
    const secrets = { additionalSecretOutputs: ["password", "__lastApplied"] };
    super(PROVIDERS[kind], name, { ...inputs, ...computed }, secrets, "livekit", kind);
  }
}

const ownerOf = (name) => `organization/bench/bench/${name}`;

class SipTrunk extends Nothing {
  constructor(name, { password, ...args }) {
    const inputs = { ...args, name, password: pulumi.secret(password), owner: ownerOf(name) };
    const outputs = ["inboundTrunkId", "outboundTrunkId", "credentialFingerprint", "platformStatus", "voipStatus"];
    super("SipTrunk", name, inputs, outputs);
    this.credential = { username: args.username, password };
  }
}

class InboundAuth extends Nothing {
  constructor(name, { trunk, ...args }) {
    const { username, password } = trunk.credential;
    const credential = { username, password: pulumi.secret(password) };
    const inputs = { ...args, ...credential, trunk: trunk.owner, owner: ownerOf(name) };
    super("InboundAuth", name, inputs, ["inboundTrunkId", "credentialFingerprint", "platformStatus"]);
  }
}

class DispatchRule extends Nothing {
  constructor(name, { trunks, ...args }) {
    const inputs = { ...args, trunks: trunks.map(({ owner }) => owner), name, owner: ownerOf(name) };
    super("DispatchRule", name, inputs, ["platformStatus"]);
  }
}

require("../customers").declare({ SipTrunk, InboundAuth, DispatchRule });
