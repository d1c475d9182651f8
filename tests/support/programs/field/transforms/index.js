// What transforms can do to a trunk. `v` selects one.

const pulumi = require("@pulumi/pulumi");
const { InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { extension } = require("../trunks");

const config = new pulumi.Config();
// Plain text in the program, as people write it. It is only secret in the configuration for the test's sake.
const other = config.get("other");
const isTrunk = ({ type }) => type.endsWith(":SipTrunk");
const transforms = {
  password: (it) =>
    isTrunk(it)
      ? { props: { ...it.props, password: other, headers: { ...it.props.headers, "X-Team": "voice" } }, opts: it.opts }
      : undefined,
  tags: ({ props, opts }) => ({ props: { ...props, tags: { team: "voice" } }, opts }),
  secret: ({ props, opts }) => ({ props, opts: { ...opts, additionalSecretOutputs: ["address"] } }),
};

const [kind, name] = config.require("v").split(":");
if (kind === "transform") {
  pulumi.runtime.registerResourceTransform(transforms[name]);
}
if (kind === "transformation") {
  pulumi.runtime.registerStackTransformation(transforms[name]);
}
const trunk = new SipTrunk("transformed", extension("3402"));
new InboundAuth("transformed", { trunk, method: "credentials" });
