// One integration. `name` is the name of its resources, `alias` an earlier name. With `empty`, nothing is declared.

const pulumi = require("@pulumi/pulumi");
const { DispatchRule, InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { extension } = require("../trunks");

const config = new pulumi.Config();
const name = config.get("name") ?? "office";
const alias = config.get("alias");
const options = alias === undefined ? {} : { aliases: [{ name: alias }] };

if (!config.getBoolean("empty")) {
  const trunk = new SipTrunk(name, extension("3001"), options);
  new InboundAuth(name, { trunk, method: "credentials" }, options);
  new DispatchRule(name, { trunks: [trunk], rule: "individual", roomPrefix: "call-" }, options);
}
