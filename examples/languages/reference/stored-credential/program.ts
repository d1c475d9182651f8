import * as pulumi from "@pulumi/pulumi";
import * as livekit_sip from "@pulumi/livekit-sip";

const config = new pulumi.Config();
const kamailioDatabase = config.requireSecret("kamailioDatabase");
const stored = livekit_sip.kamailioCredentialOutput({
    url: kamailioDatabase,
    username: "1011",
});
const office = new livekit_sip.SipTrunk("office", {
    type: livekit_sip.SipTrunkType.Extension,
    extension: "1011",
    address: "pbx.acme.com",
    country: "US",
    credential: stored.apply(stored => stored.credential),
});
