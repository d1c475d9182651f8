import * as pulumi from "@pulumi/pulumi";
import { DispatchRule, InboundAuth, SipTrunk } from "pulumi-livekit-sip";

const config = new pulumi.Config();

// An extension of a PBX: the platform is extension 1011, and proves it with the extension's own password.
const reception = new SipTrunk("reception", {
  type: "extension",
  extension: "1011",
  address: config.get("pbxAddress") ?? "pbx.acme.example",
  port: config.getNumber("pbxPort"),
  password: config.requireSecret("receptionPassword"),
  country: "US",
});
new InboundAuth("reception", { trunk: reception, method: "credentials" });

// Numbers from a SIP provider that sends its calls from known addresses.
const support = new SipTrunk("support", {
  type: "did",
  numbers: ["+1 202 555 0123", "+1 202 555 0124"],
  address: "sip.provider.example",
  username: "acme",
  password: config.requireSecret("supportPassword"),
  country: "US",
});
new InboundAuth("support", { trunk: support, method: "ip", allowedAddresses: ["203.0.113.7", "198.51.100.0/24"] });

// Each caller gets a room of their own, and the AI assistant joins it.
new DispatchRule("assistant", {
  trunks: [reception, support],
  rule: "individual",
  roomPrefix: "call-",
  agents: [{ agentName: "assistant" }],
});

// What an agent dials out with. Where the phone systems must send their calls is `support.sipUri`, once livekit:projectId is set.
export const outboundTrunks = [reception.outboundTrunkId, support.outboundTrunkId];
