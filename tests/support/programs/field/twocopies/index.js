// Refers to a trunk that the company's library created with its own copy of the package.

const pulumi = require("@pulumi/pulumi");
const { DispatchRule, InboundAuth } = require("pulumi-livekit-sip");
const { line } = require("./lib");

const trunk = line("shared", "3501", new pulumi.Config().requireSecret("password"));
new InboundAuth("shared", { trunk, method: "credentials" });
new DispatchRule("shared", { trunks: [trunk], rule: "individual", roomPrefix: "call-" });
