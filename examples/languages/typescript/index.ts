import * as livekit from "@pulumi/livekit-sip";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();

const reception = new livekit.SipTrunk("reception", {
  type: "extension",
  extension: "1011",
  address: config.require("address"),
  password: config.requireSecret("password"),
  country: "US",
});
new livekit.InboundAuth("reception", { trunk: reception.reference, method: "credentials" });
new livekit.DispatchRule("reception", {
  trunks: [reception.reference],
  rule: "individual",
  agents: [{ agentName: "receptionist" }],
});

export const outboundTrunkId = reception.outboundTrunkId;
