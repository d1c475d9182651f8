// Declares what the configuration value `program` says. A scenario changes its program by changing that value.
//   {"$secret": "key"}    the secret configuration value `key`
//   {"$clear": "key"}     the same, not marked as a secret
//   {"$long": n}          a text of n characters, too long for the configuration
//   {"$nested": n}        a JSON object nested n levels deep
//   {"$kamailio": args}   the credential in a Kamailio database
//   {"$asterisk": args}   the credential in an Asterisk configuration file
//   {"$unknown": value}   an output of a resource that does not exist in the first preview
//   {"$of": [name, key]}  an output of a trunk, as text

const pulumi = require("@pulumi/pulumi");
const {
  asteriskConfigCredential,
  DispatchRule,
  InboundAuth,
  kamailioCredential,
  SipIntegration,
  SipTrunk,
  TestCall,
} = require("pulumi-livekit-sip");

const config = new pulumi.Config();
const program = config.requireObject("program");

const later = {
  create: async (inputs) => ({ id: "later", outs: inputs.wrapped }),
};

class Later extends pulumi.dynamic.Resource {
  constructor(name, value) {
    super(later, name, { wrapped: { value }, value: undefined });
  }
}

let laterCount = 0;

function resolve(value) {
  if (Array.isArray(value)) {
    return value.map(resolve);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if ("$secret" in value) {
    return config.requireSecret(value.$secret);
  }
  if ("$clear" in value) {
    return config.require(value.$clear);
  }
  if ("$long" in value) {
    return "x".repeat(value.$long);
  }
  if ("$nested" in value) {
    return `{"nested":${"[".repeat(value.$nested)}${"]".repeat(value.$nested)}}`;
  }
  if ("$kamailio" in value) {
    return kamailioCredential(resolve(value.$kamailio));
  }
  if ("$asterisk" in value) {
    return asteriskConfigCredential(resolve(value.$asterisk));
  }
  if ("$unknown" in value) {
    laterCount += 1;
    return new Later(`later-${laterCount}`, resolve(value.$unknown)).value;
  }
  if ("$of" in value) {
    const [name, key] = value.$of;
    return placed[name][key].apply(String);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)]));
}

const placed = {};

/** Resolves options in which `parent` and `deletedWith` name a component or a trunk. */
function resolveOptions({ parent, deletedWith, ...options } = {}) {
  return {
    ...options,
    ...(parent && { parent: placed[parent] }),
    ...(deletedWith && { deletedWith: placed[deletedWith] }),
  };
}

function declare(specs, make) {
  return Object.fromEntries(
    Object.entries(specs ?? {}).map(([name, { options, ...args }]) => [
      name,
      make(name, args, resolveOptions(options)),
    ]),
  );
}

declare(program.components, (name, { type }, options) => {
  placed[name] = new pulumi.ComponentResource(type, name, {}, options);
});

const trunks = declare(program.trunks, (name, args, options) => {
  placed[name] = new SipTrunk(name, resolve(args), options);
  return placed[name];
});
const auths = declare(program.auths, (name, { trunk, ...args }, options) => {
  return new InboundAuth(name, { trunk: trunks[trunk], ...resolve(args) }, options);
});
const rules = declare(program.rules, (name, { trunks: names, ...args }, options) => {
  const wanted = Array.isArray(names) ? names.map((trunk) => trunks[trunk] ?? resolve(trunk)) : names;
  return new DispatchRule(name, { trunks: wanted, ...resolve(args) }, options);
});

declare(program.calls, (name, { trunk, ...args }, options) => {
  const dependsOn = [...Object.values(auths), ...Object.values(rules)];
  return new TestCall(name, { trunk: trunks[trunk], ...resolve(args) }, { dependsOn, ...options });
});

const integrations = declare(program.integrations, (name, args, options) => {
  return new SipIntegration(name, resolve(args), options);
});

module.exports = Object.fromEntries(
  Object.entries({ ...trunks, ...integrations }).map(([name, trunk]) => [
    name,
    { inboundTrunkId: trunk.inboundTrunkId, outboundTrunkId: trunk.outboundTrunkId, sipUri: trunk.sipUri },
  ]),
);
