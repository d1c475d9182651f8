import * as pulumi from "@pulumi/pulumi";
import { DispatchRule, InboundAuth, SipIntegration, SipTrunk } from "pulumi-livekit-sip";

const config = new pulumi.Config();
const password = config.requireSecret("password");
const isBad = config.requireBoolean("bad");

const trunk = new SipTrunk("office", {
  type: "extension",
  extension: "1011",
  address: config.getSecret("address") ?? "pbx.acme.com",
  password,
  country: "US",
  voipCheck: "off",
  transport: isBad ? "auto" : "tls",
  mediaEncryption: isBad ? "disabled" : "require",
});

/** Stands for the InboundAuth of a version of the package that did not refuse an empty password, which opens the trunk. */
class EarlierInboundAuth extends pulumi.dynamic.Resource {
  constructor(name: string, inputs: pulumi.Inputs) {
    super({ create: async (outs) => ({ id: name, outs }) }, name, inputs, {}, "livekit", "InboundAuth");
  }
}

if (isBad) {
  const { owner, username } = trunk;
  new EarlierInboundAuth("office", { owner, trunk: owner, method: "credentials", username, password: "" });
} else {
  new InboundAuth("office", { trunk, method: "credentials" });
}

new DispatchRule("office", { trunks: isBad ? "all" : [trunk], rule: "individual", pin: config.requireSecret("pin") });

new SipIntegration("acme", {
  type: "extension",
  extension: "1012",
  address: "pbx.acme.com",
  password,
  country: "US",
  voipCheck: "off",
  transport: "tls",
  mediaEncryption: "require",
  // The allowlist is not known before the trunk exists.
  inbound: {
    method: "ip",
    allowedAddresses: [trunk.inboundTrunkId.apply((id) => (isBad || id === "" ? "203.0.0.0/16" : "203.0.113.0/28"))],
  },
});
