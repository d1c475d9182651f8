import * as pulumi from "@pulumi/pulumi";
import * as livekit_sip from "@pulumi/livekit-sip";

const config = new pulumi.Config();
const diallerPassword = config.requireSecret("diallerPassword");
const hotline = new livekit_sip.SipTrunk("hotline", {
    type: livekit_sip.SipTrunkType.Did,
    numbers: ["+12025550123"],
    direction: livekit_sip.SipTrunkDirection.Inbound,
    country: "US",
});
const dialler = new livekit_sip.SipTrunk("dialler", {
    type: livekit_sip.SipTrunkType.Did,
    numbers: ["+12025550123"],
    direction: livekit_sip.SipTrunkDirection.Outbound,
    address: "sip.provider.example",
    username: "acme",
    password: diallerPassword,
    country: "US",
});
