// The entry point of the policy pack: `pulumi preview --policy-pack node_modules/pulumi-livekit-sip/policies`.
require("../dist/policies/pack");
