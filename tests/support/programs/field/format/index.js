// An allowlist that follows its trunk's number format: `format` and `country`.

const pulumi = require("@pulumi/pulumi");
const { InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { did } = require("../trunks");

const config = new pulumi.Config();
const numberFormat = config.require("format");
const trunk = new SipTrunk("formatted", did(["+77012345678"], { numberFormat, country: config.require("country") }));
new InboundAuth("formatted", {
  trunk,
  method: "ip",
  allowedAddresses: ["203.0.113.7"],
  allowedNumbers: ["8 701 234 56 79"],
});
