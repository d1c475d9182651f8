// A trunk, and with `auth` the InboundAuth that opens it.

const pulumi = require("@pulumi/pulumi");
const { InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { extension } = require("../trunks");

const trunk = new SipTrunk("door", extension("3201"));
if (new pulumi.Config().getBoolean("auth")) {
  new InboundAuth("door", { trunk, method: "ip", allowedAddresses: ["203.0.113.0/24"] });
}
