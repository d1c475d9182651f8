// A unit test of a program with Pulumi's own mocks. The organization can be given as an argument.

const pulumi = require("@pulumi/pulumi");

pulumi.runtime.setMocks(
  {
    newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: { ...inputs } }),
    call: ({ inputs }) => inputs,
  },
  "project",
  "dev",
  false,
  ...process.argv.slice(2),
);

const { DispatchRule, InboundAuth, SipTrunk } = require("pulumi-livekit-sip");

const password = pulumi.secret("Mocked-Password-2025-x!");
const args = { type: "extension", extension: "1011", address: "pbx.acme.example", password, country: "US" };

class Line extends pulumi.ComponentResource {
  constructor(name, options) {
    super("acme:index:Line", name, {}, options);
    this.trunk = new SipTrunk(name, args, { parent: this });
    this.auth = new InboundAuth(name, { trunk: this.trunk, method: "credentials" }, { parent: this });
  }
}

/** A component from a plugin, which determines its children and its URN. */
class RemoteLine extends pulumi.ComponentResource {
  constructor(name) {
    super("acme:index:RemoteLine", name, {}, undefined, true);
  }
}

const trunk = new SipTrunk("top", args);
const rule = new DispatchRule("top", { trunks: [trunk], rule: "individual" });
const line = new Line("below");
const remote = new RemoteLine("remote");
const ofRemote = new SipTrunk("remote", args, { parent: remote });
new InboundAuth("remote", { trunk: ofRemote, method: "credentials" }, { parent: remote });
const shown = {
  username: trunk.username,
  rule: rule.id,
  inComponent: line.trunk.extension,
  auth: line.auth.id,
  inRemoteComponent: ofRemote.owner,
};

pulumi.output(shown).apply(async (values) => {
  process.stdout.write(JSON.stringify({ ...values, isSecret: await pulumi.isSecret(trunk.password) }));
});
