// A trunk, its InboundAuth and its rule with Pulumi's resource options.
//   with:    options for all three, as JSON
//   of:      options for single ones by name, as JSON
//   special: the name of an option that can only be set in code
//   url:     the LiveKit server for an explicit provider
//   changed: declares all of them with one change each
//   without: the names of those that are not declared

const pulumi = require("@pulumi/pulumi");
const livekitSip = require("pulumi-livekit-sip");
const { extension } = require("../trunks");

const { DispatchRule, InboundAuth, SipTrunk } = livekitSip;
const config = new pulumi.Config();
const special = config.get("special");
const changed = config.getBoolean("changed");
const without = config.getObject("without") ?? [];
const same = config.getObject("with") ?? {};
const own = config.getObject("of") ?? {};

class Plain extends pulumi.dynamic.Resource {
  constructor(name, value, options) {
    super({ create: async (inputs) => ({ id: name, outs: inputs }) }, name, { value }, options);
  }
}

class DynamicProvider extends pulumi.ProviderResource {
  constructor(name, settings) {
    super(
      "pulumi-nodejs",
      name,
      Object.fromEntries(Object.entries(settings).map(([key, it]) => [`livekit:${key}`, it])),
    );
  }
}

const other = new Plain("other", changed ? 2 : 1, { replaceOnChanges: ["value"] });

const reword = ({ props, opts, type }) => ({
  props: type.endsWith(":SipTrunk") ? { ...props, ringingTimeout: 12 } : props,
  opts,
});

// The native provider has a class of its own, and its settings have another prefix.
const { Provider } = livekitSip;
const settings = new pulumi.Config(Provider ? "livekit-sip" : "livekit");

const specials = {
  dependsOn: () => ({ dependsOn: [other] }),
  // Only the InboundAuth is deleted with its trunk. LiveKit does not delete a rule with the trunk that it leads to.
  deletedWith: (name, trunk) => (name === "auth" ? { deletedWith: trunk } : {}),
  // LiveKit does not accept a second rule beside the one being replaced.
  replaceWith: (name) => ({ replaceWith: [other], deleteBeforeReplace: name === "rule" }),
  replacementTrigger: (name) => ({
    replacementTrigger: changed ? "second" : "first",
    deleteBeforeReplace: name === "rule",
  }),
  transforms: () => ({ transforms: [async (it) => reword(it)] }),
  transformations: () => ({ transformations: [reword] }),
  hooks: () => ({ hooks: { beforeCreate: [hook], afterUpdate: [hook], beforeDelete: [] } }),
  provider: () => ({ provider: second }),
};
const hook =
  special === "hooks" &&
  new pulumi.ResourceHook("noted", async ({ name }) => {
    require("node:fs").appendFileSync(config.require("notes"), `${name}\n`);
  });
const second =
  special === "provider" &&
  new (Provider ?? DynamicProvider)("second", {
    url: config.get("url") ?? settings.require("url"),
    apiKey: settings.require("apiKey"),
    apiSecret: settings.requireSecret("apiSecret"),
  });

const options = (name, trunk) => ({ ...same, ...own[name], ...(special ? specials[special](name, trunk) : {}) });
const declared = (name) => !without.includes(name);

if (declared("trunk")) {
  const headers = { "X-Account": changed ? "8" : "7" };
  const trunk = new SipTrunk("trunk", extension("3601", { headers }), options("trunk"));
  if (declared("auth")) {
    const allowedNumbers = changed ? ["2011", "2012"] : ["2011"];
    new InboundAuth("auth", { trunk, method: "credentials", allowedNumbers }, options("auth", trunk));
  }
  if (declared("rule")) {
    const roomPrefix = changed ? "changed-" : "call-";
    new DispatchRule("rule", { trunks: [trunk], rule: "individual", roomPrefix }, options("rule", trunk));
  }
}
