// The plugin as the Pulumi CLI finds it, in the package or in a release's archive. Its code is in the package.
require("pulumi-livekit-sip/native");
