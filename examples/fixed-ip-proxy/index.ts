import * as pulumi from "@pulumi/pulumi";
import { InboundAuth, SipTrunk } from "pulumi-livekit-sip";

const config = new pulumi.Config();

// A provider that takes calls from one address only: LiveKit sends them through the proxy of livekit:outboundProxy.
const support = new SipTrunk("support", {
  type: "did",
  numbers: ["+1 202 555 0123"],
  address: "sip.provider.example",
  fixedIp: true,
  username: "acme",
  password: config.requireSecret("supportPassword"),
  country: "US",
});
new InboundAuth("support", { trunk: support, method: "ip", allowedAddresses: ["198.51.100.0/24"] });

export const outboundTrunk = support.outboundTrunkId;
