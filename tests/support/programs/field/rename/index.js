// One integration. `name` is that of its resources; `empty` says that it is declared no longer.

const pulumi = require("@pulumi/pulumi");
const { DispatchRule, InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { extension } = require("../trunks");

const config = new pulumi.Config();
const name = config.get("name") ?? "office";

if (!config.getBoolean("empty")) {
  const trunk = new SipTrunk(name, extension("3001"));
  new InboundAuth(name, { trunk, method: "credentials" });
  new DispatchRule(name, { trunks: [trunk], rule: "individual", roomPrefix: "call-" });
}
