// A rule that lists something twice: `rule` holds those fields. With `callers`, also an allowlist of these.

const pulumi = require("@pulumi/pulumi");
const { DispatchRule, InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { did } = require("../trunks");

const config = new pulumi.Config();
const trunk = new SipTrunk("twice", did(["+12025550140"]));
const { trunks = 1, ...fields } = config.getObject("rule") ?? {};
new DispatchRule("twice", { trunks: Array(trunks).fill(trunk), rule: "individual", ...fields });
const allowedNumbers = config.getObject("callers");
if (allowedNumbers) {
  new InboundAuth("twice", { trunk, method: "credentials", allowedNumbers });
}
