// Resources that do nothing, so that only Pulumi's own time is measured. Strict mode, because Pulumi writes more into
// the state for functions that are not strict.

"use strict";

const pulumi = require("@pulumi/pulumi");
const { declare } = require("./customers");

/**
 * Declares the resources.
 *
 * @param thinProvider - creates the provider for a kind of resource
 * @param carriesAll - whether they have the inputs and outputs that this package adds, or only the program's own
 * arguments
 */
exports.declareNothing = (thinProvider, carriesAll) => {
  // One object per type, which Pulumi serializes once.
  const providers = new Map(["SipTrunk", "InboundAuth", "DispatchRule"].map((kind) => [kind, thinProvider(kind)]));
  const more = (inputs) => (carriesAll ? inputs : {});

  class Nothing extends pulumi.dynamic.Resource {
    constructor(kind, name, inputs, outputs) {
      const computed = more(Object.fromEntries(outputs.map((output) => [output, undefined])));
      const secrets = { additionalSecretOutputs: ["password", "__lastApplied"] };
      super(providers.get(kind), name, { ...inputs, ...computed }, secrets, "livekit", kind);
    }
  }

  const ownerOf = (name) => `organization/bench/bench/${name}`;

  class SipTrunk extends Nothing {
    constructor(name, { password, ...args }) {
      const inputs = { ...args, password: pulumi.secret(password), ...more({ name, owner: ownerOf(name) }) };
      const ids = ["inboundTrunkId", "outboundTrunkId"];
      super("SipTrunk", name, inputs, [...ids, "sipUri", "credentialFingerprint", "platformStatus", "voipStatus"]);
      this.reference = ownerOf(name);
      this.credential = { username: args.username, password };
    }
  }

  class InboundAuth extends Nothing {
    constructor(name, { trunk, ...args }) {
      const { username, password } = trunk.credential;
      const credential = more({ username, password: pulumi.secret(password), owner: ownerOf(name) });
      const inputs = { ...args, trunk: trunk.reference, ...credential };
      super("InboundAuth", name, inputs, ["inboundTrunkId", "credentialFingerprint", "platformStatus"]);
    }
  }

  class DispatchRule extends Nothing {
    constructor(name, { trunks, ...args }) {
      const inputs = {
        ...args,
        trunks: trunks.map(({ reference }) => reference),
        ...more({ name, owner: ownerOf(name) }),
      };
      super("DispatchRule", name, inputs, ["platformStatus"]);
    }
  }

  declare({ SipTrunk, InboundAuth, DispatchRule });
};
