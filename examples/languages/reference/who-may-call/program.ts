import * as pulumi from "@pulumi/pulumi";
import * as livekit_sip from "@pulumi/livekit-sip";

const config = new pulumi.Config();
const receptionPassword = config.requireSecret("receptionPassword");
const reception = new livekit_sip.SipTrunk("reception", {
    type: livekit_sip.SipTrunkType.Extension,
    extension: "1011",
    address: "pbx.acme.com",
    password: receptionPassword,
    country: "US",
});
const receptionAuth = new livekit_sip.InboundAuth("reception", {
    trunk: reception.reference,
    method: livekit_sip.InboundAuthMethod.Credentials,
});
const support = new livekit_sip.SipTrunk("support", {
    type: livekit_sip.SipTrunkType.Did,
    numbers: ["+12025550123"],
    direction: livekit_sip.SipTrunkDirection.Inbound,
    country: "US",
});
const supportAuth = new livekit_sip.InboundAuth("support", {
    trunk: support.reference,
    method: livekit_sip.InboundAuthMethod.Ip,
    allowedAddresses: [
        "203.0.113.7",
        "198.51.100.0/24",
    ],
});
