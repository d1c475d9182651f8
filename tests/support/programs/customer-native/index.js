// The program of ../customer with the native provider. The classes below are what a generated SDK makes of schema.json, except that they take
// a trunk as the Node.js package does, so that scenarios are the same on both.

const Module = require("node:module");
const pulumi = require("@pulumi/pulumi");
const schema = require("../../../../schema.json");

function classOf(kind) {
  const token = `livekit-sip:index:${kind}`;
  const { properties } = schema.resources[token];
  const outputs = Object.fromEntries(Object.keys(properties).map((name) => [name, undefined]));
  const secrets = Object.keys(properties).filter((name) => properties[name].secret);
  return class extends pulumi.CustomResource {
    constructor(name, args, options) {
      const sealed = secrets
        .filter((secret) => args[secret] !== undefined)
        .map((secret) => [secret, pulumi.secret(args[secret])]);
      super(
        token,
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

const exported = require("pulumi-livekit-sip");
const kinds = ["SipTrunk", "InboundAuth", "DispatchRule", "TestCall"];
const native = { ...exported, ...Object.fromEntries(kinds.map((kind) => [kind, classOf(kind)])) };
const load = Module._load;
Module._load = (request, ...rest) => (request === "pulumi-livekit-sip" ? native : load(request, ...rest));
module.exports = require("../customer/index.js");
