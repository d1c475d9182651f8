// A trunk whose changes are ignored: `ignored` lists the fields, on the trunk alone, or with `everywhere` on all its resources.

const pulumi = require("@pulumi/pulumi");
const { DispatchRule, InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { did } = require("../trunks");

const config = new pulumi.Config();
const ignoring = { ignoreChanges: config.requireObject("ignored") };
const others = config.getBoolean("everywhere") ? ignoring : {};
const trunk = new SipTrunk("ignored", did([config.require("number")]), ignoring);
new InboundAuth("ignored", { trunk, method: "credentials" }, others);
new DispatchRule("ignored", { trunks: [trunk], rule: "individual", roomPrefix: "call-" }, others);
