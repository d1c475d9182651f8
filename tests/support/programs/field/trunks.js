// The trunks that the programs declare. Their password is the stack's secret configuration value `password`.

const pulumi = require("@pulumi/pulumi");

const common = () => ({
  address: "pbx.acme.example",
  password: new pulumi.Config().requireSecret("password"),
  country: "US",
  voipCheck: "off",
});

/** The arguments of a trunk for an extension. */
exports.extension = (extension, changes) => ({ ...common(), type: "extension", extension, ...changes });

/** The arguments of a trunk for phone numbers. */
exports.did = (numbers, changes) => ({ ...common(), type: "did", numbers, username: "acme", ...changes });
