// A PBX in Germany, where 1011 could also be a phone number.

const { InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { extension } = require("../trunks");

const trunk = new SipTrunk("werk", extension("1099", { country: "DE" }));
new InboundAuth("werk", {
  trunk,
  method: "ip",
  allowedAddresses: ["203.0.113.7"],
  allowedNumbers: ["1011", "1012", "2011"],
});
