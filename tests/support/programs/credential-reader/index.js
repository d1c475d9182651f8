// Reads a credential as configured, and passes it to a resource and to the stack's outputs.
//   reader: the name of the reader; args: its arguments; url: one more argument, a secret
//   later:  makes `username` an output of a resource that does not exist in the first preview

const pulumi = require("@pulumi/pulumi");
const readers = require("pulumi-livekit-sip");

const config = new pulumi.Config();
const args = config.requireObject("args");
const url = config.getSecret("url");

const provider = { create: async (inputs) => ({ id: "held", outs: { made: inputs.value } }) };

class Holder extends pulumi.dynamic.Resource {
  constructor(name, value) {
    // An output with another name than its secret input is only secret if it is listed here.
    super(provider, name, { value, made: undefined }, { additionalSecretOutputs: ["made"] });
  }
}

if (config.getBoolean("later")) {
  args.username = new Holder("later", args.username).made;
}
const credential = readers[config.require("reader")]({ ...args, ...(url && { url }) });

new Holder("holder", credential);
exports.credential = credential;
