import * as pulumi from "@pulumi/pulumi";
import * as livekit_sip from "@pulumi/livekit-sip";

const support = new livekit_sip.SipTrunk("support", {
    type: livekit_sip.SipTrunkType.Did,
    numbers: ["+12025550123"],
    direction: livekit_sip.SipTrunkDirection.Inbound,
    country: "US",
});
const supportRule = new livekit_sip.DispatchRule("support", {
    trunks: [support.reference],
    rule: livekit_sip.DispatchRuleKind.Individual,
    roomPrefix: "support-",
    agents: [{
        agentName: "receptionist",
    }],
});
