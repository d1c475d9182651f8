// A trunk whose changes are ignored. `ignored` lists the fields; with `everywhere` this applies to all its resources,
// not only the trunk.

const pulumi = require("@pulumi/pulumi");
const { DispatchRule, InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { did } = require("../trunks");

const config = new pulumi.Config();
const ignoring = { ignoreChanges: config.requireObject("ignored") };
const others = config.getBoolean("everywhere") ? ignoring : {};
const trunk = new SipTrunk("ignored", did([config.require("number")]), ignoring);
new InboundAuth("ignored", { trunk, method: "credentials" }, others);
new DispatchRule("ignored", { trunks: [trunk], rule: "individual", roomPrefix: "call-" }, others);
