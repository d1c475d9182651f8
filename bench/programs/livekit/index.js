// The subject: this package.

require("../customers").declare(require("pulumi-livekit-sip"));
