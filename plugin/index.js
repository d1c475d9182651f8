// The plugin as the Pulumi CLI finds it. Its code is in the package.
const OLDEST = 20;
if (Number(process.versions.node.split(".")[0]) < OLDEST) {
  process.stderr.write(
    `pulumi-livekit-sip needs Node.js ${OLDEST} or later, and this is ${process.version}: update Node.js.\n`,
  );
  process.exit(1);
}
require("pulumi-livekit-sip/native");
