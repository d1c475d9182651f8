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
const receptionRule = new livekit_sip.DispatchRule("reception", {
    trunks: [reception.reference],
    rule: livekit_sip.DispatchRuleKind.Individual,
});
const receptionOut = new livekit_sip.TestCall("reception-out", {
    trunk: reception.reference,
    direction: livekit_sip.TestCallDirection.Outbound,
    to: "+12025550100",
});
const receptionIn = new livekit_sip.TestCall("reception-in", {
    trunk: reception.reference,
    direction: livekit_sip.TestCallDirection.Inbound,
}, {
    dependsOn: [
        receptionAuth,
        receptionRule,
    ],
});
