// What a generated SDK makes of schema.json, except that the classes take a trunk as those of the Node.js package do.

const pulumi = require("@pulumi/pulumi");
const schema = require("../../schema.json");

/** The classes of all resources, of the native provider or of another package with the same resources. */
exports.classesOf = (pkg = schema.name) =>
  Object.fromEntries(["SipTrunk", "InboundAuth", "DispatchRule", "TestCall"].map((it) => [it, classOf(pkg, it)]));

/** An explicit provider. */
exports.Provider = class extends pulumi.ProviderResource {
  constructor(name, settings, options) {
    super(schema.name, name, settings, { version: schema.version, ...options });
  }
};

function classOf(pkg, kind) {
  const { properties } = schema.resources[`${schema.name}:index:${kind}`];
  const outputs = Object.fromEntries(Object.keys(properties).map((name) => [name, undefined]));
  const secrets = Object.keys(properties).filter((name) => properties[name].secret);
  return class extends pulumi.CustomResource {
    constructor(name, args, options) {
      const sealed = secrets
        .filter((secret) => args[secret] !== undefined)
        .map((secret) => [secret, pulumi.secret(args[secret])]);
      super(
        `${pkg}:index:${kind}`,
        name,
        { ...outputs, ...byReference(args), ...Object.fromEntries(sealed) },
        {
          version: schema.version,
          additionalSecretOutputs: secrets,
          ...options,
        },
      );
    }
  };
}

function byReference({ trunk, trunks, ...args }) {
  const reference = (it) => (pulumi.Resource.isInstance(it) ? it.reference : it);
  return {
    ...args,
    ...(trunk !== undefined && { trunk: reference(trunk) }),
    ...(trunks !== undefined && { trunks: Array.isArray(trunks) ? trunks.map(reference) : trunks }),
  };
}
