// What two people declare from one repository, each with their own state: `who` they are, and the extension.

const pulumi = require("@pulumi/pulumi");
const { DispatchRule, InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { extension } = require("../trunks");

const config = new pulumi.Config();
const who = config.require("who");
const trunk = new SipTrunk("shared", extension(config.require("extension"), { address: `pbx-${who}.acme.example` }));
const allowedAddresses = [who === "ann" ? "203.0.113.7" : "198.51.100.9"];
new InboundAuth("shared", { trunk, method: "ip", allowedAddresses });
new DispatchRule("shared", { trunks: [trunk], rule: "individual", roomPrefix: `${who}-` });
