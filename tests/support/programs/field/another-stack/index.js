// A trunk in one stack, its InboundAuth and a rule in another. With `network`, the name of the first
// stack, this is the second one. The configuration `reference` does the same where there are no stack references.

const pulumi = require("@pulumi/pulumi");
const { DispatchRule, InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { extension } = require("../trunks");

const config = new pulumi.Config();
const network = config.get("network");
const reference = network
  ? new pulumi.StackReference(network).requireOutput("office")
  : config.getSecretObject("reference");

if (reference === undefined) {
  const trunk = new SipTrunk("office", extension("3001"));
  exports.office = trunk.reference;
  if (config.getBoolean("opened")) {
    new InboundAuth("office", { trunk, method: "credentials" });
  }
} else {
  new InboundAuth("office", { trunk: reference, method: "credentials", allowedNumbers: ["+1 202 555 0188", "1012"] });
  new DispatchRule("office", { trunks: [reference], rule: "individual", roomPrefix: "call-" });
}
