import * as pulumi from "@pulumi/pulumi";
import * as livekit_sip from "@pulumi/livekit-sip";

const config = new pulumi.Config();
const stagingApiSecret = config.requireSecret("stagingApiSecret");
const staging = new livekit_sip.Provider("staging", {
    url: "wss://staging.livekit.cloud",
    apiKey: "APIstaging",
    apiSecret: stagingApiSecret,
});
const hotline = new livekit_sip.SipTrunk("hotline", {
    type: livekit_sip.SipTrunkType.Did,
    numbers: ["+12025550123"],
    direction: livekit_sip.SipTrunkDirection.Inbound,
    country: "US",
}, {
    provider: staging,
});
