import * as pulumi from "@pulumi/pulumi";
import * as livekit_sip from "@pulumi/livekit-sip";

const config = new pulumi.Config();
const password = config.requireSecret("password");
const pendingPassword = config.requireSecret("pendingPassword");
const reception = new livekit_sip.SipTrunk("reception", {
    type: livekit_sip.SipTrunkType.Extension,
    extension: "1011",
    address: "pbx.acme.com",
    password: password,
    pendingPassword: pendingPassword,
    country: "US",
});
